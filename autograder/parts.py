"""The parts of an answer by the names that a learner knows, beside what they should be."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder import fits
from autograder.answers import AnswerKey
from autograder.kinds import numbers
from autograder.tree import Record, leaves, leaves_of, plain
from autograder.trial import Outcome


def fitted(expected: Any, got: Any) -> Any:
    """What came out, with an array for each tuple that stands where such an array is expected.

    A list is an array since `plain`; what zip gives is a tuple, and as good.
    """
    if isinstance(expected, np.ndarray) and isinstance(got, tuple):
        array = plain(_lists(got))
        return array if isinstance(array, np.ndarray) and array.shape == expected.shape else got
    several = isinstance(expected, tuple | list) and isinstance(got, tuple | list)
    if several and len(got) == len(expected):
        return type(got)(fitted(want, have) for want, have in zip(expected, got, strict=True))
    if isinstance(expected, Record) and isinstance(got, Record):
        fields = {n: fitted(expected.fields.get(n), value) for n, value in got.fields.items()}
        return Record(got.kind, fields)
    return got


def _lists(value: Any) -> Any:
    return [_lists(item) for item in value] if isinstance(value, tuple) else value


def pairs(key: AnswerKey, outcome: Outcome, expected: Any) -> list[tuple[str, Any, Any]]:
    """(path, expected, got) of every leaf, named as the learner knows it, in causal order."""
    wanted = named(key.returns, expected)
    got = named(key.returns, apart(expected, outcome.value))
    return sorted(
        ((path, value, _numbers_or(got.get(path, []))) for path, value in wanted.items()),
        key=lambda leaf: _rank(leaf[0], key.order),
    )


def named(returns: Sequence[str], value: Any) -> dict[str, Any]:
    """The leaves of what was returned, by their paths; `returns` names its parts."""
    if len(returns) == 1:
        return leaves(value, returns[0])
    if not isinstance(value, tuple | list) and np.ndim(value) == 0:
        return {}
    found: dict[str, Any] = {}
    for name, part in zip(returns, value, strict=False):
        found |= leaves(part, name)
    return found


def axes(key: AnswerKey, path: str, ndim: int) -> tuple[str, ...]:
    """The letters of an array's axes; "..." stands for as many as there are."""
    letters = key.axes.get("".join(part.split("]")[-1] for part in path.split("[")), ())
    if letters and letters[0] == "...":
        lead = ("T_x", "m")[max(0, 3 - ndim) :] if ndim <= 3 else ()
        letters = (*lead, *letters[1:])
    return letters if len(letters) == ndim else ()


def sizes(key: AnswerKey, k: int) -> dict[str, int]:
    """What sums over the arguments of case k may have been divided by: letters, and products."""
    found: dict[str, int] = {}
    for path, array in given(key, k).items():
        if isinstance(array, np.ndarray):
            found |= zip(axes(key, path, array.ndim), array.shape, strict=False)
        if path == "mask":
            found["the number of real steps"] = int(np.sum(array))
    for time in ("T_x", "T_y"):
        if time in found and "m" in found:
            found[f"{time} times m"] = found[time] * found["m"]
    return found


def given(key: AnswerKey, k: int) -> dict[str, Any]:
    """The leaves of the arguments of case k, by their paths."""
    return leaves_of(key.cases[k])


def same(one: Any, two: Any, rtol: float) -> bool:
    """Whether two leaves are the same up to rounding."""
    left, right = numbers(one), numbers(two)
    if left is None or right is None:
        return type(one) is type(two) and bool(one == two)
    return left.shape == right.shape and not fits.wrong_entries(left, right, rtol).any()


def apart(expected: Any, got: Any) -> Any:
    """What came out; an array is taken apart where a tuple or list of as many is expected.

    A learner's list of equal arrays has become one array in `plain`.
    """
    if not isinstance(expected, tuple | list):
        return got
    if isinstance(got, np.ndarray) and got.ndim:
        got = list(got)
    if not isinstance(got, tuple | list) or len(got) != len(expected):
        return got
    return [apart(want, have) for want, have in zip(expected, got, strict=True)]


def _numbers_or(value: Any) -> Any:
    array = numbers(value)
    return value if array is None else array


def _rank(path: str, order: Sequence[str]) -> int:
    return next((i for i, name in enumerate(order) if path.startswith(name)), len(order))
