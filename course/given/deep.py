"""Stacks to measure, for unit 08: fresh layers of any kinds, and a way round each of them."""

from itertools import pairwise

import numpy as np

from course.given.layers import GRU, LSTM, RNN
from course.given.types import GRUParams, LSTMParams, RNNParams, draw

PARAMS = {RNN: RNNParams, GRU: GRUParams, LSTM: LSTMParams}


def stack(kinds, widths, rng, dtype=float):
    """Layers with random weights, one upon another.

    Parameters
    ----------
    kinds : sequence of {RNN, GRU, LSTM}
        From the bottom up.
    widths : sequence of int
        n_x, and then each layer's number of units: one more than there are kinds.
    rng : numpy.random.Generator
    dtype : dtype, optional

    Returns
    -------
    list of layer
    """
    return [
        kind(draw(PARAMS[kind], rng, dtype, n_x=n_x, n_a=n_a))
        for kind, (n_x, n_a) in zip(kinds, pairwise(widths), strict=True)
    ]


class Skip:
    """A layer with a way round it: what it reads is added to its output.

    Parameters
    ----------
    layer : layer
        With as many units as it reads.
    """

    def __init__(self, layer):
        self.layer = layer

    def forward(self, x, *start):
        """Run the layer, and add what it has read."""
        return self.layer.forward(x, *start) + x

    def backward(self, da):
        """Take the gradient back both ways."""
        dx, *dstart, grads = self.layer.backward(da)
        return dx + da, *dstart, grads


def moved(layers, by, h):
    """Set the parameters of layers to others, a little way off.

    Parameters
    ----------
    layers : list of layer
    by : list of NamedTuple of ndarray
        A direction, one tuple a layer.
    h : float
        How far.
    """
    for layer, step in zip(layers, by, strict=True):
        old = layer.params
        layer.params = type(old)(*(w + h * d for w, d in zip(old, step, strict=True)))


def direction(layers, rng):
    """A random direction in the space of all parameters: one tuple a layer."""
    return [
        type(layer.params)(*(rng.standard_normal(np.shape(w)) for w in layer.params))
        for layer in layers
    ]
