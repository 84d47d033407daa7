"""Checking a learner's notebook in the terminal, as their own kernel would."""

import json
import linecache
import traceback
from pathlib import Path
from typing import Any

from autograder import answers, desk
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
        cells = json.loads(path.read_text("utf-8"))["cells"]
    except (UnicodeDecodeError, KeyError, TypeError, ValueError):
        raise ValueError("it is not a notebook's JSON") from None
    scope: dict[str, Any] = {"__name__": "__main__"}
    reports = []
    for number, cell in enumerate(cells, 1):
        exercise = exercise_of(cell)
        if exercise:
            reports.append(_report(exercise, scope))
        elif cell.get("cell_type") == "code" and SKIPPED not in cell["metadata"].get("tags", ()):
            _run(source_of(cell), f"cell {number}", scope)
    if not reports:
        raise ValueError("it has no checks")
    return reports


def _report(exercise: str, scope: dict[str, Any]) -> Report:
    function = scope.get(exercise)
    if callable(function):
        return desk.examine(function, exercise)
    key = answers.key(exercise)
    detail = f"{exercise} is not defined: did its cell raise an exception?"
    return Report(exercise, Rung.RAISED, details=(detail,), total=len(key.cases), points=key.points)


def _run(source: str, name: str, scope: dict[str, Any]) -> None:
    """Run one cell; lines for IPython alone are left out, and an exception ends only the cell."""
    lines = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))]
    text = "\n".join(lines) + "\n"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    try:
        exec(compile(text, name, "exec"), scope)
    except Exception as error:
        print(f"{name}: {''.join(traceback.format_exception_only(error)).strip()}")
