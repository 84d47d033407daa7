"""One step of a recurrent cell, backwards."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from course.given import RNNCache, RNNParams
from solutions.bptt import rnn_cell_backward
from solutions.rnn import rnn_cell_forward
from solutions.tests.proofs import complex_step


def inputs(rng, scale=1.0, gradient=1.0, **fixed):
    size = sizes(rng, **fixed)
    x_t = normal(rng, size["m"], size["n_x"]) * scale
    a_prev = np.tanh(normal(rng, size["m"], size["n_a"]))
    params = parameters(RNNParams, rng, size)
    _a, cache = rnn_cell_forward(x_t, a_prev, params)
    return {"da": normal(rng, size["m"], size["n_a"]) * gradient, "cache": cache, "params": params}


def saturated(rng):
    """Sums of 20 and more in half of the examples: there tanh is flat, to the last bit."""
    case = inputs(rng, m=6)
    x_t = case["cache"].x_t
    x_t[::2] *= 100
    _a, cache = rnn_cell_forward(x_t, case["cache"].a_prev, case["params"])
    return {**case, "cache": cache}


def by_hand(da, cache, params):
    """Unit by unit, in loops."""
    (m, n_a), n_x = da.shape, cache.x_t.shape[1]
    dx_t, da_prev = np.zeros((m, n_x)), np.zeros((m, n_a))
    dWax, dWaa, dba = np.zeros((n_a, n_x)), np.zeros((n_a, n_a)), np.zeros(n_a)
    for i in range(m):
        for j in range(n_a):
            ds = da[i, j] * (1 - cache.a[i, j]) * (1 + cache.a[i, j])
            dx_t[i] += ds * params.Wax[j]
            da_prev[i] += ds * params.Waa[j]
            dWax[j] += ds * cache.x_t[i]
            dWaa[j] += ds * cache.a_prev[i]
            dba[j] += ds
    return dx_t, da_prev, RNNParams(dWax, dWaa, dba)


def with_einsum(da, cache, params):
    ds = np.einsum("ma,ma->ma", da, 1 - cache.a**2)
    return (
        np.einsum("ma,ax->mx", ds, params.Wax),
        np.einsum("mb,ba->ma", ds, params.Waa),
        RNNParams(
            Wax=np.einsum("ma,mx->ax", ds, cache.x_t),
            Waa=np.einsum("ma,mb->ab", ds, cache.a_prev),
            ba=np.einsum("ma->a", ds),
        ),
    )


def one_matrix(da, cache, params):
    """[Waa, Wax] at once, and ones beside the inputs for the bias."""
    n_a = da.shape[1]
    ds = da - da * cache.a * cache.a
    back = ds @ np.hstack([params.Waa, params.Wax])
    seen = np.hstack([cache.a_prev, cache.x_t, np.ones((len(da), 1))])
    grads = ds.T @ seen
    return back[:, n_a:], back[:, :n_a], RNNParams(grads[:, n_a:-1], grads[:, :n_a], grads[:, -1])


def column_by_column(da, cache, params):
    """Features first, as in lectures, and turned back at the end."""
    ds = (1 - cache.a.T**2) * da.T
    dba = np.sum(ds, axis=1, keepdims=True)
    grads = RNNParams(ds @ cache.x_t, ds @ cache.a_prev, dba[:, 0])
    return (params.Wax.T @ ds).T, (params.Waa.T @ ds).T, grads


def in_float32(da, cache, params):
    small = RNNCache(*(c.astype(np.float32) for c in cache))
    cast = RNNParams(*(p.astype(np.float32) for p in params))
    return with_einsum(da.astype(np.float32), small, cast)


def derivative(da, cache, params):
    """Complex steps of the forward cell."""

    def loss(x_t, a_prev, *weights):
        return (da * rnn_cell_forward(x_t, a_prev, RNNParams(*weights))[0]).sum()

    everything = [cache.x_t, cache.a_prev, *params]
    dx_t, da_prev, *grads = (
        complex_step(lambda w, i=i: loss(*everything[:i], w, *everything[i + 1 :]), array)
        for i, array in enumerate(everything)
    )
    return dx_t, da_prev, RNNParams(*grads)


EXERCISE = Exercise(
    reference=rnn_cell_backward,
    cases=(
        Case("every size differs", inputs),
        Case("every size differs", inputs),
        Case("more inputs than units", partial(inputs, n_x=7, n_a=2)),
        Case("fewer examples than units", partial(inputs, m=2, n_a=6)),
        Case("one example", partial(inputs, m=1)),
        Case("as many inputs as units and examples", partial(inputs, m=4, n_x=4, n_a=4)),
        Case("one of everything", partial(inputs, m=1, n_x=1, n_a=1)),
        Case("saturated units", saturated),
        Case("a gradient of millions", partial(inputs, gradient=1e6)),
    ),
    returns=("dx_t", "da_prev", "grads"),
    points=4,
    hints=(
        "Go back in the order opposite to the forward pass: first through tanh, to the sum that "
        "went into it (call that gradient ds); then through the sum to each thing that was "
        "multiplied or added there.",
        "The derivative of tanh(s) is 1 - tanh(s) squared, and the cache holds tanh(s) already: it "
        "is a. So ds is da times one minus a squared, entry by entry, (m, n_a). For a product "
        "x_t @ W.T: the input's gradient is ds @ W, the weights' is ds.T @ x_t.",
        "After ds, four products and a sum: dx_t from ds and Wax; da_prev from ds and Waa, not "
        "transposed; the gradients of Wax and Waa from ds.T and x_t, ds.T and a_prev; that of "
        "ba is ds.sum(axis=0).",
    ),
    misconceptions=(
        Edit(
            "tanh-twice",
            "1 - a**2",
            "1 - np.tanh(a) ** 2",
            "The slope was computed as 1 - tanh(a)². The cache's a is a tanh already, so the slope "
            "is 1 - a². This slip is in print.",
        ),
        Edit(
            "square-forgotten",
            "1 - a**2",
            "1 - a",
            "The slope was computed as 1 - a. The derivative of tanh is 1 - a²: the square is "
            "missing.",
        ),
        Edit(
            "slope-of-a-sigmoid",
            "(1 - a**2)",
            "(a * (1 - a))",
            "a (1 - a) is the derivative of a sigmoid. This cell uses tanh, whose derivative is "
            "1 - a².",
        ),
        Edit(
            "slope-at-a_prev",
            "1 - a**2",
            "1 - a_prev**2",
            "The slope was taken at a_prev. It belongs to this step's own tanh, whose value is a.",
        ),
        Edit(
            "tanh-of-the-square",
            "1 - a**2",
            "1 - np.tanh(a**2)",
            "The slope was computed as 1 - tanh(a²). It is 1 - a²: a is a tanh already.",
        ),
        Edit(
            "slope-of-the-gradient",
            "1 - a**2",
            "1 - da**2",
            "The slope was computed from the gradient, 1 - da². It is a property of the forward "
            "pass: 1 - a².",
        ),
        Edit(
            "no-slope",
            "da * (1 - a**2)",
            "da",
            "The derivative of tanh is left out: da is the gradient of tanh's value, and the "
            "weights act before tanh. Multiply by 1 - a² first.",
        ),
        Edit(
            "no-gradient",
            "da * (1 - a**2)",
            "1 - a**2",
            "da is not used: this is the slope of tanh alone. The chain rule multiplies it by what "
            "comes from above.",
        ),
        Edit(
            "slope-divided",
            "da * (1 - a**2)",
            "da / (1 - a**2)",
            "da was divided by the slope of tanh. Where tanh is flat the gradient must shrink, "
            "not grow: multiply.",
        ),
        Edit(
            "matrix-product-for-elementwise",
            "da * (1 - a**2)",
            "(1 - a**2) @ da.T @ da",
            "Matrix products stand where the two are to be multiplied entry by entry: each unit of "
            "each example has a slope of its own.",
        ),
        Edit(
            "Waa-transposed",
            "ds @ params.Waa",
            "ds @ params.Waa.T",
            "Waa was transposed in da_prev. Forwards it acts transposed, a_prev @ Waa.T; backwards "
            "it acts as it is. It is square, so nothing complains.",
        ),
        Edit(
            "dWaa-transposed",
            "ds.T @ a_prev",
            "a_prev.T @ ds",
            "The gradient of Waa is transposed. Row i of Waa makes unit i's sum, so row i of its "
            "gradient comes from unit i of ds: ds.T comes first.",
        ),
        Edit(
            "dWaa-with-the-new-state",
            "ds.T @ a_prev",
            "ds.T @ a",
            "The gradient of Waa was made with the new state, a. Forwards Waa was multiplied by "
            "a_prev, so its gradient is made with a_prev.",
        ),
        Edit(
            "dWaa-from-da",
            "ds.T @ a_prev",
            "da.T @ a_prev",
            "The gradient of Waa was made from da, which has not gone through tanh. Use ds, as for "
            "the others.",
        ),
        Edit(
            "dWax-from-da",
            "ds.T @ x_t",
            "da.T @ x_t",
            "The gradient of Wax was made from da, which has not gone through tanh. Use ds, as for "
            "the others.",
        ),
        Edit(
            "dba-from-da",
            "ds.sum(axis=0)",
            "da.sum(axis=0)",
            "The gradient of ba was made from da, which has not gone through tanh. The bias is "
            "added inside: use ds.",
        ),
        Edit(
            "da_prev-from-da",
            "ds @ params.Waa",
            "da @ params.Waa",
            "da_prev was made from da, which has not gone through tanh. Use ds.",
        ),
        Edit(
            "dx_t-from-da",
            "ds @ params.Wax",
            "da @ params.Wax",
            "dx_t was made from da, which has not gone through tanh. Use ds.",
        ),
        Edit(
            "da_prev-is-ds",
            "ds @ params.Waa",
            "ds",
            "da_prev is ds itself. On its way to the next step the state was multiplied by Waa, "
            "and so is its gradient on the way back.",
        ),
        Edit(
            "bias-averaged",
            "ds.sum(axis=0)",
            "ds.mean(axis=0)",
            "The gradient of ba is averaged over the examples, and the weights' gradients are "
            "summed. Sum it too.",
        ),
        Edit(
            "bias-with-keepdims",
            "ds.sum(axis=0)",
            "ds.sum(axis=0, keepdims=True)",
            "The gradient of ba kept an axis of length 1. ba is (n_a,), and so is its gradient: "
            "no keepdims. That is for texts in which biases are columns.",
        ),
        Edit(
            "bias-summed-over-units",
            "ds.sum(axis=0)",
            "ds.sum(axis=1)",
            "The gradient of ba was summed over the units. Sum over the examples, axis 0: one "
            "number for each unit is left.",
        ),
        Edit(
            "bias-not-summed",
            "ds.sum(axis=0)",
            "ds",
            "The gradient of ba has one row for each example. All of them share one bias: sum over "
            "the examples, axis 0.",
        ),
        Edit(
            "averaged-over-examples",
            "da * (1 - a**2)",
            "da * (1 - a**2) / len(da)",
            "Everything is divided by m. If the loss is a mean, that division is in da already, "
            "and must not be made twice.",
        ),
        Edit(
            "slope-with-plus",
            "1 - a**2",
            "1 + a**2",
            "The slope was computed as 1 + a². The derivative of tanh is 1 - a²: it is largest, "
            "1, where a is 0.",
        ),
        Edit(
            "last-example-alone",
            "Wax=ds.T @ x_t, Waa=ds.T @ a_prev, ba=ds.sum(axis=0)",
            "Wax=ds[-1:].T @ x_t[-1:], Waa=ds[-1:].T @ a_prev[-1:], ba=ds[-1]",
            "The gradients of the parameters are those of the last example alone: each example "
            "overwrote the one before. All share the parameters, so their gradients are summed: "
            "+=.",
        ),
        Edit(
            "weights-of-the-last-example",
            "Wax=ds.T @ x_t, Waa=ds.T @ a_prev",
            "Wax=ds[-1:].T @ x_t[-1:], Waa=ds[-1:].T @ a_prev[-1:]",
            "The gradients of the weights are those of the last example alone: each example "
            "overwrote the one before. All share the weights, so their gradients are summed: +=.",
        ),
    ),
    alternatives=(by_hand, with_einsum, one_matrix, column_by_column, in_float32),
    derivative=derivative,
)
