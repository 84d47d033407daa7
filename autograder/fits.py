"""What a wrong array looks like beside the right one: where it is wrong, and in what way."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations, permutations

import numpy as np

FLOAT32_RTOL = 2e-4  # float32 rounds at 6e-8; sums, and scores near 1000, lose three digits more
ULPS = 4  # roundings of a number near 1, which inputs are: what is left where such numbers cancel
NEARLY = 1e-6  # of the largest entry: what float32, rounding and small summands leave behind
SIX_DIGITS = (
    "It is right to six digits or more, and then not. Is something in between kept in float32 or "
    "rounded, or was something small added?"
)
REPEATED = {
    0: "It holds the first step's values at every step: nothing is carried from step to step.",
    -1: "It holds the last step's values at every step. One array that is stored again and again "
    "and written over is one array: store a new one at each step.",
}
Axes = Sequence[str]
Fit = Callable[[np.ndarray, np.ndarray, Axes, float], Iterator[str]]


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
    if not expected:
        return "It is one number that is asked for."
    if not got and len(expected) > 1:
        return "It is a single number."
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
    if len(got) == len(expected) + 1 and got[1:] == expected:
        return (
            f"It has an axis too many in front, {got[0]} long: is it to be summed, or only one of "
            "its entries to be kept?"
        )
    if len(got) > len(expected) and got[len(got) - len(expected) :] == expected:
        return (
            "It has more axes than it should: is a sum over those in front missing, or an index "
            "for one of them?"
        )
    return (
        _lost_or_summed(expected, got, axes)
        or _merged(expected, got, axes)
        or _only_the_end(expected, got, axes)
        or _joined(expected, got)
    )


def _joined(expected: tuple[int, ...], got: tuple[int, ...]) -> str:
    """A block beside another that should be below it, or the other way round."""
    if int(np.prod(got)) != int(np.prod(expected)):
        return ""
    return (
        "It has as many entries as it should, along other axes: np.concatenate joins along "
        "axis 0, one below the other, unless you say another axis."
    )


def _merged(expected: tuple[int, ...], got: tuple[int, ...], axes: Axes) -> str:
    for i in range(len(expected) - 1):
        both = expected[i] * expected[i + 1]
        if got == (*expected[:i], both, *expected[i + 2 :]):
            names = (
                f"{axes[i]} and {axes[i + 1]}" if len(axes) == len(expected) else f"{i}, {i + 1}"
            )
            return (
                f"The axes {names} have become one. np.stack puts arrays side by side along a new "
                "axis; np.concatenate joins them along one that they have."
            )
    return ""


def _only_the_end(expected: tuple[int, ...], got: tuple[int, ...], axes: Axes) -> str:
    if len(expected) > 2 and got == (math.prod(expected),):
        return "All its axes have become one, as np.append and ravel make them."
    lost = len(expected) - len(got)
    if len(axes) != len(expected) or not got or lost < 2 or expected[lost:] != got:
        return ""
    return f"The axes {', '.join(axes[:lost])} are missing: each of these has one of its own."


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
            if letter in ("T_x", "T_y") and got[i] == expected[i] + 1:
                return (
                    f"It has one entry more along {letter} than expected: is what stood before the "
                    "first step stored as well?"
                )
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
            side = _side(touched, letter, axes, wrong.shape)
            return f"{count}; {side or _along(touched, letter)}"
    return count


def _side(touched: np.ndarray, letter: str, axes: Axes, shape: tuple[int, ...]) -> str:
    """Which columns of a weight are wrong: those for the state, or those for the input."""
    if letter != "n_a+n_x" or "n_a" not in axes:
        return ""
    n_a = shape[axes.index("n_a")]
    for columns, what in ((touched[:n_a], "state"), (touched[n_a:], "input")):
        if columns.all() and columns.sum() == touched.sum():
            return f"only the columns for the {what} are wrong"
    return ""


NAMES = {
    "T_x": ("step", "steps"),
    "T_y": ("step", "steps"),
    "m": ("example", "examples"),
    "n_x": ("feature", "features"),
    "n_a": ("unit", "units"),
    "n_y": ("class", "classes"),
    "n_v": ("token", "tokens"),
}


def _along(touched: np.ndarray, letter: str) -> str:
    wrong, right = np.flatnonzero(touched), np.flatnonzero(~touched)
    last = len(touched) - 1
    one, several = NAMES.get(letter, ("place", "places"))
    along = "" if letter in NAMES else f" along {letter}"
    if wrong.tolist() == [last] and last > 0:
        return f"only the last {one} ({last}){along} is wrong"
    if len(wrong) == 1:
        return f"only {one} {wrong[0]}{along} is wrong"
    if right.tolist() == [0]:
        return f"right at {one} 0 and wrong from {one} 1 on{along}"
    if right.tolist() == [last]:
        return f"only the last {one} ({last}){along} is right"
    if np.array_equal(wrong, np.arange(wrong[0], last + 1)):
        return f"right before {one} {wrong[0]} and wrong from there on{along}"
    if np.array_equal(wrong, np.arange(len(wrong))):
        return f"right from {one} {right[0]} on and wrong before{along}"
    if len(right) == 1:
        return f"only {one} {right[0]}{along} is right"
    shown = ", ".join(map(str, wrong[:6]))
    return f"wrong at {several} {shown}{', …' if len(wrong) > 6 else ''}{along}"


# ------------------------------------------------------------------ how


def how(
    expected: np.ndarray,
    got: np.ndarray,
    axes: Axes,
    rtol: float,
    sizes: Mapping[str, int] | None = None,
) -> str:
    """A simple relation between the wrong array and the right one, or an empty string.

    Parameters
    ----------
    expected, got : (...) ndarray
    axes : sequence of str
        The letters of their axes.
    rtol : float
    sizes : dict of str to int, optional
        What may have been divided by, or counted too often: letters of the legend, for example.
    """
    if np.isinf(expected[np.isfinite(got)]).any():
        return (
            "What is infinite came out finite: was something small added before a logarithm, or "
            "infinity replaced by a number?"
        )
    if expected.size < 2 or expected.dtype.kind in "b" or not np.isfinite(got).all():
        return ""
    if got.dtype.kind in "bu":  # True has no sign, and 0 - 1 is no small number
        got = got.astype(float)
    scaled = partial(
        _scaled, sizes={**dict(zip(axes, expected.shape, strict=False)), **(sizes or {})}
    )
    fits: tuple[Fit, ...] = (
        _whole,
        _zero,
        _nearly,
        _sign,
        scaled,
        _offset,
        _repeated,
        _moved,
        _unwritten,
        _cut,
        _sums,
    )
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


def _whole(expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float) -> Iterator[str]:
    telling = got.dtype.kind in "iu" or len(np.unique(got)) > 2  # zeros and ones are a mask
    if expected.dtype.kind == "f" and telling and np.array_equal(got, np.trunc(expected)):
        yield (
            "It has lost what stands behind the point: an array of whole numbers keeps nothing "
            "else. Make it with a dtype of float."
        )
    if expected.dtype.kind == "f" and got.dtype.kind == "i" and (expected % 1).any():
        yield (
            "It holds whole numbers only. Was its array made for integers (dtype=int)? Such a one "
            "drops what stands behind the point."
        )


def _zero(expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float) -> Iterator[str]:
    if not got.any() and expected.all():
        yield "It is zero everywhere: is it never written to, or is something taken from itself?"


def _unwritten(expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float) -> Iterator[str]:
    wrong = wrong_entries(expected, got, rtol)
    for axis in range(wrong.ndim if wrong.ndim > 1 else 0):
        touched = wrong.any(axis=tuple(i for i in range(wrong.ndim) if i != axis))
        if not touched.all() and not np.compress(touched, got, axis=axis).any():
            yield "It is zero where it is wrong: is it not written to there?"


def _cut(expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float) -> Iterator[str]:
    low, high = got.min(), got.max()
    beyond = (f"{low:.4g}", (expected < low).sum()), (f"{high:.4g}", (expected > high).sum())
    several = max(count for _, count in beyond) > 1  # of one entry any bound can be told
    real = expected.dtype.kind == "f" and low < high
    if real and several and _equal(np.clip(expected, low, high), got, rtol):
        ends = " and at ".join(end for end, count in beyond if count)
        yield f"It is cut off at {ends}: what lies beyond should stay as it is."


def _nearly(expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float) -> Iterator[str]:
    if expected.dtype.kind == "f" and _equal(expected, got, NEARLY):
        yield SIX_DIGITS


def factor(expected: np.ndarray, got: np.ndarray, rtol: float) -> float:
    """By what number a wrong array is the right one; 0 where there is none such, or it is 1."""
    size = float((expected * expected).sum())
    k = float((expected * got).sum()) / size if size else 0.0
    return k if k and abs(k - 1) >= 1e-6 and _equal(expected * k, got, rtol) else 0.0


def _scaled(
    expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float, sizes: Mapping[str, int]
) -> Iterator[str]:
    k = factor(expected, got, rtol)
    if not k:
        return
    for n in dict.fromkeys(sizes.values()):
        meaning = f"and {n} is {' or '.join(word for word in sizes if sizes[word] == n)} here"
        for times, words in ((n, f"{n} times"), (1 / n, f"1/{n} of")):
            if n > 1 and abs(k - times) < 1e-9 * abs(k):
                yield f"Every entry is {words} what it should be, {meaning}."
    yield f"Every entry is {k:.4g} times what it should be."


def _offset(expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float) -> Iterator[str]:
    difference = float((got - expected).ravel()[0])
    if _equal(expected + difference, got, rtol):
        word = "large" if difference > 0 else "small"
        yield f"Every entry is too {word} by {abs(difference):.4g}."


def _repeated(expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float) -> Iterator[str]:
    """One step's values at every step, or the sums of all up to each."""
    if not axes or len(axes) != expected.ndim or len(expected) < 2:
        return
    for k, story in REPEATED.items():
        if axes[0] in ("T_x", "T_y") and _equal(np.broadcast_to(expected[k], got.shape), got, rtol):
            yield story
    for i, letter in enumerate(axes):
        if expected.shape[i] > 2 and _equal(np.cumsum(expected, axis=i), got, rtol):
            yield f"It is a running sum along {letter}: begin anew for each."


def _moved(expected: np.ndarray, got: np.ndarray, axes: Axes, rtol: float) -> Iterator[str]:
    """The right numbers in the wrong places."""
    letters = axes if len(axes) == expected.ndim else [f"axis {i}" for i in range(expected.ndim)]
    for i, letter in enumerate(letters):
        if expected.shape[i] > 1 and _equal(np.flip(expected, i), got, rtol):
            yield f"It is the right answer reversed along {letter}."
        for step, word in ((1, "late"), (-1, "early")):
            if expected.shape[i] > 2 and _shifted(expected, got, i, step, rtol):
                one = NAMES.get(letter, ("",))[0]
                place = one if one == "step" else "place"
                yield f"It is the right answer one {place} too {word} along {letter}."
    for i, j in combinations(range(expected.ndim), 2):
        if expected.shape[i] != expected.shape[j] and _equal(
            np.swapaxes(expected, i, j).reshape(expected.shape), got, rtol
        ):
            yield (
                f"It was reshaped where {letters[i]} and {letters[j]} should change places. "
                "reshape reads the numbers on in their order; it is .T, transpose or swapaxes "
                "that turn axes round."
            )
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
    if got.ndim == 3 and _ones(got.sum(axis=(1, 2))):
        yield "All entries of one step together sum to 1; each row must."
    if _ones(got.sum()):
        yield "All entries together sum to 1; each row must."
    one_hot = bool(((expected == 0) | (expected == 1)).all())
    yield "Not every row sums to 1" + ("." if one_hot else ", so they are no probabilities.")


def _ones(sums: np.ndarray) -> bool:
    return bool(np.allclose(sums, 1.0, atol=1e-6))
