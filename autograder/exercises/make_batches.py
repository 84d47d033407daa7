"""A long text as batches that a state can be carried through."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from solutions.language_model import make_batches


def inputs(rng, m=None, T_x=None, n_batches=None, left=None):
    """A text of tokens that all differ: m streams of some batches, one more token, and a rest."""
    drawn = rng.choice(np.arange(2, 6), size=3, replace=False).tolist()
    m, T_x, n_batches = m or drawn[0], T_x or drawn[1], n_batches or drawn[2]
    left = rng.integers(1, m * T_x) if left is None else left
    n_tokens = n_batches * m * T_x + 1 + left
    return {"indices": 10 + rng.permutation(n_tokens), "m": m, "T_x": T_x}


def one_token_short(rng):
    """As many tokens as three batches read; the last of them has nothing that follows it."""
    case = inputs(rng, m=3, T_x=4, n_batches=3, left=0)
    return {**case, "indices": case["indices"][:-1]}


def few_words(rng):
    case = inputs(rng)
    return {**case, "indices": rng.integers(0, 4, size=len(case["indices"]))}


def entry_by_entry(indices, m, T_x):
    n_batches = (len(indices) - 1) // (m * T_x)
    stretch = n_batches * T_x
    x = np.zeros((n_batches, T_x, m), dtype=int)
    y = np.zeros_like(x)
    for b in range(n_batches):
        for t in range(T_x):
            for i in range(m):
                place = i * stretch + b * T_x + t
                x[b, t, i] = indices[place]
                y[b, t, i] = indices[place + 1]
    return x, y


def by_a_table_of_places(indices, m, T_x):
    n_batches = int((indices.size - 1) / (m * T_x))
    batch, step, example = np.ogrid[:n_batches, :T_x, :m]
    places = example * n_batches * T_x + batch * T_x + step
    return indices[places], indices[places + 1]


def streams_first(indices, m, T_x):
    """Streams side by side, (n_batches * T_x, m), and then cut across."""

    def batches(text):
        streams = np.stack(np.split(text, m), axis=1)
        return streams.reshape(-1, T_x, m)

    used = len(indices) - 1
    used -= used % (m * T_x)
    return batches(indices[:used]), batches(indices[1:][:used])


def lists(indices, m, T_x):
    """Batch by batch, in lists."""
    stretch = (len(indices) - 1) // (m * T_x) * T_x
    xs, ys = [], []
    for start in range(0, stretch, T_x):
        starts = [i * stretch + start for i in range(m)]
        xs.append([[indices[s + t] for s in starts] for t in range(T_x)])
        ys.append([[indices[s + t + 1] for s in starts] for t in range(T_x)])
    return xs, ys


X = "    x = indices[:used].reshape(m, n_batches, T_x).transpose(1, 2, 0)  # (n_batches, T_x, m)\n"
Y = "    y = indices[1 : used + 1].reshape(m, n_batches, T_x).transpose(1, 2, 0)\n"
N_BATCHES = "(len(indices) - 1) // (m * T_x)"


def from_rows(name, shift):
    """A line that makes batches of stretches that were cut before."""
    part = f"rows[:, {shift} : n_batches * T_x + {shift}]"
    return f"    {name} = {part}.reshape(m, n_batches, T_x).transpose(1, 2, 0)\n"


EXERCISE = Exercise(
    reference=make_batches,
    cases=(
        Case("every size differs, something is left over", inputs),
        Case("every size differs, something is left over", inputs),
        Case("nothing is left over", partial(inputs, left=0)),
        Case("one token too few for three batches", one_token_short),
        Case("much is left over", partial(inputs, m=3, T_x=5, n_batches=2, left=14)),
        Case("one stream", partial(inputs, m=1)),
        Case("one step", partial(inputs, T_x=1)),
        Case("one batch", partial(inputs, n_batches=1)),
        Case("few words, each of them often", few_words),
    ),
    returns=("x", "y"),
    points=3,
    hints=(
        "Cut the text into m stretches of equal length first, one an example. Only then cut all "
        "stretches across, into batches of T_x steps. And y is x, read one token later in the text.",
        "m * T_x tokens fill a batch, and the last token that is read needs one that follows it: "
        "(len(indices) - 1) // (m * T_x) batches are full. The text begins with all of example 0, "
        "so indices[:used].reshape(m, n_batches, T_x) has the stretches as its first axis.",
        "transpose(1, 2, 0) then makes (n_batches, T_x, m) of (m, n_batches, T_x). Do the same "
        "with indices[1 : used + 1] for y.",
    ),
    misconceptions=(
        Edit(
            "not-shifted",
            "indices[1 : used + 1]",
            "indices[:used]",
            "y is the same as x, so the model would learn to copy the word that it has just read. "
            "y holds the token that follows in the text.",
        ),
        Edit(
            "the-token-before",
            Y,
            "    y = np.roll(indices, 1)[:used].reshape(m, n_batches, T_x).transpose(1, 2, 0)\n",
            "y holds the token before the one that is read; it must hold the one after it.",
        ),
        Edit(
            "swapped",
            X + Y,
            "    y = indices[:used].reshape(m, n_batches, T_x).transpose(1, 2, 0)\n"
            "    x = indices[1 : used + 1].reshape(m, n_batches, T_x).transpose(1, 2, 0)\n",
            "x and y are swapped: what is read comes first, and what is predicted follows it.",
        ),
        Edit(
            "two-tokens-ahead",
            Y,
            "    y = np.append(indices, 0)[2 : used + 2].reshape(m, n_batches, T_x)"
            ".transpose(1, 2, 0)\n",
            "y is two tokens ahead of x. The next token is one ahead.",
        ),
        Edit(
            "wraps-round-at-the-end",
            "indices[1 : used + 1]",
            "np.roll(indices[:used], -1)",
            "What was cut off was rolled round by one, so the last token of the last stretch is to "
            "predict the first of the text. Take y from the text itself, from place 1 on.",
        ),
        Edit(
            "wraps-round-in-each-batch",
            Y,
            "    y = np.roll(x, -1, axis=1)\n",
            "y was shifted within each batch, so the last step of a batch is to predict its first. "
            "The token that follows it stands in the next batch; shift the text, not the batch.",
        ),
        Edit(
            "wraps-round-in-each-stretch",
            Y,
            "    streams = np.roll(indices[:used].reshape(m, n_batches * T_x), -1, axis=1)\n"
            "    y = streams.reshape(m, n_batches, T_x).transpose(1, 2, 0)\n",
            "y was shifted within each example's stretch, so its end is to predict its own beginning. "
            "What follows it in the text is the first token of the next stretch.",
        ),
        Edit(
            "no-token-left-to-predict",
            N_BATCHES,
            "len(indices) // (m * T_x)",
            "Where the text fills its batches exactly, the last token has none that follows it and "
            "cannot be predicted from. Count len(indices) - 1 tokens that can be read.",
        ),
        Edit(
            "a-batch-too-few",
            N_BATCHES,
            "(len(indices) - 1 - T_x) // (m * T_x)",
            "There is a batch too few. One more fits: the last token that it reads may be the "
            "last but one of the text.",
        ),
        Edit(
            "a-step-more-in-each-batch",
            X + Y,
            "    n_batches = len(indices) // (m * (T_x + 1))\n"
            "    blocks = indices[: n_batches * m * (T_x + 1)].reshape(m, n_batches, T_x + 1)\n"
            "    blocks = blocks.transpose(1, 2, 0)\n"
            "    x, y = blocks[:, :-1], blocks[:, 1:]\n",
            "The text was cut into pieces of T_x + 1 tokens, so one token between two batches is "
            "never read. x[b + 1] must go on with the very token that follows x[b].",
        ),
        Edit(
            "dealt-like-cards",
            X + Y,
            "    x = indices[:used].reshape(n_batches, T_x, m)\n"
            "    y = indices[1 : used + 1].reshape(n_batches, T_x, m)\n",
            "The text was dealt out like cards: neighbours stand side by side in the batch, and an "
            "example sees only every m-th word. Each example reads one stretch of the text. reshape "
            "keeps the order of the text; it is transpose that moves axes.",
        ),
        Edit(
            "no-streams",
            X + Y,
            "    x = indices[:used].reshape(n_batches, m, T_x).transpose(0, 2, 1)\n"
            "    y = indices[1 : used + 1].reshape(n_batches, m, T_x).transpose(0, 2, 1)\n",
            "Each batch was cut from one place of the text, so the state that example i has left "
            "belongs to another part than the one it reads next. Cut the text into m stretches first.",
        ),
        Edit(
            "batch-before-time",
            X + Y,
            "    x = indices[:used].reshape(m, n_batches, T_x).transpose(1, 0, 2)\n"
            "    y = indices[1 : used + 1].reshape(m, n_batches, T_x).transpose(1, 0, 2)\n",
            "A batch has its examples first: (n_batches, m, T_x). Time comes first in a batch: "
            "(n_batches, T_x, m).",
        ),
        Edit(
            "time-before-all",
            X + Y,
            "    x = indices[:used].reshape(m, n_batches, T_x).transpose(2, 1, 0)\n"
            "    y = indices[1 : used + 1].reshape(m, n_batches, T_x).transpose(2, 1, 0)\n",
            "The axes are (T_x, n_batches, m). The batches are the first axis, so that x[b] is one "
            "batch: (n_batches, T_x, m).",
        ),
        Edit(
            "each-stretch-has-its-rest",
            X + Y,
            "    length = (len(indices) - 1) // m\n"
            "    x = indices[: m * length].reshape(m, length)[:, : n_batches * T_x]\n"
            "    y = indices[1 : m * length + 1].reshape(m, length)[:, : n_batches * T_x]\n"
            "    x = x.reshape(m, n_batches, T_x).transpose(1, 2, 0)\n"
            "    y = y.reshape(m, n_batches, T_x).transpose(1, 2, 0)\n",
            "Every stretch leaves something over at its own end. Only the end of the text should "
            "be left over: a stretch begins where the one before it ends.",
        ),
        Edit(
            "rest-at-the-beginning",
            X + Y,
            "    rest = len(indices) - 1 - used\n"
            "    x = indices[rest:-1].reshape(m, n_batches, T_x).transpose(1, 2, 0)\n"
            "    y = indices[rest + 1 :].reshape(m, n_batches, T_x).transpose(1, 2, 0)\n",
            "What does not fill a batch was left out at the beginning of the text. Leave it out "
            "at the end.",
        ),
        Edit(
            "only-the-last-step-predicts",
            Y,
            Y + "    y = y[:, -1]\n",
            "y holds one token for each example and batch, the one after its last step. A language "
            "model predicts at every step: y has the shape of x.",
        ),
        Edit(
            "stretches-before-batches",
            N_BATCHES,
            "(len(indices) // m - 1) // T_x",
            "The text was cut into m stretches first, and each of them leaves something over at "
            "its own end. Only the end of the text should be left over: count the batches first, "
            "then cut.",
            also=(
                (
                    X,
                    "    rows = indices[: len(indices) // m * m].reshape(m, -1)\n"
                    + from_rows("x", 0),
                ),
                (Y, from_rows("y", 1)),
            ),
        ),
        Edit(
            "wraps-round-the-text",
            N_BATCHES,
            "len(indices) // (m * T_x)",
            "The last token of the text is to predict the first one (np.roll). Nothing follows "
            "the last token, so it cannot be read: count len(indices) - 1 tokens.",
            also=(("indices[1 : used + 1]", "np.roll(indices, -1)[:used]"),),
        ),
    ),
    alternatives=(entry_by_entry, by_a_table_of_places, streams_first, lists),
)
