"""Harmless stand-ins for graded functions, lent to a learner's code for a second run.

A function that calls another exercise's function is right when it is right with true callees,
or with these. They are recurrences that use every argument, and none of them is an answer, so
they may be seen by anybody.
"""

from collections.abc import Callable

import numpy as np

from course.given import RNNCache


def softmax(z):
    """Scores squeezed by their sum, class by class."""
    return z / (1 + np.abs(z).sum(axis=-1, keepdims=True))


def rnn_cell_forward(x_t, a_prev, params):
    """A leaky sum that turns the units round; every input weighs differently."""
    weighed = x_t @ np.cos(np.arange(x_t.shape[1]))  # (m,)
    a = (a_prev[:, ::-1] + weighed[:, np.newaxis] * params.ba) / 2
    return a, RNNCache(x_t, a_prev, a)


def output_forward(a, params):
    """Each class's bias, moved by the state; every unit weighs differently."""
    weighed = a @ np.cos(np.arange(a.shape[-1]))  # (...,)
    return weighed[..., np.newaxis] + params.by


STAND_INS: dict[str, Callable] = {
    function.__name__: function for function in (softmax, rnn_cell_forward, output_forward)
}
