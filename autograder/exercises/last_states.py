"""The state after each example's last real step."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, padding_mask, sizes
from solutions.rnn import last_states


def inputs(rng, **fixed):
    size = sizes(rng, **fixed)
    mask = padding_mask(rng, size["T_x"], size["m"])
    return {"a": normal(rng, size["T_x"], size["m"], size["n_a"]), "mask": mask}


def no_padding(rng):
    case = inputs(rng)
    return {**case, "mask": np.ones_like(case["mask"])}


def shortest(rng):
    """One example of a single step among full ones."""
    case = inputs(rng, T_x=5, m=3)
    case["mask"][:] = True
    case["mask"][1:, 1] = False
    return case


def by_hand(a, mask):
    rows = []
    for i in range(mask.shape[1]):
        steps = [t for t in range(len(mask)) if mask[t, i]]
        rows.append(a[steps[-1], i])
    return np.array(rows)


def carried_along(a, mask):
    """Step by step: padding leaves the state as it is."""
    kept = a[0]
    for state, real in zip(a, mask, strict=True):
        kept = np.where(real[:, np.newaxis], state, kept)
    return kept


def with_a_product(a, mask):
    """A mask that is 1 only where the next step is no longer real."""
    after = np.vstack([mask[1:], np.zeros_like(mask[:1])])
    return np.einsum("tm,tma->ma", (mask & ~after).astype(float), a)


def with_argmin(a, mask):
    lengths = np.where(mask.all(axis=0), len(mask), mask.argmin(axis=0))
    picked = np.take_along_axis(a, (lengths - 1)[np.newaxis, :, np.newaxis], axis=0)
    return picked[0].astype(np.float32)


EXERCISE = Exercise(
    reference=last_states,
    cases=(
        Case("ragged, every size differs", inputs),
        Case("ragged, every size differs", inputs),
        Case("no padding", no_padding),
        Case("one example of a single step", shortest),
        Case("one step", lambda rng: {k: v[:1] for k, v in no_padding(rng).items()}),
        Case("one example", partial(inputs, m=1)),
        Case("as many steps as examples", partial(inputs, T_x=5, m=5)),
    ),
    returns=("a_last",),
    points=2,
    hints=(
        "Each example ends at a step of its own. The mask says how many steps are real; the last "
        "real one is one less than that, since steps are counted from 0.",
        "mask.sum(axis=0) counts the real steps of each example, shape (m,). You need row `last[i]` "
        "of example i, for all i at once.",
        "NumPy picks pairs of indices: a[last, np.arange(m)] takes a[last[0], 0], a[last[1], 1] "
        "and so on, and keeps the units.",
    ),
    misconceptions=(
        Edit(
            "last-slot-for-all",
            "a[last, np.arange(len(last))]",
            "a[-1]",
            "This is a[-1], the state after the padding, for every example. Shorter examples end "
            "earlier: the mask says where.",
        ),
        Edit(
            "one-step-too-far",
            "mask.sum(axis=0) - 1",
            "np.minimum(mask.sum(axis=0), len(mask) - 1)",
            "This is the state one step too late, after the first step of padding. With n real "
            "steps the last one is step n - 1.",
        ),
        Edit(
            "one-step-too-early",
            "mask.sum(axis=0) - 1",
            "np.maximum(mask.sum(axis=0) - 2, 0)",
            "This is the state one step before the last real one.",
        ),
        Edit(
            "minus-one-forgotten",
            "mask.sum(axis=0) - 1",
            "mask.sum(axis=0)",
            "The number of real steps was used as an index. Steps are counted from 0, so the last "
            "of n is step n - 1.",
        ),
        Edit(
            "counts-examples",
            "mask.sum(axis=0)",
            "mask.sum(axis=1)",
            "The mask was summed over axis 1, which counts examples at each step. Sum over time, "
            "axis 0, to count the steps of each example.",
        ),
        Edit(
            "every-pair",
            "a[last, np.arange(len(last))]",
            "a[last]",
            "a[last] takes the steps of every example for every example, (m, m, n_a). Give the "
            "example's own index too: a[last, np.arange(m)].",
        ),
        Edit(
            "mean-over-time",
            "a[last, np.arange(len(last))]",
            "a.mean(axis=0)",
            "This is the mean over all steps, padding included; the state after the last real "
            "step is asked for.",
        ),
        Edit(
            "masked-mean",
            "a[last, np.arange(len(last))]",
            "(a * mask[:, :, np.newaxis]).sum(axis=0) / (last + 1)[:, np.newaxis]",
            "This is the mean over the real steps; the last of them is asked for.",
        ),
        Edit(
            "masked-sum",
            "a[last, np.arange(len(last))]",
            "(a * mask[:, :, np.newaxis]).sum(axis=0)",
            "This is the sum over the real steps; the last of them is asked for.",
        ),
        Edit(
            "zeroed-not-picked",
            "a[last, np.arange(len(last))]",
            "(a * mask[:, :, np.newaxis])[-1]",
            "The padding was set to zero and then the last slot taken, so shorter examples give "
            "zeros. Take each example's last real step.",
        ),
        Edit(
            "first-step",
            "a[last, np.arange(len(last))]",
            "a[0]",
            "This is the state after the first step.",
        ),
        Edit(
            "shortest-for-all",
            "mask.sum(axis=0) - 1",
            "np.full(mask.shape[1], mask.sum(axis=0).min() - 1)",
            "Every example was cut to the length of the shortest.",
        ),
        Edit(
            "a-step-axis-kept",
            "a[last, np.arange(len(last))]",
            "a[last, np.arange(len(last))][np.newaxis]",
            "The result kept a time axis of length 1: it is (1, m, n_a), and should be (m, n_a).",
        ),
        Edit(
            "first-padding-found",
            "mask.sum(axis=0) - 1",
            "mask.argmin(axis=0)",
            "mask.argmin finds the first step of padding (and step 0 where there is none). The "
            "last real step is the one before it.",
        ),
        Edit(
            "nothing-without-padding",
            "a[last, np.arange(len(last))]",
            "a[last, np.arange(len(last))] * ~mask.all(axis=0)[:, np.newaxis]",
            "An example without padding was left at zero: its end was looked for where the mask "
            "becomes False, and it never does. Its last real step is the last of all.",
        ),
        Edit(
            "counts-examples-for-each",
            "mask.sum(axis=0)",
            "mask.sum(axis=1)",
            "The mask was summed over axis 1, which counts examples at each step. Sum over time, "
            "axis 0, to count the steps of each example.",
            also=(("np.arange(len(last))", "np.arange(a.shape[1])"),),
        ),
    ),
    alternatives=(by_hand, carried_along, with_a_product, with_argmin),
)
