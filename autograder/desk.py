"""The learner's desk: check, hint, case, solution, progress."""

import difflib
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from autograder import answers, diagnosis, diary, trial
from autograder.answers import AnswerKey, NoAnswers
from autograder.notebooks import units
from autograder.notices import Notice, Progress, Solution
from autograder.report import Hint, Report
from autograder.specs import made
from autograder.tree import revive
from autograder.trial import Outcome


class CheckFailed(AssertionError):
    """Raised only where nbgrader runs a notebook by itself and an exception is its language."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: the report, and nothing of how it was raised."""
        return str(self).splitlines()


def examine(function: Callable, name: str | None = None, seed: Any = None) -> Report:
    """Check a function and return the report; for tests and tools.

    Parameters
    ----------
    function : callable
    name : str, optional
        The exercise; the function's own name if it is left out.
    seed : int or sequence of int, optional
        Entropy of the inputs; the public cases if it is left out.

    Returns
    -------
    Report

    Raises
    ------
    TypeError
        `function` is no function.
    NoAnswers
        There is no such exercise, or its answers are not here.
    """
    if not callable(function):
        raise TypeError(f"check wants a function, and got {_what(function)}")
    own = np.geterr()

    def run(lend: Sequence[str]) -> list[Outcome]:
        with np.errstate(**own):
            return trial.run(function, key.cases, lend)

    with np.errstate(all="ignore"):  # what NumPy may raise is set for the learner's code alone
        key = answers.key(name or _name(function), answers.PUBLIC_SEED if seed is None else seed)
        return diagnosis.judge(key, run, _source(function))


def _what(thing: Any) -> str:
    """Something that is no function, in words."""
    if thing is None:
        return "nothing"
    if isinstance(thing, str):
        return f"the text {thing!r:.40}"
    return f"an object of type {type(thing).__name__}: perhaps what the function returned"


def _name(function: Callable) -> str:
    """The name of a function: its own, or the one that the notebook knows it by.

    A lambda has no name, and one under a decorator has that of the function inside it.
    """
    try:
        own = function.__name__
    except Exception:  # of what an object does when it is looked at
        own = None
    own = own if isinstance(own, str) else type(function).__name__
    notebook = vars(sys.modules["__main__"])
    bound = (name for name in answers.names() if notebook.get(name) is function)
    return own if own in answers.names() else next(bound, own)


def _source(function: Callable) -> str | None:
    try:
        return inspect.cleandoc("\n" + inspect.getsource(function))
    except Exception:  # there is no source, or the object does not let itself be looked at
        return None


def check(function: Any = None, name: str | None = None) -> Report | Notice:
    """Check a function and show what is right and what is wrong.

    It never raises, so a notebook runs on to its end.

    Parameters
    ----------
    function : callable
        A graded function, just written.
    name : str, optional
        The exercise, where the function has another name.
    """
    try:
        found = examine(function, name)
        diary.record(found)
        report: Report | Notice = _with_hint(found)
    except TypeError as error:
        report = Notice(f"{error}. Write check({_example(function)}), without quotes or brackets.")
    except NoAnswers as error:
        report = Notice(_no_such(name or _name(function), error))
    if not report.passed and os.environ.get("NBGRADER_EXECUTION"):
        raise CheckFailed(str(report))
    return report


def _with_hint(report: Report) -> Report:
    """A report on a wrong answer, with the hint that comes next."""
    if report.passed or not report.attempted:
        return report
    return replace(report, hint=_next_hint(answers.key(report.name)))


def _example(given: Any) -> str:
    """A function that may be meant, to show how a check is written."""
    names = answers.names()
    return given if isinstance(given, str) and given in names else next(iter(names), "my_function")


def _no_such(name: str, error: NoAnswers) -> str:
    if not answers.names():
        return "The answers are not installed here: your notebook is checked when you hand it in."
    close = difflib.get_close_matches(name, answers.names(), n=1)
    if close:
        return f"{error}. Do you mean {close[0]}?"
    known = ", ".join(answers.names())
    return (
        f"{error}. The exercises are: {known}. If the notebook is older than the "
        "package, `unrolled start` puts the newer one beside it."
    )


_HINTS_SHOWN: dict[str, int] = {}


def hint(function: Callable | str) -> Notice:
    """Show the next hint of an exercise; the third is nearly the answer.

    Parameters
    ----------
    function : callable or str
        The function, or its name.
    """
    found = _key(function)
    if isinstance(found, Notice):
        return found
    following = _next_hint(found)
    _HINTS_SHOWN[found.name] = following.number % following.total
    return Notice(f"{following.title}: {following.text}")


def _next_hint(key: AnswerKey) -> Hint:
    shown = _HINTS_SHOWN.get(key.name, 0)
    return Hint(shown + 1, len(key.hints), key.hints[shown])


def case(function: Callable | str, k: int = 0) -> dict[str, Any]:
    """The arguments of one public case, by name, to play with.

    Parameters
    ----------
    function : callable or str
    k : int, optional
        Which case, counted from 0.

    Returns
    -------
    dict
        ``rnn_forward(**case("rnn_forward", 0))`` calls the function on it. It is a fresh copy.
    """
    found = _key(function)
    if isinstance(found, Notice):
        raise NoAnswers(str(found))
    if not 0 <= k < len(found.cases):
        raise IndexError(f"{found.name} has cases 0 to {len(found.cases) - 1}, and no case {k}")
    arguments: dict[str, Any] = revive(trial.plain(found.cases[k]))
    return {name: made(value) for name, value in arguments.items()}


def _key(function: Callable | str) -> AnswerKey | Notice:
    name = function if isinstance(function, str) else _name(function)
    try:
        return answers.key(name)
    except NoAnswers as error:
        return Notice(_no_such(name, error))


def solution(function: Callable | str) -> Solution | Notice:
    """Show the reference, where it is installed and after an attempt, and how yours differs.

    Parameters
    ----------
    function : callable or str
        Of a name alone, nothing can be compared.
    """
    found = _key(function)
    if isinstance(found, Notice):
        return found
    if not answers.has_reference():
        return Notice("The solutions are not installed here: they come with the course's checkout.")
    if found.name not in diary.read():
        return Notice(f"Try it first: write {found.name}, run check({found.name}), then ask again.")
    author = import_module("autograder.exercise")
    lines = author.source(author.exercise(found.name).reference).splitlines()
    source = "\n".join(line for line in lines if line.strip() not in (author.BEGIN, author.END))
    yours = None if isinstance(function, str) else examine(function, found.name)
    return Solution(found.name, source, yours)


def progress() -> Progress:
    """Show which exercises are done, attempted, and still to do, unit by unit."""
    return Progress(units(), diary.read())
