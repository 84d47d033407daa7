"""Checking a learner's notebook in the terminal, as their own kernel would."""

import ast
import contextlib
import json
import linecache
import re
import traceback
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from autograder import answers, desk
from autograder.answers import NoAnswers
from autograder.notebooks import exercise_of, source_of
from autograder.report import Report, Rung

SKIPPED = "experiment"


def check_notebook(path: Path) -> list[Report]:
    """Run a notebook's cells, but not its experiments, and report on each of its checks.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of Report
        One per check cell, in order.

    Raises
    ------
    ValueError
        The file is no notebook, or has no checks.
    """
    try:
        cells = [_cell(cell) for cell in json.loads(path.read_text("utf-8"))["cells"]]
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        raise ValueError("it is not a notebook's JSON") from None
    scope: dict[str, Any] = {"__name__": "__main__"}
    reports = []
    for number, cell in enumerate(cells, 1):
        if cell.exercise:
            reports.append(_report(cell.exercise, scope))
        elif cell.runs:
            _run(cell.source, f"cell {number}", scope)
    if not reports:
        raise ValueError("it has no checks")
    return reports


class Cell(NamedTuple):
    """What counts of a cell: the exercise that it checks, or whether it is run."""

    exercise: str | None
    runs: bool
    source: str


def _cell(raw: Any) -> Cell:
    """A cell of a file; whatever is raised, it is none."""
    exercise, tags = exercise_of(raw), raw.get("metadata", {}).get("tags", ())
    if not isinstance(exercise, str | None):
        raise TypeError("no exercise's name")
    return Cell(exercise, raw["cell_type"] == "code" and SKIPPED not in tags, source_of(raw))


def _report(exercise: str, scope: dict[str, Any]) -> Report:
    function = scope.get(exercise)
    try:
        if callable(function):
            return desk.examine(function, exercise)
        key = answers.key(exercise)
    except NoAnswers as error:
        return Report(exercise, Rung.RAISED, details=(f"{error}.",))
    detail = f"{exercise} is not defined: did its cell raise an exception?"
    return Report(exercise, Rung.RAISED, details=(detail,), total=len(key.cases), points=key.points)


def _run(source: str, name: str, scope: dict[str, Any]) -> None:
    """Run one cell; lines for IPython alone do nothing, and whatever it raises ends it alone."""
    try:
        text = _python(source)
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), scope)
    except (Exception, SystemExit) as error:
        print(f"{name}: {''.join(traceback.format_exception_only(error)).strip()}")


def _python(source: str) -> str:
    """A cell's source; if it is no Python as it stands, without its lines for IPython alone."""
    with contextlib.suppress(SyntaxError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they come when it is run
        ast.parse(source)
        return source
    return re.sub(r"^([ \t]*)(?:[%!?].*|[\w.]+\?\??[ \t]*)$", r"\1pass", source, flags=re.M)
