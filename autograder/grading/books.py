"""nbgrader's books: its gradebook and its own commands. The one writer.

nbgrader enters a submission in some thirty transactions. Here many submissions are entered in one,
through nbgrader's own tables, as the rows that it would write itself.
"""

import contextlib
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from jupyter_core.paths import jupyter_config_path
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)  # fmt: skip
from nbgrader.api import Student as Learner
from nbgrader.apps.api import NbGraderAPI
from sqlalchemy import Index, select
from sqlalchemy.exc import DBAPIError
from traitlets.config import Config, ConfigFileNotFound, PyFileConfigLoader

from autograder.grading.entries import Entries
from autograder.grading.errors import ClassError
from autograder.grading.judge import Result
from autograder.grading.roster import Student

RAISED = re.compile(r"^\s*[\w.]*(?:Error|Exception): (.+)$", re.M)
OF_SUBMISSION = Index("unrolled_notebooks_of_submission", SubmittedNotebook.assignment_id)
"""nbgrader has none, and joins by it: with 2,000 learners, the formgrader's list of an assignment's
submissions took eight minutes, and takes six seconds."""


class Sheet(NamedTuple):
    """What the gradebook says of one learner's notebook.

    `scores` and `comments` are by the cells' names, and so are `auto` (what the judge gave) and
    `manual` (what a person gave); `open` are the cells that wait for a person.
    """

    scores: dict[str, float]
    most: dict[str, float]
    auto: dict[str, float | None]
    manual: dict[str, float | None]
    comments: dict[str, str | None]
    open: list[str]
    penalty: float | None


class Mark(NamedTuple):
    """One learner's mark on one assignment. `score` is before the penalty for lateness."""

    student: str
    assignment: str
    score: float
    most: float
    parts: dict[str, float]
    manual: bool
    penalty: float


class Books:
    """The gradebook of a class, and the nbgrader commands that write into it.

    Parameters
    ----------
    folder : Path
        A class folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        # nbgrader calls the program `alembic`, which stands beside this interpreter
        os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        config = _configured(self.folder)
        config.CourseDirectory.root = str(self.folder)
        config.NbGraderAPI.log_level = logging.ERROR
        self.api = NbGraderAPI(config=config)
        self.api.log.propagate = False

    def generate(self, assignment: str) -> None:
        """Make the learners' version of an assignment from its source."""
        with contextlib.chdir(self.folder), quiet():
            done = self.api.generate_assignment(assignment)
        require_done(done, f"nbgrader generate_assignment {assignment}")
        with self._gradebook() as gradebook:
            OF_SUBMISSION.create(gradebook.db.get_bind(), checkfirst=True)

    def set_due(self, assignment: str, when: datetime) -> None:
        """Say until when an assignment may be handed in without a penalty."""
        with self._gradebook() as gradebook:
            due = when.astimezone(UTC).replace(tzinfo=None)  # as nbgrader keeps times
            gradebook.update_or_create_assignment(assignment, duedate=due)

    def due(self, assignment: str) -> datetime | None:
        """Until when an assignment may be handed in; None if at any time, or if it is unknown."""
        with self._gradebook() as gradebook:
            return due(gradebook, assignment)

    @contextlib.contextmanager
    def _gradebook(self) -> Iterator[Gradebook]:
        course = self.api.coursedir
        try:
            with (
                quiet(),
                contextlib.closing(Gradebook(course.db_url, course.course_id)) as gradebook,
            ):
                yield gradebook
        except DBAPIError as error:
            raise ClassError(
                f"the gradebook cannot be used: {error.orig}. What has been judged is kept; "
                "when this is mended, run the same command again"
            ) from None

    def students(self) -> list[Student]:
        """Who is in the class, by id."""
        with self._gradebook() as gradebook:
            return students(gradebook)

    def add_students(self, students: Sequence[Student]) -> None:
        """Enter learners into the gradebook, or what is now known of them. Nobody is removed."""
        with self._gradebook() as gradebook:
            known = {student.id: student for student in gradebook.students}
            for student in students:
                row = known.get(student.id) or Learner(id=student.id)
                gradebook.db.add(row)
                for field, text in student._asdict().items():
                    if text:
                        setattr(row, field, text)
            gradebook.db.commit()

    def enter(self, assignment: str, results: Sequence[Result]) -> list[str]:
        """Enter results, in one transaction.

        Parameters
        ----------
        assignment : str
        results : sequence of dict
            No two on the same notebook of one learner. One that was lost opens its cells for a
            person to mark, unless there are marks already.

        Returns
        -------
        list of str
            What an instructor should know.
        """
        with self._gradebook() as gradebook:
            entries = Entries(self.folder, self.api, gradebook, assignment)
            entries.write(results)
            gradebook.db.commit()
        return entries.notices

    def sheets(self, assignment: str) -> dict[tuple[str, str], Sheet]:
        """What the gradebook says, by learner and notebook."""
        with self._gradebook() as gradebook:
            rows = gradebook.db.execute(_GRADES.where(Assignment.name == assignment)).all()
            remarks = gradebook.db.execute(_COMMENTS.where(Assignment.name == assignment)).all()
        sheets: dict[tuple[str, str], Sheet] = {}
        for student, notebook, penalty, cell, score, most, auto, manual, waits in rows:
            empty = Sheet({}, {}, {}, {}, {}, [], penalty)
            sheet = sheets.setdefault((student, notebook), empty)
            sheet.scores[cell], sheet.most[cell] = score, most
            sheet.auto[cell], sheet.manual[cell] = auto, manual
            sheet.open.extend([cell] * waits)
        for sheet in sheets.values():
            sheet.open.sort()  # a database gives its rows in any order
        for student, notebook, cell, comment in remarks:
            if (student, notebook) in sheets:
                sheets[student, notebook].comments[cell] = comment
        return sheets

    def marks(self, assignment: str) -> list[Mark]:
        """What the gradebook says, learner by learner."""
        by_student: dict[str, list[Sheet]] = {}
        for (student, _), sheet in sorted(self.sheets(assignment).items()):
            by_student.setdefault(student, []).append(sheet)
        return [
            Mark(
                student,
                assignment,
                sum(sum(s.scores.values()) for s in sheets),
                sum(sum(s.most.values()) for s in sheets),
                {cell: score for s in sheets for cell, score in s.scores.items()},
                any(s.open for s in sheets),
                sum(s.penalty or 0 for s in sheets),
            )
            for student, sheets in by_student.items()
        ]


def students(gradebook: Gradebook) -> list[Student]:
    """Who is in a gradebook, by id."""
    rows = sorted(gradebook.students, key=lambda row: row.id)
    return [Student(*(getattr(row, f) or "" for f in Student._fields)) for row in rows]


def due(gradebook: Gradebook, assignment: str) -> datetime | None:
    """Until when an assignment may be handed in, as a gradebook has it."""
    with contextlib.suppress(MissingEntry):
        when = gradebook.find_assignment(assignment).duedate
        return when.replace(tzinfo=UTC) if when else None
    return None


def _configured(folder: Path) -> Config:
    """nbgrader's settings as its own commands find them: the machine's, the user's, the class's."""
    config = Config()
    for place in [*reversed(jupyter_config_path()), str(folder)]:
        with contextlib.suppress(ConfigFileNotFound):
            config.merge(PyFileConfigLoader("nbgrader_config.py", path=place).load_config())
    return config


def require_done(done: dict[str, Any], what: str) -> None:
    """That one of nbgrader's own commands has succeeded.

    Raises
    ------
    ClassError
        It has not; with what was raised first, which is in its log.
    """
    if not done["success"]:
        said = "\n".join(done.get(part) or "" for part in ("log", "error")).strip()
        first = RAISED.search(said)
        raise ClassError(f"{what}: {first[1] if first else said.splitlines()[-1:]}")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings that nbgrader gives of itself, such as of a file that it leaves open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _of_assignment(*columns: Any) -> Any:
    """A query over the submissions of an assignment, in nbgrader's tables."""
    return (
        select(SubmittedAssignment.student_id, Notebook.name, *columns)
        .select_from(SubmittedNotebook)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
    )


_GRADES = (
    _of_assignment(
        SubmittedNotebook.late_submission_penalty, BaseCell.name, Grade.score, Grade.max_score,
        Grade.auto_score, Grade.manual_score, Grade.needs_manual_grade,
    )
    .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
    .join(BaseCell, BaseCell.id == Grade.cell_id)
)  # fmt: skip
_COMMENTS = (
    _of_assignment(BaseCell.name, Comment.comment)
    .join(Comment, Comment.notebook_id == SubmittedNotebook.id)
    .join(BaseCell, BaseCell.id == Comment.cell_id)
)
