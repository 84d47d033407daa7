"""Activations that never overflow."""

import numpy as np


def sigmoid(z):
    """Logistic sigmoid, 1 / (1 + exp(-z)), for every finite z.

    Parameters
    ----------
    z : (...) array_like
        Real or complex.

    Returns
    -------
    (...) ndarray
        Of the same floating type as `z`.

    Notes
    -----
    Written with tanh, which saturates where exp would overflow, and which carries complex
    numbers, so that complex-step derivatives run through it.
    """
    half = np.asarray(z) * 0.5
    return np.tanh(half) * 0.5 + 0.5
