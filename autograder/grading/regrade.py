"""Grading again after an exercise was mended: only what it touches, and what came of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from autograder.grading import classroom, tasks, versions
from autograder.grading.books import Books, Sheet
from autograder.grading.grade import How, Pair, handed_in, run, sheets_of
from autograder.grading.judge import Result


class Move(NamedTuple):
    """A mark that moved.

    `kept` is the mark that a person has given, which counts whatever the judge says.
    """

    student: str
    notebook: str
    exercise: str
    before: float | None
    after: float | None
    why: str
    kept: float | None


class Regraded(NamedTuple):
    """What came of grading again.

    Attributes
    ----------
    results : list of dict
        Of the notebooks that were judged again.
    moves : list of Move
    feedback : list of str
        The learners whose feedback pages are other than before.
    """

    results: list[Result]
    moves: list[Move]
    feedback: list[str]


def regrade(folder: Path, *assignments: str, quiet: bool = False, **how: Any) -> Regraded:
    """Judge again what was judged by other versions of its exercises, or of the judge.

    Parameters
    ----------
    folder : Path
        A class.
    *assignments : str
    quiet : bool, optional
    **how
        See `How`.
    """
    all_ = [pair for name in assignments for pair in handed_in(folder, name)]
    books = Books(folder)
    before = sheets_of(books, all_)
    pairs = [pair for pair in all_ if _outdated(folder, pair, before.get(pair))]
    if not pairs:
        return Regraded([], [], [])
    old = {pair: _latest(folder, pair) for pair in pairs}
    graded = run(folder, pairs, How(quiet=quiet, **how))
    after, moves = sheets_of(books, pairs), list[Move]()
    for pair, result in zip(pairs, graded.results, strict=True):
        if "lost" not in result:
            moves += _moves(pair, before.get(pair), after[pair], old[pair], result)
    return Regraded(graded.results, moves, sorted({pair.student for pair in graded.pages}))


def _latest(folder: Path, pair: Pair) -> Result | None:
    return classroom.results(folder).latest(pair.student, pair.label)


def _outdated(folder: Path, pair: Pair, sheet: Sheet | None) -> bool:
    """Whether a notebook was judged by something else than what would judge it now.

    Or whether the gradebook does not say what was judged, since a run before this was cut short.
    """
    result = _latest(folder, pair)
    if result is None:
        return False
    template = classroom.template(folder, pair.assignment, f"{pair.stem}.ipynb")
    given = {cell: check["points"] for cell, check in result["checks"].items()}
    entered = sheet is not None and given.items() <= sheet.auto.items()
    worth = {cell: check["max"] for cell, check in result["checks"].items()}
    judged = result["versions"] == versions.of(template) and worth == tasks.worths(template)
    return not (entered and judged)


def _moves(
    pair: Pair, before: Sheet | None, after: Sheet, old: Result | None, new: Result
) -> Iterator[Move]:
    for cell, mark in after.auto.items():
        was = before.auto.get(cell) if before else None
        if mark != was:
            check = new["checks"].get(cell)
            exercise = check["name"] if check else cell
            why = _why(exercise, cell, old, new)
            yield Move(pair.student, pair.label, exercise, was, mark, why, after.manual.get(cell))


def _why(exercise: str, cell: str, old: Result | None, new: Result) -> str:
    """What has changed, and what the judge says now."""
    said = new["checks"][cell]["diagnosis"] if cell in new["checks"] else ""
    return ": ".join(part for part in (_cause(exercise, cell, old, new), said) if part)


def _cause(exercise: str, cell: str, old: Result | None, new: Result) -> str:
    if old is None or old["answers"] != new["answers"]:
        return "another version was handed in"
    changed = [name for name, is_ in new["versions"].items() if old["versions"].get(name) != is_]
    if exercise in changed:
        return "the exercise was changed"
    if old["checks"].get(cell, {}).get("max") != new["checks"].get(cell, {}).get("max"):
        return "its points were changed"
    return f"{', '.join(changed)} was changed" if changed else "it was judged anew"
