"""The network with one hidden layer that stands on the hidden states, backwards."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.exercises.deep_output_forward import inputs as forward_inputs
from autograder.inputs import normal
from course.given import DeepOutputCache, DeepOutputParams
from solutions.deep_rnn import deep_output_backward, deep_output_forward
from solutions.tests.proofs import complex_step


def inputs(rng, gradient=1.0, **fixed):
    case = forward_inputs(rng, **fixed)
    y_hat, cache = deep_output_forward(**case)
    return {
        "dy_hat": normal(rng, *y_hat.shape) * gradient,
        "cache": cache,
        "params": case["params"],
    }


def at_the_end_only(rng):
    """A loss at the last step only."""
    case = inputs(rng, T_x=5)
    case["dy_hat"][:-1] = 0
    return case


def by_hand(dy_hat, cache, params):
    """One state at a time, as the formulas go."""
    a, h = cache
    da = np.zeros(a.shape)
    dWha, dbh, dWyh, dby = (np.zeros(w.shape) for w in params)
    for place in np.ndindex(a.shape[:-1]):
        d = dy_hat[place]
        dWyh += np.outer(d, h[place])
        dby += d
        d_sum = params.Wyh.T @ d * (1 - h[place]) * (1 + h[place])
        dWha += np.outer(d_sum, a[place])
        dbh += d_sum
        da[place] = params.Wha.T @ d_sum
    return da, DeepOutputParams(dWha, dbh, dWyh, dby)


def with_einsum(dy_hat, cache, params):
    """Named axes, n for every state of every example."""
    d_out, a, h = (x.reshape(-1, x.shape[-1]) for x in (dy_hat, *cache))
    d = np.einsum("ny,yh->nh", d_out, params.Wyh)
    d = d - d * h**2
    grads = DeepOutputParams(
        np.einsum("nh,na->ha", d, a),
        np.einsum("nh->h", d),
        np.einsum("ny,nh->yh", d_out, h),
        np.einsum("ny->y", d_out),
    )
    return np.einsum("nh,ha->na", d, params.Wha).reshape(cache.a.shape), grads


def flattened(dy_hat, cache, params):
    """All steps of all examples in one matrix."""
    a = cache.a.reshape(-1, cache.a.shape[-1])
    h = cache.h.reshape(-1, cache.h.shape[-1])
    out = dy_hat.reshape(-1, dy_hat.shape[-1])
    hidden = (out @ params.Wyh) * (1 - h * h)
    grads = DeepOutputParams(
        by=np.sum(out, axis=0), Wyh=out.T @ h, bh=np.sum(hidden, axis=0), Wha=hidden.T @ a
    )
    return (hidden @ params.Wha).reshape(cache.a.shape), grads


def in_float32(dy_hat, cache, params):
    small = DeepOutputCache(*(c.astype(np.float32) for c in cache))
    cast = DeepOutputParams(*(w.astype(np.float32) for w in params))
    return flattened(dy_hat.astype(np.float32), small, cast)


def derivative(dy_hat, cache, params):
    """Complex steps of the forward pass."""

    def loss(a, params):
        return (dy_hat * deep_output_forward(a, params)[0]).sum()

    grads = {
        name: complex_step(lambda w, name=name: loss(cache.a, params._replace(**{name: w})), value)
        for name, value in params._asdict().items()
    }
    return complex_step(lambda a: loss(a, params), cache.a), DeepOutputParams(**grads)


def shares(dy_hat, cache, params):
    """What each step adds to the parameters' gradients, where there are steps."""
    if dy_hat.ndim < 3:
        return {}
    steps = zip(dy_hat, cache.a, cache.h)
    alone = [by_hand(d, DeepOutputCache(a, h), params)[1] for d, a, h in steps]
    return {
        f"grads.{name}": np.array([getattr(grads, name) for grads in alone])
        for name in params._fields
    }


DS = "ds_h = dy_hat @ p.Wyh * (1 - h**2)"
WHA = "Wha=np.tensordot(ds_h, a, axes=(others, others))"
WYH = "Wyh=np.tensordot(dy_hat, h, axes=(others, others))"
BH = "bh=ds_h.sum(axis=others)"
BY = "by=dy_hat.sum(axis=others)"

EXERCISE = Exercise(
    reference=deep_output_backward,
    cases=(
        Case("whole sequences, every size differs", inputs),
        Case("whole sequences, every size differs", inputs),
        Case("one step of all examples", partial(inputs, letters=("m", "n_a"))),
        Case("one step of one example", partial(inputs, m=1, T_x=1)),
        Case("all widths are equal", partial(inputs, n_a=4, n_h=4, n_y=4, T_y=5)),
        Case("one forecast", partial(inputs, n_y=1)),
        Case("a loss at the last step only", at_the_end_only),
        Case("saturated hidden units", partial(inputs, scale=30.0)),
        Case("a gradient of millions", partial(inputs, gradient=1e6)),
    ),
    returns=("da", "grads"),
    order=("grads.by", "grads.Wyh", "grads.bh", "grads.Wha", "da"),
    points=3,
    hints=(
        "Down in the opposite order: from the forecasts through Wyh to the hidden layer, through its "
        "tanh to the sum, and through Wha to the states.",
        "Back to the input, multiply by the weights as they are; back to the weights, multiply by the "
        "input. ds_h, the gradient of the sum, is dy_hat @ Wyh times 1 - h², entry by entry, since h is "
        "a tanh already.",
        "Flatten everything to rows with reshape(-1, last axis), or sum over all axes but the last: "
        "the gradient of Wha is ds_h (transposed) @ a, that of Wyh is dy_hat (transposed) @ h, the "
        "biases' are sums of ds_h and of dy_hat; da is ds_h @ Wha.",
    ),
    misconceptions=(
        Edit(
            "tanh-twice",
            "1 - h**2",
            "1 - np.tanh(h) ** 2",
            "The slope was computed as 1 - tanh(h)². h is a tanh already, so the slope is 1 - h².",
        ),
        Edit(
            "square-forgotten",
            "1 - h**2",
            "1 - h",
            "The slope was computed as 1 - h. The derivative of tanh is 1 - h²: the square is missing.",
        ),
        Edit(
            "square-of-the-difference",
            "(1 - h**2)",
            "(1 - h) ** 2",
            "The square stands in the wrong place: the slope of tanh is 1 - h², and not (1 - h)².",
        ),
        Edit(
            "slope-of-a-sigmoid",
            "(1 - h**2)",
            "(h * (1 - h))",
            "h (1 - h) is the derivative of a sigmoid. The hidden layer has tanh, whose derivative is "
            "1 - h².",
        ),
        Edit(
            "no-slope",
            DS,
            "ds_h = dy_hat @ p.Wyh",
            "The derivative of tanh is left out. dy_hat @ Wyh is the gradient of h; Wha and bh act "
            "before tanh: multiply by 1 - h².",
        ),
        Edit(
            "slope-on-the-output",
            BY,
            "by=(dy_hat * (1 - np.tanh(h @ p.Wyh.T + p.by) ** 2)).sum(axis=others)",
            "The gradient of by has a slope of tanh in it. The output layer has no tanh: it is the sum "
            "of dy_hat.",
        ),
        Edit(
            "da-through-no-slope",
            "da = ds_h @ p.Wha",
            "da = (dy_hat @ p.Wyh) @ p.Wha",
            "da was made from the gradient of h, which has not gone through tanh. Use ds_h, as for Wha.",
        ),
        Edit(
            "Wha-through-no-slope",
            WHA,
            "Wha=np.tensordot(dy_hat @ p.Wyh, a, axes=(others, others))",
            "The gradient of Wha was made from the gradient of h, which has not gone through tanh. Use "
            "ds_h.",
        ),
        Edit(
            "bh-through-no-slope",
            BH,
            "bh=(dy_hat @ p.Wyh).sum(axis=others)",
            "The gradient of bh was made from the gradient of h, which has not gone through tanh. Use "
            "ds_h.",
        ),
        Edit(
            "Wyh-with-the-sum",
            WYH,
            "Wyh=np.tensordot(dy_hat, a @ p.Wha.T + p.bh, axes=(others, others))",
            "The gradient of Wyh was made with the sum before tanh. Forwards Wyh was multiplied "
            "by h, the tanh, so its gradient is made with h.",
        ),
        Edit(
            "weights-averaged",
            WHA,
            "Wha=np.tensordot(ds_h, a, axes=(others, others)) / a[..., 0].size",
            "The gradient of Wha is averaged over examples and steps. All states share one Wha: its "
            "gradient is a sum.",
        ),
        Edit(
            "bias-averaged",
            BH,
            "bh=ds_h.mean(axis=others)",
            "The gradient of bh is averaged over examples and steps. It should be a sum, as the "
            "others are.",
        ),
        Edit(
            "by-averaged",
            BY,
            "by=dy_hat.mean(axis=others)",
            "The gradient of by is averaged over examples and steps. It should be a sum, as the "
            "others are.",
        ),
        Edit(
            "bias-with-keepdims",
            BH,
            "bh=ds_h.sum(axis=others, keepdims=True)",
            "The gradient of bh kept axes of length 1. bh is (n_h,), and so is its gradient: no "
            "keepdims.",
        ),
        Edit(
            "bias-summed-over-the-first-axis",
            BH,
            "bh=ds_h.sum(axis=0)",
            "The gradient of bh was summed over the first axis only, the steps. Sum over the examples, "
            "too: one number for each hidden unit is left.",
        ),
        Edit(
            "last-step-only",
            DS,
            "dy_hat = dy_hat * (np.arange(len(dy_hat)) == len(dy_hat) - 1).reshape(-1, *[1] * (a.ndim - 1))\n"
            "    ds_h = dy_hat @ p.Wyh * (1 - h**2)",
            "Only the last entry of the first axis counts, the last step. Every step has a forecast, and "
            "a gradient.",
        ),
        Edit(
            "da-summed-over-time",
            "da = ds_h @ p.Wha",
            "da = (ds_h @ p.Wha).sum(axis=0)",
            "da was summed over the first axis. Every state has a gradient of its own: da has the shape "
            "of a.",
        ),
        Edit(
            "grads-transposed",
            WHA,
            "Wha=np.tensordot(a, ds_h, axes=(others, others))",
            "The gradient of Wha is transposed. Row j of Wha makes hidden unit j's sum, so row j of its "
            "gradient comes from unit j of ds_h: ds_h comes first.",
        ),
        Edit(
            "divided-by-the-examples",
            DS,
            "dy_hat = dy_hat / a.shape[-2]\n    ds_h = dy_hat @ p.Wyh * (1 - h**2)",
            "Everything is divided by m. If the loss is a mean, that division is in dy_hat already, and "
            "must not be made twice.",
        ),
    ),
    alternatives=(by_hand, with_einsum, flattened, in_float32),
    derivative=derivative,
    shares=shares,
)
