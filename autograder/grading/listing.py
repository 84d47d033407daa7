"""What came of grading, as lines of text."""

from collections.abc import Iterator
from itertools import groupby
from textwrap import shorten
from typing import Any


def table(results: list[dict[str, Any]]) -> Iterator[str]:
    """Results as lines of text: assignment by assignment, learner, mark, diagnosis."""
    width = max([len("learner"), *(len(result["student"]) for result in results)])
    for assignment, those in groupby(results, lambda result: result["assignment"]):
        yield f"{assignment}\n{'learner':<{width}}  {'mark':>9}  diagnosis"
        for result in those:
            checks = list(result["checks"].values())
            points, most = sum(c["points"] for c in checks), sum(c["max"] for c in checks)
            first, *more = [*_diagnoses(checks), *result["remarks"]] or ["all right"]
            yield f"{result['student']:<{width}}  {f'{points:g} of {most:g}':>9}  {first}"
            yield from (f"{'':<{width}}  {'':>9}  {line}" for line in more)
        yield ""


def _diagnoses(checks: list[dict[str, Any]]) -> list[str]:
    if checks and all(check["rung"] == "not attempted" for check in checks):
        return ["nothing attempted"]
    return [
        shorten(f"{check['name']}: {check['misconception'] or check['diagnosis']}", 100)
        for check in checks
        if not check["passed"]
    ]
