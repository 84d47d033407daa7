"""Layers as arguments of a decoder's exercises: after a run that did not begin with zeros."""

import numpy as np
import pytest

from autograder import wire
from autograder.handed import SineLayer
from autograder.inputs import normal, parameters
from autograder.specs import Layer, made
from autograder.tree import plain, revive
from course.given import RNNParams
from solutions.tests.proofs import close, complex_step

SIZES = {"T_x": 5, "m": 3, "n_x": 2, "n_a": 4}


@pytest.mark.parametrize("n_states", [1, 2])
def test_a_run_from_a_start_and_its_gradients(n_states):
    rng = np.random.default_rng(0)
    params, x = parameters(RNNParams, rng, SIZES), normal(rng, 5, 3, 2)
    start = tuple(normal(rng, 3, 4) for _ in range(n_states))
    spec = Layer(params, n_states, x, None, start)
    layer = made(revive(wire.unpack(wire.pack(plain({"decoder": spec}))))["decoder"])
    alone = SineLayer(params, n_states)
    np.testing.assert_array_equal(layer.states[0], alone.forward(x, *start))
    da = normal(rng, 5, 3, 4)
    _dx, *dstart, _grads = layer.backward(da)
    for i in range(n_states):

        def moved(s, i=i):
            return (da * alone.forward(x, *start[:i], s, *start[i + 1 :])).sum()

        close(dstart[i], complex_step(moved, start[i]))


def test_a_layer_that_has_not_run_says_so():
    layer = made(Layer(parameters(RNNParams, np.random.default_rng(0), SIZES)))
    with pytest.raises(RuntimeError, match="run forward first"):
        layer.last  # noqa: B018  # a property that raises
