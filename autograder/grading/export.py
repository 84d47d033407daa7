"""Marks for other systems: tables of their own, or columns in a table that a system exported."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from autograder.grading import roster, sheets
from autograder.grading.books import Mark
from autograder.grading.classroom import ClassError
from autograder.grading.roster import Student
from autograder.grading.sheets import Sheet

FACTS = ["student", "assignment", "score", "max_score", "late_penalty", "needs_manual_grade"]


class Filled(NamedTuple):
    """A table with marks in it, and what did not fit."""

    sheet: Sheet
    unmarked: list[str]
    missing: list[str]


def total(mark: Mark) -> float:
    """What a learner has: the score less the penalty, and no less than nothing."""
    return max(0.0, mark.score - mark.penalty)


def as_csv(marks: Sequence[Mark]) -> str:
    """Marks as a table, one line each, with the marks on every part."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
    parts = list(dict.fromkeys(part for mark in marks for part in mark.parts))
    writer.writerow([*FACTS, *parts])
    for mark in marks:
        known = [mark.student, mark.assignment, mark.score, mark.most, mark.penalty]
        manual = "yes" if mark.manual else "no"
        writer.writerow([*known, manual, *(mark.parts.get(part, "") for part in parts)])
    return out.getvalue()


def as_json(marks: Sequence[Mark]) -> list[dict[str, Any]]:
    """Marks as JSON-able data."""
    return [{**mark._asdict(), "total": total(mark)} for mark in marks]


def fill(path: Path, marks: Sequence[Mark], students: Sequence[Student]) -> Filled:
    """Put marks into a gradebook that Canvas or Moodle exported, to be imported there again.

    Parameters
    ----------
    path : Path
        The exported file; it is not changed.
    marks : sequence of Mark
    students : sequence of Student
        The class.

    Returns
    -------
    Filled
        The same rows in the same order. An assignment's marks go into the column whose name
        begins with the assignment's, or else into a new one.

    Raises
    ------
    ClassError
        It is no such file, or several columns are meant.
    """
    sheet = sheets.read(path)
    kind = roster.kind_of(sheet)
    if kind not in ("canvas", "moodle"):
        raise ClassError(
            f"{path} is no gradebook of Canvas or Moodle; export one there, and name it"
        )
    ids = [_student(sheet, row, kind, students) for row in sheet.rows]
    header, rows = list(sheet.header), [list(row) for row in sheet.rows]
    for assignment in dict.fromkeys(mark.assignment for mark in marks):
        at = _column(path, header, rows, assignment)
        those = {mark.student: mark for mark in marks if mark.assignment == assignment}
        for row, own in zip(rows, ids, strict=True):
            if own in those:
                row[at] = f"{total(those[own]):g}"
            elif kind == "canvas" and _points_possible(sheet, row) and not row[at].strip():
                row[at] = f"{max(mark.most for mark in those.values()):g}"
    marked, there = {mark.student for mark in marks}, {own for own in ids if own}
    return Filled(
        Sheet(header, rows, sheet.delimiter), sorted(there - marked), sorted(marked - there)
    )


def _student(sheet: Sheet, row: list[str], kind: str, students: Sequence[Student]) -> str | None:
    """The id of the learner whom a row is about, as the class knows it."""
    found = roster.READERS[kind](sheet, row)
    if found is None:
        return None
    same = [s for s in students if s.lms_user_id and s.lms_user_id == found.lms_user_id]
    return same[0].id if len(same) == 1 else found.id


def _points_possible(sheet: Sheet, row: list[str]) -> bool:
    return roster.cell(sheet, row, "Student").lower() == roster.POINTS_POSSIBLE


def _column(path: Path, header: list[str], rows: list[list[str]], assignment: str) -> int:
    """Where an assignment's marks go; a column is added where there is none."""
    found = [k for k, name in enumerate(header) if _names(name, assignment)]
    if len(found) > 1:
        said = ", ".join(header[k] for k in found)
        raise ClassError(f"{path}: several columns may be {assignment}: {said}; remove all but one")
    if found:
        return found[0]
    header.append(assignment)
    for row in rows:
        row.append("")
    return len(header) - 1


def _names(column: str, assignment: str) -> bool:
    """Whether a column is an assignment's: Canvas adds a number, Moodle a kind before it."""
    name = column.strip().lower().removeprefix("assignment:").removesuffix("(real)").strip()
    own = assignment.lower()
    return name == own or name.startswith((f"{own} (", f"{own}:"))
