"""Weaving: text + solutions + exercises into the instructor's and the learner's notebooks.

A unit's text is MyST Markdown in ``course/NN_unit/``. In it, a code cell tagged ``exercise``
holds only a function's name, and one tagged ``question`` only the id of a question whose model
answer stands in ``solutions/answers/NN_unit/``. The result is the same, byte for byte, each time.
"""

import hashlib
import re
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # nbformat's import: 1.4 s

import jupytext
import nbformat
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.exercise import exercise, source

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


class WeaveError(ValueError):
    """A text that cannot be woven: says which file, which cell, and what to write instead."""


def texts() -> dict[str, Path]:
    """From unit (``02_rnn_forward``) to its text, in the order of the course."""
    course = Path(str(resources.files("course")))
    return {path.parent.name: path for path in sorted(course.glob("[0-9][0-9]_*/*.md"))}


def text_of(unit: str) -> Path:
    """The text of a unit.

    Raises
    ------
    WeaveError
        There is no such unit.
    """
    if unit not in texts():
        raise WeaveError(f"there is no unit {unit!r}; the units are {', '.join(texts())}")
    return texts()[unit]


def instructor_notebook(unit: str) -> str:
    """The nbgrader source notebook of a unit, solutions inside, as JSON text."""
    return nbformat.writes(_woven(text_of(unit)))


def student_notebook(unit: str) -> str:
    """The learner's notebook of a unit as JSON text: solutions cut by nbgrader itself."""
    from nbgrader.preprocessors import (
        CheckCellMetadata,
        ClearSolutions,
        ComputeChecksums,
        LockCells,
    )

    notebook, notes = _woven(text_of(unit)), NotebookNode()
    for step in (LockCells, ClearSolutions, CheckCellMetadata, ComputeChecksums):
        notebook, notes = step().preprocess(notebook, notes)
    notebook.metadata.unrolled["release"] = _digest(nbformat.writes(notebook))
    return nbformat.writes(notebook)


def build(check: bool = False) -> list[Path]:
    """Write the student notebook of every unit beside its text.

    Parameters
    ----------
    check : bool, optional
        Write nothing; only find those that are not what they should be.

    Returns
    -------
    list of Path
        The notebooks that were (or would be) changed.
    """
    changed = []
    for unit, text in texts().items():
        path, fresh = text.with_suffix(".ipynb"), student_notebook(unit)
        if not path.exists() or path.read_text("utf-8") != fresh:
            changed.append(path)
            if not check:
                path.write_text(fresh, "utf-8")
    return changed


def _woven(text: Path) -> NotebookNode:
    unit = text.parent.name
    read = jupytext.reads(text.read_text("utf-8"), fmt="md:myst")
    cells = [cell for slot in read.cells for cell in _cells(slot, unit)]
    _identify(cells)
    metadata = {
        "kernelspec": KERNEL,
        "language_info": {"name": "python"},
        "unrolled": {"unit": unit},
    }
    return new_notebook(cells=cells, metadata=metadata)


def _cells(slot: NotebookNode, unit: str) -> Iterator[NotebookNode]:
    """The cells that one cell of the text becomes."""
    tags = slot.metadata.get("tags", [])
    if "exercise" in tags:
        yield from _exercise_cells(slot.source.strip(), unit)
    elif "question" in tags:
        yield _question_cell(slot.source.strip(), unit)
    elif slot.cell_type == "code":
        if "BEGIN SOLUTION" in slot.source:
            raise WeaveError(f"{unit}: a solution stands in the text; it belongs into solutions/")
        yield new_code_cell(slot.source, metadata={"tags": tags} if tags else {})
    elif slot.source.strip():
        yield new_markdown_cell(slot.source)


def _exercise_cells(name: str, unit: str) -> Iterator[NotebookNode]:
    try:
        declared = exercise(name)
    except ModuleNotFoundError:
        raise WeaveError(
            f"{unit}: there is no exercise {name!r}; write autograder/exercises/{name}.py"
        ) from None
    yield new_code_cell(
        source(declared.reference), metadata={"nbgrader": _nbgrader(name, "code", solution=True)}
    )
    grading = _nbgrader(f"check-{name}", "code", points=declared.points)
    yield new_code_cell(
        f"check({name})", metadata={"nbgrader": grading, "unrolled": {"check": name}}
    )


def _question_cell(name: str, unit: str) -> NotebookNode:
    file = Path(str(resources.files("solutions"))) / "answers" / unit / f"{name}.md"
    if not file.exists():
        raise WeaveError(f"{unit}: the question {name!r} has no model answer; write {file.name}")
    match = re.fullmatch(r"---\n(.*?)\n---\n(.*)", file.read_text("utf-8"), re.S)
    if match is None:
        raise WeaveError(f"{file.name}: it must begin with `---`, `points: N`, `---`")
    points = yaml.safe_load(match[1])["points"]
    grading = _nbgrader(name, "markdown", solution=True, points=points)
    return new_markdown_cell(match[2].strip(), metadata={"nbgrader": grading})


def _nbgrader(
    grade_id: str, cell_type: str, solution: bool = False, points: float | None = None
) -> dict[str, Any]:
    """nbgrader's metadata, schema 3; a cell with points is graded."""
    metadata = {
        "cell_type": cell_type,
        "grade": points is not None,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    return metadata if points is None else {**metadata, "points": points}


def _identify(cells: list[NotebookNode]) -> None:
    """Give each cell an id that stays when other cells change."""
    seen: dict[str, int] = {}
    for cell in cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        seed = f"{cell.cell_type} {name or cell.source}"
        seen[seed] = seen.get(seed, 0) + 1
        cell.id = _digest(f"{seed} {seen[seed]}")


def _digest(text: str) -> str:
    """Twelve letters that are the same for the same text, and else others."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
