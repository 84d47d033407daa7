"""From a wrong answer that nothing explained to one that the next learner is told of."""

import ast
import re
import textwrap
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

from autograder import answers, diagnosis, trial
from autograder.exercise import Edit, EditError, exercise, mutant
from autograder.trial import Outcome

SEEDS = (answers.PUBLIC_SEED, 1, 2)
INDENT = " " * 8


class MisconceptionError(ValueError):
    """An entry that would be of no use; says why, and what to do."""


def add(name: str, edit: Edit, like: Callable[[Callable], bool] = lambda function: True) -> Path:
    """Write a misconception into an exercise's module, after it is proved to be one.

    Parameters
    ----------
    name : str
        The exercise.
    edit : Edit
        What the slip is, as an edit of the reference, and why it is wrong.
    like : callable, optional
        Whether the edited reference does what the learners' functions did.

    Returns
    -------
    Path
        The module.

    Raises
    ------
    MisconceptionError
    """
    if name not in answers.names():
        raise MisconceptionError(f"there is no exercise called {name}")
    declared = exercise(name)
    if not re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", edit.id):
        raise MisconceptionError(f"{edit.id!r} is no id; write words with hyphens between them")
    if edit.id in {known.id for known in declared.misconceptions}:
        raise MisconceptionError(f"{name} has a misconception {edit.id} already")
    try:
        function = mutant(declared.reference, edit)
    except (EditError, SyntaxError) as error:
        raise MisconceptionError(f"{error}. Write --old as it stands in solutions/") from None
    _prove(name, function)
    if not like(function):
        raise MisconceptionError(
            "the edited reference does something else than those learners' functions; look at "
            "their code again"
        )
    path = Path(str(import_module(f"autograder.exercises.{name}").__file__))
    path.write_text(with_entry(path.read_text("utf-8"), edit), "utf-8")
    return path


def _prove(name: str, function: Callable) -> None:
    """That a function is wrong, and that no other misconception says so already."""
    for seed in SEEDS:
        key = answers.key(name, seed)
        outcomes = trial.run(function, key.cases)
        report = diagnosis.judge(key, partial(_always, outcomes))
        if report.passed:
            raise MisconceptionError("the edited reference is right on every case: it is no slip")
        if report.misconception:
            raise MisconceptionError(f"it does the same as {report.misconception}, which is known")


def _always(outcomes: list[Outcome], lend: Sequence[str]) -> list[Outcome]:
    """What came of a function, whatever stand-ins are lent to others."""
    return outcomes


def with_entry(text: str, edit: Edit) -> str:
    """A module's text with one more entry at the end of its misconceptions.

    Raises
    ------
    MisconceptionError
        They are not written out as one tuple or list.
    """
    keywords = [k for k in ast.walk(ast.parse(text)) if isinstance(k, ast.keyword)]
    found = [k.value for k in keywords if k.arg == "misconceptions"]
    if len(found) != 1 or not isinstance(found[0], ast.Tuple | ast.List) or not found[0].elts:
        raise MisconceptionError("its misconceptions are not written out; add the entry by hand")
    last = found[0].elts[-1]
    lines = text.encode().splitlines(keepends=True)  # a syntax tree counts bytes
    assert last.end_lineno is not None
    before = (
        b"".join(lines[: last.end_lineno - 1]) + lines[last.end_lineno - 1][: last.end_col_offset]
    )
    after = text.encode()[len(before) :].removeprefix(b",")
    return f"{before.decode()},\n{entry(edit)}{after.decode()}"


def entry(edit: Edit) -> str:
    """An Edit as it is written in a module, with a comma after it."""
    why = textwrap.wrap(edit.why, 84, drop_whitespace=False)
    parts = [quoted(edit.id), quoted(edit.old), quoted(edit.new)]
    written = "".join(f"{INDENT}    {part},\n" for part in parts)
    sentences = "\n".join(f"{INDENT}    {quoted(line)}" for line in why)
    return f"{INDENT}Edit(\n{written}{sentences},\n{_also(edit)}{INDENT}),"


def _also(edit: Edit) -> str:
    """The further places that an edit touches, if there are any."""
    deep = f"{INDENT}        "
    pairs = "".join(
        f"{deep}(\n{deep}    {quoted(old)},\n{deep}    {quoted(new)},\n{deep}),\n"
        for old, new in edit.also
    )
    return f"{INDENT}    also=(\n{pairs}{INDENT}    ),\n" if pairs else ""


def quoted(text: str) -> str:
    """A string literal in double quotes, where that needs no more escapes."""
    plain = text.isprintable() and '"' not in text and "\\" not in text
    return f'"{text}"' if plain else repr(text)
