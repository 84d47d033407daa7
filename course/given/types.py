"""Parameters and caches, by name and never by number.

Each type says in `shapes` which letters of the legend its fields are long; drawing, checking
and printing all read it there.
"""

from typing import NamedTuple

import numpy as np


class RNNParams(NamedTuple):
    """Parameters of a recurrent cell, the same at every time step."""

    Wax: np.ndarray
    Waa: np.ndarray
    ba: np.ndarray

    shapes = {"Wax": ("n_a", "n_x"), "Waa": ("n_a", "n_a"), "ba": ("n_a",)}


class OutputParams(NamedTuple):
    """Parameters of the output layer, which any kind of cell may feed."""

    Wya: np.ndarray
    by: np.ndarray

    shapes = {"Wya": ("n_y", "n_a"), "by": ("n_y",)}


class RNNModelParams(NamedTuple):
    """A cell's parameters and an output layer's, side by side: a model that predicts.

    It has every field that `RNNParams` and `OutputParams` have, so a function that asks for
    either takes it as it is.
    """

    Wax: np.ndarray
    Waa: np.ndarray
    ba: np.ndarray
    Wya: np.ndarray
    by: np.ndarray

    shapes = {**RNNParams.shapes, **OutputParams.shapes}


class RNNCache(NamedTuple):
    """What the backward pass needs of one step of an RNN cell."""

    x_t: np.ndarray
    a_prev: np.ndarray
    a: np.ndarray

    shapes = {"x_t": ("m", "n_x"), "a_prev": ("m", "n_a"), "a": ("m", "n_a")}


def draw(kind, rng, dtype=float, **sizes):
    """Random parameters of a kind, small enough for the first step of training.

    Parameters
    ----------
    kind : type
        `RNNParams`, or another type with `shapes`.
    rng : numpy.random.Generator
    dtype : dtype, optional
    **sizes : int
        The letters of the legend that `kind` needs, such as ``n_x=3, n_a=5``.

    Returns
    -------
    kind
        Weights uniform within ``1 / sqrt(columns)`` of zero; biases zero.

    Examples
    --------
    >>> params = draw(RNNParams, np.random.default_rng(0), n_x=3, n_a=5)
    >>> params.Wax.shape
    (5, 3)
    """
    missing = {n for letters in kind.shapes.values() for n in letters} - sizes.keys()
    if missing:
        raise TypeError(f"draw({kind.__name__}) also needs {', '.join(sorted(missing))}")
    fields = {}
    for name, letters in kind.shapes.items():
        shape = tuple(sizes[letter] for letter in letters)
        bound = 1 / np.sqrt(shape[-1]) if len(shape) > 1 else 0.0
        fields[name] = rng.uniform(-bound, bound, shape).astype(dtype)
    return kind(**fields)
