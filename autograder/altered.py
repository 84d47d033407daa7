"""What the right function makes of arguments that are not quite those of the case.

A wrong quantity that comes out so was made as though an argument were left out, had another sign,
or were another: whatever the slip is, it has to do with that argument.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice, permutations
from typing import Any

import numpy as np

from autograder.fits import tolerance, wrong_entries
from autograder.tree import leaves_of, plain, put, revive

Sketch = np.ndarray
Sketches = dict[str, dict[str, Sketch]]
"""From the path of a quantity and a story to a sketch of what the quantity is then."""

MANY = 12  # arrays of one case; of more, those in lists stay as they are
MOST = 64  # alterations of one case; each is a run of the reference


def alterations(case: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Stories of "it", and the arguments of which they are true; the simplest first."""
    tree = {name: plain(value) for name, value in case.items()}
    arrays = {path: leaf for path, leaf in leaves_of(tree).items() if _altering(leaf)}
    if len(arrays) > MANY:
        arrays = {path: leaf for path, leaf in arrays.items() if "[" not in path}
    for path, array in arrays.items():
        for story, other in _alone(path, array):
            yield story, _with(tree, {path: other})
    pairs = [(a, b) for a, b in permutations(arrays, 2) if arrays[a].shape == arrays[b].shape]
    for one, two in pairs:
        if one < two:
            swapped = {one: arrays[two], two: arrays[one]}
            yield f"It is what comes out with {one} and {two} exchanged.", _with(tree, swapped)
    for one, two in pairs:
        story = f"It is what comes out with {two} in place of {one}."
        yield story, _with(tree, {one: arrays[two]})


def _alone(path: str, array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """What may be in place of one array that no other array has to do with."""
    so = "It is what comes out with"
    yield f"{so} {path} all zeros: {path} plays no part in it.", np.zeros_like(array)
    yield f"{so} -{path} in place of {path}: a sign is wrong.", -array
    if array.ndim > 1:
        yield f"{so} {path} all ones: a product with {path} is left out.", np.ones_like(array)
    if array.ndim == 2 and array.shape[0] == array.shape[1]:
        eye = np.eye(len(array), dtype=array.dtype)
        yield f"{so} {path}.T in place of {path}.", array.T
        yield f"{so} the identity for {path}: the product with {path} is left out.", eye
    if array.ndim == 3:
        yield f"{so} {path}[::-1] in place of {path}: its steps in reverse.", array[::-1]
        yield f"{so} {path}[0] at every step of {path}.", np.broadcast_to(array[0], array.shape)
        yield f"{so} {path}[-1] at every step of {path}.", np.broadcast_to(array[-1], array.shape)


def _altering(leaf: Any) -> bool:
    return isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f" and leaf.ndim > 0


def _with(tree: dict[str, Any], others: dict[str, np.ndarray]) -> dict[str, Any]:
    """The arguments with other arrays at some paths."""
    changed = {name: put(value, name, others) for name, value in tree.items()}
    return {name: revive(value) for name, value in changed.items()}


# ------------------------------------------------------------------ sketches


def sketch(array: np.ndarray) -> Sketch:
    """Two sums by which arrays of one shape are told apart, nearly always.

    Parameters
    ----------
    array : (...) ndarray

    Returns
    -------
    (2,) ndarray
        The entries weighed by cosines, and by sines.
    """
    flat = np.ravel(array).astype(float)
    angles = np.arange(1.0, flat.size + 1)
    return np.array([flat @ np.cos(angles), flat @ np.sin(angles)])


def sketches(
    case: Mapping[str, Any],
    right: Mapping[str, Any],
    run: Callable[[dict[str, Any]], Mapping[str, Any]],
    rtol: float,
) -> Sketches:
    """Sketches of all that comes out of altered arguments, and is wrong; of a list, the first.

    Parameters
    ----------
    case : dict
        The arguments.
    right : dict
        From paths to what the quantities should be.
    run : callable
        From arguments to the quantities by their paths, if there are any.
    rtol : float
    """
    found: Sketches = {}
    for story, case_ in islice(alterations(case), MOST):
        for path, value in run(case_).items():
            later = set(re.findall(r"\[(\d+)\]", path)) - {"0"}
            if path in right and not later and _telling(right[path], value, rtol):
                found.setdefault(path, {})[story] = sketch(value)
    return found


def _telling(right: Any, value: Any, rtol: float) -> bool:
    """Whether a wrong value is one that hardly comes about in another way."""
    if not (isinstance(right, np.ndarray | float) and isinstance(value, np.ndarray | float)):
        return False
    one, two = np.asarray(right), np.asarray(value)
    if one.shape != two.shape or two.dtype.kind != "f" or not np.isfinite(two).all():
        return False
    constant = two.size > 1 and np.ptp(two) == 0
    return not constant and bool(two.any()) and bool(wrong_entries(one, two, rtol).any())


def told(got: Any, known: Mapping[str, Sketch], expected: Any, rtol: float) -> str:
    """The story of the alteration that makes a wrong quantity, or an empty string.

    Parameters
    ----------
    got, expected : (...) ndarray
        Of one shape.
    known : dict
        From stories to sketches.
    rtol : float
    """
    got, expected = np.asarray(got), np.asarray(expected)
    if got.dtype.kind != "f" or not np.isfinite(got).all():
        return ""
    mine = sketch(got)
    near = tolerance(expected, got, rtol) * np.sqrt(got.size)
    return next((story for story, s in known.items() if (np.abs(mine - s) <= near).all()), "")
