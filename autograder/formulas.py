"""What a wrong quantity is: a short formula of quantities that are right."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np

from course.given import sigmoid

ENOUGH = 3  # entries; fewer numbers agree by chance
FEW = 6  # entries by which formulas are sought; all are compared where these agree
MANY = 36  # factors that products are made of
MOST = 1000  # pairs of products that are looked at; where more are near, numbers tell nothing
EXACT = 1e-9  # of an entry
ROUNDING = 1e-14  # of the largest entry
LENGTHS = (1, 2, 3)  # factors of one product

Terms = list[tuple[int, int]]
"""A sum: the sign of each term, and which product it is."""


class Factor(NamedTuple):
    """What a product is made of: how it is written, and what it is."""

    text: str
    value: np.ndarray


class Products(NamedTuple):
    """Products of one to three factors, the shortest first, and what they are at a few entries."""

    factors: Sequence[Factor]
    chosen: Sequence[np.ndarray]
    values: np.ndarray

    def text(self, terms: Terms) -> str:
        """A sum of products as it is written."""
        products = [" * ".join(self.factors[j].text for j in self.chosen[i]) for _, i in terms]
        signs = [" - " if sign < 0 else " + " for sign, _ in terms]
        first = "-" if terms[0][0] < 0 else ""
        return first + "".join(s + p for s, p in zip(signs, products, strict=True))[3:]

    def length(self, terms: Terms) -> tuple[int, Terms]:
        """The factors in a sum of products; of equally many, what comes first."""
        return sum(len(self.chosen[i]) for _, i in terms), terms

    def make_up(self, terms: Terms, got: np.ndarray) -> bool:
        """Whether a sum of products is an array; where it has an axis more, its sum over that."""
        made = sum(
            sign * np.prod([self.factors[j].value for j in self.chosen[i]], axis=0)
            for sign, i in terms
        )
        whole = np.asarray(made if np.shape(made) == got.shape else np.sum(made, axis=0))
        return bool((np.abs(whole - got) <= _tolerance(got)).all())

    def up_to(self, length: int) -> "Products":
        """Those of no more factors than that."""
        n = sum(len(each) <= length for each in self.chosen)
        return Products(self.factors, self.chosen[:n], self.values[:n])


def formula(got: np.ndarray, known: Mapping[str, Any]) -> str:
    """The shortest formula that makes an array, or an empty string.

    It is a product of up to three factors, a sum or difference of two such products, or a sum of
    two shorter ones and a factor. A factor is one of what is known, 1 minus it, its slope as that
    of a tanh, its tanh or its sigmoid. Where it makes one row of what has two axes, it is summed
    over the first.

    Parameters
    ----------
    got : (n_a,) or (m, n_a) ndarray
        Of float64; other numbers are too few digits to know them by.
    known : dict
        From names to arrays and numbers.
    """
    if got.size < ENOUGH or got.dtype != np.float64 or got.ndim > 2:
        return ""
    if not np.isfinite(got).all() or np.ptp(got) == 0:
        return ""
    few = np.unique(np.linspace(0, got.size - 1, FEW).astype(int))
    for shape in _shapes(got, known):
        products = _products(list(_factors(known, shape))[:MANY], got.shape, few)
        for sums in _sums(got.ravel()[few], products):
            made = [each for each in sums if products.make_up(each, got)]
            if made:
                text = f"`{products.text(min(made, key=products.length))}`"
                return text if shape == got.shape else f"the sum of {text} over the examples"
    return ""


def _tolerance(got: np.ndarray) -> np.ndarray:
    """How far each entry of what is made may be from what came out."""
    sizes = np.abs(got)
    return np.asarray(EXACT * sizes + ROUNDING * sizes.max())


def _shapes(got: np.ndarray, known: Mapping[str, Any]) -> Iterator[tuple[int, ...]]:
    """What may be summed to the shape that is asked for, which comes first."""
    yield got.shape
    if got.ndim == 1:
        tables = (np.shape(value) for value in known.values() if np.ndim(value) == 2)
        yield from (shape for shape in dict.fromkeys(tables) if shape[1:] == got.shape)


def _factors(known: Mapping[str, Any], shape: tuple[int, ...]) -> Iterator[Factor]:
    seen: list[np.ndarray] = []
    for name, value in known.items():
        array = np.asarray(value)
        if array.dtype.kind != "f" or array.shape not in (shape, ()):
            continue
        twice = any(np.array_equal(array, other) for other in seen)  # as a cache has an argument
        if twice or not (np.isfinite(array).all() and array.any()):
            continue
        seen.append(array)
        whole = np.broadcast_to(array, shape)
        yield Factor(name, whole)
        if array.min() > 0 and array.max() < 1:
            yield Factor(f"(1 - {name})", 1 - whole)
        if array.ndim and np.abs(array).max() < 1:
            yield Factor(f"(1 - {name}**2)", 1 - whole**2)
        if array.ndim:
            yield Factor(f"np.tanh({name})", np.tanh(whole))
        if array.ndim and array.min() < 0:
            yield Factor(f"sigmoid({name})", sigmoid(whole))


def _products(factors: Sequence[Factor], shape: tuple[int, ...], few: np.ndarray) -> Products:
    """All products of these factors, at a few entries of an array of that shape."""
    if not factors:
        return Products((), (), np.empty((0, few.size)))
    summed = factors[0].value.ndim > len(shape)
    values = np.array([
        factor.value[:, few] if summed else factor.value.ravel()[few] for factor in factors
    ])  # fmt: skip
    rows = (values[_choices(len(factors), n)].prod(axis=1) for n in LENGTHS)
    made = [each.sum(axis=1) if summed else each for each in rows]
    chosen = [each for n in LENGTHS for each in _choices(len(factors), n)]
    return Products(factors, chosen, np.concatenate(made))


@cache
def _choices(many: int, n: int) -> np.ndarray:
    """Every choice of n of so many factors, one of them perhaps more than once."""
    return np.array(list(combinations_with_replacement(range(many), n)))


def _sums(got: np.ndarray, products: Products) -> Iterator[list[Terms]]:
    """Sums of products that make a few entries: of one product, of two, of two and a factor."""
    for sign in (1, -1):
        found = (np.abs(sign * products.values - got) <= _tolerance(got)).all(axis=1)
        yield [[(sign, int(i))] for i in np.flatnonzero(found)[:1]]
    yield list(_pairs(got, products))
    shorter = products.up_to(2)
    yield [
        [*pair, (1, i)]
        for i, each in enumerate(products.up_to(1).values)
        for pair in _pairs(got - each, shorter)
    ]


def _pairs(got: np.ndarray, products: Products) -> Iterator[Terms]:
    """Pairs of products that make a few entries, sought by one number that each of them has."""
    weights = np.cos(np.arange(1.0, got.size + 1))
    marks, mark = products.values @ weights, float(got @ weights)
    order = np.argsort(marks)
    ordered = marks[order]
    near = _tolerance(got)
    for first, sign in ((1, 1), (1, -1), (-1, -1)):
        wanted = sign * (mark - first * marks)
        ends = (-near.sum(), near.sum())
        low, high = (np.searchsorted(ordered, wanted + end) for end in ends)
        if (high - low).sum() > MOST:
            return
        for i in np.flatnonzero(high > low):
            for j in order[low[i] : high[i]]:
                made = first * products.values[i] + sign * products.values[j]
                if (np.abs(made - got) <= near).all():
                    yield [(first, int(i)), (sign, int(j))]
