"""The student notebooks of the course: where they are, and what exercises are in them.

A notebook is read as the JSON that it is, so that a learner's machine needs no notebook library.
"""

import json
from importlib import resources
from pathlib import Path
from typing import Any

CODE_STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
TEXT_STUB = "YOUR ANSWER HERE"
"""What nbgrader leaves where an answer is to be written."""


def student_notebooks() -> dict[str, Path]:
    """From unit (``02_rnn_forward``) to its notebook, in the order of the course."""
    course = Path(str(resources.files("course")))
    return {path.parent.name: path for path in sorted(course.glob("[0-9][0-9]_*/*.ipynb"))}


def units() -> dict[str, list[str]]:
    """From unit to its exercises, in the order of its notebook."""
    return {
        unit: exercises(json.loads(path.read_text("utf-8")))
        for unit, path in student_notebooks().items()
    }


def exercises(notebook: dict[str, Any]) -> list[str]:
    """The exercises that a notebook checks, in order."""
    found = (exercise_of(cell) for cell in notebook["cells"])
    return [name for name in found if name]


def exercise_of(cell: dict[str, Any]) -> str | None:
    """The exercise that a cell checks, if it is a check."""
    name: str | None = cell.get("metadata", {}).get("unrolled", {}).get("check")
    return name


def points_of(cell: dict[str, Any]) -> float | None:
    """What a cell is worth, as its instructor has it; None where it is not graded."""
    marks = cell.get("metadata", {}).get("nbgrader", {})
    return float(marks["points"]) if marks.get("grade") and "points" in marks else None


def release_of(notebook: dict[str, Any]) -> str | None:
    """Which release of a unit a notebook comes from; None for one that does not say."""
    release: str | None = notebook.get("metadata", {}).get("unrolled", {}).get("release")
    return release


def answer_id(cell: dict[str, Any]) -> str | None:
    """The exercise or question that a cell answers, if it is for an answer."""
    marks = cell.get("metadata", {}).get("nbgrader", {})
    return marks.get("grade_id") if marks.get("solution") else None


def source_of(cell: dict[str, Any]) -> str:
    """A cell's source; the format allows one string, or a list of lines."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)
