"""Layers as arguments: they travel as words, and their gradients are true."""

import numpy as np
import pytest

from autograder import answers, desk, wire
from autograder.diagnosis import judge
from autograder.handed import FilterLayer, LeakyLayer
from autograder.specs import SPECS, Stack, made
from autograder.tree import plain, revive
from autograder.trial import run
from solutions.deep_rnn import deep_rnn_backward, deep_rnn_forward
from solutions.tests.proofs import close, complex_step, normal

T_X, M, N_X, N_A = 4, 3, 2, 5


@pytest.mark.parametrize("n_states", [1, 2])
def test_the_gradients_of_a_leaky_layer(n_states):
    arrays = [normal(0, T_X, M, N_X), normal(1, N_A)]
    arrays += [normal(2 + i, M, N_A) for i in range(n_states)]
    da, dc = normal(5, 2, T_X, M, N_A)

    def loss(x, gain, *start):
        return (LeakyLayer(n_states, gain).forward(x, *start) * da).sum()

    layer = LeakyLayer(n_states, arrays[1])
    layer.forward(arrays[0], *arrays[2:])
    dx, *dstart, grads = layer.backward(da)
    for i, gradient in enumerate([dx, grads.gain, *dstart]):
        slope = complex_step(lambda w, i=i: loss(*arrays[:i], w, *arrays[i + 1 :]), arrays[i])
        close(gradient, slope)
    if n_states == 2:  # the memory's own gradient counts, too
        assert not np.allclose(layer.backward(da, dc)[0], dx)


def test_a_layer_starts_from_zeros_and_says_what_does_not_fit():
    x, layer = normal(0, T_X, M, N_X), LeakyLayer(1, normal(1, N_A))
    with pytest.raises(RuntimeError, match="run forward first"):
        layer.backward(normal(2, T_X, M, N_A))
    zeros = np.zeros((M, N_A))
    np.testing.assert_array_equal(layer.forward(x), layer.forward(x, zeros))
    with pytest.raises(TypeError, match="2 start states; 1 are expected"):
        layer.forward(x, zeros, zeros)
    with pytest.raises(ValueError, match=r"start\[0\] has shape \(1, 3, 5\)"):
        layer.forward(x, (zeros,))
    with pytest.raises(ValueError, match="da has shape"):
        layer.backward(normal(2, T_X, M, N_A + 1))


def test_every_call_is_given_layers_of_its_own():
    spec = Stack(((1, normal(0, N_A)), (0, normal(1, N_A))))
    crossed = revive(wire.unpack(wire.pack(plain({"layers": spec}))))["layers"]
    assert SPECS["Stack"] is type(crossed)
    first, second = made(crossed), made(crossed)
    assert isinstance(first[0], LeakyLayer) and isinstance(first[1], FilterLayer)
    assert first[0] is not second[0]


def test_a_case_has_layers_that_have_run():
    case = desk.case("deep_rnn_backward", 0)
    assert deep_rnn_backward(**case)[0].shape[:2] == case["das"][0].shape[:2]
    case = desk.case("deep_rnn_forward", 0)
    assert len(deep_rnn_forward(**case)) == len(case["layers"]) == 3


def lists_for_tuples(das, layers):
    """Right, but that the start states' gradients stand in lists."""
    dx, da0s, grads = deep_rnn_backward(das, layers)
    return dx, [list(da0) for da0 in da0s], grads


def wrong_and_lists(das, layers):
    dx, da0s, grads = lists_for_tuples(das, layers)
    return dx, [[2 * d for d in da0] for da0 in da0s], grads


def report(function):
    key = answers.key("deep_rnn_backward")
    return judge(key, lambda lend: run(function, key.cases, lend))


def test_a_list_of_equal_arrays_is_as_good_as_a_tuple():
    """Of one array, or of two of one shape, it has become one array by the time it is judged."""
    assert report(lists_for_tuples).passed
    found = report(wrong_and_lists)
    assert not found.passed and "da0s[0][0]" in str(found)
    assert "2 times what it should be" in str(found)
