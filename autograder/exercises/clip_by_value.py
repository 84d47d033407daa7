"""Cutting gradients, entry by entry."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import parameters, sizes
from course.given import LSTMParams, OutputParams, RNNModelParams, RNNParams
from solutions.bptt import clip_by_value


def inputs(rng, kind=RNNModelParams, scale=5.0, limit=2.0, **fixed):
    size = sizes(rng, **fixed)
    return {"grads": parameters(kind, rng, size, scale=scale), "limit": limit}


def at_the_limit(rng):
    """Some entries lie exactly at the limit, and one is infinite."""
    case = inputs(rng, kind=RNNParams, limit=0.5)
    case["grads"].ba[:2] = 0.5, -0.5
    case["grads"].Waa[0, :2] = np.inf, -np.inf
    return case


def entry_by_entry(grads, limit):
    out = []
    for grad in grads:
        new = grad.copy()
        for i in np.ndindex(new.shape):
            new[i] = max(-limit, min(limit, new[i]))
        out.append(new)
    return type(grads)(*out)


def two_bounds(grads, limit):
    return grads._replace(
        **{n: np.maximum(np.minimum(g, limit), -limit) for n, g in grads._asdict().items()}
    )


def by_masks(grads, limit):
    fields = [np.where(np.abs(g) > limit, np.sign(g) * limit, g) for g in grads]
    return grads._make(fields)


def in_float32(grads, limit):
    return type(grads)(*(np.clip(g.astype(np.float32), -limit, limit) for g in grads))


LINE = "np.clip(grad, -limit, limit).astype(grad.dtype)"

EXERCISE = Exercise(
    reference=clip_by_value,
    cases=(
        Case("a network's gradients, limit 2", inputs),
        Case("a network's gradients, limit 0.3", partial(inputs, limit=0.3)),
        Case("nothing above the limit", partial(inputs, scale=0.1, limit=5.0)),
        Case("everything far above the limit", partial(inputs, scale=1e9, limit=10.0)),
        Case("an output layer's gradients", partial(inputs, kind=OutputParams, limit=1.0)),
        Case("an LSTM's gradients", partial(inputs, kind=LSTMParams, limit=1.5)),
        Case("entries at the limit, and infinite ones", at_the_limit),
    ),
    returns=("clipped",),
    points=2,
    in_place=True,
    hints=(
        "Each entry of each array is looked at by itself: one above limit becomes limit, one below "
        "-limit becomes -limit, and all others stay.",
        "np.clip(array, lowest, highest) does that for one array and makes a new one. A named "
        "tuple can be walked through like a list.",
        "Make the new arrays in a loop over grads and hand them to the type that grads has: "
        "type(grads)(*new_arrays).",
    ),
    misconceptions=(
        Edit("not-clipped", LINE, "grad.copy()", "Nothing was clipped: these are the gradients."),
        Edit(
            "limit-ignored",
            LINE,
            "np.clip(grad, -10, 10)",
            "The limit is 10 whatever the argument says. Use limit.",
        ),
        Edit(
            "limit-five",
            LINE,
            "np.clip(grad, -5, 5)",
            "The limit is 5 whatever the argument says. Use limit.",
        ),
        Edit(
            "upper-bound-only",
            LINE,
            "np.minimum(grad, limit)",
            "Only large positive entries are cut. Large negative ones are as dangerous: cut at "
            "-limit, too.",
        ),
        Edit(
            "lower-bound-only",
            LINE,
            "np.maximum(grad, -limit)",
            "Only large negative entries are cut. Cut at +limit, too.",
        ),
        Edit(
            "zero-as-lower-bound",
            LINE,
            "np.clip(grad, 0, limit)",
            "Negative entries became 0. A gradient may point down as well as up: the lower bound "
            "is -limit.",
        ),
        Edit(
            "sign-lost",
            LINE,
            "np.minimum(np.abs(grad), limit)",
            "All entries became positive. Limit only the size, and keep the sign.",
        ),
        Edit(
            "zeroed",
            LINE,
            "np.where(np.abs(grad) > limit, 0, grad)",
            "Entries beyond the limit became 0. They should become limit, with their own sign.",
        ),
        Edit(
            "only-the-sign",
            LINE,
            "np.sign(grad) * limit",
            "Every entry became limit or -limit. Entries within the limit stay as they are.",
        ),
        Edit(
            "last-array-forgotten",
            LINE,
            "np.clip(grad, -limit, limit) if grad is not grads[-1] else grad.copy()",
            "The last array is not clipped. All of them should be.",
        ),
        Edit(
            "biases-forgotten",
            LINE,
            "np.clip(grad, -limit, limit) if grad.ndim > 1 else grad.copy()",
            "The biases' gradients are not clipped. All gradients should be.",
        ),
        Edit(
            "by-norm",
            LINE,
            "grad * min(1, limit / np.sqrt(sum((g**2).sum() for g in grads)))",
            "All arrays were scaled together by their norm. That is clip_by_norm; here each entry "
            "is cut by itself.",
        ),
        Edit(
            "scaled-by-the-largest",
            LINE,
            "grad * (limit / max(limit, np.abs(grad).max()))",
            "Each array was scaled by its largest entry. Here only the entries beyond the limit "
            "change.",
        ),
        Edit(
            "in-place",
            LINE,
            "np.clip(grad, -limit, limit, out=grad)",
            "The arrays of the argument were changed. Make new ones: the caller may still want to "
            "know how large the gradient was.",
        ),
        Edit(
            "positive-beyond-the-limit",
            "np.clip(grad, -limit, limit)",
            "np.where(np.abs(grad) > limit, limit, grad)",
            "Entries below -limit became +limit: such a step goes the wrong way. They should "
            "become -limit.",
        ),
        Edit(
            "bounds-turned-round",
            "np.clip(grad, -limit, limit)",
            "np.clip(grad, limit, -limit)",
            "The bounds changed places. np.clip takes the lower one first: -limit, then limit.",
        ),
    ),
    alternatives=(entry_by_entry, two_bounds, by_masks, in_float32),
)
