"""Parameters and caches, by name and never by number.

Each type says in `shapes` which letters of the legend its fields are long; drawing, checking
and printing all read it there.
"""

from typing import NamedTuple

import numpy as np


def _gate(letter):
    """Weight and bias of a gate that sees the state and the input side by side."""
    return (f"W{letter}", ("n_a", "n_a+n_x")), (f"b{letter}", ("n_a",))


def length(letters, sizes):
    """The length of an axis: a letter of the legend, or a sum of letters such as n_a+n_x."""
    return sum(sizes[letter.strip()] for letter in letters.split("+"))


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


class SimplifiedGRUParams(NamedTuple):
    """Parameters of a GRU cell without reset gate; the weights act on ``[c_prev, x_t]``."""

    Wu: np.ndarray
    bu: np.ndarray
    Wc: np.ndarray
    bc: np.ndarray

    shapes = {name: shape for letter in "uc" for name, shape in _gate(letter)}


class SimplifiedGRUCache(NamedTuple):
    """What the backward pass needs of one step of a GRU cell without reset gate."""

    x_t: np.ndarray
    c_prev: np.ndarray
    update: np.ndarray
    candidate: np.ndarray

    shapes = {"x_t": ("m", "n_x"), **dict.fromkeys(("c_prev", "update", "candidate"), ("m", "n_a"))}


class GRUParams(NamedTuple):
    """Parameters of a GRU cell: update gate, reset gate, candidate.

    The gates' weights act on ``[c_prev, x_t]``, the candidate's on ``[reset * c_prev, x_t]``.
    """

    Wu: np.ndarray
    bu: np.ndarray
    Wr: np.ndarray
    br: np.ndarray
    Wc: np.ndarray
    bc: np.ndarray

    shapes = {name: shape for letter in "urc" for name, shape in _gate(letter)}


class GRUCache(NamedTuple):
    """What the backward pass needs of one step of a GRU cell."""

    x_t: np.ndarray
    c_prev: np.ndarray
    update: np.ndarray
    reset: np.ndarray
    candidate: np.ndarray

    shapes = {
        "x_t": ("m", "n_x"),
        **dict.fromkeys(("c_prev", "update", "reset", "candidate"), ("m", "n_a")),
    }


class ResetAfterGRUParams(NamedTuple):
    """Parameters of PyTorch's kind of GRU cell, which resets after the matrix product.

    All weights act on ``[c_prev, x_t]``; ``bcc`` is the bias that the reset gate closes on, too.
    """

    Wu: np.ndarray
    bu: np.ndarray
    Wr: np.ndarray
    br: np.ndarray
    Wc: np.ndarray
    bc: np.ndarray
    bcc: np.ndarray

    shapes = {**GRUParams.shapes, "bcc": ("n_a",)}


class ResetAfterGRUCache(NamedTuple):
    """What the backward pass needs of one step of a GRU cell that resets after the product."""

    x_t: np.ndarray
    c_prev: np.ndarray
    update: np.ndarray
    reset: np.ndarray
    candidate: np.ndarray
    recurrent: np.ndarray

    shapes = {**GRUCache.shapes, "recurrent": ("m", "n_a")}


class LSTMParams(NamedTuple):
    """Parameters of an LSTM cell: forget, update and output gates, and the candidate.

    The weights act on ``[a_prev, x_t]``.
    """

    Wf: np.ndarray
    bf: np.ndarray
    Wu: np.ndarray
    bu: np.ndarray
    Wc: np.ndarray
    bc: np.ndarray
    Wo: np.ndarray
    bo: np.ndarray

    shapes = {name: shape for letter in "fuco" for name, shape in _gate(letter)}


class LSTMCache(NamedTuple):
    """What the backward pass needs of one step of an LSTM cell; ``z`` is ``[a_prev, x_t]``."""

    z: np.ndarray
    forget: np.ndarray
    update: np.ndarray
    candidate: np.ndarray
    output: np.ndarray
    c_prev: np.ndarray
    c: np.ndarray

    shapes = {
        "z": ("m", "n_a+n_x"),
        **dict.fromkeys(("forget", "update", "candidate", "output", "c_prev", "c"), ("m", "n_a")),
    }


class PeepholeLSTMParams(NamedTuple):
    """Parameters of an LSTM cell whose gates see the memory, each unit its own.

    ``pf`` and ``pu`` weigh the memory before the step, ``po`` the memory after it.
    """

    Wf: np.ndarray
    bf: np.ndarray
    Wu: np.ndarray
    bu: np.ndarray
    Wc: np.ndarray
    bc: np.ndarray
    Wo: np.ndarray
    bo: np.ndarray
    pf: np.ndarray
    pu: np.ndarray
    po: np.ndarray

    shapes = {**LSTMParams.shapes, **dict.fromkeys(("pf", "pu", "po"), ("n_a",))}


class CoupledLSTMParams(NamedTuple):
    """Parameters of an LSTM cell that writes exactly what it forgets: update = 1 - forget."""

    Wf: np.ndarray
    bf: np.ndarray
    Wc: np.ndarray
    bc: np.ndarray
    Wo: np.ndarray
    bo: np.ndarray

    shapes = {name: shape for letter in "fco" for name, shape in _gate(letter)}


class DeepOutputParams(NamedTuple):
    """Parameters of a network with one hidden layer of n_h units, on every output of an RNN."""

    Wha: np.ndarray
    bh: np.ndarray
    Wyh: np.ndarray
    by: np.ndarray

    shapes = {"Wha": ("n_h", "n_a"), "bh": ("n_h",), "Wyh": ("n_y", "n_h"), "by": ("n_y",)}


class DeepOutputCache(NamedTuple):
    """What the backward pass needs of a deep output network: what it read, its hidden layer."""

    a: np.ndarray
    h: np.ndarray

    shapes = {"a": ("...", "n_a"), "h": ("...", "n_h")}


class AdamState(NamedTuple):
    """What Adam remembers: running means of gradients and of their squares, and the steps made.

    ``means`` and ``squares`` have the parameters' type.
    """

    means: tuple
    squares: tuple
    steps: int


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
    axes = (axis for shape in kind.shapes.values() for axis in shape)
    missing = {letter for axis in axes for letter in axis.split("+")} - sizes.keys()
    if missing:
        raise TypeError(f"draw({kind.__name__}) also needs {', '.join(sorted(missing))}")
    fields = {}
    for name, letters in kind.shapes.items():
        shape = tuple(length(axis, sizes) for axis in letters)
        bound = 1 / np.sqrt(shape[-1]) if len(shape) > 1 else 0.0
        fields[name] = rng.uniform(-bound, bound, shape).astype(dtype)
    return kind(**fields)
