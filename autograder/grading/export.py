"""Marks for other systems: tables of their own, or columns in a table that a system exported."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from autograder.grading import roster, sheets
from autograder.grading.books import Mark
from autograder.grading.errors import ClassError
from autograder.grading.roster import Student
from autograder.grading.sheets import Sheet

FACTS = [
    "student", "assignment", "score", "max_score", "late_penalty", "total", "needs_manual_grade",
]  # fmt: skip
EXCUSED = ("EX", "N/A")  # Canvas: need not hand in; has not been given it
FORMULA = re.compile(r"(?:^|(?<=[;\t\n]))(?=[\s\"]*[=+@-])")
"""Where one may begin: in many countries cells end at semicolons, and quotes do not hold there."""
COMMA = re.compile(r"-?\d+,\d{1,2}")


class Filled(NamedTuple):
    """A table with marks in it, and what did not fit.

    `columns` is where each assignment's marks are, and whether that column was added; `kept` are
    learners whose cell says something else, such as that they are excused; `mosts` are
    assignments of which the table says another maximum, with that.
    """

    sheet: Sheet
    unmarked: list[str]
    missing: list[str]
    columns: dict[str, tuple[str, bool]]
    kept: list[tuple[str, str]]
    mosts: dict[str, float]


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
        who = mark.student if roster.valid(mark.student) else _inert(mark.student)
        known = [who, mark.assignment, mark.score, mark.most, mark.penalty, total(mark)]
        manual = "yes" if mark.manual else "no"
        writer.writerow([*known, manual, *(mark.parts.get(part, "") for part in parts)])
    return out.getvalue()


def as_table(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> str:
    """Rows as CSV for a spreadsheet, which would take what a learner has written for a formula."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, quoting=csv.QUOTE_NONNUMERIC, restval="")
    writer.writeheader()
    writer.writerows({name: _inert(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _inert(value: Any) -> Any:
    if isinstance(value, str):
        return FORMULA.sub("'", value)
    return "" if value is None else value


def as_json(marks: Sequence[Mark]) -> list[dict[str, Any]]:
    """Marks as JSON-able data."""
    return [{**mark._asdict(), "total": total(mark)} for mark in marks]


def fill(
    path: Path, marks: Sequence[Mark], students: Sequence[Student], column: str | None = None
) -> Filled:
    """Put marks into a table that Canvas, Moodle or Blackboard exported, to be imported there.

    Parameters
    ----------
    path : Path
        The exported gradebook, or grading worksheet of Moodle; it is not changed.
    marks : sequence of Mark
    students : sequence of Student
        The class.
    column : str, optional
        Where the marks belong, if the marks are of one assignment.

    Returns
    -------
    Filled
        The same rows in the same order. An assignment's marks go into the column whose name
        begins with the assignment's (or is `column`), or else into a new one.

    Raises
    ------
    ClassError
        It is no such file, several columns are meant, or none is called `column`.
    """
    sheet = sheets.read(path)
    kind = roster.kind_of(sheet)
    if kind is None or kind == "csv":
        raise ClassError(
            f"{path} is no gradebook of Canvas, Moodle or Blackboard; export one there, and name it"
        )
    known, given = roster.Known(students), _by_assignment(marks)
    if len(given) > 1 and (column or kind == "worksheet"):
        which = "a column" if column else f"{path} is a worksheet, which"
        raise ClassError(f"{which} is about one assignment; say which by --assignment A")
    rows = [list(row) for row in sheet.rows]
    table = sheet._replace(header=list(sheet.header), rows=rows)
    owners = [known.in_row(kind, sheet, row) for row in sheet.rows]
    write = _with_commas if _has_commas(sheet) else _number
    ids = [owner.id if owner else None for owner in owners]
    filled = Filled(table, [], [], {}, [], {})
    for assignment, those in given.items():
        at, added = _column(path, kind, table, assignment, column)
        filled.columns[assignment] = table.header[at], added
        _fill(filled, at, ids, {who: write(total(mark)) for who, mark in those.items()})
        most, said = max(mark.most for mark in those.values()), _most(kind, sheet, at)
        if said is not None and said != most:
            filled.mosts[assignment] = said
        for row in rows if kind == "canvas" else ():
            if roster.is_points_possible(sheet, row) and not row[at].strip():
                row[at] = write(most)
    marked, there = {mark.student for mark in marks}, {own for own in ids if own}
    filled.unmarked.extend(sorted(there - marked))
    filled.missing.extend(sorted(marked - there))
    return filled


def _by_assignment(marks: Sequence[Mark]) -> dict[str, dict[str, Mark]]:
    found: dict[str, dict[str, Mark]] = {}
    for mark in marks:
        found.setdefault(mark.assignment, {})[mark.student] = mark
    return found


def _fill(filled: Filled, at: int, ids: Sequence[str | None], marks: dict[str, str]) -> None:
    """Put one assignment's marks into a column."""
    for row, own in zip(filled.sheet.rows, ids, strict=True):
        if own in marks and row[at].strip().upper() in EXCUSED:
            filled.kept.append((own, row[at].strip()))
        elif own in marks:
            row[at] = marks[own]


def _has_commas(sheet: Sheet) -> bool:
    """Whether a table writes numbers with decimal commas."""
    return any(COMMA.fullmatch(cell.strip()) for row in sheet.rows for cell in row)


def _number(value: float) -> str:
    return f"{value:.10g}"


def _with_commas(value: float) -> str:
    return _number(value).replace(".", ",")


def _most(kind: str, sheet: Sheet, at: int) -> float | None:
    """What the table says could be had, if it does."""
    said = ""
    if kind == "canvas" and at < len(sheet.header):
        said = next((r[at] for r in sheet.rows if roster.is_points_possible(sheet, r)), "")
    elif kind == "worksheet":
        said = next((roster.cell(sheet, row, "Maximum Grade") for row in sheet.rows), "")
    elif kind == "blackboard" and at < len(sheet.header):
        said = "".join(re.findall(r"\[Total Pts: ([\d.,]+)", sheet.header[at]))
    try:
        return float(said.replace(",", "."))
    except ValueError:
        return None


def _column(
    path: Path, kind: str, table: Sheet, assignment: str, asked: str | None
) -> tuple[int, bool]:
    """Where an assignment's marks go, and whether there was no such column, and it was added."""
    wanted = asked or ("Grade" if kind == "worksheet" else assignment)
    free = {k: name.strip() for k, name in enumerate(table.header) if not roster.tells_who(name)}
    found = [k for k, name in free.items() if _names(name, wanted)]
    # Of Moodle: beside it stand letters and feedback.
    real = [k for k in found if free[k].lower().endswith("(real)")]
    same = [k for k in found if asked and free[k] == asked.strip()]
    found = next((those for those in (same, real) if len(those) == 1), found)
    if len(found) > 1:
        said = ", ".join(free[k] for k in found)
        raise ClassError(f"{path}: several columns may be {wanted}: {said}; name one by --column")
    if found:
        return found[0], False
    if asked or kind == "worksheet":
        said = ", ".join(filter(None, free.values()))
        raise ClassError(f"{path}: no column for marks is called {wanted}; name one of {said}")
    table.header.append(assignment)
    for row in table.rows:
        row.append("")
    return len(table.header) - 1, True


def _names(column: str, assignment: str) -> bool:
    """Whether a column is an assignment's: Canvas and Blackboard add a number, Moodle a kind."""
    name, own = column.strip().lower(), assignment.lower()
    forms = (name, re.sub(r"^\w+:\s*", "", name))
    return any(
        form == own or form.startswith((f"{own} (", f"{own}:", f"{own} [")) for form in forms
    )
