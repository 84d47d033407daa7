"""The fast layers are the clear functions, and their gradients are derivatives."""

import numpy as np
import pytest

from autograder.inputs import normal, parameters
from course.given import RNN, RNNParams
from solutions.rnn import rnn_forward

SIZES = {"T_x": 6, "m": 4, "n_x": 3, "n_a": 5}


def drawn(seed=0, **changes):
    rng, size = np.random.default_rng(seed), {**SIZES, **changes}
    params = parameters(RNNParams, rng, size)
    x = normal(rng, size["T_x"], size["m"], size["n_x"])
    return params, x, normal(rng, size["m"], size["n_a"])


@pytest.mark.parametrize("changes", [{}, {"T_x": 1}, {"m": 1}, {"n_a": 1}])
def test_forward_is_the_reference(changes):
    params, x, a0 = drawn(**changes)
    layer = RNN(params)
    a, caches = rnn_forward(x, a0, params)
    np.testing.assert_allclose(layer.forward(x, a0), a, rtol=0, atol=1e-14)
    for mine, theirs in zip(layer.caches(), caches, strict=True):
        np.testing.assert_allclose(mine.a_prev, theirs.a_prev, rtol=0, atol=1e-14)
        np.testing.assert_allclose(mine.x_t, theirs.x_t)


def complex_step(loss, w, h=1e-20):
    """The derivative of a loss with respect to every entry of w, to rounding."""
    gradient = np.empty(w.shape)
    for i in np.ndindex(w.shape):
        moved = w.astype(complex)
        moved[i] += 1j * h
        gradient[i] = loss(moved).imag / h
    return gradient


@pytest.mark.parametrize("changes", [{}, {"T_x": 1}, {"m": 1}])
def test_gradients_are_derivatives(changes):
    params, x, a0 = drawn(**changes)
    da = normal(np.random.default_rng(1), *x.shape[:2], a0.shape[1])
    layer = RNN(params)
    layer.forward(x, a0)
    dx, da0, grads = layer.backward(da)

    def loss(x=x, a0=a0, **changed):
        return (RNN(params._replace(**changed)).forward(x, a0) * da).sum()

    derivatives = {
        "dx": (dx, complex_step(lambda v: loss(x=v), x)),
        "da0": (da0, complex_step(lambda v: loss(a0=v), a0)),
    }
    for name, value in grads._asdict().items():
        derivatives[name] = (
            value,
            complex_step(lambda v, n=name: loss(**{n: v}), params._asdict()[name]),
        )
    for name, (mine, true) in derivatives.items():
        error = np.abs(mine - true).max() / np.abs(true).max()
        assert error < 1e-12, name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_are_kept(dtype):
    params, x, a0 = drawn()
    params = RNNParams(*(p.astype(dtype) for p in params))
    layer = RNN(params)
    a = layer.forward(x.astype(dtype), a0.astype(dtype))
    dx, da0, grads = layer.backward(np.ones_like(a))
    assert {v.dtype for v in (a, dx, da0, *grads)} == {np.dtype(dtype)}


def test_bad_shapes_are_named():
    params, x, a0 = drawn()
    with pytest.raises(ValueError, match=r"x has shape \(6, 4\)"):
        RNN(params).forward(x[..., 0])
    with pytest.raises(ValueError, match=r"start\[0\] has shape \(5, 4\)"):
        RNN(params).forward(x, a0.T)
    with pytest.raises(ValueError, match="x has shape"):
        RNN(params).forward(x[:0])
