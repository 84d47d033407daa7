"""Who is in a class: rosters as nbgrader, Canvas and Moodle write them."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from autograder.grading import sheets
from autograder.grading.classroom import ClassError
from autograder.grading.sheets import Sheet

POINTS_POSSIBLE = "points possible"
TEST_STUDENT = "student, test"


class Student(NamedTuple):
    """One learner. `id` names their folder; `lms_user_id` is the learning system's own number."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""

    @property
    def name(self) -> str:
        """First name first."""
        return f"{self.first_name} {self.last_name}".strip()


class Roster(NamedTuple):
    """The learners of a file, and what was passed over."""

    students: list[Student]
    kind: str
    skipped: list[str]


def read(path: Path) -> Roster:
    """The learners in a roster.

    Parameters
    ----------
    path : Path
        CSV with the columns `id`, and any of `first_name`, `last_name`, `email` and
        `lms_user_id`; or the gradebook that Canvas exports; or Moodle's list of participants, or
        its grades.

    Raises
    ------
    ClassError
        It is none of these, or a learner has no id, or two have the same.
    """
    sheet = sheets.read(path)
    kind = kind_of(sheet)
    if kind is None:
        raise ClassError(
            f"{path}: no column says who is who; name one `id` (and first_name, last_name, email), "
            "or use a gradebook exported from Canvas or Moodle"
        )
    students, skipped = [], []
    for number, row in enumerate(sheet.rows, 2):
        found = READERS[kind](sheet, row)
        if found is None:
            skipped.append(f"line {number}: {' '.join(filter(None, row))[:60]}")
        elif not valid(found.id):
            raise ClassError(
                f"{path}, line {number}: {found.id!r} of {found.name or 'nobody'} cannot name a "
                "folder; an id is letters, digits and . _ @ + - "
            )
        else:
            students.append(found)
    _all_different(path, students)
    return Roster(students, kind, skipped)


def kind_of(sheet: Sheet) -> str | None:
    """Which system wrote a table."""
    if (
        sheet.column("Student") is not None
        and sheet.column("SIS Login ID", "SIS User ID") is not None
    ):
        return "canvas"
    if sheet.column("First name") is not None and sheet.column("Last name", "Surname") is not None:
        return "moodle"
    return "csv" if sheet.column("id", "student_id") is not None else None


def valid(student: str) -> bool:
    """Whether an id can name a folder; nbgrader takes its folders apart at slashes alone."""
    return re.fullmatch(r"[\w@][\w.@+-]*", student) is not None


def _all_different(path: Path, students: list[Student]) -> None:
    counts = Counter(student.id.lower() for student in students)  # folders may not tell cases apart
    twice = [student for student in students if counts[student.id.lower()] > 1]
    if twice:
        said = ", ".join(f"{student.id} ({student.name})" for student in twice)
        raise ClassError(f"{path}: these have one id: {said}")


# ------------------------------------------------------------------ who is in a row


def cell(sheet: Sheet, row: list[str], *names: str) -> str:
    """The cell of a row under the first of these names; empty where there is none."""
    at = sheet.column(*names)
    return row[at].strip() if at is not None else ""


def _first(sheet: Sheet, row: list[str], *names: str) -> str:
    """The first of these cells that holds anything."""
    return next(filter(None, (cell(sheet, row, name) for name in names)), "")


def _of_csv(sheet: Sheet, row: list[str]) -> Student | None:
    rest = ("first_name", "last_name", "email", "lms_user_id")
    return Student(cell(sheet, row, "id", "student_id"), *(cell(sheet, row, n) for n in rest))


def _of_canvas(sheet: Sheet, row: list[str]) -> Student | None:
    name = cell(sheet, row, "Student")
    if not name or name.lower() in (POINTS_POSSIBLE, TEST_STUDENT):
        return None
    last, _, first = (part.strip() for part in name.partition(","))
    login = _first(sheet, row, "SIS Login ID", "SIS User ID", "ID")
    email = login if "@" in login else ""
    return Student(login, first, last, email, cell(sheet, row, "ID"))


def _of_moodle(sheet: Sheet, row: list[str]) -> Student | None:
    first, last = cell(sheet, row, "First name"), cell(sheet, row, "Last name", "Surname")
    if not first and not last:
        return None
    email = cell(sheet, row, "Email address", "Email")
    own = _first(sheet, row, "Username", "ID number", "Email address", "Email")
    return Student(own, first, last, email, cell(sheet, row, "ID number"))


READERS = {"csv": _of_csv, "canvas": _of_canvas, "moodle": _of_moodle}


# ------------------------------------------------------------------ telling learners by name


def by_name(students: list[Student]) -> dict[str, list[Student]]:
    """From a name, in the forms that archives use, to all who bear it."""
    found: dict[str, list[Student]] = {}
    for student in students:
        for form in set(_forms(student)):
            found.setdefault(form, []).append(student)
    return found


def _forms(student: Student) -> Iterator[str]:
    yield plain(student.name)
    yield plain(f"{student.last_name} {student.first_name}")


def plain(name: str) -> str:
    """A name as the letters and digits that it is made of, in lower case."""
    return "".join(re.findall(r"\w", name.lower().replace("_", "")))
