"""The layer that exercises hand out: right to rounding, and the course's own in its manners."""

import numpy as np
import pytest

from autograder import wire
from autograder.specs import Layer, made
from autograder.tree import plain, revive
from course.given import LSTM, RNN, LSTMParams, RNNParams
from solutions.tests.proofs import close, complex_step, normal, parameters

LENGTHS = np.array([6, 1, 4])


@pytest.fixture
def params():
    return parameters(RNNParams, 0, n_x=3, n_a=5)


@pytest.mark.parametrize("n_states", [1, 2])
def test_gradients_are_those_of_its_forward_pass(params, n_states):
    """Of every input, start state and parameter, with padding that holds anything."""
    x, real = normal(1, 6, 3, 3), (np.arange(6)[:, None] < LENGTHS)[:, :, None]
    start = [normal(2 + k, 3, 5) for k in range(n_states)]
    das = [normal(5 + k, 6, 3, 5) for k in range(n_states)]

    def loss(x=x, start=start, params=params):
        layer = Layer(params, n_states).make()
        layer.forward(x, *start, lengths=LENGTHS)
        return sum((da * real * s).sum() for da, s in zip(das, layer.states, strict=True))

    layer = Layer(params, n_states).make()
    layer.forward(x, *start, lengths=LENGTHS)
    dx, *dstart, grads = layer.backward(*das)
    close(dx, complex_step(lambda w: loss(x=w), x))
    for k, d in enumerate(dstart):
        close(d, complex_step(lambda w: loss(start=[*start[:k], w, *start[k + 1 :]]), start[k]))
    for name, value in params._asdict().items():
        slope = complex_step(lambda w: loss(params=params._replace(**{name: w})), value)
        close(getattr(grads, name), slope)


@pytest.mark.parametrize("n_states", [1, 2])
def test_it_is_used_as_the_course_s_layers_are(params, n_states):
    own = Layer(params, n_states).make()
    lstm = parameters(LSTMParams, 0, n_x=3, n_a=5)
    course = RNN(params) if n_states == 1 else LSTM(lstm)
    x = normal(1, 6, 3, 3)
    for layer in (own, course):
        with pytest.raises(RuntimeError, match="run forward first"):
            layer.backward(x)
        with pytest.raises(TypeError, match="start states"):
            layer.forward(x, *[np.zeros((3, 5))] * 3)
    a, b = (layer.forward(x, lengths=LENGTHS) for layer in (own, course))
    assert a.shape == b.shape and not a[4:, 2].any()
    for name in ("n_x", "widths", "n_states"):
        assert getattr(own, name) == getattr(course, name)
    assert [s.shape for s in own.states] == [s.shape for s in course.states]
    assert [s.shape for s in own.last] == [s.shape for s in course.last]
    np.testing.assert_array_equal(own.last[0], a[LENGTHS - 1, np.arange(3)])
    mine, theirs = (layer.backward(np.ones_like(a)) for layer in (own, course))
    assert len(mine) == len(theirs) == n_states + 2


def test_a_layer_travels_as_words_and_remembers_its_run(params):
    x = normal(1, 6, 3, 3)
    spec = Layer(params, 2, x, LENGTHS)
    crossed = revive(wire.unpack(wire.pack(plain({"forward": spec}))))["forward"]
    one, two = made(spec), made(crossed)
    np.testing.assert_array_equal(one.states[0], two.states[0])
    np.testing.assert_array_equal(one.backward(x[..., :1])[0], two.backward(x[..., :1])[0])
    assert made(Layer(params)).states is None
