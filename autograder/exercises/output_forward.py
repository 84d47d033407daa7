"""From a hidden state to probabilities."""

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from course.given import OutputParams
from solutions.rnn import output_forward, softmax


def one_step(rng, **fixed):
    size = sizes(rng, **fixed)
    return {
        "a": np.tanh(normal(rng, size["m"], size["n_a"])),
        "params": parameters(OutputParams, rng, size, scale=2),
    }


def sequences(rng):
    size = sizes(rng)
    return {
        "a": np.tanh(normal(rng, size["T_x"], size["m"], size["n_a"])),
        "params": parameters(OutputParams, rng, size, scale=2),
    }


def by_hand(a, params):
    """State by state, class by class, with a softmax of its own."""
    states = a.reshape(-1, a.shape[-1])
    rows = []
    for state in states:
        scores = [sum(w * s for w, s in zip(row, state)) for row in params.Wya] + params.by
        e = np.exp(scores - np.max(scores))
        rows.append(e / e.sum())
    return np.array(rows).reshape(*a.shape[:-1], len(params.by))


def with_einsum(a, params):
    return softmax(np.einsum("...a,ya->...y", a, params.Wya) + params.by)


def as_one_matrix(a, params):
    """The bias as one more column, and a 1 in every state."""
    W = np.column_stack([params.Wya, params.by])
    ones = np.ones((*a.shape[:-1], 1))
    return softmax(np.concatenate([a, ones], axis=-1) @ W.T)


def in_float32(a, params):
    return softmax(
        a.astype(np.float32) @ params.Wya.astype(np.float32).T + params.by.astype(np.float32)
    )


EXERCISE = Exercise(
    reference=output_forward,
    cases=(
        Case("one step, every size differs", one_step),
        Case("one step, every size differs", one_step),
        Case("whole sequences", sequences),
        Case("one example", lambda rng: one_step(rng, m=1)),
        Case("as many classes as units", lambda rng: one_step(rng, n_a=4, n_y=4)),
    ),
    returns=("y_hat",),
    points=2,
    calls=("softmax",),
    hints=(
        "A prediction is read from the state *after* the step: a linear layer with Wya and by, "
        "then softmax.",
        "Wya is (n_y, n_a) and the units are the last axis of a, so a @ params.Wya.T has the "
        "classes as its last axis, for one step and for whole sequences alike.",
        "Add params.by to that product and hand the sum to your softmax: one line, equation (2.6).",
    ),
    misconceptions=(
        Edit(
            "scores-for-probabilities",
            "softmax(a @ params.Wya.T + params.by)",
            "a @ params.Wya.T + params.by",
            "These are the scores before softmax; y_hat holds probabilities.",
        ),
        Edit(
            "sigmoid-for-softmax",
            "softmax(",
            "sigmoid(",
            "The scores went through a sigmoid, which judges every class by itself. Exactly one "
            "class is right, so they go through softmax.",
        ),
        Edit(
            "bias-after-softmax",
            "params.Wya.T + params.by)",
            "params.Wya.T) + params.by",
            "The bias was added after softmax, to the probabilities. It belongs to the scores.",
        ),
        Edit("no-bias", " + params.by", "", "The bias by is left out."),
        Edit(
            "softmax-over-states",
            "softmax(a @ params.Wya.T + params.by)",
            "softmax(a) @ params.Wya.T + params.by",
            "Softmax was taken of the state, before the output layer. It should come last.",
        ),
        Edit(
            "softmax-twice",
            "softmax(a @ params.Wya.T + params.by)",
            "softmax(softmax(a @ params.Wya.T + params.by))",
            "Softmax was applied twice, which flattens the probabilities.",
        ),
        Edit(
            "tanh-before-softmax",
            "softmax(a @ params.Wya.T + params.by)",
            "softmax(np.tanh(a @ params.Wya.T + params.by))",
            "The scores went through tanh on the way. The output layer is linear up to softmax.",
        ),
        Edit(
            "tanh-of-the-state-again",
            "softmax(a @",
            "softmax(np.tanh(a) @",
            "tanh was taken of the state again. The cell has done that already.",
        ),
        Edit(
            "Wya-not-transposed",
            "params.Wya.T",
            "params.Wya",
            "Wya was not transposed. It is (n_y, n_a), so it takes a @ params.Wya.T.",
        ),
        Edit(
            "softmax-over-examples",
            "softmax(a @ params.Wya.T + params.by)",
            "softmax((a @ params.Wya.T + params.by).swapaxes(-1, -2)).swapaxes(-1, -2)",
            "The probabilities sum to 1 over the examples. They must sum to 1 over the classes, "
            "for each example by itself.",
        ),
        Edit(
            "bias-twice",
            "params.by)",
            "2 * params.by)",
            "The bias by is added twice.",
        ),
        Edit(
            "logarithms",
            "softmax(a @ params.Wya.T + params.by)",
            "np.log(softmax(a @ params.Wya.T + params.by))",
            "These are the logarithms of the probabilities. y_hat holds the probabilities "
            "themselves.",
        ),
        Edit(
            "class-for-probabilities",
            "softmax(a @ params.Wya.T + params.by)",
            "np.argmax(softmax(a @ params.Wya.T + params.by), axis=-1)",
            "This is the most probable class. y_hat holds the probabilities of all classes.",
        ),
    ),
    alternatives=(by_hand, with_einsum, as_one_matrix, in_float32),
)
