"""Dropout, backwards."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, sizes
from solutions.deep_rnn import dropout_backward, dropout_forward
from solutions.tests.proofs import complex_step


def inputs(rng, rate=0.4, letters=("T_x", "m", "n_a"), gradient=1.0, **fixed):
    """kept is what the forward pass left, with at least one entry dropped and one kept."""
    size = sizes(rng, **fixed)
    a = normal(rng, *(size[letter] for letter in letters))
    kept = np.zeros(a.shape)
    while a.size > 1 and rate and (not kept.any() or kept.all()):
        _a_dropped, kept = dropout_forward(a, rate, rng)
    if a.size == 1 or not rate:
        _a_dropped, kept = dropout_forward(a, 0.0, rng)
        kept /= 1 - rate
    return {"da_dropped": normal(rng, *a.shape) * gradient, "kept": kept}


def zeros_arrive(rng):
    """Where the layer above asks for nothing, and at padding, the gradient is zero."""
    case = inputs(rng)
    case["da_dropped"][:, ::2] = 0
    return case


def with_where(da_dropped, kept):
    return np.where(kept == 0, 0.0, da_dropped * kept.max())


def entry_by_entry(da_dropped, kept):
    da = np.zeros(np.shape(kept))
    for place in np.argwhere(kept):
        at = tuple(place)
        da[at] = da_dropped[at] * kept[at]
    return da


def with_einsum(da_dropped, kept):
    return np.einsum("...a,...a->...a", kept, da_dropped)


def in_float32(da_dropped, kept):
    return da_dropped.astype(np.float32) * kept.astype(np.float32)


def derivative(da_dropped, kept):
    """Complex steps of the forward product."""
    return complex_step(lambda a: (da_dropped * (a * kept)).sum(), np.ones(kept.shape))


BACK = "da_dropped * kept"

EXERCISE = Exercise(
    reference=dropout_backward,
    cases=(
        Case("whole sequences", inputs),
        Case("whole sequences, another rate", partial(inputs, rate=0.15)),
        Case("one step of all examples", partial(inputs, letters=("m", "n_a"), rate=0.6)),
        Case("most were dropped", partial(inputs, rate=0.9)),
        Case("nothing was dropped", partial(inputs, rate=0.0)),
        Case("one example", partial(inputs, m=1)),
        Case("zeros arrive", zeros_arrive),
        Case("a gradient of millions", partial(inputs, gradient=1e6)),
    ),
    returns=("da",),
    points=1,
    hints=(
        "Forwards every entry was multiplied by a number. What is the derivative of a "
        "product by one factor?",
        "The other factor. A dropped entry had no influence on the loss, and gets no gradient; one "
        "that was raised had more influence, and gets more.",
        "One product, entry by entry, of the two arguments.",
    ),
    misconceptions=(
        Edit(
            "handed-on",
            BACK,
            "da_dropped * 1",
            "The gradient is handed on as it is, also to entries that were dropped. They had no "
            "influence on the loss: multiply by kept.",
        ),
        Edit(
            "not-raised",
            BACK,
            "da_dropped * (kept > 0)",
            "Dropped entries get zero, as they should, but the others are not raised. They were "
            "multiplied by kept forwards, and so is their gradient.",
        ),
        Edit(
            "divided",
            BACK,
            "np.divide(da_dropped, kept, out=np.zeros_like(kept), where=kept > 0)",
            "The gradient is divided by what the entries were multiplied by. Going back through "
            "a product multiplies by the other factor again; it undoes nothing.",
        ),
        Edit(
            "divided-everywhere",
            BACK,
            "da_dropped / np.where(kept > 0, kept, 1)",
            "The gradient is divided by kept, and dropped entries get it whole. Multiply by kept.",
        ),
        Edit(
            "to-the-dropped",
            BACK,
            "da_dropped * (kept == 0)",
            "The gradient goes to the entries that were dropped, and to no others. It should be "
            "the other way round.",
        ),
        Edit(
            "raised-twice",
            BACK,
            "da_dropped * kept**2",
            "It was multiplied by kept twice. Once: kept holds zeros, and what the others were raised by.",
        ),
        Edit(
            "by-the-average",
            BACK,
            "da_dropped * kept.mean()",
            "All entries are multiplied by the average of kept. Each entry has its own.",
        ),
        Edit(
            "raised-everywhere",
            BACK,
            "da_dropped * kept.max()",
            "All entries are raised, those that were dropped, too. Multiply by kept, entry by entry.",
        ),
        Edit(
            "kept-itself",
            BACK,
            "kept * 1",
            "This is kept alone: the gradient that arrives is not used. The chain rule multiplies by it.",
        ),
        Edit(
            "wrong-sign",
            BACK,
            "-da_dropped * kept",
            "Every entry has the opposite sign: a gradient is no step downhill yet.",
        ),
        Edit(
            "divided-by-the-examples",
            BACK,
            "da_dropped * kept / kept.shape[-2]",
            "It is divided by m. If the loss is a mean, that division is in the gradient already.",
        ),
        Edit(
            "as-for-a-relu",
            BACK,
            "da_dropped * kept * (da_dropped > 0)",
            "Negative gradients were cut off, as if this were a rectifier. Dropout is a product: "
            "multiply by kept, and nothing more.",
        ),
    ),
    alternatives=(with_where, entry_by_entry, with_einsum, in_float32),
    derivative=derivative,
)
