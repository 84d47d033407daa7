"""A wrong array that is the right one but for a curve: an activation is missing, or another."""

from collections.abc import Callable, Iterator

import numpy as np

from autograder.fits import factor, wrong_entries
from course.given import sigmoid

FLAT = 1e-4  # so near to its bounds an activation says nothing of what went in
EXACT = 1e-8  # of the largest entry: a curve taken back loses a digit or two more than a sum does


def told(expected: np.ndarray, got: np.ndarray) -> str:
    """Which curve lies between a wrong array and the right one, or an empty string.

    Parameters
    ----------
    expected, got : (...) ndarray
        Of one shape.
    """
    floats = expected.dtype.kind == "f" and got.dtype.kind == "f" and expected.size > 1
    if not floats or not np.isfinite(expected).all() or not np.isfinite(got).all():
        return ""
    with np.errstate(all="ignore"):  # wrong numbers may be of any size
        return next((text for text, right in _curves(expected, got) if right), "")


def _curves(expected: np.ndarray, got: np.ndarray) -> Iterator[tuple[str, bool]]:
    """Stories, and whether they are true."""
    bent = np.abs(expected) < 1 - FLAT
    if _mostly(bent):
        yield "It lacks its tanh: tanh of it would be right.", _same(expected, np.tanh(got))
        yield f"{_THROUGH} a sigmoid, where tanh is asked for.", _tanh_for_sigmoid(expected, got)
        powers = (got > 0).all() and _same(expected, np.tanh(np.log(got)))
        yield f"{_THROUGH} exp, where tanh is asked for.", bool(powers)
        rectified = _same(np.maximum(expected, 0), np.tanh(got))
        yield f"{_THROUGH} max(0, ·), where tanh is asked for.", rectified and got.min() >= 0
        yield _scaled("tanh", np.arctanh, expected[bent], got[bent])
    bent = (expected > FLAT) & (expected < 1 - FLAT)
    if _mostly(bent):
        lacks = _same(expected, sigmoid(got))
        yield "It lacks its sigmoid: the sigmoid of it would be right.", lacks
        yield f"{_THROUGH} tanh, where a sigmoid is asked for.", _sigmoid_for_tanh(expected, got)
        powers = (got > 0).all() and _same(expected, got / (1 + got))
        yield f"{_THROUGH} exp, where a sigmoid is asked for.", bool(powers)
        rectified = _same(np.maximum(expected, 0.5), sigmoid(got))
        yield f"{_THROUGH} max(0, ·), where a sigmoid is asked for.", rectified and got.min() >= 0
        yield "It is 1 minus what it should be.", _same(expected, 1 - got)
        yield _scaled("sigmoid", _logit, expected[bent], got[bent])
    yield _scaled("softmax", _scores, expected, got)
    for words, curve in (("tanh", np.tanh), ("a sigmoid", sigmoid), ("a softmax", _shares)):
        yield f"{_THROUGH} {words} that is not asked for.", _same(curve(expected), got)
    upside_down = (got != 0).all() and _same(expected, 1 / got)
    yield "It is 1 divided by what it should be.", bool(upside_down)
    logarithm = (expected > 0).all() and _same(expected, np.exp(got))
    yield "It is the logarithm of what it should be.", bool(logarithm)
    yield "It is e to the power of what it should be.", _same(np.exp(expected), got)


_THROUGH = "It went through"


def _mostly(bent: np.ndarray) -> bool:
    """Whether enough entries are where a curve bends to say which curve it is."""
    return bool(bent.all() or (bent.mean() >= 0.5 and bent.sum() >= 3))


def _scaled(
    curve: str, inverse: Callable[[np.ndarray], np.ndarray], expected: np.ndarray, got: np.ndarray
) -> tuple[str, bool]:
    """That what goes into a curve is so many times what it should be, and what comes out is not."""
    times = factor(inverse(expected), inverse(got), EXACT)
    story = f"It is the {curve} of {times:.4g} times what should go into it."
    return story, bool(times) and not factor(expected, got, EXACT)


def _logit(shares: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(shares) - np.log1p(-shares))


def _scores(shares: np.ndarray) -> np.ndarray:
    """The scores of a softmax along the last axis, about their mean; NaN where it is none."""
    whole = shares.ndim > 0 and (shares > 0).all() and _same(shares.sum(axis=-1), np.ones(1))
    logarithms = np.log(shares) if whole else np.full(shares.shape, np.nan)
    return np.asarray(logarithms - logarithms.mean(axis=-1, keepdims=True))


def _tanh_for_sigmoid(expected: np.ndarray, got: np.ndarray) -> bool:
    """Whether one is the tanh and the other the sigmoid of the same numbers."""
    within = (got > 0) & (got < 1)
    return bool(within.all()) and _same(expected, (2 * got - 1) / (got**2 + (1 - got) ** 2))


def _sigmoid_for_tanh(expected: np.ndarray, got: np.ndarray) -> bool:
    """Whether one is the sigmoid and the other the tanh of the same numbers."""
    return bool((np.abs(got) < 1).all()) and _tanh_for_sigmoid(got, expected)


def _shares(z: np.ndarray) -> np.ndarray:
    """A softmax along the last axis."""
    powers = np.exp(z - z.max(axis=-1, keepdims=True)) if z.ndim else np.ones(())
    return powers / powers.sum(axis=-1, keepdims=True) if z.ndim else powers


def _same(one: np.ndarray, two: np.ndarray) -> bool:
    return not wrong_entries(one, two, EXACT).any()
