"""One input, many outputs: each prediction is the next input."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from course.given import RNNModelParams
from solutions.rnn import output_forward, rnn_cell_forward, rnn_generate, softmax


def inputs(rng, T_y=None, **fixed):
    size = sizes(rng, **fixed)
    size["n_x"] = size["n_y"]
    return {
        "x_1": softmax(normal(rng, size["m"], size["n_y"]) * 2),
        "a0": np.tanh(normal(rng, size["m"], size["n_a"])),
        "params": parameters(RNNModelParams, rng, size, scale=2),
        "T_y": T_y or size["T_y"],
    }


def filling(x_1, a0, params, T_y):
    y_hat = np.zeros((T_y, *x_1.shape))
    a = a0
    for t in range(T_y):
        a = rnn_cell_forward(y_hat[t - 1] if t else x_1, a, params)[0]
        y_hat[t] = output_forward(a, params)
    return y_hat


def states_and_scores_written_out(x_1, a0, params, T_y):
    Wax, Waa, ba, Wya, by = params
    x, a, predictions = x_1, a0, []
    while len(predictions) < T_y:
        a = np.tanh(x @ Wax.T + a @ Waa.T + ba)
        scores = a @ Wya.T + by
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        x = e / e.sum(axis=1, keepdims=True)
        predictions.append(x)
    return predictions


def recursive(x_1, a0, params, T_y):
    a, _cache = rnn_cell_forward(x_1, a0, params)
    y_hat = output_forward(a, params)
    rest = [] if T_y == 1 else list(recursive(y_hat, a, params, T_y - 1))
    return np.array([y_hat, *rest])


def in_float32(x_1, a0, params, T_y):
    cast = RNNModelParams(*(p.astype(np.float32) for p in params))
    return filling(x_1.astype(np.float32), a0.astype(np.float32), cast, T_y).astype(np.float32)


EXERCISE = Exercise(
    reference=rnn_generate,
    cases=(
        Case("every size differs", inputs),
        Case("every size differs", inputs),
        Case("one step", partial(inputs, T_y=1)),
        Case("two steps", partial(inputs, T_y=2)),
        Case("one example", partial(inputs, m=1)),
        Case("as many units as classes", partial(inputs, n_a=4, n_y=4)),
        Case("a long sequence", partial(inputs, T_y=20)),
    ),
    returns=("y_hat",),
    points=3,
    calls=("rnn_cell_forward", "output_forward"),
    hints=(
        "Two things travel from step to step: the hidden state, and the prediction, which is the "
        "next step's input.",
        "Start with x_t = x_1 and a = a0. At each step: a new state from rnn_cell_forward (it also "
        "returns a cache, which nobody needs here), then a prediction from output_forward of that "
        "new state.",
        "Inside the loop, three lines: a becomes the first of the two things that "
        "rnn_cell_forward(x_t, a, params) returns; x_t becomes the prediction from that a; append "
        "x_t to a list. After the loop, np.stack the list.",
    ),
    misconceptions=(
        Edit(
            "always-the-first-input",
            "rnn_cell_forward(x_t, a, params)",
            "rnn_cell_forward(x_1, a, params)",
            "Every step reads x_1. From the second step on the input should be the prediction "
            "before it.",
        ),
        Edit(
            "zeros-after-the-first-input",
            "        y_hat.append(x_t)\n",
            "        y_hat.append(x_t)\n        x_t = np.zeros_like(x_1)\n",
            "From the second step on the input is zero. It must be the prediction before it.",
        ),
        Edit(
            "state-not-carried",
            "a, _cache = rnn_cell_forward(x_t, a, params)",
            "a, _cache = rnn_cell_forward(x_t, a0, params)",
            "Every step starts from a0; the state must be carried from step to step.",
        ),
        Edit(
            "a0-ignored",
            "x_t, a = x_1, a0",
            "x_t, a = x_1, np.zeros_like(a0)",
            "The first step starts from zeros; it must start from a0.",
        ),
        Edit(
            "predicts-from-the-state-before",
            "        a, _cache = rnn_cell_forward(x_t, a, params)\n        x_t = output_forward(a, params)\n",
            "        a_before = a\n        a, _cache = rnn_cell_forward(x_t, a, params)\n"
            "        x_t = output_forward(a_before, params)\n",
            "The prediction is read from the state before the step. Read it from the new state, "
            "which has seen this step's input.",
        ),
        Edit(
            "feeds-back-the-argmax",
            "        y_hat.append(x_t)\n",
            "        y_hat.append(x_t)\n        x_t = np.eye(x_t.shape[-1])[x_t.argmax(axis=-1)]\n",
            "The most probable class was fed back as a one-hot vector. Here the probabilities "
            "themselves are the next input; sampling one class comes with language models.",
        ),
        Edit(
            "stores-the-inputs",
            "        y_hat.append(x_t)\n",
            "",
            "The inputs were stored, beginning with x_1. y_hat[0] should be the first prediction.",
            also=(
                (
                    "        a, _cache = rnn_cell_forward(x_t, a, params)\n",
                    "        y_hat.append(x_t)\n        a, _cache = rnn_cell_forward(x_t, a, params)\n",
                ),
            ),
        ),
        Edit(
            "only-the-last",
            "np.stack(y_hat)",
            "y_hat[-1]",
            "Only the last prediction was returned; all T_y of them are asked for.",
        ),
        Edit(
            "batch-before-time",
            "np.stack(y_hat)",
            "np.stack(y_hat, axis=1)",
            "The predictions were stacked along axis 1. Time is the first axis: (T_y, m, n_y).",
        ),
        Edit(
            "one-step-too-few",
            "range(T_y)",
            "range(1, T_y)",
            "The loop takes T_y - 1 steps. The first prediction counts too.",
            also=(("np.stack(y_hat)", "np.array(y_hat)"),),
        ),
        Edit(
            "one-step-too-many",
            "range(T_y)",
            "range(T_y + 1)",
            "The loop takes T_y + 1 steps.",
        ),
        Edit(
            "states-for-predictions",
            "        y_hat.append(x_t)\n",
            "        y_hat.append(a)\n",
            "The hidden states were stored, not the predictions.",
        ),
        Edit(
            "input-joined-to-the-prediction",
            "x_t = output_forward(a, params)",
            "x_t = (x_t + output_forward(a, params)) / 2",
            "The prediction was mixed with the input before it. It should replace it.",
        ),
        Edit(
            "first-prediction-missing",
            "range(T_y)",
            "range(T_y - 1)",
            "The loop takes T_y - 1 steps. The first prediction counts too.",
        ),
        Edit(
            "feeds-back-the-scores",
            "        x_t = output_forward(a, params)\n        y_hat.append(x_t)\n",
            "        y_hat.append(output_forward(a, params))\n        x_t = a @ params.Wya.T + params.by\n",
            "The scores before softmax were fed back. The next input should be the prediction: "
            "the probabilities.",
        ),
        Edit(
            "input-stored-too",
            "np.stack(y_hat)",
            "np.stack([x_1, *y_hat])",
            "x_1 stands in y_hat, before the predictions: there are T_y + 1 of them. It is an "
            "input; y_hat[0] should be the first prediction.",
        ),
        Edit(
            "softmax-twice",
            "x_t = output_forward(a, params)",
            "x_t = np.exp(output_forward(a, params))\n        x_t = x_t / x_t.sum(axis=-1, keepdims=True)",
            "Softmax was taken of the predictions. output_forward returns probabilities already.",
        ),
        Edit(
            "input-is-never-new",
            "x_t = output_forward(a, params)",
            "_new = output_forward(a, params)",
            "x_t never changes: every step reads x_1, and stores it. What was predicted is the "
            "next input.",
        ),
        Edit(
            "state-is-never-new",
            "a, _cache = rnn_cell_forward(x_t, a, params)",
            "_state, _cache = rnn_cell_forward(x_t, a, params)",
            "The new state goes nowhere: every prediction is made from a0. Give it back its name "
            "a.",
        ),
    ),
    alternatives=(filling, states_and_scores_written_out, recursive, in_float32),
)
