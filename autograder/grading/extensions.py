"""Extensions: until when single learners may hand in, in a table that an instructor can read."""

import contextlib
import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.parser import parse

from autograder.grading import files, sheets
from autograder.grading.errors import ClassError

FILE = "extensions.csv"
HEADER = ["student", "assignment", "until"]
Granted = dict[tuple[str, str], datetime]
"""From learner and assignment to the time, in UTC."""


def read(folder: Path) -> Granted | None:
    """The extensions of a class; None where it keeps no such table.

    Raises
    ------
    ClassError
        A line of the table cannot be understood.
    """
    path = folder / FILE
    if not path.exists():
        return None
    sheet = sheets.read(path)
    at = [sheet.column(name) for name in HEADER]
    if None in at:
        raise ClassError(f"{path}: its first line must be {','.join(HEADER)}")
    granted = {}
    for number, row in enumerate(sheet.rows, 2):
        student, assignment, until = (row[k].strip() for k in at if k is not None)
        try:
            granted[student, assignment] = moment(until)
        except ValueError as error:
            raise ClassError(f"{path}, line {number}: {error}") from None
    return granted


def grant(folder: Path, assignment: str, students: Sequence[str], until: datetime | None) -> None:
    """Let learners hand in until then; None takes their extension back."""
    granted = read(folder) or {}
    for student in students:
        granted.pop((student, assignment), None)
        if until is not None:
            granted[student, assignment] = until
    rows = [[*who, f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"] for who, when in granted.items()]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([HEADER, *sorted(rows)])
    files.put(folder / FILE, out.getvalue().encode())


def moment(text: str) -> datetime:
    """A time with its zone, by name or offset; without, nobody knows which hour is meant.

    Raises
    ------
    ValueError
        It is none.
    """
    time, _, place = text.strip().rpartition(" ")
    with contextlib.suppress(ValueError, OverflowError, KeyError, OSError):
        named = ZoneInfo(place) if "/" in place else None
        found = parse(time if named else text)
        if found.tzinfo is None and named:
            found = found.replace(tzinfo=named)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    raise ValueError(
        f"{text!r} is no time with a zone; write 2026-01-31 18:00 UTC, or Europe/Berlin"
    )


def allow(granted: Mapping[tuple[str, str], datetime] | None, submission: Any) -> None:
    """Give a submission of nbgrader's gradebook its extension, or none.

    Where the class keeps no table, what the gradebook holds is left as it is.
    """
    if granted is None:
        return
    until = granted.get((submission.student_id, submission.assignment.name))
    due = submission.assignment.duedate
    if until is None or due is None:
        submission.extension = None
    else:
        submission.extension = max(until.replace(tzinfo=None) - due, timedelta())
