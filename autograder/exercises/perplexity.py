"""Between how many tokens a model hesitates."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.exercises.sequence_log_probability import impossible, inputs, no_padding, spared
from solutions.language_model import perplexity


def a_guess(rng):
    case = inputs(rng)
    return {**case, "y_hat": np.full_like(case["y_hat"], 1 / case["y_hat"].shape[-1])}


def by_hand(y_hat, y, mask):
    surprises = []
    for t in range(len(y)):
        for i in range(len(y[t])):
            if mask[t, i]:
                p = y_hat[t, i, y[t, i]]
                surprises.append(-np.log(p) if p else np.inf)
    return np.exp(sum(surprises) / len(surprises))


def geometric(y_hat, y, mask):
    """The geometric mean of one over p, one factor a step."""
    n = mask.sum()
    roots = y_hat[mask, y[mask]] ** (-1 / n)
    return float(roots.prod())


def in_bits(y_hat, y, mask):
    p = np.take_along_axis(y_hat, np.where(mask, y, 0)[..., np.newaxis], axis=2)[:, :, 0]
    bits = -np.log2(np.where(mask, p, 1))
    return 2.0 ** (bits.sum() / np.count_nonzero(mask))


def in_float32(y_hat, y, mask):
    return perplexity(y_hat.astype(np.float32), y, mask)


def as_an_array(y_hat, y, mask):
    one_hot = np.eye(y_hat.shape[-1])[y[mask]]
    p = np.einsum("nv,nv->n", y_hat[mask], one_hot)
    return np.array(1 / np.exp(np.log(p).mean()))


SURPRISE = "-np.log(y_hat[mask, y[mask]])"
MEAN = "np.exp(surprise.mean())"

EXERCISE = Exercise(
    reference=perplexity,
    cases=(
        Case("ragged, every size differs", inputs),
        Case("ragged, every size differs", inputs),
        Case("padding of zeros", partial(inputs, padding="zeros")),
        Case("padding marked with -1", partial(inputs, padding="minus one")),
        Case("no padding", no_padding),
        Case("one token", partial(no_padding, T_x=1, m=1)),
        Case("one example", partial(inputs, m=1)),
        Case("a model that guesses", a_guess),
        Case("400 words", partial(inputs, T_x=400, m=2, n_v=40)),
        Case("an impossible token", impossible),
        Case("an impossible token that does not come", spared),
    ),
    returns=("value",),
    points=2,
    hints=(
        "The surprise of a token is minus the natural logarithm of the probability that it was "
        "given. Perplexity is the exponential of the average surprise over all real steps.",
        "y_hat[mask, y[mask]] picks the probability of the token that came at every real step, all "
        "examples in one flat array, so its mean counts every step the same.",
        "surprise = -np.log of what was picked; value = np.exp of its mean.",
    ),
    misconceptions=(
        Edit(
            "sum-for-mean",
            MEAN,
            "np.exp(surprise.sum())",
            "The surprises were added up and not averaged. This is one over the probability of the "
            "whole text, which grows with its length; perplexity is per token.",
        ),
        Edit(
            "two-to-the-nats",
            MEAN,
            "2 ** surprise.mean()",
            "2 was raised to an average of natural logarithms. The base must be the same both times: "
            "np.exp with np.log, or 2 with np.log2.",
        ),
        Edit(
            "e-to-the-bits",
            MEAN,
            "np.exp(surprise.mean() / np.log(2))",
            "np.exp was taken of an average of logarithms to base 2. The base must be the same both "
            "times.",
        ),
        Edit(
            "no-exponential",
            MEAN,
            "surprise.mean()",
            "This is the average surprise, the cross-entropy. Perplexity is its exponential.",
        ),
        Edit(
            "sign-turned",
            SURPRISE,
            "np.log(y_hat[mask, y[mask]])",
            "The minus sign is missing. Perplexity is never below 1.",
        ),
        Edit(
            "mean-of-one-over-p",
            MEAN,
            "np.exp(surprise).mean()",
            "This is the average of one over the probability, in which a single rare word outweighs "
            "all others. The average is taken of the logarithms, and the exponential of that average.",
        ),
        Edit(
            "one-over-the-mean",
            MEAN,
            "1 / np.exp(-surprise).mean()",
            "The probabilities were averaged. The average is taken of their logarithms, so that one "
            "impossible word is enough to make a model infinitely perplexed.",
        ),
        Edit(
            "mean-of-the-examples",
            MEAN,
            "np.exp(surprise).mean()",
            "Every example counts the same here, a short one as much as a long one. Every real step "
            "counts the same: average over all of them at once.",
            also=(
                (
                    SURPRISE,
                    "np.array([-np.log(y_hat[:, i][mask[:, i], y[:, i][mask[:, i]]]).mean()\n"
                    "            for i in range(y.shape[1])])",
                ),
            ),
        ),
        Edit(
            "mean-of-means",
            SURPRISE,
            "np.array([-np.log(y_hat[:, i][mask[:, i], y[:, i][mask[:, i]]]).mean()\n"
            "            for i in range(y.shape[1])])",
            "The surprise was averaged in each example and then over the examples, so that steps of "
            "short ones count more. Average over all real steps at once.",
        ),
        Edit(
            "mask-ignored",
            SURPRISE,
            "-np.log(np.take_along_axis(y_hat, y[..., np.newaxis], axis=-1))",
            "The padding is counted: the mask was ignored.",
        ),
        Edit(
            "divided-by-all-steps",
            MEAN,
            "np.exp(surprise.sum() / mask.size)",
            "The surprise of the real steps was divided by the number of all steps, padding counted. "
            "That makes any model look better than it is.",
        ),
        Edit(
            "divided-by-T_x",
            MEAN,
            "np.exp(surprise.sum() / len(y))",
            "The sum was divided by T_x. There are as many real steps as the mask has entries that "
            "are True, in all examples together.",
        ),
        Edit(
            "product-first",
            MEAN,
            "np.exp(-surprise).prod() ** (-1 / len(surprise))",
            "The probabilities were multiplied first. The product of some hundred of them is smaller "
            "than any number there is and becomes 0. Add logarithms instead.",
        ),
        Edit(
            "most-probable-token",
            "y_hat[mask, y[mask]]",
            "y_hat[mask].max(axis=-1)",
            "This takes the most probable token at each step. The probability of the token that "
            "came, y, is asked for.",
        ),
        Edit(
            "end-left-out",
            SURPRISE,
            "-np.log(y_hat[mask, y[mask]])\n"
            "        ends = mask.copy()\n"
            "        ends[:-1] &= ~mask[1:]\n"
            "        surprise = surprise[~ends[mask]] if len(surprise) > 1 else surprise",
            "The last real step of each example is left out. The end of a sentence is a token like "
            "any other, and has to be predicted.",
        ),
        Edit(
            "something-added",
            "y_hat[mask, y[mask]])",
            "y_hat[mask, y[mask]] + 1e-8)",
            "A small number was added to the probabilities to keep log(0) away. It falsifies every "
            "small one, and hides that the model held impossible what came.",
        ),
        Edit(
            "entropy-of-the-prediction",
            SURPRISE,
            "-(y_hat[mask] * np.log(np.maximum(y_hat[mask], 1e-300))).sum(axis=-1)",
            "This is how unsure the model says it is, whatever comes. Perplexity asks what "
            "probability it gave to the token that came.",
        ),
        Edit(
            "shifted-once-more",
            "y_hat[mask, y[mask]]",
            "y_hat[mask, np.roll(y, -1, axis=0)[mask]]",
            "Prediction t was held against token t + 1. The shift is in the batches already: y_hat[t] "
            "is the prediction of y[t].",
        ),
        Edit(
            "rounded",
            MEAN,
            "np.round(np.exp(surprise.mean()), 2)",
            "The value is rounded. Round where it is printed, not where it is computed.",
        ),
        Edit(
            "divided-by-examples",
            "np.exp(surprise.mean())",
            "np.exp(surprise.sum() / y.shape[1])",
            "The sum was divided by m. There are as many real steps as the mask has entries that "
            "are True, in all examples together.",
        ),
        Edit(
            "steps-averaged-first",
            "-np.log(y_hat[mask, y[mask]])",
            "np.array([-np.log(y_hat[t][r, y[t][r]]).mean() for t, r in enumerate(mask) if r.any()])",
            "The surprise was averaged at each step and then over the steps, so that late steps, "
            "which few examples reach, count more. Average over all real steps at once.",
        ),
        Edit(
            "one-hot-times-the-logarithms",
            "-np.log(y_hat[mask, y[mask]])",
            "-(np.eye(y_hat.shape[-1])[y[mask]] * np.log(y_hat[mask])).sum(axis=-1)",
            "The logarithms of all tokens were multiplied by a one-hot y. Where a token that did "
            "not come has probability 0, that is 0 times infinity, NaN. Pick the probability of "
            "the token that came first.",
        ),
        Edit(
            "multiplied-by-the-mask",
            "surprise = -np.log(y_hat[mask, y[mask]])",
            "surprise = -np.log(np.take_along_axis(y_hat, y[..., np.newaxis], -1)[..., 0]) * mask",
            "The logarithms were multiplied by the mask. Padding may hold a probability of 0, and"
            " infinity times 0 is NaN. Take the logarithms of real steps only.",
            also=(("np.exp(surprise.mean())", "np.exp(surprise.sum() / mask.sum())"),),
        ),
        Edit(
            "no-logarithm",
            "-np.log(y_hat[mask, y[mask]])",
            "-y_hat[mask, y[mask]]",
            "The logarithm is missing: the exponential is taken of minus the mean probability, "
            "and not of the mean of -log.",
        ),
        Edit(
            "logarithm-at-the-end",
            "np.exp(surprise.mean())",
            "np.log(surprise.mean())",
            "The surprise is already a logarithm. Its mean is turned back into a number of tokens"
            " by exp, not by another log.",
        ),
    ),
    alternatives=(by_hand, geometric, in_bits, in_float32, as_an_array),
)
