"""Moodle's grading worksheet: whose each number in its archives is, and when it was handed in."""

import re
from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import NamedTuple

from dateutil.parser import parse

from autograder.grading import roster, sheets
from autograder.grading.errors import ClassError
from autograder.grading.roster import Known, Student

WHEN = "Last modified (submission)"
WRITTEN_OUT = re.compile(r"[^\W\d]{3}|^\d{4}-")
"""A month by its name, or a year first: of 05/01/26 nobody knows which is the day."""


class Row(NamedTuple):
    """Whose a number is, and when they handed in, as far as either is known."""

    student: Student | None
    when: datetime | None


def read(path: Path, students: Sequence[Student], zone: tzinfo) -> dict[str, Row]:
    """The rows of a worksheet, by Moodle's number of a learner in the assignment.

    Parameters
    ----------
    path : Path
    students : sequence of Student
        The class.
    zone : tzinfo
        Of the times in it.

    Raises
    ------
    ClassError
        It is no worksheet, or a time in it cannot be read.
    """
    sheet = sheets.read(path)
    if roster.kind_of(sheet) != "worksheet" or sheet.column(WHEN) is None:
        raise ClassError(
            f"{path} is no grading worksheet with the columns Identifier, Full name and {WHEN}; "
            "download it from Moodle's assignment, in English"
        )
    known, rows = Known(students), {}
    for line, row in zip(sheet.lines, sheet.rows, strict=True):
        number = re.search(r"\d+$", roster.cell(sheet, row, "Identifier"))
        text = roster.cell(sheet, row, WHEN)
        if number is not None:
            try:
                when = _when(text, zone)
            except (ValueError, OverflowError):
                raise ClassError(
                    f"{path}, line {line}: {text!r} is no time that can be read; download it from "
                    "Moodle in English"
                ) from None
            rows[number[0]] = Row(known.in_row("worksheet", sheet, row), when)
    return rows


def _when(text: str, zone: tzinfo) -> datetime | None:
    if text in ("", "-"):
        return None
    if not WRITTEN_OUT.search(text):
        raise ValueError(text)
    return parse(text).replace(tzinfo=zone)
