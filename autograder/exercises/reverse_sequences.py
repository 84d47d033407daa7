"""Sequences of differing lengths, turned round in time."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, sizes
from solutions.birnn import reverse_sequences


def ragged_lengths(rng, T_x, m):
    """Real steps of m examples: one has all of them if there are two or more, the others fewer.

    Where there is room, no two are equal.
    """
    fewer = rng.permutation(np.arange(1, T_x)) if T_x > 1 else np.array([1])
    lengths = np.resize(fewer, m)
    lengths[rng.integers(m)] = T_x
    return lengths if m > 1 else fewer[:1]


def inputs(rng, lengths=ragged_lengths, **fixed):
    """What stands at padding is no less real to the eye than the rest."""
    size = sizes(rng, **fixed)
    return {
        "x": normal(rng, size["T_x"], size["m"], size["n_x"]),
        "lengths": lengths(rng, size["T_x"], size["m"]),
    }


def none_full(rng, T_x, m):
    return ragged_lengths(rng, T_x - 2, m)


def all_full(rng, T_x, m):
    return np.full(m, T_x)


def by_index(x, lengths):
    """Where each step comes from, for all examples at once."""
    steps = np.arange(len(x))[:, None]
    source = np.where(steps < lengths, lengths - 1 - steps, steps)
    return np.take_along_axis(x, source[:, :, None], axis=0)


def rolled(x, lengths):
    """All of it turned round; then the padding, which came first, is rolled to the end."""
    out = np.empty_like(x)
    for i in range(x.shape[1]):
        turned = np.roll(x[::-1, i], lengths[i] - len(x), axis=0)
        turned[lengths[i] :] = x[lengths[i] :, i]
        out[:, i] = turned
    return out


def with_lists(x, lengths):
    T_x, m, _ = x.shape
    result = []
    for t in range(T_x):
        row = []
        for i in range(m):
            last = int(lengths[i]) - 1
            row.append(x[last - t, i].tolist() if t <= last else x[t, i].tolist())
        result.append(row)
    return result


def by_swapping(x, lengths):
    """Two steps change places, from the ends to the middle."""
    seq = np.array(x, dtype=np.float32)
    for i, n in enumerate(lengths):
        left, right = 0, n - 1
        while left < right:
            seq[[left, right], i] = seq[[right, left], i]
            left, right = left + 1, right - 1
    return seq


COPY = "x_reversed = x.copy()"
TURN = "x_reversed[:length, i] = x[:length, i][::-1]"

EXERCISE = Exercise(
    reference=reverse_sequences,
    cases=(
        Case("every size differs", inputs),
        Case("every size differs", inputs),
        Case("none as long as there are steps", partial(inputs, lengths=none_full, T_x=8, m=5)),
        Case("no padding", partial(inputs, lengths=all_full, T_x=5)),
        Case("one example, padded", partial(inputs, m=1, T_x=6)),
        Case("as many steps as examples and features", partial(inputs, T_x=5, m=5, n_x=5)),
        Case("one feature", partial(inputs, T_x=6, m=4, n_x=1)),
        Case("one step", partial(inputs, T_x=1, m=3)),
    ),
    returns=("x_reversed",),
    points=2,
    in_place=True,
    hints=(
        "x[::-1] would turn all steps round, the padding with them, and then the padding comes "
        "first. Each example has to be turned round within its own real steps.",
        "Start from a copy of x, so that the padding is in place already. Then go through the "
        "examples: the real steps of example i are x[:length, i], of shape (length, n_x).",
        "Loop over enumerate(lengths), which gives each example i with its length. Write "
        "x[:length, i], turned round by [::-1], into the same steps of your copy.",
    ),
    misconceptions=(
        Edit(
            "padding-comes-first",
            TURN,
            "x_reversed[:, i] = x[::-1, i]",
            "All steps were turned round, and so the padding comes first. A network that reads this "
            "begins with padding. Turn round the real steps alone.",
        ),
        Edit(
            "not-turned-round",
            "x[:length, i][::-1]",
            "x[:length, i]",
            "Nothing was turned round: this is x.",
        ),
        Edit(
            "changes-x",
            COPY,
            "x_reversed = x",
            "x itself is turned round. The forward layer still has to read it: work on a copy.",
        ),
        Edit(
            "padding-set-to-zero",
            COPY,
            "x_reversed = np.zeros_like(x)",
            "The padding came out as zeros. It should stay as it is, so that turning round twice "
            "gives back what was there.",
        ),
        Edit(
            "last-real-step-left",
            TURN,
            "x_reversed[: length - 1, i] = x[: length - 1, i][::-1]",
            "The last real step stays where it is: one step too few is turned round. x[:length] "
            "ends at step length - 1 already.",
        ),
        Edit(
            "one-step-too-many",
            TURN,
            "x_reversed[: length + 1, i] = x[: length + 1, i][::-1]",
            "One step of padding is turned round with the real ones, and now comes first. "
            "x[:length] ends at step length - 1.",
        ),
        Edit(
            "longest-length-for-all",
            TURN,
            "longest = max(lengths)\n        x_reversed[:longest, i] = x[:longest, i][::-1]",
            "Every example was turned round within the longest length. Each has a length of its own.",
        ),
        Edit(
            "shortest-length-for-all",
            TURN,
            "shortest = min(lengths)\n        x_reversed[:shortest, i] = x[:shortest, i][::-1]",
            "Every example was turned round within the shortest length. Each has a length of its "
            "own.",
        ),
        Edit(
            "first-length-for-all",
            TURN,
            "first = lengths[0]\n        x_reversed[:first, i] = x[:first, i][::-1]",
            "Every example was turned round within the first one's length. Each has a length of its "
            "own.",
        ),
        Edit(
            "features-turned-round",
            "x[:length, i][::-1]",
            "x[:length, i, ::-1]",
            "The features were turned round, within each step. It is the steps that should "
            "change places.",
        ),
        Edit(
            "features-turned-round-too",
            "x[:length, i][::-1]",
            "x[:length, i][::-1, ::-1]",
            "The steps are turned round, and the features within each step as well. A step moves as "
            "a whole.",
        ),
        Edit(
            "examples-turned-round",
            "x[:length, i][::-1]",
            "x[:length, -1 - i]",
            "The examples were turned round, not the steps. Time is the first axis.",
        ),
        Edit(
            "moved-to-the-end",
            TURN,
            "x_reversed[len(x) - length :, i] = x[:length, i][::-1]",
            "The real steps, turned round, were put at the end. They should stay in front: step "
            "0 holds the last real step.",
        ),
        Edit(
            "time-and-batch-swapped",
            TURN,
            "x_reversed[i, :length] = x[i, :length][::-1]",
            "x[i, :length] is step i of some examples. Time is the first axis: the real steps of "
            "example i are x[:length, i].",
        ),
        Edit(
            "one-of-the-middle-lost",
            COPY,
            "x_reversed = x.copy()\n    x = x_reversed",
            "It is turned round in place, step by step, and reads what it has written: the second "
            "half mirrors the first. Read from x, write into a copy.",
            also=(
                (
                    TURN,
                    "for t in range(length):\n            x_reversed[t, i] = x[length - 1 - t, i]",
                ),
            ),
        ),
    ),
    alternatives=(by_index, rolled, with_lists, by_swapping),
)
