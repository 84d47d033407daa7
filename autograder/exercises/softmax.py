"""Scores into probabilities."""

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, sizes
from solutions.rnn import softmax


def scores(rng, scale=2.0, **fixed):
    size = sizes(rng, **fixed)
    return {"z": normal(rng, size["m"], size["n_y"]) * scale}


def sequences(rng):
    size = sizes(rng)
    return {"z": normal(rng, size["T_x"], size["m"], size["n_y"]) * 2}


def square(rng):
    return {"z": normal(rng, 4, 4)}


def large(rng):
    z = scores(rng)["z"]
    return {"z": z + rng.choice([-1000.0, 1000.0], size=(len(z), 1))}


def far_apart(rng):
    """One row 2000 above the others, one entry 2000 below its row, and one 4000 above."""
    z = scores(rng, m=5)["z"]
    z[1] += 2000.0
    z[3, 0] -= 2000.0
    z[4, 1] += 4000.0
    return {"z": z}


def by_hand(z):
    rows = z.reshape(-1, z.shape[-1])
    y_hat = np.empty_like(rows)
    for i, row in enumerate(rows):
        e = [np.exp(score - max(row)) for score in row]
        y_hat[i] = [value / sum(e) for value in e]
    return y_hat.reshape(z.shape)


def through_logarithms(z):
    top = np.max(z, axis=-1, keepdims=True)
    return np.exp(z - top - np.log(np.sum(np.exp(z - top), axis=-1, keepdims=True)))


def pairwise(z):
    """1 / sum of exp(z_j - z_i): no shift is needed where overflow to infinity gives 0."""
    with np.errstate(over="ignore"):
        return 1 / np.exp(z[..., np.newaxis, :] - z[..., :, np.newaxis]).sum(axis=-1)


def in_float32(z):
    z = z.astype(np.float32)
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def as_a_list(z):
    e = np.exp(z - z.max(axis=-1)[..., None])
    return (e / e.sum(axis=-1)[..., None]).tolist()


EXERCISE = Exercise(
    reference=softmax,
    cases=(
        Case("one step, every size differs", scores),
        Case("one step, every size differs", scores),
        Case("whole sequences", sequences),
        Case("one example", lambda rng: scores(rng, m=1)),
        Case("as many examples as classes", square),
        Case("scores near 1000 and -1000", large),
        Case("rows 2000 apart", far_apart),
    ),
    returns=("y_hat",),
    points=2,
    hints=(
        "Exponentials make every score positive; dividing by their sum makes them add up to 1. "
        "The question is which entries to sum over.",
        "The classes lie along the last axis, whatever stands before it: sum with axis=-1, and "
        "keepdims=True so that the sums line up with the rows that they divide.",
        "exp(1000) is infinite, and inf / inf is NaN. Adding a constant to all scores of a row "
        "changes nothing, so first subtract z.max(axis=-1, keepdims=True): then no exponential "
        "is above exp(0) = 1.",
    ),
    misconceptions=(
        Edit(
            "no-axis",
            "exponentials.sum(axis=-1, keepdims=True)",
            "exponentials.sum()",
            "All exponentials were summed together, so the whole batch shares one distribution. "
            "Each row has a sum of its own: sum along axis=-1.",
        ),
        Edit(
            "no-axis-at-all",
            "z.max(axis=-1, keepdims=True)",
            "z.max()",
            "Both the largest score and the sum were taken over the whole batch, so all examples "
            "share one distribution. Each row has its own: take both along axis=-1.",
            also=(("exponentials.sum(axis=-1, keepdims=True)", "exponentials.sum()"),),
        ),
        Edit(
            "over-examples",
            "exponentials.sum(axis=-1, keepdims=True)",
            "exponentials.sum(axis=0, keepdims=True)",
            "The sum runs over axis 0. A row is an example and the classes are its last axis, "
            "so each row must sum to 1: sum along axis=-1.",
        ),
        Edit(
            "over-axis-1",
            "z - z.max(axis=-1, keepdims=True)",
            "z - z.max(axis=1, keepdims=True)",
            "The sum runs over axis 1. That is right for one step, (m, n_y), but whole sequences "
            "are (T_x, m, n_y), and there axis 1 counts examples. axis=-1 is right for both.",
            also=(("exponentials.sum(axis=-1", "exponentials.sum(axis=1"),),
        ),
        Edit(
            "no-shift",
            "z - z.max(axis=-1, keepdims=True)",
            "z",
            "The largest score was not subtracted first: exp(1000) is infinite, and inf / inf is "
            "NaN. Subtract z.max(axis=-1, keepdims=True) from z before np.exp.",
        ),
        Edit(
            "shift-by-the-largest-of-all",
            "z.max(axis=-1, keepdims=True)",
            "z.max()",
            "The largest score of the whole array was subtracted. A row whose scores all lie far "
            "below it becomes exp(-2000) = 0 everywhere, and 0 / 0 is NaN. Subtract each row's own "
            "largest score.",
        ),
        Edit(
            "not-normalised",
            " / exponentials.sum(axis=-1, keepdims=True)",
            "",
            "The exponentials are not divided by their sum, so they are no probabilities yet.",
        ),
        Edit(
            "sigmoid-for-softmax",
            "exponentials / exponentials.sum(axis=-1, keepdims=True)",
            "sigmoid(z)",
            "This is the sigmoid of each score by itself. The classes of softmax compete: their "
            "probabilities sum to 1.",
        ),
        Edit(
            "logarithm-of-softmax",
            "exponentials / exponentials.sum(axis=-1, keepdims=True)",
            "z - z.max(axis=-1, keepdims=True) - np.log(exponentials.sum(axis=-1, keepdims=True))",
            "These are the logarithms of the probabilities. They are useful for a loss, but "
            "softmax returns the probabilities.",
        ),
        Edit(
            "scores-for-exponentials",
            "exponentials / exponentials.sum",
            "z / z.sum",
            "The scores themselves were divided by their sum. Take exponentials first: a score "
            "can be negative, a probability cannot.",
        ),
        Edit(
            "absolute-scores",
            "np.exp(z - z.max(axis=-1, keepdims=True))",
            "np.exp(-np.abs(z - z.mean(axis=-1, keepdims=True)))",
            "The sign of the scores was lost: the lowest score must get the lowest probability.",
        ),
        Edit(
            "one-hot-of-the-largest",
            "exponentials / exponentials.sum(axis=-1, keepdims=True)",
            "(exponentials == 1) * 1.0",
            "Only the largest score gets a probability. That is argmax; softmax leaves something "
            "to every class.",
        ),
        Edit(
            "upside-down",
            "np.exp(z - z.max(axis=-1, keepdims=True))",
            "np.exp(z.min(axis=-1, keepdims=True) - z)",
            "The scores entered with a minus sign, so the lowest score gets the highest "
            "probability.",
        ),
        Edit(
            "shift-by-the-mean",
            "z.max(axis=-1, keepdims=True)",
            "z.mean(axis=-1, keepdims=True)",
            "The mean was subtracted. A score that lies far above it still overflows. Subtract "
            "the largest of each row: then no exponential is above exp(0) = 1.",
        ),
        Edit(
            "shift-by-the-smallest",
            "z.max(axis=-1, keepdims=True)",
            "z.min(axis=-1, keepdims=True)",
            "The smallest score was subtracted, so that all others are above 0 and may overflow. "
            "Subtract the largest: then no exponential is above exp(0) = 1.",
        ),
        Edit(
            "overflow-hidden",
            "z - z.max(axis=-1, keepdims=True)",
            "z",
            "What overflowed was replaced by a number (np.nan_to_num), which hides that the "
            "probabilities are lost. Subtract z.max(axis=-1, keepdims=True) from z before np.exp,"
            " and nothing overflows.",
            also=(
                (
                    "exponentials / exponentials.sum(axis=-1, keepdims=True)",
                    "np.nan_to_num(exponentials / exponentials.sum(axis=-1, keepdims=True))",
                ),
            ),
        ),
        Edit(
            "upside-down-and-shifted",
            "z - z.max(axis=-1, keepdims=True)",
            "z.max(axis=-1, keepdims=True) - z",
            "The sign is turned: the largest score minus each, so that the lowest score gets the "
            "highest probability. It should be each score minus the largest.",
        ),
        Edit(
            "divided-by-the-largest",
            "z - z.max(axis=-1, keepdims=True)",
            "z / z.max(axis=-1, keepdims=True)",
            "The scores were divided by the largest, which changes the probabilities. Subtract "
            "it: softmax knows only the differences between scores.",
        ),
        Edit(
            "largest-over-axis-1",
            "z.max(axis=-1, keepdims=True)",
            "z.max(axis=1, keepdims=True)",
            "The largest score is taken along axis 1. With three axes those are the examples of a"
            " step: the scores of one softmax lie along the last axis.",
        ),
        Edit(
            "shifted-scores-for-exponentials",
            "np.exp(z - z.max(axis=-1, keepdims=True))",
            "z - z.max(axis=-1, keepdims=True)",
            "The exponential is missing: the scores are shifted and divided by their sum.",
        ),
        Edit(
            "shifted-by-themselves",
            "z - z.max(axis=-1, keepdims=True)",
            "z - z",
            "Every score is shifted by itself, so that all exponentials are 1. Subtract the "
            "largest score of each row.",
        ),
    ),
    alternatives=(by_hand, through_logarithms, pairwise, in_float32, as_a_list),
)
