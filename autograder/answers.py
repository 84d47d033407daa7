"""Answer keys: what a check knows about an exercise, wherever it comes from.

In a checkout an exercise computes its key (`autograder.exercise.live_key`). In the learner's
wheel there is no reference, and the key of the public cases is read from a file that was made
from the reference when the wheel was built.
"""

import importlib.util
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import import_module, resources
from itertools import combinations
from typing import Any, NamedTuple

from autograder import wire
from autograder.altered import Sketches
from autograder.tree import plain, revive
from autograder.trial import Case, Outcome, from_tree, to_tree

PUBLIC_SEED = 0
FROZEN = "frozen"
Seed = int | Sequence[int]


class Wrong(NamedTuple):
    """A known wrong answer: what it gives on every case, and why it is wrong."""

    id: str
    why: str
    outcomes: Sequence[Outcome]


class Answers(NamedTuple):
    """What the reference gives on every case, and what each misconception gives.

    `shares` has, for each case, what every time step adds to quantities that are sums over time:
    from path to an array with the steps along its first axis. Its entry ``strays`` has, from path
    and story, what a quantity is when it is made in a wrong way that is known. `altered` gives
    sketches of what comes out of other arguments than those of the first case.
    """

    expected: Sequence[Any]
    wrong: Callable[[], list[Wrong]]
    shares: Sequence[dict[str, Any]]
    altered: Callable[[], Sketches]


@dataclass(frozen=True)
class AnswerKey:
    """Everything that a check of one exercise needs.

    `answers` gives the expected values when the functions named in its argument are replaced
    by their stand-ins, on both sides.
    """

    name: str
    signature: tuple[str, ...]
    returns: tuple[str, ...]
    axes: dict[str, tuple[str, ...]]
    order: tuple[str, ...]
    calls: tuple[str, ...]
    in_place: bool
    rtol: float
    points: float
    lines: int
    stub: str
    hints: tuple[str, ...]
    titles: tuple[str, ...]
    cases: tuple[Case, ...]
    answers: Callable[[Sequence[str]], Answers] = field(repr=False)


class NoAnswers(LookupError):
    """There is no such exercise, or its answers are not on this machine."""


def lendings(calls: Sequence[str]) -> list[tuple[str, ...]]:
    """The ways of lending stand-ins for these functions: none first, then each, then more."""
    return [chosen for n in range(len(calls) + 1) for chosen in combinations(calls, n)]


@cache
def names() -> tuple[str, ...]:
    """The exercises that can be checked here."""
    if has_reference():
        package = import_module("autograder.exercises")
        return tuple(sorted(module.name for module in pkgutil.iter_modules(package.__path__)))
    if not _frozen().is_dir():
        return ()
    files = (entry.name for entry in _frozen().iterdir())
    return tuple(sorted(name.removesuffix(".wire") for name in files if name.endswith(".wire")))


@cache
def has_reference() -> bool:
    """Whether the reference solutions are here, as in a checkout."""
    found = importlib.util.find_spec
    return all(found(package) is not None for package in ("solutions", "autograder.exercises"))


def key(name: str, seed: Seed = PUBLIC_SEED) -> AnswerKey:
    """The answer key of an exercise.

    Parameters
    ----------
    name : str
    seed : int or sequence of int, optional
        Entropy of the inputs.

    Raises
    ------
    NoAnswers
        No such exercise, or (for other seeds than the public one) no reference here.
    """
    return _key(name, seed if isinstance(seed, int) else tuple(seed))


@lru_cache(maxsize=256)
def _key(name: str, seed: int | tuple[int, ...]) -> AnswerKey:
    if name not in names():
        raise NoAnswers(f"There is no exercise called {name!r}")
    if has_reference():
        live: AnswerKey = import_module("autograder.exercise").live_key(name, seed)
        return live
    if seed != PUBLIC_SEED:
        raise NoAnswers("Only the public cases are installed; other seeds need a checkout")
    return thaw(_frozen().joinpath(f"{name}.wire").read_bytes())


def _frozen() -> Any:
    return resources.files("autograder").joinpath(FROZEN)


def freeze(answers: AnswerKey) -> bytes:
    """A key as bytes, with the answers of every way of lending.

    Most of a misconception's outcome is what the reference gives, too: it is written once.
    """
    facts = {
        name: getattr(answers, name) for name in AnswerKey.__dataclass_fields__ if name != "answers"
    }
    tables = {
        "+".join(lend): {
            "expected": tuple(answers.answers(lend).expected),
            "shares": tuple(answers.answers(lend).shares),
            "altered": answers.answers(lend).altered(),
            "wrong": [
                (w.id, w.why, to_tree(list(w.outcomes))) for w in answers.answers(lend).wrong()
            ],
        }
        for lend in lendings(answers.calls)
    }
    return wire.pack(plain({"facts": facts, "tables": tables}, depth=wire.MAX_DEPTH), share=True)


def thaw(data: bytes) -> AnswerKey:
    """The key that `freeze` wrote."""
    tree = wire.unpack(data, max_bytes=1 << 30, max_nodes=1 << 24, share=True)
    facts = {**tree["facts"], "cases": tuple(revive(c) for c in tree["facts"]["cases"])}

    def answers(lend: Sequence[str]) -> Answers:
        table = tree["tables"]["+".join(lend)]
        wrong = [Wrong(id_, why, from_tree(outcomes)) for id_, why, outcomes in table["wrong"]]
        sketches = table["altered"]
        return Answers(table["expected"], lambda: wrong, table["shares"], lambda: sketches)

    return AnswerKey(**facts, answers=answers)
