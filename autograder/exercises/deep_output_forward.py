"""Forecasts from hidden states, by a network with one hidden layer."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from course.given import DeepOutputCache, DeepOutputParams
from solutions.deep_rnn import deep_output_forward


def inputs(rng, letters=("T_x", "m", "n_a"), scale=1.0, **fixed):
    size = sizes(rng, **fixed)
    size["n_h"] = fixed.get("n_h", size["T_y"])
    return {
        "a": np.tanh(normal(rng, *(size[letter] for letter in letters))) * scale,
        "params": parameters(DeepOutputParams, rng, size),
    }


def large_outputs(rng):
    """Forecasts far beyond 1, as degrees are."""
    case = inputs(rng)
    p = case["params"]
    return {**case, "params": p._replace(Wyh=50 * p.Wyh, by=100 + p.by)}


def by_hand(a, params):
    """Unit by unit, in loops."""
    places = np.ndindex(a.shape[:-1])
    h = np.zeros((*a.shape[:-1], len(params.bh)))
    y_hat = np.zeros((*a.shape[:-1], len(params.by)))
    for place in places:
        for j, bias in enumerate(params.bh):
            h[place][j] = np.tanh(bias + sum(w * v for w, v in zip(params.Wha[j], a[place])))
        for k, bias in enumerate(params.by):
            y_hat[place][k] = bias + float(np.dot(params.Wyh[k], h[place]))
    return y_hat, DeepOutputCache(a, h)


def with_einsum(a, params):
    z = np.einsum("ha,...a->...h", params.Wha, a) + params.bh
    hidden = (np.exp(2 * z) - 1) / (np.exp(2 * z) + 1)
    return np.einsum("...h,yh->...y", hidden, params.Wyh) + params.by, DeepOutputCache(a, hidden)


def flattened(a, params):
    """All steps of all examples in one matrix, its biases as a column of ones."""
    rows = a.reshape(-1, a.shape[-1])
    ones = np.ones((len(rows), 1))
    hidden = np.tanh(np.hstack([rows, ones]) @ np.vstack([params.Wha.T, params.bh]))
    out = np.hstack([hidden, ones]) @ np.column_stack([params.Wyh, params.by]).T
    lead = a.shape[:-1]
    return out.reshape(*lead, -1), DeepOutputCache(a=a, h=hidden.reshape(*lead, -1))


def in_float32(a, params):
    return deep_output_forward(
        a.astype(np.float32), DeepOutputParams(*(w.astype(np.float32) for w in params))
    )


HIDDEN = "h = np.tanh(a @ p.Wha.T + p.bh)"
OUTPUT = "y_hat = h @ p.Wyh.T + p.by"

EXERCISE = Exercise(
    reference=deep_output_forward,
    cases=(
        Case("whole sequences, every size differs", inputs),
        Case("whole sequences, every size differs", inputs),
        Case("one step of all examples", partial(inputs, letters=("m", "n_a"))),
        Case("one step of one example", partial(inputs, m=1, T_x=1)),
        Case("all widths are equal", partial(inputs, n_a=4, n_h=4, n_y=4, T_y=5)),
        Case("one forecast", partial(inputs, n_y=1)),
        Case("large forecasts", large_outputs),
        Case("large states", partial(inputs, scale=30.0)),
    ),
    returns=("y_hat", "cache"),
    order=("cache.h", "y_hat", "cache.a"),
    points=2,
    hints=(
        "Two layers, one after the other: the states make the hidden layer, and the hidden layer makes "
        "the forecasts.",
        "Rows are examples, so a layer is input @ W.T + b, whatever stands before the last axis. The "
        "hidden layer's sum goes through tanh; a forecast may be any number, so the output's does not.",
        "h: np.tanh of a @ (Wha transposed) plus bh. y_hat: the same pattern with h, Wyh and by, "
        "without tanh.",
    ),
    misconceptions=(
        Edit(
            "no-tanh",
            HIDDEN,
            "h = a @ p.Wha.T + p.bh",
            "The hidden layer has no tanh. Two layers without anything curved between them are one "
            "layer: nothing is gained.",
        ),
        Edit(
            "tanh-on-the-output",
            OUTPUT,
            "y_hat = np.tanh(h @ p.Wyh.T + p.by)",
            "The forecasts went through tanh, which leaves nothing beyond 1. They may be of any size: "
            "the output layer has none.",
        ),
        Edit(
            "softmax-on-the-output",
            OUTPUT,
            "z = h @ p.Wyh.T + p.by\n"
            "    e = np.exp(z - z.max(axis=-1, keepdims=True))\n"
            "    y_hat = e / e.sum(axis=-1, keepdims=True)",
            "The forecasts went through softmax. They are numbers, and no probabilities.",
        ),
        Edit(
            "sigmoid-in-the-hidden-layer",
            HIDDEN,
            "h = 1 / (1 + np.exp(-(a @ p.Wha.T + p.bh)))",
            "The hidden layer went through a sigmoid; its activation is tanh.",
        ),
        Edit(
            "relu-in-the-hidden-layer",
            HIDDEN,
            "h = np.maximum(a @ p.Wha.T + p.bh, 0)",
            "The hidden layer went through a rectifier, max(0, ·); its activation is tanh.",
        ),
        Edit(
            "bh-outside-tanh",
            HIDDEN,
            "h = np.tanh(a @ p.Wha.T) + p.bh",
            "bh is added after tanh. It belongs in the sum that goes through tanh.",
        ),
        Edit(
            "bh-forgotten",
            HIDDEN,
            "h = np.tanh(a @ p.Wha.T)",
            "bh is forgotten: the hidden layer has a bias, too.",
        ),
        Edit(
            "by-forgotten",
            OUTPUT,
            "y_hat = h @ p.Wyh.T",
            "by is forgotten: without it, forecasts are zero where the hidden layer is.",
        ),
        Edit(
            "tanh-on-the-states-first",
            HIDDEN,
            "h = np.tanh(np.tanh(a) @ p.Wha.T + p.bh)",
            "The states went through tanh once more before they were multiplied.",
        ),
        Edit(
            "tanh-on-the-states-only",
            HIDDEN,
            "h = np.tanh(a) @ p.Wha.T + p.bh",
            "tanh was taken of the states, before the weights. It belongs after them, on the sum.",
        ),
        Edit(
            "sum-in-the-cache",
            OUTPUT,
            "y_hat = h @ p.Wyh.T + p.by\n    h = a @ p.Wha.T + p.bh",
            "The cache's h is the sum before tanh. What the backward pass needs, and what h stands for, "
            "is the value of tanh.",
        ),
        Edit(
            "tanh-twice",
            OUTPUT,
            "y_hat = np.tanh(h) @ p.Wyh.T + p.by",
            "tanh was taken twice: h is a tanh already.",
        ),
        Edit(
            "the-last-step-only",
            OUTPUT,
            "y_hat = h @ p.Wyh.T + p.by\n    y_hat = y_hat[-1]",
            "Only the last step, or the last example, is forecast. Every state has a forecast of its own.",
        ),
        Edit(
            "averaged-states",
            HIDDEN,
            "h = np.tanh(a.mean(axis=0, keepdims=True) @ p.Wha.T + p.bh) + 0 * a[..., :1]",
            "The states are averaged along the first axis. The network stands on each state by itself.",
        ),
        Edit(
            "Wha-not-transposed",
            HIDDEN,
            "h = np.tanh(a @ p.Wha + p.bh)",
            "Wha is not transposed. It is (n_h, n_a), and rows are examples: a @ Wha.T.",
        ),
        Edit(
            "Wyh-not-transposed",
            OUTPUT,
            "y_hat = h @ p.Wyh + p.by",
            "Wyh is not transposed. It is (n_y, n_h), and rows are examples: h @ Wyh.T.",
        ),
    ),
    alternatives=(by_hand, with_einsum, flattened, in_float32),
)
