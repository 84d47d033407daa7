"""What a wrong quantity is: a short formula of quantities that are right."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np

from autograder.fits import wrong_entries

ENOUGH = 3  # entries; fewer numbers agree by chance
MANY = 24  # factors that products are made of
LONG = 3  # factors of one product


class Factor(NamedTuple):
    """What a product is made of: how it is written, and what it is."""

    text: str
    value: np.ndarray


class Products(NamedTuple):
    """Products of one to three factors: how they are written, and what each is, as a row."""

    texts: Sequence[str]
    lengths: np.ndarray
    values: np.ndarray


def formula(got: np.ndarray, known: Mapping[str, Any], rtol: float) -> str:
    """The shortest formula that makes an array, or an empty string.

    It is a product of up to three factors, a sum or difference of two such products, or of two and
    a factor. A factor is one of what is known, 1 minus it, its slope as that of a tanh, or its
    tanh. Where it makes one row of what has two axes, it is summed over the first.

    Parameters
    ----------
    got : (n_a,) or (m, n_a) ndarray
    known : dict
        From names to arrays and numbers.
    rtol : float
    """
    if got.size < ENOUGH or got.dtype.kind != "f" or got.ndim > 2:
        return ""
    if not np.isfinite(got).all() or np.ptp(got) == 0:
        return ""
    for shape in _shapes(got, known):
        products = _products(list(_factors(known, shape))[:MANY], got.shape)
        text = _alone(got, products, rtol) or _of_several(got, products, rtol)
        if text:
            return text if shape == got.shape else f"the sum of {text} over the examples"
    return ""


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
        if (np.abs(array) < 1).all():
            if array.min() > 0:
                yield Factor(f"(1 - {name})", 1 - whole)
            if array.ndim:
                yield Factor(f"(1 - {name}**2)", 1 - whole**2)
        elif array.ndim:
            yield Factor(f"np.tanh({name})", np.tanh(whole))


def _products(factors: Sequence[Factor], shape: tuple[int, ...]) -> Products:
    """All products, the shortest first, summed to a shape."""
    size = int(np.prod(shape))
    texts: list[str] = []
    lengths: list[int] = []
    rows = [np.empty((0, size))]
    for n in range(1, LONG + 1):
        chosen = list(combinations_with_replacement(range(len(factors)), n))
        if not chosen:
            break
        texts += [" * ".join(factors[i].text for i in each) for each in chosen]
        lengths += [n] * len(chosen)
        values = np.array([factor.value for factor in factors])
        made = values[np.array(chosen)].prod(axis=1)
        rows.append((made if made.shape[1:] == shape else made.sum(axis=1)).reshape(-1, size))
    return Products(texts, np.array(lengths), np.concatenate(rows))


def _alone(got: np.ndarray, products: Products, rtol: float) -> str:
    """The first product that is the array, or its opposite."""
    near = rtol * np.abs(got).max()
    for sign, minus in ((1, ""), (-1, "-")):
        fits = (np.abs(sign * products.values - got.ravel()) <= near).all(axis=1)
        if fits.any():
            return minus + products.texts[int(np.argmax(fits))]
    return ""


def _of_several(got: np.ndarray, products: Products, rtol: float) -> str:
    """Two products that make the array, or with a third of one factor; the shortest there are."""
    found = list(_pairs(got, products, rtol))
    if not found:
        for i in np.flatnonzero(products.lengths == 1):
            rest = got - products.values[i].reshape(got.shape)
            pairs = _pairs(rest, products, rtol)
            found += [(n + 1, f"{text} + {products.texts[int(i)]}") for n, text in pairs]
    return min(found)[1] if found else ""


def _pairs(got: np.ndarray, products: Products, rtol: float) -> Iterator[tuple[int, str]]:
    """Pairs of products that make an array, by one number that each of them has."""
    weights = np.cos(np.arange(1.0, got.size + 1))
    marks, mark = products.values @ weights, float(got.ravel() @ weights)
    order = np.argsort(marks)
    near = rtol * float(np.abs(got).max()) * got.size
    for first, sign in ((1, 1), (1, -1), (-1, -1)):
        wanted = sign * (mark - first * marks)
        low = np.searchsorted(marks[order], wanted - near)
        high = np.searchsorted(marks[order], wanted + near)
        for i in np.flatnonzero(high > low):
            for j in order[low[i] : high[i]]:
                made = first * products.values[i] + sign * products.values[j]
                if not wrong_entries(got.ravel(), made, rtol).any():
                    text = f"{products.texts[int(i)]} {'-+'[sign > 0]} {products.texts[int(j)]}"
                    both = int(products.lengths[i] + products.lengths[j])
                    yield both, f"-{text}" if first < 0 else text
