"""Dropout while training.

The stub draws the numbers, one an entry, and the docstring says which of them drop: so what is
right is known to the last bit, and a check need not count draws.
"""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, sizes
from autograder.specs import Seeded
from solutions.deep_rnn import dropout_forward


def inputs(rng, rate=0.4, letters=("T_x", "m", "n_a"), **fixed):
    size = sizes(rng, **fixed)
    a = normal(rng, *(size[letter] for letter in letters))
    return {"a": a, "rate": rate, "rng": Seeded(int(rng.integers(1 << 30)))}


def with_where(a, rate, rng):
    dropped = rng.random(a.shape) < rate
    kept = np.where(dropped, 0.0, 1 / (1 - rate))
    return np.where(dropped, 0, a) / (1 - rate), kept


def entry_by_entry(a, rate, rng):
    """A number at a time, in the order in which rng.random fills an array."""
    kept, out = [], []
    for value in a.ravel():
        factor = 0 if rng.random() < rate else 1 / (1 - rate)
        kept.append(factor)
        out.append(float(value) * factor)
    return np.reshape(out, a.shape), np.array(kept).reshape(a.shape)


def in_place(a, rate, rng):
    """In copies, by indexing."""
    keep = rng.random(a.shape)
    mask = np.ones(a.shape)
    mask[keep < rate] = 0
    mask /= 1 - rate
    out = a.copy()
    out *= mask
    return out, mask


def in_float32(a, rate, rng):
    kept = np.float32(rng.random(a.shape) >= rate) / np.float32(1 - rate)
    return a.astype(np.float32) * kept, kept


KEPT = "((numbers >= rate) / (1 - rate)).astype(a.dtype)"
DROPPED = "a_dropped = a * kept"
SAME = "np.broadcast_to(numbers[..., :1], a.shape)"

EXERCISE = Exercise(
    reference=dropout_forward,
    cases=(
        Case("whole sequences", inputs),
        Case("whole sequences, another rate", partial(inputs, rate=0.15)),
        Case("one step of all examples", partial(inputs, letters=("m", "n_a"), rate=0.3)),
        Case("most are dropped", partial(inputs, rate=0.9, n_a=8, m=7)),
        Case("rate 0: nothing is dropped", partial(inputs, rate=0.0)),
        Case("one example", partial(inputs, rate=0.6, m=1)),
        Case("one of everything", partial(inputs, m=1, T_x=1, n_a=1, rate=0.25)),
        Case("as many steps as examples and units", partial(inputs, T_x=4, m=4, n_a=4)),
    ),
    returns=("a_dropped", "kept"),
    order=("kept", "a_dropped"),
    points=2,
    hints=(
        "numbers holds one number for each entry. Comparing it with rate gives, for each entry, whether "
        "it stays: True counts as 1 in a product, and False as 0.",
        "On average only the part 1 - rate of the entries stays. For the expectation to be what it was, "
        "those that stay are divided by just that part.",
        "kept: the comparison numbers >= rate, over 1 - rate, and .astype(a.dtype), so that float32 "
        "stays float32. a_dropped: the product of a and kept, entry by entry.",
    ),
    misconceptions=(
        Edit(
            "not-raised",
            KEPT,
            "(numbers >= rate).astype(a.dtype)",
            "What stays is not raised: the layer above gets less while training than afterwards, when "
            "nothing is dropped. Divide by 1 - rate.",
        ),
        Edit(
            "divided-by-the-rate",
            "/ (1 - rate)",
            "/ max(rate, 1e-9)",
            "What stays is divided by rate, the part that is dropped. Divide by the part that stays.",
        ),
        Edit(
            "lowered",
            "/ (1 - rate)",
            "* (1 - rate)",
            "What stays is multiplied by 1 - rate, and so lowered once more. It must be raised: divide.",
        ),
        Edit(
            "keeps-what-it-should-drop",
            "numbers >= rate",
            "numbers < rate",
            "It keeps what it should drop: an entry whose number is below rate should become zero.",
        ),
        Edit(
            "rate-of-keeping",
            KEPT,
            "((numbers < rate) / max(rate, 1e-9)).astype(a.dtype)",
            "rate is taken for the part that stays. Here it is the part that is dropped. Both "
            "are in use: look it up each time.",
        ),
        Edit(
            "the-other-end",
            "numbers >= rate",
            "numbers < 1 - rate",
            "It drops as often as it should, but other entries: those with numbers of 1 - rate and more. "
            "The docstring says which: those whose number is below rate.",
        ),
        Edit(
            "drawn-again",
            "numbers >= rate",
            "rng.random(a.shape) >= rate",
            "New numbers are drawn, and those in numbers are not used. An entry's own number is there "
            "already.",
        ),
        Edit(
            "same-seed-each-time",
            "numbers >= rate",
            "np.random.default_rng(0).random(a.shape) >= rate",
            "A fresh generator with a fixed seed is made, so every call drops the same entries. The "
            "numbers are there already, drawn from the rng that is handed in.",
        ),
        Edit(
            "kept-not-raised",
            DROPPED,
            "a_dropped = a * kept\n    kept = (kept > 0).astype(a.dtype)",
            "a_dropped is right, but kept holds zeros and ones. It should hold what each entry "
            "was multiplied by: the backward pass needs that.",
        ),
        Edit(
            "whole-units",
            "numbers >= rate",
            "np.broadcast_to(numbers.reshape(-1, a.shape[-1])[0], a.shape) >= rate",
            "Units are dropped as a whole: one number a unit, for all examples and steps. Here each "
            "entry has a number of its own.",
        ),
        Edit(
            "one-mask-for-all-steps",
            "numbers >= rate",
            "np.broadcast_to(numbers[(0,) * (a.ndim - 2)], a.shape) >= rate",
            "The same entries are dropped at every step. Here each entry, at each step, has a number "
            "of its own.",
        ),
        Edit(
            "whole-examples",
            "numbers >= rate",
            f"{SAME} >= rate",
            "All units of an example are dropped or kept together. Each entry has a number of its own.",
        ),
        Edit(
            "exactly-so-many",
            "numbers >= rate",
            "numbers >= np.quantile(numbers, rate)",
            "Exactly the part rate of the entries is dropped, each time. Each entry should be "
            "dropped by itself, by its own number: it may be more or fewer.",
        ),
        Edit(
            "raised-by-what-was-kept",
            KEPT,
            "((numbers >= rate) / max(np.mean(numbers >= rate), 1e-9)).astype(a.dtype)",
            "What stays is raised by the part that happened to stay this time. Divide by 1 - rate, the "
            "part that stays on average.",
        ),
        Edit(
            "dropped-are-lowered",
            DROPPED,
            "a_dropped = np.where(numbers >= rate, a * kept, a * rate)",
            "The entries that are dropped are only made smaller. They should become zero.",
        ),
        Edit(
            "raised-twice",
            DROPPED,
            "a_dropped = a * kept * kept",
            "a was multiplied by kept twice, and so is raised twice. Once is enough.",
        ),
        Edit(
            "not-raised-in-the-output",
            DROPPED,
            "a_dropped = a * (kept > 0)",
            "kept is right, but a_dropped is not raised: multiply a by kept.",
        ),
        Edit(
            "compares-the-activations",
            "numbers >= rate",
            "a >= rate",
            "The activations are compared with the rate, so what is dropped depends on their "
            "size. Chance decides: compare the random numbers.",
        ),
    ),
    alternatives=(with_where, entry_by_entry, in_place, in_float32),
)
