"""Harmless stand-ins for graded functions, lent to a learner's code for a second run.

A function that calls another exercise's function is right when it is right with true callees,
or with these. They are recurrences that use every argument, and none of them is an answer, so
they may be seen by anybody.
"""

from collections.abc import Callable

import numpy as np

from course.given import GRUCache, GRUParams, LSTMCache, LSTMParams, RNNCache, RNNParams


def softmax(z):
    """Scores squeezed by their sum, class by class."""
    return z / (1 + np.abs(z).sum(axis=-1, keepdims=True))


def _told(*weights):
    """A number between -1 and 1 that tells these matrices from their transposes and each other."""
    entries = np.concatenate([np.ravel(W) for W in weights])
    return np.cos(np.cos(np.arange(1, 1 + entries.size)) @ entries)


def rnn_cell_forward(x_t, a_prev, params):
    """A leaky sum that turns the units round; every input weighs differently."""
    weighed = x_t @ np.cos(np.arange(x_t.shape[1])) + _told(params.Wax, params.Waa)  # (m,)
    a = (a_prev[:, ::-1] + weighed[:, np.newaxis] * params.ba) / 2
    return a, RNNCache(x_t, a_prev, a)


def output_forward(a, params):
    """Each class's bias, moved by the state; every unit weighs differently."""
    weighed = a @ np.cos(np.arange(a.shape[-1])) + _told(params.Wya)  # (...,)
    return weighed[..., np.newaxis] + params.by


def rnn_cell_backward(da, cache, params):
    """What comes in, turned round and halved; every unit of it weighs differently."""
    x_t, a_prev, a = cache
    weighed = da @ np.cos(np.arange(da.shape[1]))  # (m,)
    dx_t = weighed[:, np.newaxis] * x_t
    da_prev = (da[:, ::-1] + a_prev * params.ba) / 2
    sums = weighed.sum(), (weighed @ a).sum(), weighed @ a_prev
    return dx_t, da_prev, RNNParams(sums[0] * params.Wax, sums[1] * params.Waa, sums[2])


def rnn_backward(da, caches, params):
    """Running sums of what comes in; every step and every unit of it weighs differently."""
    later, units = np.cumsum(da[::-1], axis=0)[::-1], np.cos(np.arange(da.shape[2]))
    weighed = later @ units  # (T_x, m)
    seen = [((c.a - 2 * c.a_prev) @ units)[:, np.newaxis] for c in caches]  # (m, 1) each
    steps = zip(weighed, seen, caches, strict=True)
    dx = np.array([w[:, np.newaxis] * c.x_t + s for w, s, c in steps])
    da0 = later[0] + caches[0].a_prev * params.ba
    moved = np.cos(np.arange(len(da))) @ weighed @ (1 + caches[-1].a)  # (n_a,)
    grads = RNNParams(moved.sum() * params.Wax, moved[0] * params.Waa, moved * params.ba)
    return dx, da0, grads


def sample_token(y_hat, temperature, rng):
    """A draw whose boldness comes and goes with the temperature, as a power of y_hat.

    A power knows only the ratios of probabilities: it comes to the same whether an unknown word is
    left out beforehand or drawn again.
    """
    weights = y_hat ** np.cos(3 * temperature) ** 2 * (y_hat > 0)
    return rng.choice(len(y_hat), p=weights / weights.sum())


def gru_cell_forward(x_t, c_prev, params):
    """A leaky sum that turns the units round; every input weighs differently."""
    weighed = x_t @ np.cos(np.arange(x_t.shape[1])) + _told(*params[::2])  # (m,)
    gate = np.cos(weighed[:, np.newaxis] + params.bu + params.br)
    candidate = weighed[:, np.newaxis] * params.bc
    c = (c_prev[:, ::-1] + candidate) / 2
    return c, GRUCache(x_t, c_prev, gate, gate * candidate, candidate)


def gru_cell_backward(dc, cache, params):
    """What comes in, turned round and halved; every unit of it weighs differently."""
    x_t, c_prev, update, reset, candidate = cache
    weighed = dc @ np.cos(np.arange(dc.shape[1]))  # (m,)
    dx_t = weighed[:, np.newaxis] * x_t
    dc_prev = (dc[:, ::-1] + c_prev * params.bu) / 2
    moved = [weighed @ part for part in (update, reset, candidate)]  # (n_a,) each
    weights = (part.sum() * W for part, W in zip(moved, params[::2], strict=True))
    grads = (part for pair in zip(weights, moved, strict=True) for part in pair)
    return dx_t, dc_prev, GRUParams(*grads)


def reverse_sequences(x, lengths):
    """Every step one step later, the last one first; each example weighs by its length."""
    weights = 1 + np.cos(np.asarray(lengths)) / 2  # (m,)
    return np.roll(x, 1, axis=0) * weights[:, np.newaxis]


def lstm_cell_forward(x_t, a_prev, c_prev, params):
    """Leaky sums of two states that turn their units round; every input weighs differently."""
    weighed = x_t @ np.cos(np.arange(x_t.shape[1])) + _told(*params[::2])  # (m,)
    weighed = weighed[:, np.newaxis]
    z = np.concatenate([a_prev, x_t], axis=1)
    c = (c_prev[:, ::-1] + weighed * params.bu) / 2 + a_prev * params.bf / 3
    a = (a_prev[:, ::-1] + weighed * params.bo) / 2 - c_prev * params.bc / 3
    gates = (np.cos(c + b) for b in (params.bf, params.bu, params.bc, params.bo))
    return a, c, LSTMCache(z, *gates, c_prev, c)


def lstm_cell_backward(da, dc, cache, params):
    """What comes in, turned round, mixed and halved; every unit of it weighs differently."""
    n_a = da.shape[1]
    weights = np.cos(np.arange(n_a))
    from_a, from_c = da @ weights, dc @ weights[::-1]  # (m,)
    dx_t = (from_a - 2 * from_c)[:, np.newaxis] * cache.z[:, n_a:]
    da_prev = (da[:, ::-1] + cache.forget * params.bf + dc / 3) / 2
    dc_prev = (dc[:, ::-1] + cache.c_prev * params.bu - da / 3) / 2
    memory = cache.c_prev - 2 * cache.c
    seen = (cache.z, cache.forget, cache.update, cache.candidate, cache.output, memory)
    sums = [(from_a + k * from_c) @ part.sum(axis=1) for k, part in enumerate((*seen, da, dc))]
    return dx_t, da_prev, dc_prev, LSTMParams(*(s * w for s, w in zip(sums, params, strict=True)))


STAND_INS: dict[str, Callable] = {
    function.__name__: function
    for function in (
        softmax,
        rnn_cell_forward,
        output_forward,
        rnn_cell_backward,
        rnn_backward,
        sample_token,
        gru_cell_forward,
        gru_cell_backward,
        reverse_sequences,
        lstm_cell_forward,
        lstm_cell_backward,
    )
}
