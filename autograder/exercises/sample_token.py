"""Drawing a token at a temperature."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.specs import Seeded
from solutions.language_model import sample_token

DRAWS = 400


def inputs(rng, y_hat, temperature, draws=DRAWS):
    """Probabilities, shuffled, so that no place in the vocabulary is special."""
    y_hat = rng.permutation(np.array(y_hat, dtype=float))
    return {
        "y_hat": y_hat / y_hat.sum(),
        "temperature": temperature,
        "rng": Seeded(int(rng.integers(1 << 30)), draws),
    }


def rising(rng, temperature):
    """The most probable token last, so that no order can be mistaken for another."""
    case = inputs(rng, [0.1, 0.15, 0.22, 0.26, 0.27], temperature)
    return {**case, "y_hat": np.sort(case["y_hat"])}


def chances(y_hat, temperature, rng):
    """Probabilities by token, by way of logarithms."""
    possible = np.flatnonzero(y_hat)
    scores = np.log(y_hat[possible]) / temperature
    p = np.exp(scores - np.logaddexp.reduce(scores))
    return dict(zip(possible.tolist(), p.tolist(), strict=True))


def by_intervals(y_hat, temperature, rng):
    """One uniform number, and the interval that it falls into."""
    p = np.array([chances(y_hat, temperature, rng).get(k, 0) for k in range(len(y_hat))])
    return np.searchsorted(np.cumsum(p) / p.sum(), rng.random(), side="right")


def by_racing(y_hat, temperature, rng):
    """The first to arrive, where arrival times are exponential: Gumbel's trick."""
    with np.errstate(divide="ignore"):
        return int(np.argmax(np.log(y_hat) / temperature + rng.gumbel(size=y_hat.shape)))


def by_a_loop(y_hat, temperature, rng):
    top = max(y_hat)
    weights = [(p / top) ** (1 / temperature) for p in y_hat]
    left = rng.uniform(0, sum(weights))
    for token, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return token
    return int(np.argmax(y_hat))


def by_multinomial(y_hat, temperature, rng):
    with np.errstate(divide="ignore"):
        scores = np.log(y_hat) / temperature
    e = np.exp(scores - scores.max())
    return np.argmax(rng.multinomial(1, e / e.sum()))


WEIGHTS = "(y_hat / y_hat.max()) ** (1 / temperature)"
CHOICE = "rng.choice(len(y_hat), p=weights / weights.sum())"

EXERCISE = Exercise(
    reference=sample_token,
    cases=(
        Case(
            "temperature 1", partial(inputs, y_hat=[0.85, 0.09, 0.03, 0.02, 0.01], temperature=1.0)
        ),
        Case("temperature 0.5, rising probabilities", partial(rising, temperature=0.5)),
        Case("temperature 2", partial(inputs, y_hat=[0.75, 0.15, 0.06, 0.04], temperature=2.0)),
        Case(
            "temperature 10, and two tokens that are impossible",
            partial(inputs, y_hat=[0.9, 0.0, 0.07, 0.03, 0.0], temperature=10.0),
        ),
        Case(
            "temperature 0.05, and two tokens nearly equal",
            partial(inputs, y_hat=[0.26, 0.25, 0.22, 0.17, 0.1], temperature=0.05),
        ),
        Case(
            "temperature 0.001",
            partial(inputs, y_hat=[0.22, 0.2, 0.2, 0.19, 0.19], temperature=0.001, draws=40),
        ),
        Case("a vocabulary of one", partial(inputs, y_hat=[1.0], temperature=0.7, draws=5)),
        Case(
            "one frequent token and twenty rare ones",
            partial(inputs, y_hat=[0.4] + [0.03] * 20, temperature=1.0, draws=200),
        ),
    ),
    returns=("token",),
    points=3,
    hints=(
        "Two steps: make new probabilities, each the old one to the power of 1 / temperature and "
        "all of them divided by their sum; then draw one index with these probabilities.",
        "rng.choice(n, p=p) draws an index below n with the probabilities p, which must sum to 1. "
        "At a low temperature every power may become 0, and 0 / 0 is NaN: divide y_hat by its "
        "largest entry first, which changes no ratio, and the largest power is 1.",
        "weights = (y_hat / y_hat.max()) raised with ** to 1 / temperature; then rng.choice of "
        "len(y_hat) with p = the weights over their sum.",
    ),
    misconceptions=(
        Edit(
            "argmax",
            CHOICE,
            "int(np.argmax(weights))",
            "This always takes the most probable token. A token is drawn: the others have a chance, "
            "too.",
        ),
        Edit(
            "all-alike",
            CHOICE,
            "rng.choice(len(y_hat))",
            "All tokens are drawn equally often: p= is missing in rng.choice.",
        ),
        Edit(
            "possible-ones-alike",
            WEIGHTS,
            "(y_hat > 0) * 1.0",
            "All possible tokens are drawn equally often, whatever their probabilities are.",
        ),
        Edit(
            "temperature-ignored",
            WEIGHTS,
            "y_hat / y_hat.max()",
            "The temperature has no effect. Dividing all probabilities by it and normalising "
            "again cancels it: it belongs in the exponent.",
        ),
        Edit(
            "temperature-upside-down",
            "1 / temperature",
            "temperature",
            "The power is the temperature; it must be one over it, so that cold sharpens and heat "
            "flattens.",
        ),
        Edit(
            "softmax-of-probabilities",
            WEIGHTS,
            "np.exp((y_hat - y_hat.max()) / temperature)",
            "Softmax was taken of the probabilities over the temperature. Softmax acts on scores, "
            "and the scores that belong to these probabilities are their logarithms.",
        ),
        Edit(
            "powers-underflow",
            WEIGHTS,
            "y_hat ** (1 / temperature)",
            "At a low temperature every power underflows to 0, and 0 / 0 is NaN. Divide by the "
            "largest probability first; that changes no ratio, and one power stays 1.",
        ),
        Edit(
            "not-normalised",
            "weights / weights.sum()",
            "weights",
            "The powers do not sum to 1 yet, and rng.choice refuses them. Divide them by their sum.",
        ),
        Edit(
            "something-added",
            WEIGHTS,
            "((y_hat + 1e-6) / y_hat.max()) ** (1 / temperature)",
            "A small number was added to the probabilities, so that the impossible becomes possible; "
            "at a high temperature it even becomes frequent. What has probability 0 is never drawn.",
        ),
        Edit(
            "cold-is-argmax",
            CHOICE,
            "rng.choice(len(y_hat), p=weights / weights.sum())\n"
            "    if temperature < 0.1:\n"
            "        token = int(np.argmax(y_hat))",
            "At low temperatures the most probable token is always taken. At 0.05 one that is nearly "
            "as probable still has its chance.",
        ),
        Edit(
            "same-seed-each-time",
            "rng.choice",
            "np.random.default_rng(0).choice",
            "A fresh generator with a fixed seed is made at each call, so each call draws the same. "
            "Use the rng that is handed in: it moves on from call to call.",
        ),
        Edit(
            "two-draws-the-better-one",
            CHOICE,
            "max(rng.choice(len(y_hat), 2, p=weights / weights.sum()), key=lambda k: y_hat[k])",
            "The better of two draws is taken, which favours the probable tokens. Draw once.",
        ),
        Edit(
            "one-too-far",
            CHOICE,
            "(rng.choice(len(y_hat), p=weights / weights.sum()) + 1) % len(y_hat)",
            "The index is one too large. rng.choice counts from 0; a search in cumulative sums needs "
            "the interval that the number falls into, not the one after it.",
        ),
        Edit(
            "one-too-early",
            CHOICE,
            "rng.choice(len(y_hat), p=weights / weights.sum()) - 1",
            "The index is one too small.",
        ),
        Edit(
            "from-sorted-probabilities",
            CHOICE,
            "rng.choice(len(y_hat), p=np.sort(weights)[::-1] / weights.sum())",
            "The probabilities were sorted first, so index 0 belongs to the most probable token. The "
            "place in y_hat is the token.",
        ),
        Edit(
            "only-the-best-three",
            WEIGHTS,
            "(y_hat / y_hat.max()) ** (1 / temperature) * (y_hat >= np.sort(y_hat)[-3:][0])",
            "Only the three most probable tokens are ever drawn. Rare tokens are rare, not impossible.",
        ),
        Edit(
            "one-hot",
            CHOICE,
            "rng.multinomial(1, weights / weights.sum())",
            "This is a one-hot vector. The index of its 1 is asked for.",
        ),
        Edit(
            "counted-from-one",
            CHOICE,
            "rng.choice(np.arange(1, len(y_hat) + 1), p=weights / weights.sum())",
            "Tokens are counted from 1 here. A token should be an index into y_hat, whose first is 0.",
        ),
        Edit(
            "gumbel-subtracted",
            "rng.choice(len(y_hat), p=weights / weights.sum())",
            "np.argmax(np.log(np.maximum(weights, 1e-300)) - rng.gumbel(size=len(weights)))",
            "Gumbel's numbers are subtracted. Add them to the logarithms: the other way round, "
            "frequent tokens come too often.",
        ),
    ),
    alternatives=(by_intervals, by_racing, by_a_loop, by_multinomial),
    distribution=chances,
)
