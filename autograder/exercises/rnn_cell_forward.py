"""One step of a recurrent cell."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from course.given import RNNCache, RNNParams
from solutions.rnn import rnn_cell_forward


def inputs(rng, scale=1.0, **fixed):
    size = sizes(rng, **fixed)
    return {
        "x_t": normal(rng, size["m"], size["n_x"]) * scale,
        "a_prev": np.tanh(normal(rng, size["m"], size["n_a"])),
        "params": parameters(RNNParams, rng, size),
    }


def large(rng):
    """One example is so large that exponentials overflow, and that no rounding leaves the flat."""
    case = inputs(rng, scale=30.0)
    x_t, a_prev, params = case.values()
    x_t[0] *= 100
    z = x_t[0] @ params.Wax.T + a_prev[0] @ params.Waa.T + params.ba
    return case if np.abs(z).min() > 20 and np.abs(z).max() > 800 else large(rng)


def by_hand(x_t, a_prev, params):
    """Unit by unit, in loops."""
    m, n_a = a_prev.shape
    a = np.zeros((m, n_a))
    for i in range(m):
        for j in range(n_a):
            total = params.ba[j]
            total += sum(params.Wax[j, k] * x_t[i, k] for k in range(x_t.shape[1]))
            total += sum(params.Waa[j, k] * a_prev[i, k] for k in range(n_a))
            a[i, j] = np.tanh(total)
    return a, RNNCache(x_t, a_prev, a)


def with_einsum(x_t, a_prev, params):
    z = np.einsum("mx,ax->ma", x_t, params.Wax) + np.einsum("mb,ab->ma", a_prev, params.Waa)
    a = np.tanh(z + params.ba)
    return a, RNNCache(x_t=x_t, a_prev=a_prev, a=a)


def one_matrix(x_t, a_prev, params):
    """[Waa, Wax] acting on [a_prev, x_t], and tanh written with exponentials."""
    W = np.hstack([params.Waa, params.Wax])
    z = np.hstack([a_prev, x_t]) @ W.T + params.ba
    a = 2 / (1 + np.exp(-2 * z)) - 1
    return a, RNNCache(x_t, a_prev, a)


def in_float32(x_t, a_prev, params):
    x_t, a_prev = x_t.astype(np.float32), a_prev.astype(np.float32)
    Wax, Waa, ba = (p.astype(np.float32) for p in params)
    a = np.tanh(x_t @ Wax.T + a_prev @ Waa.T + ba)
    return a, RNNCache(x_t, a_prev, a)


def column_by_column(x_t, a_prev, params):
    """Features first, as in lectures, and turned back at the end."""
    a = np.tanh(params.Waa @ a_prev.T + params.Wax @ x_t.T + params.ba[:, None]).T
    return a, RNNCache(x_t, a_prev, a)


EXERCISE = Exercise(
    reference=rnn_cell_forward,
    cases=(
        Case("every size differs", inputs),
        Case("every size differs", inputs),
        Case("more inputs than units", partial(inputs, n_x=7, n_a=2)),
        Case("one example", partial(inputs, m=1)),
        Case("one unit", partial(inputs, n_a=1)),
        Case("as many inputs as units", partial(inputs, n_x=4, n_a=4)),
        Case("large inputs, where tanh is flat", large),
    ),
    returns=("a", "cache"),
    points=3,
    hints=(
        "The new state depends on two things: this step's input and the state before it. Each is "
        "multiplied by a weight matrix of its own; the two results have the same shape.",
        "A row is an example, so a matrix acts from the right and transposed: x_t is (m, n_x) and "
        "Wax is (n_a, n_x), so their product is x_t @ params.Wax.T, of shape (m, n_a).",
        "Add the two products and the bias first, and take np.tanh of the whole sum, equation "
        "(2.4): one line, which sets a.",
    ),
    misconceptions=(
        Edit(
            "sigmoid-for-tanh",
            "np.tanh(",
            "sigmoid(",
            "The state went through a sigmoid. A plain recurrent cell uses tanh, so that a unit "
            "can be negative as well as positive.",
        ),
        Edit(
            "tanh-of-each-part",
            "x_t @ params.Wax.T + a_prev @ params.Waa.T + params.ba)",
            "x_t @ params.Wax.T) + np.tanh(a_prev @ params.Waa.T) + np.tanh(params.ba)",
            "tanh was taken of each part and the results were added. Add first, then take tanh "
            "once, of the sum: a sum of tanhs can leave the range from -1 to 1.",
        ),
        Edit(
            "bias-outside-tanh",
            "a_prev @ params.Waa.T + params.ba)",
            "a_prev @ params.Waa.T) + params.ba",
            "The bias was added after tanh. It belongs inside, where it shifts the point at which "
            "a unit switches.",
        ),
        Edit(
            "no-activation",
            "np.tanh(x_t @ params.Wax.T + a_prev @ params.Waa.T + params.ba)",
            "x_t @ params.Wax.T + a_prev @ params.Waa.T + params.ba",
            "tanh is missing: this is the sum before the activation. Without it, many steps are "
            "one linear map, and the state can grow without bound.",
        ),
        Edit(
            "Waa-transposed",
            "params.Waa.T",
            "params.Waa",
            "Waa was not transposed. It is square, so nothing complains; but row i of Waa belongs "
            "to unit i, and with examples in rows that takes a_prev @ Waa.T.",
        ),
        Edit(
            "swapped-weights",
            "x_t @ params.Wax.T + a_prev @ params.Waa.T",
            "x_t @ params.Waa.T + a_prev @ params.Wax.T",
            "Wax and Waa are swapped. The second letter says what a matrix is multiplied by: Wax "
            "takes x to a, Waa takes the last a to the next.",
        ),
        Edit(
            "no-memory",
            " + a_prev @ params.Waa.T",
            "",
            "a_prev is not used, so this step knows nothing of the past: it is a layer of an "
            "ordinary network, not of a recurrent one.",
        ),
        Edit(
            "no-input",
            "x_t @ params.Wax.T + ",
            "",
            "x_t is not used: the cell does not look at its input.",
        ),
        Edit(
            "no-bias",
            " + params.ba",
            "",
            "The bias ba is left out.",
        ),
        Edit(
            "bias-twice",
            "x_t @ params.Wax.T + a_prev",
            "x_t @ params.Wax.T + params.ba + a_prev",
            "The bias ba is added twice, once with each product. The cell has one bias.",
        ),
        Edit(
            "relu-for-tanh",
            "np.tanh(x_t",
            "np.maximum(0, x_t",
            "The state went through a ReLU. A plain recurrent cell uses tanh, which keeps the "
            "state between -1 and 1 however many steps follow.",
        ),
        Edit(
            "tanh-twice",
            "np.tanh(x_t @ params.Wax.T + a_prev @ params.Waa.T + params.ba)",
            "np.tanh(np.tanh(x_t @ params.Wax.T + a_prev @ params.Waa.T + params.ba))",
            "tanh was taken twice.",
        ),
        Edit(
            "elementwise-Waa",
            "a_prev @ params.Waa.T",
            "a_prev * np.diag(params.Waa)",
            "Each unit hears only itself: a_prev was multiplied element by element. Every unit "
            "takes part in every other, which takes a matrix product.",
        ),
        Edit(
            "tanh-of-each-product",
            "x_t @ params.Wax.T + a_prev",
            "x_t @ params.Wax.T) + np.tanh(a_prev",
            "tanh was taken of each product and the results were added. Add first, then take tanh"
            " once, of the sum: a sum of tanhs can leave the range from -1 to 1.",
        ),
        Edit(
            "joined-in-two-orders",
            "x_t @ params.Wax.T + a_prev @ params.Waa.T",
            "np.hstack([x_t, a_prev]) @ np.hstack([params.Waa, params.Wax]).T",
            "The two matrices stand in one order, and the state and the input in the other. "
            "[Waa, Wax] should act on [a_prev, x_t].",
        ),
        Edit(
            "previous-state-added",
            "np.tanh(x_t",
            "a_prev + np.tanh(x_t",
            "The previous state was added to the new one. It takes part through Waa, inside tanh,"
            " and nowhere else.",
        ),
        Edit(
            "reshaped-for-transposed",
            "params.Wax.T",
            "params.Wax.reshape(params.Wax.shape[::-1])",
            "Wax was reshaped where it should be transposed. reshape reads the numbers on in "
            "their order, so that rows do not become columns; .T makes them.",
        ),
        Edit(
            "tanh-by-hand",
            "np.tanh(x_t",
            "(lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)))(x_t",
            "tanh was written out in exponentials, which overflow where it is flat: inf / inf is "
            "NaN. np.tanh does not.",
        ),
    ),
    alternatives=(by_hand, with_einsum, one_matrix, in_float32, column_by_column),
)
