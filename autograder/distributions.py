"""Judging functions that draw at random: not by what they drew, but by how often.

A right function is refused less than once in a hundred million checks, however it draws: the bound
is Chernoff's (1952), which holds for every number of draws.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograder.tree import Record

KIND = "Distribution"
FALSE_ALARM = 1e-9  # of one case; a check has at most ten
DOUBT = 1e-5  # two samples of one distribution are held to be of two as rarely as this
Outcome = int | tuple[int, ...]


def distribution(probabilities: Mapping[Outcome, float]) -> Record:
    """What is expected of a function that draws, as a plain tree."""
    outcomes = [list(o) if isinstance(o, tuple) else o for o in probabilities]
    return Record(KIND, {"outcomes": tuple(outcomes), "p": np.array(list(probabilities.values()))})


def is_distribution(expected: Any) -> bool:
    """Whether an expected value is a distribution."""
    return isinstance(expected, Record) and expected.kind == KIND


def tally(drawn: Any) -> Counter[Outcome] | None:
    """How often each outcome was drawn; None if something that was drawn is no outcome.

    An outcome is a whole number, or a sequence of whole numbers.
    """
    keys = [_key(one) for one in drawn] if isinstance(drawn, list | np.ndarray) else [None]
    return None if None in keys else Counter(keys)  # type: ignore[arg-type]


def _key(one: Any) -> Outcome | None:
    array = np.asarray(one) if not isinstance(one, list | tuple) or _whole(one) else None
    if array is None or array.ndim > 1 or (array.size and array.dtype.kind not in "iu"):
        return None
    return int(array) if array.ndim == 0 else tuple(array.tolist())


def _whole(items: Sequence[Any]) -> bool:
    return all(isinstance(item, int | np.integer) and not isinstance(item, bool) for item in items)


def unlikely(expected: Record, counts: Counter[Outcome]) -> list[tuple[Outcome, int, float]]:
    """Outcomes that came too often or too seldom: (outcome, times, times expected), worst first."""
    known = _known(expected)
    n, every = sum(counts.values()), {*known, *counts}
    bound = np.log(2 * len(every) / FALSE_ALARM)
    excess = {key: n * _divergence(counts[key] / n, known.get(key, 0.0)) for key in every}
    wrong = sorted((key for key in every if excess[key] > bound), key=lambda key: -excess[key])
    return [(key, counts[key], n * known.get(key, 0.0)) for key in wrong]


def _known(expected: Record) -> dict[Outcome, float]:
    outcomes, p = expected.fields["outcomes"], np.asarray(expected.fields["p"]).tolist()
    keys = [outcome if isinstance(outcome, int) else tuple(outcome) for outcome in outcomes]
    return dict(zip(keys, p, strict=True))


def alike(one: Any, two: Any) -> bool:
    """Whether two samples of one size may be of one distribution."""
    first, second = tally(one), tally(two)
    if first is None or second is None or not first or len(one) != len(two):
        return False
    n, every = len(one), {*first, *second}
    bound = np.log(2 * len(every) / DOUBT)
    for key in every:
        together = (first[key] + second[key]) / (2 * n)
        apart = sum(_divergence(counts[key] / n, together) for counts in (first, second))
        if n * apart > bound:  # half of a G statistic of one degree of freedom
            return False
    return True


def _divergence(q: float, p: float) -> float:
    """Kullback and Leibler's divergence of a coin that falls q from one that falls p."""
    with np.errstate(divide="ignore"):
        parts = [a * (np.log(a) - np.log(b)) for a, b in ((q, p), (1 - q, 1 - p)) if a > 0]
    return float(sum(parts))
