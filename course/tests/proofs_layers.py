"""What the proofs of the layers share: the kinds of cells, runs of a layer, and comparisons."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from course.given import (
    GRU,
    LSTM,
    RNN,
    GRUParams,
    LSTMParams,
    ResetAfterGRU,
    ResetAfterGRUParams,
    RNNParams,
    Unrolled,
)
from solutions import bptt, gru, lstm, rnn
from solutions.tests.proofs import normal, parameters


class Kind(NamedTuple):
    """A fast layer, and the clear functions that it is to equal."""

    layer: type
    params: type
    forward: Callable
    backward: Callable
    cell_forward: Callable
    cell_backward: Callable
    n_states: int

    def unrolled(self, params):
        return Unrolled(self.cell_forward, self.cell_backward, params, self.n_states)

    def draw(self, seed=0, *, n_x, n_a, dtype=float):
        return cast(parameters(self.params, seed, n_x=n_x, n_a=n_a), dtype)


KINDS = {
    "RNN": Kind(
        RNN,
        RNNParams,
        rnn.rnn_forward,
        bptt.rnn_backward,
        rnn.rnn_cell_forward,
        bptt.rnn_cell_backward,
        1,
    ),
    "GRU": Kind(
        GRU,
        GRUParams,
        gru.gru_forward,
        gru.gru_backward,
        gru.gru_cell_forward,
        gru.gru_cell_backward,
        1,
    ),
    "ResetAfterGRU": Kind(
        ResetAfterGRU,
        ResetAfterGRUParams,
        gru.reset_after_gru_forward,
        gru.reset_after_gru_backward,
        gru.reset_after_gru_cell_forward,
        gru.reset_after_gru_cell_backward,
        1,
    ),
    "LSTM": Kind(
        LSTM,
        LSTMParams,
        lstm.lstm_forward,
        lstm.lstm_backward,
        lstm.lstm_cell_forward,
        lstm.lstm_cell_backward,
        2,
    ),
}
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)

SIZES = {"T_x": 6, "m": 3, "n_x": 4, "n_a": 5}
LENGTHS = np.array([4, 6, 1])
few = settings(deadline=None, max_examples=25)
seeds = st.integers(0, 2**20)


def cast(values, dtype):
    """Arrays, also through tuples and lists, as numbers of another type."""
    if isinstance(values, np.ndarray):
        return values.astype(dtype)
    parts = [cast(value, dtype) for value in values]
    return type(values)(*parts) if hasattr(values, "_fields") else parts


def sequences(seed=0, *, T_x, m, n_x, n_a, n_states=1, dtype=float):
    """x, start states, and gradients of the states over time, all that `run` takes."""
    x = normal([seed, 1], T_x, m, n_x)
    start = [normal([seed, 2, i], m, n_a) for i in range(n_states)]
    dstates = [normal([seed, 3, i], T_x, m, n_a) for i in range(n_states)]
    return cast([x, start, dstates], dtype)


def named(states, last, dx, dstart, grads):
    """All that a run gives, by name."""
    found = {f"states[{i}]": s for i, s in enumerate(states)}
    found |= {f"last[{i}]": s for i, s in enumerate(last)}
    found |= {"dx": dx} | {f"dstart[{i}]": d for i, d in enumerate(dstart)}
    return found | {f"grads{name}": grad for name, grad in leaves(grads)}


def leaves(grads, name=""):
    """The arrays of gradients in tuples in tuples, each with its place."""
    if isinstance(grads, np.ndarray):
        return [(name, grads)]
    names = getattr(grads, "_fields", range(len(grads)))
    parts = zip(names, grads, strict=True)
    return [leaf for key, part in parts for leaf in leaves(part, f"{name}.{key}")]


def run(layer, x, start, dstates, lengths=None):
    """All that a layer gives, by name."""
    a = layer.forward(x, *start, lengths=lengths)
    assert a is layer.states[0]
    dx, *dstart, grads = layer.backward(*dstates)
    return named(layer.states, layer.last, dx, dstart, grads)


def run_clear(kind, params, x, start, dstates):
    """What the clear functions give for the same, by name; and the caches."""
    *states, caches = kind.forward(x, *start, params)
    dx, *dstart, grads = kind.backward(*dstates, caches, params)
    return named(states, [s[-1] for s in states], dx, dstart, grads), caches


def same(actual, expected, rtol=1e-12):
    """Assert that arrays by name are equal, within rtol of each one's largest entry.

    What is smaller than 1 is compared as if it were 1: it is a sum of terms that are about 1.
    """
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        assert actual[name].shape == array.shape, name
        scale = max(np.abs(array).max(initial=0), 1)
        np.testing.assert_allclose(
            actual[name], array, rtol=0, atol=rtol * scale, err_msg=name, equal_nan=False
        )


def cached(caches):
    """Caches of every step as arrays by name."""
    return {
        f"caches[{t}].{name}": array
        for t, cache in enumerate(caches)
        for name, array in cache._asdict().items()
    }


def copies(found):
    return {name: array.copy() for name, array in found.items()}


def identical(actual, expected):
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(actual[name], array, err_msg=name, strict=True)
