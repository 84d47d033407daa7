"""How probable a model finds whole sequences."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import padding_mask, sizes
from solutions.language_model import sequence_log_probability


def no_padding(rng, n_v=None, **fixed):
    size = sizes(rng, **fixed)
    shape, n_v = (size["T_x"], size["m"]), n_v or size["n_y"] + 2
    y_hat = rng.dirichlet(np.ones(n_v), size=shape)
    return {"y_hat": y_hat, "y": rng.integers(0, n_v, size=shape), "mask": np.full(shape, True)}


def inputs(rng, padding="as it comes", **fixed):
    """Predictions, tokens and a ragged mask; the padding holds what models leave there."""
    y_hat, y, mask = no_padding(rng, **fixed).values()
    mask = padding_mask(rng, *mask.shape)
    if padding == "zeros":
        y_hat[~mask], y[~mask] = 0, 0
    elif padding == "minus one":
        y[~mask] = -1
    return {"y_hat": y_hat, "y": y, "mask": mask}


def impossible(rng):
    """A sequence whose first token has probability 0."""
    case = no_padding(rng, m=1)
    first = case["y_hat"][0, 0]
    first[case["y"][0, 0]] = 0
    first /= first.sum()
    return case


def spared(rng):
    """A sequence in which a token has probability 0 where another one comes."""
    case = no_padding(rng, m=1)
    first, came = case["y_hat"][0, 0], case["y"][0, 0]
    first[(came + 1) % len(first)] = 0
    first /= first.sum()
    return case


def by_hand(y_hat, y, mask):
    T_x, m = y.shape
    totals = []
    for i in range(m):
        total = 0.0
        for t in range(T_x):
            if mask[t, i]:
                p = y_hat[t, i, y[t, i]]
                total += np.log(p) if p > 0 else -np.inf
        totals.append(total)
    return totals


def with_where(y_hat, y, mask):
    """Padding counts as certain: probability 1."""
    p = np.take_along_axis(y_hat, np.where(mask, y, 0)[..., None], axis=-1)[..., 0]
    return np.log(np.where(mask, p, 1)).sum(axis=0)


def with_one_hot(y_hat, y, mask):
    one_hot = y[..., None] == np.arange(y_hat.shape[-1])
    p = (y_hat * one_hot).sum(axis=-1)
    return np.sum(np.log(p, where=mask, out=np.zeros(p.shape)), axis=0)


def with_einsum(y_hat, y, mask):
    log_y_hat = np.log(np.maximum(y_hat, 0))
    picked = log_y_hat[np.arange(len(y))[:, None], np.arange(y.shape[1]), y]
    return np.array([picked[: mask[:, i].sum(), i].sum() for i in range(y.shape[1])])


def in_float32(y_hat, y, mask):
    return sequence_log_probability(y_hat.astype(np.float32), y, mask)


ALL = (
    "    log_p = np.zeros(y.shape, y_hat.dtype)  # (T_x, m)\n"
    '    with np.errstate(divide="ignore"):  # log(0) is -inf, and meant\n'
    "        log_p[mask] = np.log(y_hat[mask, y[mask]])\n"
    "    log_probability = log_p.sum(axis=0)  # (m,)\n"
)
P = "    p = np.ones(y.shape)\n    p[mask] = y_hat[mask, y[mask]]\n"
PICK = "np.log(y_hat[mask, y[mask]])"
SUM = "log_p.sum(axis=0)"

EXERCISE = Exercise(
    reference=sequence_log_probability,
    cases=(
        Case("ragged, every size differs", inputs),
        Case("ragged, every size differs", inputs),
        Case("padding of zeros", partial(inputs, padding="zeros")),
        Case("padding marked with -1", partial(inputs, padding="minus one")),
        Case("no padding", no_padding),
        Case("one token", partial(no_padding, T_x=1)),
        Case("one example", partial(inputs, m=1)),
        Case("as many steps as examples", partial(inputs, T_x=4, m=4)),
        Case("400 words", partial(inputs, T_x=400, m=2, n_v=40)),
        Case("an impossible token", impossible),
        Case("an impossible token that does not come", spared),
    ),
    returns=("log_probability",),
    points=3,
    hints=(
        "At each real step only one number matters: the probability that was given to the token "
        "that really came. The logarithm of a product is the sum of the logarithms.",
        "y_hat[mask, y[mask]] picks these numbers for all real steps at once, in one flat array. "
        "To keep apart what belongs to which example, put their logarithms into an array of zeros "
        "of the shape of y: log_p[mask] = ...",
        "log_p = np.zeros(y.shape); log_p[mask] = np.log of what was picked; then sum over time, "
        'axis=0. np.errstate(divide="ignore") around the logarithm keeps log(0) quiet.',
    ),
    misconceptions=(
        Edit(
            "product-first",
            ALL,
            P + '    with np.errstate(divide="ignore"):\n'
            "        log_probability = np.log(p.prod(axis=0))\n",
            "The probabilities were multiplied, and the logarithm taken of the product. After some "
            "hundred words the product is smaller than any number there is, it becomes 0, and its "
            "logarithm minus infinity. Add logarithms instead.",
        ),
        Edit(
            "no-logarithm",
            ALL,
            P + "    log_probability = p.prod(axis=0)\n",
            "This is the probability itself, and its logarithm is asked for.",
        ),
        Edit(
            "sum-of-probabilities",
            PICK,
            "y_hat[mask, y[mask]]",
            "The probabilities were added up. Probabilities of one word after the other are "
            "multiplied, so it is their logarithms that are added.",
        ),
        Edit(
            "logarithm-of-the-sum",
            ALL,
            "    p = np.zeros(y.shape)\n    p[mask] = y_hat[mask, y[mask]]\n"
            '    with np.errstate(divide="ignore"):\n'
            "        log_probability = np.log(p.sum(axis=0))\n",
            "This is the logarithm of a sum of probabilities; the sum of their logarithms is "
            "asked for.",
        ),
        Edit(
            "end-left-out",
            "log_p[mask] = np.log(y_hat[mask, y[mask]])",
            "log_p[mask] = np.log(y_hat[mask, y[mask]])\n"
            "        log_p[mask.sum(axis=0) - 1, np.arange(y.shape[1])] = 0",
            "The last real step is left out. It is the end of the sentence, and a token like any "
            "other: without it a short sentence looks more probable than it is.",
        ),
        Edit(
            "first-token-left-out",
            SUM,
            "log_p[1:].sum(axis=0)",
            "The first token is left out. It was predicted, too.",
        ),
        Edit(
            "most-probable-token",
            PICK,
            "np.log(y_hat[mask].max(axis=-1))",
            "This takes the most probable token at each step. The probability of the token that "
            "came, y, is asked for.",
        ),
        Edit(
            "mask-ignored",
            "log_p[mask] = np.log(y_hat[mask, y[mask]])",
            "log_p = np.log(np.take_along_axis(y_hat, y[..., np.newaxis], axis=-1)[..., 0])",
            "The padding is counted: the mask was ignored.",
        ),
        Edit(
            "multiplied-by-the-mask",
            "log_p[mask] = np.log(y_hat[mask, y[mask]])",
            "log_p = np.log(np.take_along_axis(y_hat, y[..., np.newaxis], axis=-1)[..., 0])\n"
            "    with np.errstate(invalid='ignore'):\n"
            "        log_p = log_p * mask",
            "The logarithms were multiplied by the mask. Padding may hold a probability of 0, and "
            "minus infinity times 0 is NaN. Take the logarithms of real steps only.",
        ),
        Edit(
            "mean-for-sum",
            SUM,
            "log_p.sum(axis=0) / mask.sum(axis=0)",
            "This is the mean over the tokens of each sequence; their sum is asked for.",
        ),
        Edit(
            "mean-over-all-steps",
            SUM,
            "log_p.mean(axis=0)",
            "This is the mean over time, padding counted; the sum is asked for.",
        ),
        Edit(
            "all-examples-together",
            SUM,
            "log_p.sum()",
            "All sequences were added up to one number. Each example has its own: sum over time "
            "only, axis 0.",
        ),
        Edit(
            "summed-over-examples",
            SUM,
            "log_p.sum(axis=1)",
            "The sum runs over the examples, for each step. It must run over time, axis 0.",
        ),
        Edit(
            "base-two",
            "np.log(",
            "np.log2(",
            "The logarithm is to base 2; the natural one, np.log, is asked for.",
        ),
        Edit(
            "base-ten",
            "np.log(",
            "np.log10(",
            "The logarithm is to base 10; the natural one, np.log, is asked for.",
        ),
        Edit(
            "sign-turned",
            SUM,
            "-log_p.sum(axis=0)",
            "The sign is turned: this is the surprise. The logarithm of a probability is negative.",
        ),
        Edit(
            "something-added",
            "y_hat[mask, y[mask]])",
            "y_hat[mask, y[mask]] + 1e-8)",
            "A small number was added to the probabilities to keep log(0) away. It falsifies every "
            "small one, and makes the impossible possible. Minus infinity is the right answer there.",
        ),
        Edit(
            "shifted-once-more",
            PICK,
            "np.log(y_hat[mask, np.roll(y, -1, axis=0)[mask]])",
            "Prediction t was held against token t + 1. The shift is in the batches already: y_hat[t] "
            "is the prediction of y[t].",
        ),
        Edit(
            "entropy-for-surprise",
            PICK,
            "(y_hat[mask] * np.log(np.maximum(y_hat[mask], 1e-300))).sum(axis=-1)",
            "This adds up y_hat * log(y_hat) over the vocabulary: what the model expects to be told, "
            "whatever comes. Only the probability of the token that came is asked for.",
        ),
        Edit(
            "one-hot-times-the-logarithms",
            "np.log(y_hat[mask, y[mask]])",
            "(np.eye(y_hat.shape[-1])[y[mask]] * np.log(y_hat[mask])).sum(axis=-1)",
            "The logarithms of all tokens were multiplied by a one-hot y. Where a token that did "
            "not come has probability 0, that is 0 times infinity, NaN. Pick the probability of "
            "the token that came first.",
        ),
        Edit(
            "masked-before-the-logarithm",
            "log_p[mask] = np.log(y_hat[mask, y[mask]])",
            "log_p = np.log(np.take_along_axis(y_hat, y[..., np.newaxis], axis=-1)[..., 0] * mask)",
            "The probabilities were multiplied by the mask, and the logarithm taken of the "
            "product: at padding that is the logarithm of 0, minus infinity. Padding must add 0: "
            "take the logarithms of real steps only.",
        ),
        Edit(
            "one-token-ahead",
            "log_p[mask] = np.log(y_hat[mask, y[mask]])",
            "ahead = mask[1:]\n        log_p[:-1][ahead] = np.log(y_hat[:-1][ahead, y[1:][ahead]])",
            "Prediction t was held against token t + 1, and the first token left out. The shift "
            "is in the batches already: y_hat[t] is the prediction of y[t].",
        ),
        Edit(
            "last-token-alone",
            "log_p.sum(axis=0)",
            "log_p[mask.sum(axis=0) - 1, np.arange(y.shape[1])]",
            "This is the logarithm of the last real token's probability alone: each step "
            "overwrote the one before. Add up all of them: +=.",
        ),
    ),
    alternatives=(by_hand, with_where, with_one_hot, with_einsum, in_float32),
)
