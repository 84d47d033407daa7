"""nbgrader's books: its gradebook, its own converters, its feedback. The one writer."""

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # nbformat's import: 1.4 s

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps.api import NbGraderAPI
from traitlets.config import PyFileConfigLoader

from autograder.grading.classroom import ClassError


class Mark(NamedTuple):
    """One learner's mark on one assignment."""

    student: str
    assignment: str
    score: float
    most: float
    parts: dict[str, float]
    manual: bool


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
        config = PyFileConfigLoader("nbgrader_config.py", path=str(self.folder)).load_config()
        config.CourseDirectory.root = str(self.folder)
        config.NbGraderAPI.log_level = logging.ERROR
        self._api = NbGraderAPI(config=config)
        self._api.log.propagate = False

    def generate(self, assignment: str) -> None:
        """Make the learners' version of an assignment from its source."""
        self._call("generate_assignment", assignment)

    def autograde(self, assignment: str, student: str) -> None:
        """Enter one submission's verdict, as ``nbgrader autograde`` does."""
        self._call("autograde", assignment, student)

    def feedback(self, assignment: str, student: str) -> None:
        """Write one learner's feedback pages."""
        self._call("generate_feedback", assignment, student)

    def _call(self, name: str, *arguments: str) -> None:
        with contextlib.chdir(self.folder), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nbgrader's queries warn of themselves
            done = getattr(self._api, name)(*arguments)
        if not done["success"]:
            said = (done.get("error") or done.get("log") or "").strip().splitlines()
            raise ClassError(f"nbgrader {name} {' '.join(arguments)}: {said[-1] if said else '?'}")

    @contextlib.contextmanager
    def _gradebook(self) -> Iterator[Gradebook]:
        course = self._api.coursedir
        with (
            warnings.catch_warnings(),
            contextlib.closing(Gradebook(course.db_url, course.course_id)) as gradebook,
        ):
            warnings.simplefilter("ignore")  # nbgrader's queries warn of themselves
            yield gradebook

    def zero(self, assignment: str, student: str) -> None:
        """Enter zero for a learner who handed in no notebook at all."""
        with self._gradebook() as gradebook:
            gradebook.update_or_create_student(student)
            submission = gradebook.update_or_create_submission(assignment, student)
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    grade.auto_score, grade.needs_manual_grade = 0, False
            gradebook.db.commit()

    def add_student(self, student: str) -> None:
        """Enter a learner into the gradebook."""
        with self._gradebook() as gradebook:
            gradebook.update_or_create_student(student)

    def marks(self, assignment: str) -> list[Mark]:
        """What the gradebook says, learner by learner."""
        with self._gradebook() as gradebook:
            try:
                found = gradebook.find_assignment(assignment).submissions
            except MissingEntry:
                return []
            return sorted(_mark(submission, assignment) for submission in found)


def _mark(submission: Any, assignment: str) -> Mark:
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    parts = {grade.name: float(grade.score) for grade in grades}
    return Mark(
        submission.student.id,
        assignment,
        float(submission.score),
        float(submission.max_score),
        parts,
        any(grade.needs_manual_grade for grade in grades),
    )
