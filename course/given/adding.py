"""The adding problem: two numbers among many, to be added at the end. A measure of long memory.

The task is that of Hochreiter and Schmidhuber (1997): the network reads pairs of a number and a
mark; two of the numbers are marked, and after the last step their sum is asked for.
"""

from typing import NamedTuple

import numpy as np

from course.given.types import (
    GRUParams,
    LSTMParams,
    OutputParams,
    RNNParams,
    draw,
)

GUESSING = 1 / 6  # the mean squared error of always answering 1: the variance of the sum


class Adding(NamedTuple):
    """A batch: x (T_x, m, 2) numbers and marks, y (m, 1) sums of the two marked numbers."""

    x: np.ndarray
    y: np.ndarray


def adding(rng, T_x=50, m=64, dtype=np.float32):
    """Draw sequences with two marked numbers, one in each half.

    Parameters
    ----------
    rng : Generator
    T_x, m : int, optional
    dtype : dtype, optional

    Returns
    -------
    Adding
        ``x[t, i, 0]`` is uniform between 0 and 1; ``x[t, i, 1]`` is 1 at two steps and else 0.
    """
    x = np.zeros((T_x, m, 2), dtype)
    x[:, :, 0] = rng.random((T_x, m))
    rows = np.arange(m)
    first, second = rng.integers(0, T_x // 2, m), rng.integers(T_x // 2, T_x, m)
    x[first, rows, 1] = x[second, rows, 1] = 1
    return Adding(x, (x[first, rows, 0] + x[second, rows, 0])[:, None])


class Adder:
    """A recurrent layer whose last hidden state feeds one linear output, and its gradient.

    Parameters
    ----------
    cell : RNNParams, GRUParams or LSTMParams
        Changed in place by training, as is `output`.
    output : OutputParams
        With one row.
    """

    def __init__(self, cell, output):
        from course.given import GRU, LSTM, RNN

        layers = {RNNParams: RNN, GRUParams: GRU, LSTMParams: LSTM}
        self.cell, self.output = cell, output
        self.layer = layers[type(cell)](cell)

    @property
    def params(self):
        """All arrays, the cell's first."""
        return (*self.cell, *self.output)

    @property
    def size(self):
        """How many numbers it learns."""
        return sum(w.size for w in self.params)

    def answer(self, x):
        """What the network says the sums are.

        Parameters
        ----------
        x : (T_x, m, 2) ndarray

        Returns
        -------
        (m, 1) ndarray
        """
        return self.layer.forward(x)[-1] @ self.output.Wya.T + self.output.by

    def loss_and_gradients(self, batch):
        """Mean squared error of a batch, and its gradient.

        Parameters
        ----------
        batch : Adding

        Returns
        -------
        loss : float
        grads : tuple of ndarray
            In the order of `params`.
        """
        off = self.answer(batch.x) - batch.y
        dy = 2 * off / len(off)
        da = np.zeros_like(self.layer.states[0])
        last = self.layer.states[0][-1]
        da[-1] = dy @ self.output.Wya
        grads = self.layer.backward(da)[-1]
        return float((off**2).mean()), (*grads, dy.T @ last, dy.sum(axis=0))

    def error(self, batch):
        """Mean squared error.

        Parameters
        ----------
        batch : Adding

        Returns
        -------
        float
        """
        return float(((self.answer(batch.x) - batch.y) ** 2).mean())


def clipped(grads, limit=1.0):
    """Gradients shortened as a whole to a norm of at most `limit`, as in unit 03.

    Parameters
    ----------
    grads : sequence of ndarray
    limit : float, optional

    Returns
    -------
    list of ndarray
    """
    norm = np.sqrt(sum(float(np.vdot(g, g)) for g in grads))
    return [g * g.dtype.type(min(1, limit / norm)) if norm else g for g in grads]


def fresh(kind, seed, n_a, dtype=np.float32, **biases):
    """A network to start from.

    Parameters
    ----------
    kind : type
        RNNParams, GRUParams or LSTMParams.
    seed, n_a : int
    dtype : dtype, optional
    **biases : float
        Values for biases that are not to start at zero, such as ``bf=1.0``.

    Returns
    -------
    Adder
    """
    rng = np.random.default_rng(seed)
    cell = draw(kind, rng, dtype, n_x=2, n_a=n_a)
    cell = cell._replace(**{name: np.full(n_a, value, dtype) for name, value in biases.items()})
    return Adder(cell, draw(OutputParams, rng, dtype, n_a=n_a, n_y=1))
