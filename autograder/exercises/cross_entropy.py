"""The loss of predictions over time."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, padding_mask, sizes
from solutions.bptt import cross_entropy
from solutions.rnn import softmax


def inputs(rng, below=0.0, **fixed):
    """Predictions; the last class's scores lie `below` the others', and it is never right."""
    size = sizes(rng, **fixed)
    T_x, m, n_y = size["T_x"], size["m"], size["n_y"]
    z = normal(rng, T_x, m, n_y) * 2
    z[..., -1] -= below
    mask = padding_mask(rng, T_x, m) if T_x > 1 else np.ones((1, m), bool)
    return {"y_hat": softmax(z), "y": rng.integers(0, n_y - bool(below), (T_x, m)), "mask": mask}


def no_padding(rng, **fixed):
    case = inputs(rng, **fixed)
    return {**case, "mask": np.ones_like(case["mask"])}


def empty_padding(rng):
    """Zeros where there is no step, and -1 for its class."""
    case = inputs(rng, T_x=6)
    case["y_hat"][~case["mask"]] = 0
    case["y"][~case["mask"]] = -1
    return case


def impossible(rng):
    """The right class was given nothing, once."""
    case = inputs(rng, below=2000)
    case["y"][0, 0] = case["y_hat"].shape[-1] - 1
    return case


def by_hand(y_hat, y, mask):
    total, steps = 0.0, 0
    for t, i in np.argwhere(mask):
        p = y_hat[t, i, y[t, i]]
        total -= np.log(p) if p > 0 else -np.inf
        steps += 1
    return total / steps


def ones_at_the_padding(y_hat, y, mask):
    """log(1) = 0, so padding adds nothing."""
    picked = np.take_along_axis(y_hat, np.where(mask, y, 0)[..., None], axis=2)[..., 0]
    return -np.log(np.where(mask, picked, 1.0)).sum() / mask.sum()


def with_one_hot(y_hat, y, mask):
    one_hot = np.eye(y_hat.shape[-1])[y[mask]]
    return float(np.mean(-np.log((y_hat[mask] * one_hot).sum(axis=1))))


def in_float32(y_hat, y, mask):
    right = np.take_along_axis(y_hat.astype(np.float32)[mask], y[mask][:, None], axis=1)
    return np.average(-np.log(right))


EXERCISE = Exercise(
    reference=cross_entropy,
    cases=(
        Case("ragged, every size differs", inputs),
        Case("ragged, every size differs", inputs),
        Case("no padding", no_padding),
        Case("zeros and -1 at the padding", empty_padding),
        Case("one step", partial(inputs, T_x=1)),
        Case("one example", partial(no_padding, m=1)),
        Case("a class whose scores are 2000 below the rest", partial(inputs, below=2000)),
        Case("a right class that was given probability 0", impossible),
    ),
    returns=("loss",),
    points=2,
    hints=(
        "At each real step only one number counts: the probability that was given to the right "
        "class. The loss is minus its logarithm, averaged over all real steps.",
        "mask is an index: y_hat[mask] keeps the real steps, (real steps, n_y), and y[mask] their "
        "right classes. What stands at the padding is then never looked at.",
        "y_hat[mask, y[mask]] is one probability for each real step. Take np.log, the mean, and "
        "the minus sign; np.errstate(divide='ignore') around it keeps log(0) quiet.",
    ),
    misconceptions=(
        Edit(
            "mask-ignored",
            "y_hat[mask, y[mask]]",
            "np.take_along_axis(y_hat, y[..., np.newaxis], axis=-1)",
            "The padding is counted: the loss is averaged over all steps. Take only those where "
            "the mask is True.",
        ),
        Edit(
            "divided-by-all-steps",
            "np.log(right).mean()",
            "np.log(right).sum() / mask.size",
            "The real steps are added up, but divided by the number of all steps, padding "
            "included. Divide by the number of real ones, mask.sum().",
        ),
        Edit(
            "sum-for-mean",
            "np.log(right).mean()",
            "np.log(right).sum()",
            "The loss is summed over the real steps; it must be their mean. A sum grows with the "
            "batch, and with it the steps of the training.",
        ),
        Edit(
            "divided-by-time",
            "np.log(right).mean()",
            "np.log(right).sum() / len(mask)",
            "The sum is divided by T_x, so it is a mean over time, but a sum over the examples. "
            "Divide by the number of real steps of all examples.",
        ),
        Edit(
            "divided-by-examples",
            "np.log(right).mean()",
            "np.log(right).sum() / mask.shape[1]",
            "The sum is divided by m, so it is a mean over examples, but a sum over time. Divide "
            "by the number of real steps of all examples.",
        ),
        Edit(
            "mean-of-means",
            "-np.log(right).mean()",
            "np.mean([-np.log(y_hat[r, i, y[r, i]]).mean() for i, r in enumerate(mask.T)])",
            "Each example was averaged first, and then the examples. A step of a short sentence "
            "then counts more than one of a long sentence; here every real step counts the same.",
        ),
        Edit(
            "sign-missing",
            "-np.log(right)",
            "np.log(right)",
            "The minus sign is missing: the logarithm of a probability is negative, and a loss "
            "must fall as the prediction gets better.",
        ),
        Edit(
            "base-2",
            "np.log(right)",
            "np.log2(right)",
            "The logarithm is to base 2 (bits); the natural one, np.log, is asked for. The "
            "gradient y_hat - y belongs to the natural one.",
        ),
        Edit(
            "base-10",
            "np.log(right)",
            "np.log10(right)",
            "The logarithm is to base 10; the natural one, np.log, is asked for.",
        ),
        Edit(
            "no-logarithm",
            "-np.log(right).mean()",
            "1 - right.mean()",
            "The logarithm is missing: this is one minus the mean probability. It can hardly tell "
            "a bad prediction from a hopeless one.",
        ),
        Edit(
            "logarithm-of-the-mean",
            "np.log(right).mean()",
            "np.log(right.mean())",
            "The probabilities were averaged before the logarithm. Take the logarithm of each "
            "step first.",
        ),
        Edit(
            "most-probable-class",
            "y_hat[mask, y[mask]]",
            "y_hat[mask].max(axis=-1)",
            "This is the surprise at the most probable class. What counts is the right class, y: "
            "a confident mistake must cost much.",
        ),
        Edit(
            "all-classes",
            "np.log(right)",
            "np.log(y_hat[mask])",
            "The logarithms of all classes were averaged. Only the right class of each step "
            "counts: index with y.",
        ),
        Edit(
            "entropy",
            "-np.log(right).mean()",
            "-(y_hat[mask] * np.log(y_hat[mask])).sum(axis=-1).mean()",
            "This is the entropy of the prediction, which does not look at y at all.",
        ),
        Edit(
            "two-class-loss",
            "-np.log(right).mean()",
            "-(np.log(right) + np.log1p(-y_hat[mask]).sum(axis=-1) - np.log1p(-right)).mean()",
            "This is the loss of n_y separate yes-or-no questions: it also holds log(1 - p) of the "
            "wrong classes. With softmax, the right class alone says it all.",
        ),
        Edit(
            "something-small-added",
            "np.log(right)",
            "np.log(right + 1e-8)",
            "1e-8 was added to the probability to keep the logarithm finite. That makes every loss "
            "a little wrong, and hides a right class that was given nothing: there the loss is "
            "infinite.",
        ),
        Edit(
            "mask-as-a-factor",
            "y_hat[mask, y[mask]]",
            "np.take_along_axis(y_hat, y[..., np.newaxis], axis=-1)[..., 0]",
            "The logarithms were multiplied by the mask. Where the padding holds a zero that is "
            "0 times infinity, NaN, and no longer zero. Pick the real steps first.",
            also=(("np.log(right).mean()", "(np.log(right) * mask).sum() / mask.sum()"),),
        ),
        Edit(
            "only-the-last-step",
            "y_hat[mask, y[mask]]",
            "y_hat[-1][mask[-1], y[-1][mask[-1]]]",
            "Only the last step was looked at. Here every step makes a prediction, and every real "
            "one counts.",
        ),
        Edit(
            "one-hot-times-the-logarithms",
            "-np.log(right).mean()",
            "-(np.eye(y_hat.shape[-1])[y[mask]] * np.log(y_hat[mask])).sum(axis=-1).mean()",
            "The logarithms of all classes were multiplied by a one-hot y. Where a wrong class "
            "has probability 0, that is 0 times infinity, NaN. Pick the right class's probability"
            " first, and take the logarithm of that alone.",
        ),
        Edit(
            "steps-averaged-first",
            "-np.log(right).mean()",
            "np.mean([-np.log(y_hat[t][r, y[t][r]]).mean() for t, r in enumerate(mask) if r.any()])",
            "Each step was averaged over its examples first, and then the steps. A late step, "
            "which few examples reach, then counts as much as an early one; here every real step "
            "of every example counts the same.",
        ),
        Edit(
            "steps-averaged-and-added",
            "-np.log(right).mean()",
            "np.sum([-np.log(y_hat[t][r, y[t][r]]).mean() for t, r in enumerate(mask) if r.any()])",
            "Each step was averaged over its examples, and the steps were added up. It is one "
            "mean that is asked for, over all real steps of all examples.",
        ),
        Edit(
            "divided-by-classes",
            "-np.log(right).mean()",
            "-np.log(right).mean() / y_hat.shape[-1]",
            "The mean was taken over the classes, too. Each real step counts once, through its "
            "right class: divide by the number of real steps.",
        ),
        Edit(
            "softmax-again",
            "y_hat[mask, y[mask]]",
            "(np.exp(y_hat[mask]) / np.exp(y_hat[mask]).sum(axis=-1, keepdims=True))[\n        np.arange(mask.sum()), y[mask]\n    ]",
            "Softmax was taken of y_hat. It holds probabilities already; a loss that takes "
            "softmax itself, as some libraries have, wants scores.",
        ),
        Edit(
            "every-pair",
            "y_hat[mask, y[mask]]",
            "y_hat[mask][:, y[mask]]",
            "y_hat[mask][:, y[mask]] takes the right classes of all steps for every step. Each "
            "step has its own: y_hat[mask, y[mask]] pairs them.",
        ),
        Edit(
            "exponential-of-the-loss",
            "-np.log(right).mean()",
            "np.exp(-np.log(right).mean())",
            "This is the exponential of the loss, the perplexity. The average of the surprises "
            "themselves is asked for.",
        ),
        Edit(
            "squared-error",
            "-np.log(right).mean()",
            "((y_hat[mask] - np.eye(y_hat.shape[-1])[y[mask]]) ** 2).sum(axis=-1).mean()",
            "This is the squared error. Cross-entropy is minus the logarithm of what the right "
            "class was given.",
        ),
        Edit(
            "no-logarithm-and-negative",
            "-np.log(right).mean()",
            "-right.mean()",
            "The logarithm is missing: this is minus the mean of the probabilities. A step costs "
            "-log of the probability of its right token.",
        ),
    ),
    alternatives=(by_hand, ones_at_the_padding, with_one_hot, in_float32),
)
