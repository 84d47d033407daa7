"""What a wrong array looks like beside the right one: where it is wrong, and in what way."""

from collections.abc import Iterator, Sequence
from itertools import permutations

import numpy as np

FLOAT32_RTOL = 2e-4  # float32 rounds at 6e-8; sums, and scores near 1000, lose three digits more
ULPS = 4  # roundings of a number near 1, which inputs are: what is left where such numbers cancel
Axes = Sequence[str]


def tolerance(expected: np.ndarray, got: np.ndarray, rtol: float) -> float:
    """The largest difference that counts as rounding, for arrays of these types."""
    if expected.dtype.kind in "biu":
        return rtol  # whole numbers have no rounding, whatever type they come in
    narrow = got.dtype.kind in "fc" and got.dtype.itemsize < (8 if got.dtype.kind == "f" else 16)
    finite = np.abs(expected[np.isfinite(expected)])
    scale = float(finite.max()) if finite.size else 1.0
    rounding = np.finfo(np.float32 if narrow else np.float64).eps
    relative = max(rtol, FLOAT32_RTOL) if narrow else rtol
    return max(relative * (scale or 1.0), ULPS * float(rounding))


def wrong_entries(expected: np.ndarray, got: np.ndarray, rtol: float) -> np.ndarray:
    """A mask of the entries that differ by more than rounding; shapes are equal."""
    if expected.dtype.kind in "biu" and got.dtype.kind in "biu":
        return np.asarray(expected != got)
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(got - expected) <= tolerance(expected, got, rtol)
    return ~(near | (got == expected) | (np.isnan(expected) & np.isnan(got)))


# ------------------------------------------------------------------ shapes


def shape_story(expected: tuple[int, ...], got: tuple[int, ...], axes: Axes) -> str:
    """What may have happened to a shape, or an empty string."""
    if got == expected[::-1] and len(got) == 2:
        return "It is transposed."
    if sorted(got) == sorted(expected):
        if len(axes) == len(expected):
            order = next(p for p in permutations(range(len(got))) if _take(expected, p) == got)
            swapped = [axes[i] for i, p in enumerate(order) if i != p]
            names = {"T_x": "time", "T_y": "time", "m": "batch"}
            if len(swapped) == 2 and all(axis in names for axis in swapped):
                return "Time and batch are swapped."
            return f"Its axes are in the order ({', '.join(axes[p] for p in order)})."
        return "Its axes are in another order."
    if len(got) > len(expected) and tuple(n for n in got if n != 1) == expected:
        return "It kept an axis of length 1 (keepdims, or a slice where an index is meant)."
    if len(got) < len(expected) and tuple(n for n in expected if n != 1) == got:
        return "An axis of length 1 was dropped."
    return _lost_or_summed(expected, got, axes)


def _take(shape: tuple[int, ...], order: Sequence[int]) -> tuple[int, ...]:
    return tuple(shape[i] for i in order)


def _lost_or_summed(expected: tuple[int, ...], got: tuple[int, ...], axes: Axes) -> str:
    if len(axes) != len(expected):
        return ""
    for i, letter in enumerate(axes):
        rest = expected[:i] + expected[i + 1 :]
        if got == rest:
            return f"The axis {letter} is missing: was it summed, or only one entry kept?"
        if got == (*expected[:i], 1, *expected[i + 1 :]):
            return f"The axis {letter} was summed (with keepdims), or only one entry kept."
        if len(got) == len(expected) and got[:i] + got[i + 1 :] == rest:
            more = "more" if got[i] > expected[i] else "fewer"
            return (
                f"It has {got[i]} entries along {letter}, {more} than the {expected[i]} expected."
            )
    return ""


# ------------------------------------------------------------------ where


def where(wrong: np.ndarray, axes: Axes) -> str:
    """Which entries are wrong, in words: all of them, one step, one example, one column."""
    count = f"{int(wrong.sum())} of {wrong.size} entries wrong"
    if wrong.all() or wrong.ndim == 0 or not wrong.any():
        return count
    for axis in range(wrong.ndim):
        others = tuple(i for i in range(wrong.ndim) if i != axis)
        touched = np.asarray(wrong.any(axis=others))
        if not touched.all():
            letter = axes[axis] if len(axes) == wrong.ndim else f"axis {axis}"
            return f"{count}; {_along(touched, letter)}"
    return count


def _along(touched: np.ndarray, letter: str) -> str:
    wrong, right = np.flatnonzero(touched), np.flatnonzero(~touched)
    last = len(touched) - 1
    thing = {"T_x": "step", "T_y": "step", "m": "example", "n_a": "unit", "n_y": "class"}.get(
        letter, f"index along {letter}"
    )
    if wrong.tolist() == [last] and last > 0:
        return f"only the last {thing} ({last}) is wrong"
    if len(wrong) == 1:
        return f"only {thing} {wrong[0]} is wrong"
    if right.tolist() == [0]:
        return f"right at {thing} 0 and wrong from {thing} 1 on"
    if right.tolist() == [last]:
        return f"only the last {thing} ({last}) is right"
    if np.array_equal(wrong, np.arange(wrong[0], last + 1)):
        return f"right before {thing} {wrong[0]} and wrong from there on"
    if np.array_equal(wrong, np.arange(len(wrong))):
        return f"right from {thing} {right[0]} on and wrong before"
    if len(right) == 1:
        return f"only {thing} {right[0]} is right"
    return f"wrong at {thing}s {', '.join(map(str, wrong[:6]))}{', …' if len(wrong) > 6 else ''}"


# ------------------------------------------------------------------ how


def how(expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float) -> str:
    """A simple relation between the wrong array and the right one, or an empty string."""
    if np.isinf(expected[np.isfinite(got)]).any():
        return "What is infinite came out finite: was something small added before a logarithm?"
    if expected.size < 2 or expected.dtype.kind in "b" or not np.isfinite(got).all():
        return ""
    if got.dtype.kind in "bu":  # True has no sign, and 0 - 1 is no small number
        got = got.astype(float)
    fits = (_sign, _scaled, _offset, _moved, _sums)
    with np.errstate(all="ignore"):  # wrong numbers may be of any size
        return next((text for fit in fits for text in fit(expected, got, axes, rtol)), "")


def backwards(name: str, wrong: np.ndarray, axes: Axes) -> str:
    """Where a gradient over time goes wrong on its way back, or an empty string.

    Parameters
    ----------
    name : str
        Of a gradient over time, such as ``dx``.
    wrong : (T_x, ...) ndarray of bool
    axes : sequence of str
    """
    if not name.startswith("d") or not axes or axes[0] not in ("T_x", "T_y") or len(wrong) < 2:
        return ""
    steps = np.array([step.any() for step in wrong])
    if steps.all() or not np.array_equal(np.flatnonzero(steps), np.arange(steps.sum())):
        return ""
    first_right, last = int(steps.sum()), len(steps) - 1
    if first_right == last:
        return (
            f"{name} is right at the last step and wrong before: the gradient is not carried "
            "back from step to step, or not rightly."
        )
    return (
        f"{name} is right from step {first_right} on and wrong before: on its way back the "
        f"gradient is lost or changed between step {first_right} and step {first_right - 1}."
    )


def of_strays(got: np.ndarray, strays: dict[str, np.ndarray], rtol: float) -> str:
    """The story of the known wrong way in which a quantity was made, or an empty string.

    Parameters
    ----------
    got : (...) ndarray
    strays : dict
        From story to what the quantity is then.
    rtol : float
    """
    return next((story for story, stray in strays.items() if _equal(stray, got, rtol)), "")


def of_steps(got: np.ndarray, shares: np.ndarray, rtol: float) -> str:
    """How a wrong sum over time is made of its steps' shares, or an empty string.

    Parameters
    ----------
    got : (...) ndarray
    shares : (T_x, ...) ndarray or (T_x, T_x, ...) ndarray
        What each step adds; or, at [t, s], what step t adds on account of the loss at step s.
    rtol : float
    """
    if shares.ndim == got.ndim + 2:
        return of_steps(got, shares.sum(axis=1), rtol) or _of_pairs(got, shares, rtol)
    total, last = shares.sum(axis=0), len(shares) - 1
    if not last:
        return ""
    for t, share in enumerate(shares):
        name = {0: "the first step", last: "the last step"}.get(t, f"step {t}")
        if _equal(share, got, rtol):
            return f"It holds what {name} adds, and nothing of the others: add up all steps."
        if _equal(total - share, got, rtol):
            return f"What {name} adds is missing in it."
    if _equal(total / len(shares), got, rtol):
        return "It is the mean over the steps; it must be their sum."
    return ""


def _of_pairs(got: np.ndarray, pairs: np.ndarray, rtol: float) -> str:
    """Which losses reached which steps in a wrong sum over time, or an empty string."""
    for kept, story in _reaches(len(pairs)):
        if _equal(pairs[kept].sum(axis=0), got, rtol):
            return story
    return ""


def _reaches(T_x: int) -> Iterator[tuple[np.ndarray, str]]:
    """Pairs of a step and a loss that a slip may keep, and its story."""
    step, loss = np.indices((T_x, T_x))
    yield (
        step == loss,
        "It is right at the last step and wrong before: each step counts its own loss only, so "
        "the gradient is not carried back.",
    )
    yield (
        step != loss,
        "It holds what comes back from later steps; what each step's own loss asks for is missing.",
    )
    yield (
        loss == T_x - 1,
        "It knows of the loss at the last step only: each step may have a loss of its own.",
    )
    for n in range(1, T_x - 1):
        steps = f"{n} step{'s' if n > 1 else ''}"
        yield loss - step <= n, f"In it the gradient is carried back over {steps} and no further."
    for n in range(2, T_x):
        yield (
            step // n == loss // n,
            f"In it the gradient is cut off after every {n} steps, counted from the first.",
        )
        yield (
            (T_x - 1 - step) // n == (T_x - 1 - loss) // n,
            f"In it the gradient is cut off after every {n} steps, counted from the last.",
        )


def _equal(one: np.ndarray, two: np.ndarray, rtol: float) -> bool:
    return one.shape == two.shape and not wrong_entries(one, two, max(rtol, 1e-9)).any()


def _sign(expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float) -> Iterator[str]:
    if _equal(expected, -got, rtol):
        yield "Every entry has the opposite sign."


def _scaled(expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float) -> Iterator[str]:
    size = float((expected * expected).sum())
    k = float((expected * got).sum()) / size if size else 0.0
    if not k or abs(k - 1) < 1e-6 or not _equal(expected * k, got, rtol):
        return
    for letter, n in zip(axes, expected.shape, strict=False):
        for factor, words in ((n, "times"), (1 / n, "divided by")):
            if n > 1 and abs(k - factor) < 1e-9 * abs(k):
                yield f"Every entry is {words} {n} (that is {letter}) what it should be."
    yield f"Every entry is {k:.4g} times what it should be."


def _offset(expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float) -> Iterator[str]:
    difference = float((got - expected).ravel()[0])
    if _equal(expected + difference, got, rtol):
        word = "large" if difference > 0 else "small"
        yield f"Every entry is too {word} by {abs(difference):.4g}."


def _moved(expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float) -> Iterator[str]:
    """The right numbers in the wrong places."""
    letters = axes if len(axes) == expected.ndim else [f"axis {i}" for i in range(expected.ndim)]
    for i, letter in enumerate(letters):
        if expected.shape[i] > 1 and _equal(np.flip(expected, i), got, rtol):
            yield f"It is the right answer reversed along {letter}."
        for step, word in ((1, "late"), (-1, "early")):
            if expected.shape[i] > 2 and _shifted(expected, got, i, step, rtol):
                yield f"It is the right answer one step too {word} along {letter}."
    if expected.ndim == 2 and _equal(expected.T, got, rtol):
        yield "It is the right answer transposed."
    same = np.sort(expected.ravel()), np.sort(got.ravel())
    if _equal(*same, rtol):
        yield "These are the right numbers in the wrong places."


def _shifted(expected: np.ndarray, got: np.ndarray, axis: int, step: int, rtol: float) -> bool:
    ahead, behind = (slice(None, -1), slice(1, None))[::step]
    there = (slice(None),) * axis
    return _equal(expected[(*there, ahead)], got[(*there, behind)], rtol)


def _sums(expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float) -> Iterator[str]:
    """Probabilities that sum to one along another axis, or not at all."""
    if expected.ndim == 0 or not _ones(expected.sum(axis=-1)) or (expected < 0).any():
        return
    if _ones(got.sum(axis=-1)):
        return
    for axis in range(expected.ndim - 1):
        if _ones(got.sum(axis=axis)):
            letter = axes[axis] if len(axes) == expected.ndim else f"axis {axis}"
            yield f"It sums to 1 along {letter}; it must along the last axis, the classes."
    if _ones(got.sum()):
        yield "All entries together sum to 1; each row must."
    yield "Its rows do not sum to 1, so they are no probabilities."


def _ones(sums: np.ndarray) -> bool:
    return bool(np.allclose(sums, 1.0, atol=1e-6))
