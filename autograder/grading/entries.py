"""Entering results into nbgrader's tables, many at once, as the rows that nbgrader would write.

What a person has entered is never touched. Where nbgrader asks for a second look at every mark that
a person has given, here only those are asked for that lie over something new.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nbgrader.api import (
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)  # fmt: skip
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import parse_utc
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from autograder.grading import extensions, files
from autograder.grading.errors import ClassError, typed
from autograder.grading.judge import Result
from autograder.grading.sanitise import answer_cells
from autograder.grading.tasks import digest
from autograder.notebooks import source_of

NO_ANSWER = "No response."  # nbgrader's words
STAMP, SECRET = "timestamp.txt", "submission_secret.txt"  # the second says whose the feedback is
OF_THE_EXCHANGE, MAX_STAMP = (STAMP, SECRET), 200


class Entries:
    """One transaction's entries of an assignment.

    Parameters
    ----------
    folder : Path
        The class.
    api : nbgrader.apps.api.NbGraderAPI
        For its settings.
    gradebook : nbgrader.api.Gradebook
    assignment : str
    """

    def __init__(self, folder: Path, api: Any, gradebook: Gradebook, assignment: str) -> None:
        self.notices: list[str] = []
        self._folder, self._db, self._assignment = folder, gradebook.db, assignment
        try:
            self._released = gradebook.find_assignment(assignment)
        except MissingEntry:
            raise ClassError(
                f"the gradebook does not know {assignment}; run: "
                + typed("class", "release", folder, assignment)
            ) from None
        self._names = {notebook.id: notebook.name for notebook in self._released.notebooks}
        self._cells = {c.id: c for notebook in self._released.notebooks for c in _cells(notebook)}
        self._granted = extensions.read(folder)
        self._late = AssignLatePenalties(parent=api)
        self._late.init_plugin()

    def write(self, results: Sequence[Result]) -> None:
        """Write results; no two may be on the same notebook of one learner."""
        self._know({result["assignment"] for result in results})
        submissions = self._submissions(sorted({result["student"] for result in results}))
        written = []
        for result in results:
            for notebook in submissions[result["student"]].notebooks:
                label = f"{self._assignment}/{self._names[notebook.notebook_id]}"
                if label == result["assignment"] and "lost" not in result:
                    self._grades(notebook, result)
                    self._comments(notebook, result)
                    written.append(notebook)
        self._db.flush()
        for notebook in written:
            self._penalty(notebook)

    def _know(self, labels: set[str]) -> None:
        unknown = labels - {f"{self._assignment}/{name}" for name in self._names.values()}
        if unknown:
            raise ClassError(
                f"the gradebook does not know {', '.join(sorted(unknown))}; run in {self._folder}: "
                f"nbgrader generate_assignment {self._assignment}"
            )

    # -------------------------------------------------------------- submissions

    def _submissions(self, students: Sequence[str]) -> dict[str, SubmittedAssignment]:
        """The submissions of these learners; those that there are none of yet are made."""
        known = set(self._db.scalars(select(Student.id).where(Student.id.in_(students))))
        self._db.add_all(Student(id=student) for student in students if student not in known)
        self._db.flush()
        submissions = self._found(students)
        for student in students:
            if student not in submissions:
                submissions[student] = self._new(student)
            submissions[student].timestamp = self._timestamp(student)
        return submissions

    def _found(self, students: Sequence[str]) -> dict[str, SubmittedAssignment]:
        notebooks = selectinload(SubmittedAssignment.notebooks)
        found = self._db.scalars(
            select(SubmittedAssignment)
            .where(SubmittedAssignment.assignment_id == self._released.id)
            .where(SubmittedAssignment.student_id.in_(students))
            .options(
                notebooks.selectinload(SubmittedNotebook.grades),
                notebooks.selectinload(SubmittedNotebook.comments),
            )
        )
        return {submission.student_id: submission for submission in found}

    def _new(self, student: str) -> SubmittedAssignment:
        """A submission without marks, as nbgrader's `add_submission` makes it."""
        made = SubmittedAssignment(assignment_id=self._released.id, student_id=student)
        for notebook in self._released.notebooks:
            graded = [*notebook.grade_cells, *notebook.task_cells]
            remarked = [*notebook.solution_cells, *notebook.task_cells]
            made.notebooks.append(
                SubmittedNotebook(
                    notebook_id=notebook.id,
                    grades=[Grade(cell_id=cell.id) for cell in graded],
                    comments=[Comment(cell_id=cell.id) for cell in remarked],
                )
            )
        self._db.add(made)
        return made

    def _timestamp(self, student: str) -> datetime | None:
        """When it was handed in, if a file says so, as nbgrader reads it."""
        try:
            return time_of(self._folder / "submitted" / student / self._assignment)
        except ValueError:
            self.notices.append(
                f"{student}: timestamp.txt of {self._assignment} holds no time; "
                "it counts as handed in on time"
            )
            return None

    # -------------------------------------------------------------- one notebook

    def _grades(self, notebook: SubmittedNotebook, result: Result) -> None:
        marked = any(grade.manual_score is not None for grade in notebook.grades)
        seen = marked and self._seen(result)
        for grade in notebook.grades:
            cell = self._cells[grade.cell_id]
            if isinstance(cell, TaskCell):
                continue
            auto = _auto(cell.name, result)
            manual = grade.manual_score is not None
            if not (manual and seen and grade.auto_score == auto):
                grade.needs_manual_grade = manual or auto is None
            grade.auto_score = auto

    def _seen(self, result: Result) -> bool:
        """Whether these are the answers that a person could see when marking."""
        file = f"{result['assignment'].split('/')[1]}.ipynb"
        path = self._folder / "autograded" / result["student"] / self._assignment / file
        try:
            cells = answer_cells(json.loads(path.read_text("utf-8")))
            return {name: digest(source_of(cell)) for name, cell in cells} == result["answers"]
        except (OSError, ValueError, KeyError):
            return False

    def _comments(self, notebook: SubmittedNotebook, result: Result) -> None:
        for comment in notebook.comments:
            blank = self._cells[comment.cell_id].name in result["blank"]
            comment.auto_comment = NO_ANSWER if blank else None

    def _penalty(self, notebook: SubmittedNotebook) -> None:
        """nbgrader's own rule, or that of the class's plugin, for a late submission."""
        submission = notebook.assignment
        extensions.allow(self._granted, submission)
        late, penalty = submission.total_seconds_late, None
        if late > 0:
            score = sum(_score(grade) for grade in notebook.grades)
            plugin = self._late.plugin_inst
            penalty = plugin.late_submission_penalty(submission.student_id, score, late)
            if penalty is not None:
                penalty = self._late._check_late_penalty(SimpleNamespace(score=score), penalty)
        notebook.late_submission_penalty = penalty


def _cells(notebook: Any) -> list[Any]:
    return [*notebook.grade_cells, *notebook.solution_cells, *notebook.task_cells]


def _auto(cell: str, result: Result) -> float | None:
    """What the judge gives for a cell; None if a person has to mark it."""
    if cell in result["checks"]:
        return float(result["checks"][cell]["points"])
    return 0.0 if cell in result["blank"] else None


def _score(grade: Grade) -> float:
    """As nbgrader adds it up, in SQL."""
    given = grade.auto_score if grade.manual_score is None else grade.manual_score
    return 0.0 if given is None else float(given + (grade.extra_credit or 0.0))


def stamp_of(place: Path, name: str = STAMP) -> str:
    """The text of a submission's timestamp.txt; nothing if it is no plain, short file."""
    try:
        with files.plain(place / name) as file:
            return file.read(MAX_STAMP).decode("utf-8", "replace").strip()
    except (OSError, ValueError):
        return ""


def time_of(place: Path) -> datetime | None:
    """When a submission was handed in, if a file says so, as nbgrader reads it.

    Raises
    ------
    ValueError
        The file holds no time.
    """
    text = stamp_of(place)
    try:
        return parse_utc(text) if text else None
    except OverflowError as error:
        raise ValueError(str(error)) from None


def put_stamp(submission: Path, place: Path) -> None:
    """Write what the exchange put beside a submission, and nothing else, beside what is made of it.

    That is its time stamp and its secret.
    """
    for name in OF_THE_EXCHANGE:
        text, target = stamp_of(submission, name), place / name
        target.unlink(missing_ok=True)
        if text:
            place.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
