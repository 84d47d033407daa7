"""What the proofs of this package share: derivatives to rounding, and arrays to try them on."""

import numpy as np

from course.given.types import length


def complex_step(loss, w, h=1e-20):
    """The derivative of a loss with respect to every entry of w, to rounding.

    Parameters
    ----------
    loss : callable
        From an array like `w`, made complex, to a number.
    w : (...) ndarray

    Returns
    -------
    (...) ndarray

    Notes
    -----
    Squire and Trapp, 1998: f(w + ih) = f(w) + ih f'(w) + O(h²), without any difference that
    could cancel.
    """
    gradient = np.empty(w.shape)
    for i in np.ndindex(w.shape):
        moved = w.astype(complex)
        moved[i] += 1j * h
        gradient[i] = loss(moved).imag / h
    return gradient


def close(actual, expected, rtol=1e-12):
    """Assert that arrays are equal within rtol of the largest expected entry."""
    expected = np.asarray(expected)
    scale = max(np.abs(expected).max(initial=0), 1e-12)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=rtol * scale)


def normal(seed, *shape):
    """Standard normal numbers."""
    return np.random.default_rng(seed).standard_normal(shape)


def parameters(kind, seed, **sizes):
    """Parameters of a kind with every entry random, the biases too."""
    rng = np.random.default_rng(seed)
    drawn = {}
    for name, axes in kind.shapes.items():
        shape = tuple(length(axis, sizes) for axis in axes)
        drawn[name] = rng.standard_normal(shape) / np.sqrt(shape[-1])
    return kind(**drawn)
