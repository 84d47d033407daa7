"""What nbgrader's pages of a notebook show besides, for whoever marks and for whoever is marked.

What is here stands in the configuration of the exporter that makes both pages.
"""

import json
from pathlib import Path
from typing import Any

from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import is_grade, is_solution

from autograder.grading.sanitise import answer_cells
from autograder.notebooks import source_of

STYLE = (
    "<style>"
    ".text_cell_render :is(th,td){padding:.15em 1em .15em 0;vertical-align:top}"
    ".text_cell_render td .mjx-full-width{width:auto}"
    ".text_cell_render details{margin-bottom:.6em}"
    ".text_cell_render summary{display:list-item;cursor:pointer}"
    "</style>"
)

MAX_LINE = 1000  # characters; patterns look on to a line's end from everywhere in it


class Highlight(Highlight2HTML):
    """Colours for code. `%%perl` calls no other language's patterns, some of which never end, and
    a cell with a line that nobody writes has none: minutes go into them, on a page of a formgrader
    that serves nobody else meanwhile.
    """

    def __call__(self, source: str, language: Any = None, metadata: Any = None) -> str:
        """Code as HTML."""
        written = all(len(line) <= MAX_LINE for line in source.split("\n"))
        shown: str = super().__call__(source, "python3" if written else "text", metadata)
        return shown


class Legible(Preprocessor):
    """Tables whose columns stand apart, even with broken formulas, and details that can be seen
    to unfold. The stylesheet of nbgrader's pages has neither.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Put a stylesheet on top."""
        nb.cells.insert(0, new_markdown_cell(STYLE))
        return nb, resources


class ModelAnswers(Preprocessor):
    """The instructor's answer, folded, above each answer that a person marks."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Put them in, if this is the formgrader's page, which only instructors see."""
        if "submission_id" in resources:  # the formgrader's; what makes feedback has none
            answers = self._answers(resources["assignment_id"], resources["notebook_id"])
            nb.cells = [each for cell in nb.cells for each in (*_model(cell, answers), cell)]
        return nb, resources

    def _answers(self, assignment: str, notebook: str) -> dict[str, str]:
        """What stands in `source/`, by the cells' names; nothing, if it is not there."""
        course = CourseDirectory(parent=self)
        place = Path(course.format_path(course.source_directory, ".", assignment))
        try:
            source = json.loads((place / f"{notebook}.ipynb").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return {name: source_of(cell) for name, cell in answer_cells(source)}


def _model(cell: NotebookNode, answers: dict[str, str]) -> list[NotebookNode]:
    """The model for an answer, as a cell of its own."""
    if not (cell.cell_type == "markdown" and is_grade(cell) and is_solution(cell)):
        return []
    text = answers.get(cell.metadata.nbgrader.grade_id)
    folded = f"<details>\n<summary>Model answer</summary>\n\n{text}\n\n</details>"
    return [new_markdown_cell(folded)] if text else []
