"""The files that nbgrader keeps of a graded notebook: autograded notebook and feedback page.

They are what nbgrader's own commands write, made by nbgrader's own converters; but what the
gradebook says comes with the task, so that any number of processes can write them.
"""

import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import nbconvert
import nbgrader
from nbconvert.exporters import html
from nbformat import NotebookNode
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    GetGrades,
    NbGraderPreprocessor,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)  # fmt: skip
from nbgrader.utils import find_all_files, is_grade, is_solution, is_task
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from autograder.grading import tasks
from autograder.grading.books import Books, Sheet
from autograder.grading.bridge import Judge, fill, node
from autograder.grading.classroom import PRIVATE
from autograder.grading.entries import put_stamp
from autograder.grading.judge import Result
from autograder.grading.late import Extend
from autograder.grading.tasks import Job, Task


class Page(NamedTuple):
    """What is to be written of one learner's notebook."""

    task: Task
    result: Result
    sheet: Sheet


def stamp(result: Result, sheet: Sheet) -> str:
    """A hash of all that the files on a result depend on."""
    made_by = [nbgrader.__version__, nbconvert.__version__]
    said = [result[part] for part in ("answers", "checks", "outputs", "remarks")]
    return tasks.digest(json.dumps([made_by, said, sheet], sort_keys=True))


def are_there(folder: Path, label: str, student: str) -> bool:
    """Whether the files on a notebook exist."""
    assignment, stem = label.split("/")
    return all(
        (folder / step / student / assignment / f"{stem}{suffix}").is_file()
        for step, suffix in (("autograded", ".ipynb"), ("feedback", ".html"))
    )


@contextmanager
def opened(folder: Path, job: Job) -> Iterator[Callable[[Page], str]]:
    """A process made ready for writing the pages of a class."""
    os.chdir(folder)  # as nbgrader does
    html.BeautifulSoup = AsItIs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbconvert's, on what it stands on
        yield Printer(Books(folder), job).write


class AsItIs:
    """Stands for the parser by which nbconvert looks for pictures without a text, at half the cost
    of a page. Here all have one: a learner's own HTML is shown as text.
    """

    def __init__(self, page: str, features: str) -> None:
        self._page = page

    def select(self, wanted: str) -> tuple[()]:
        """Find nothing."""
        return ()

    def __str__(self) -> str:
        return self._page


class Printer:
    """Writes pages with the settings of a class."""

    def __init__(self, books: Books, job: Job) -> None:
        self._folder, self._job = books.folder, job
        course = books.api.coursedir
        self._source = course.source_directory
        self._ignored = ["*.ipynb", *course.ignore]  # the first that fits ends the search
        self._autograde = Autograde(coursedir=course, parent=books.api)
        self._feedback = GenerateFeedback(coursedir=course, parent=books.api)
        self._feedback.update_config(Config({"HTMLExporter": {"template_name": "feedback"}}))
        steps = [*self._autograde.sanitize_preprocessors, *self._autograde.autograde_preprocessors]
        self._to_notebook = _exporter(self._autograde, steps)
        self._to_html = _exporter(self._feedback, self._feedback.preprocessors)

    def write(self, page: Page) -> str:
        """Write both files.

        Returns
        -------
        str
            What went wrong, if anything did.
        """
        clean = tasks.read(self._job.templates[page.task.label], page.task)
        if tasks.digests(clean) != page.result["answers"]:
            return "it was handed in anew while it was being graded; grade it again"
        text, _ = self._to_notebook.from_notebook_node(node(clean), resources=_resources(page))
        autograded = self._put(self._autograde, page.task, ".ipynb", text)
        text, _ = self._to_html.from_filename(str(autograded), resources=_resources(page))
        self._put(self._feedback, page.task, ".html", text)
        return ""

    def _put(self, converter: Any, task: Task, suffix: str, text: str) -> Path:
        """Write a file, whole or not at all, with what stands beside it."""
        assignment, stem = task.label.split("/")
        place = Path(converter._format_dest(assignment, task.student))
        place.mkdir(parents=True, exist_ok=True)
        self._beside(place, assignment, task.student)
        new = self._folder / PRIVATE / f"writing-{os.getpid()}"
        new.write_text(text, "utf-8")
        target = (place / stem).with_suffix(suffix)
        os.replace(new, target)
        converter.set_permissions(assignment, task.student)
        return target

    def _beside(self, place: Path, assignment: str, student: str) -> None:
        """The instructor's pictures and data; of the learner's other files only the time stamp."""
        source = self._folder / self._source / assignment
        for file in map(Path, find_all_files(str(source), self._ignored)):
            target = place / file.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copy(file, target)
        put_stamp(self._folder / "submitted" / student / assignment, place)


def _resources(page: Page) -> dict[str, Any]:
    """What nbgrader's converters tell their preprocessors, and the page."""
    assignment, stem = page.task.label.split("/")
    known = {"student": page.task.student, "assignment": assignment, "notebook": stem}
    return {"unique_key": stem, "nbgrader": known, "unrolled": page}


# ------------------------------------------------------------------ without the gradebook


class Filled(NbGraderPreprocessor):
    """Stands for `Judge`: the result comes with the page."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Put the result's outputs into the cells."""
        return fill(nb, resources["unrolled"].result), resources


class SheetGrades(NbGraderPreprocessor):
    """Stands for `GetGrades`: what the gradebook says comes with the page."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Put scores and comments into the cells' metadata."""
        sheet = resources["unrolled"].sheet
        for cell in nb.cells:
            if is_solution(cell) or is_task(cell):
                cell.metadata.nbgrader["comment"] = sheet.comments[cell.metadata.nbgrader.grade_id]
            if is_grade(cell) or is_task(cell):
                cell.metadata.nbgrader["score"] = sheet.scores[cell.metadata.nbgrader.grade_id]
                cell.metadata.nbgrader["points"] = sheet.most[cell.metadata.nbgrader.grade_id]
        penalty = sheet.penalty or 0
        resources["nbgrader"]["score"] = sum(sheet.scores.values()) - penalty
        resources["nbgrader"]["max_score"] = sum(sheet.most.values())
        resources["nbgrader"]["late_penalty"] = penalty
        return nb, resources


INSTEAD = {Judge: Filled, GetGrades: SheetGrades}
NEEDLESS = {
    AssignLatePenalties, CheckCellMetadata, Extend, OverwriteCells, OverwriteKernelspec,
    SaveAutoGrades,
}  # fmt: skip
"""These check, repeat or enter what is in the released notebook, or in the gradebook, already."""


def _exporter(converter: Any, steps: list[Any]) -> Any:
    """A converter's exporter with these preprocessors, none of which asks the gradebook."""
    exporter = converter.exporter_class(parent=converter, config=converter.config)
    for step in steps:
        known = import_item(step) if isinstance(step, str) else step
        if known not in NEEDLESS:
            exporter.register_preprocessor(INSTEAD.get(known, known))
    return exporter
