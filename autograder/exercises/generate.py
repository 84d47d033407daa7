"""A language model writes a sentence."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.specs import Named, Seeded
from solutions.language_model import generate, sample_token

N_V = 5


def inputs(rng, table, max_length=4, temperature=1.0, draws=100):
    """A model given by its table of probabilities, its tokens renamed at random.

    In the table as it is written, token 0 is the end and token 1 the unknown word.
    """
    table = np.array(table, dtype=float)
    name = rng.permutation(N_V)
    renamed = np.zeros_like(table)
    renamed[:, name[:, np.newaxis], name] = table
    return {
        "step": Named("patient_step", (renamed, np.zeros(1, dtype=int))),
        "state": 0,
        "eos": int(name[0]),
        "unk": int(name[1]),
        "max_length": max_length,
        "temperature": temperature,
        "rng": Seeded(int(rng.integers(1 << 30)), draws),
    }


def sure(follows):
    """A table of a model that is always sure: `follows[state][token]` comes next."""
    return np.eye(N_V)[np.array(follows)]


def any_model(rng, **fixed):
    """A model that ends, and meets unknown words, now and then."""
    table = rng.dirichlet([2.0] * N_V, size=(2, N_V))
    return inputs(rng, table, **fixed)


# Says 2, 3, 4 and ends, if it is given the state and the token that belong to each step.
SPEAKS = sure([[2, 4, 4, 4, 3], [3, 4, 3, 0, 0]])
CHATTERS = sure([[2, 2, 3, 4, 2], [3, 3, 4, 2, 3]])  # never ends
TERSE = np.tile([0.7, 0, 0.3, 0, 0], (2, N_V, 1))
FLAT = np.full((2, N_V, N_V), 0.2)
# Unknown words are frequent. Token 4 comes after one of them, or at a second step from the end,
# and so never.
UNKNOWN = np.tile([0.1, 0.8, 0.05, 0.05, 0], (2, N_V, 1))
UNKNOWN[:, 1] = UNKNOWN[1, 0] = [0, 0, 0, 0, 1]
# Once begun, it says the same over and over.
ECHO = np.tile(np.eye(N_V), (2, 1, 1))
ECHO[:, 0], ECHO[:, 1] = [0, 0.3, 0.67, 0.03, 0], [0, 0, 0, 0, 1]


class Odds:
    """A generator that draws nothing: it takes down the probabilities it is to draw with."""

    def choice(self, n, p):
        self.p = p
        return 0


def texts(step, state, eos, unk, max_length, temperature, rng):
    """Probabilities of all texts that can be written, found by writing each of them."""
    found, begun = {}, [((), state, 1.0)]
    while begun:
        text, before, p_text = begun.pop()
        if len(text) == max_length:
            found[text] = p_text
            continue
        y_hat, after = step(text[-1] if text else eos, before)
        odds = Odds()
        sample_token(np.where(np.arange(len(y_hat)) == unk, 0, y_hat), temperature, odds)
        for token in np.flatnonzero(odds.p).tolist():
            p = p_text * float(odds.p[token])
            if token == eos:
                found[text] = p
            else:
                begun.append(((*text, token), after, p))
    return found


def drawing_again(step, state, eos, unk, max_length, temperature, rng):
    """Unknown words are drawn, and drawn again."""
    tokens, token = [], eos
    for _ in range(max_length):
        y_hat, state = step(token, state)
        token = unk
        while token == unk:
            token = sample_token(y_hat, temperature, rng)
        if token == eos:
            return tokens
        tokens.append(token)
    return tokens


def normalised(step, state, eos, unk, max_length, temperature, rng):
    text = np.array([eos])
    while len(text) <= max_length:
        y_hat, state = step(int(text[-1]), state)
        y_hat = np.where(np.arange(y_hat.size) == unk, 0, y_hat)
        text = np.append(text, sample_token(y_hat / y_hat.sum(), temperature, rng))
        if text[-1] == eos:
            return text[1:-1]
    return text[1:]


def recursive(step, state, eos, unk, max_length, temperature, rng):
    def rest(token, state, left):
        if not left:
            return []
        y_hat, state = step(token, state)
        y_hat[unk] = 0
        token = sample_token(y_hat, temperature, rng)
        return [] if token == eos else [token, *rest(token, state, left - 1)]

    return rest(eos, state, max_length)


def without_the_unknown(step, state, eos, unk, max_length, temperature, rng):
    """Draws from a vocabulary that has no unknown word, and cuts the text at its end."""
    words, token = [], eos
    while token != eos or not words:
        y_hat, state = step(token, state)
        known = np.delete(np.arange(len(y_hat)), unk)
        token = int(known[sample_token(y_hat[known], temperature, rng)])
        words += [token]
        if len(words) == max_length:
            break
    return words[: words.index(eos)] if eos in words else words


STEP = "y_hat, state = step(token, state)"
UNK = "known[unk] = 0"
DRAW = "        token = sample_token(known, temperature, rng)\n"
END = "        if token == eos:\n            break\n"
APPEND = "        tokens.append(token)\n"

EXERCISE = Exercise(
    reference=generate,
    cases=(
        Case(
            "a model that is sure, and ends", partial(inputs, table=SPEAKS, max_length=9, draws=12)
        ),
        Case("a model that never ends", partial(inputs, table=CHATTERS, max_length=5, draws=12)),
        Case("a model that often ends at once", partial(inputs, table=TERSE, draws=30)),
        Case("many unknown words", partial(inputs, table=UNKNOWN, max_length=2, draws=180)),
        Case(
            "a model that repeats itself, hot",
            partial(inputs, table=ECHO, temperature=19.4, max_length=3, draws=160),
        ),
        Case("any model", partial(any_model, temperature=0.8, max_length=2, draws=60)),
        Case("all alike, at most one token", partial(inputs, table=FLAT, max_length=1, draws=40)),
    ),
    returns=("tokens",),
    points=4,
    calls=("sample_token",),
    hints=(
        "Read a token, get a prediction, draw the next token, and read that one in turn. The first "
        "token read is eos: after an end comes a beginning. Two things travel from turn to turn, "
        "the token and the state.",
        "In the loop: step gives a prediction and the next state; then make the unknown word "
        "impossible, in a copy of the prediction, and hand it to sample_token, which does not mind that "
        "the rest no longer sums to 1.",
        "While there are fewer than max_length tokens: take the step, of the newest token and state; "
        "copy y_hat and put 0 at unk; let sample_token draw from the copy. Break if what was drawn is "
        "eos; else append it, and it is the token of the next turn.",
    ),
    misconceptions=(
        Edit(
            "end-is-kept",
            END + APPEND,
            APPEND + END,
            "The end itself stands in the sentence. It ends the sentence, and should be left out.",
        ),
        Edit(
            "end-does-not-end",
            END,
            "        if token == eos:\n            continue\n",
            "Where the end is drawn the sentence goes on, until it is as long as it may be. The "
            "end should end it.",
        ),
        Edit(
            "end-is-a-word",
            END,
            "",
            "The end is taken for a word like any other: it is appended, and the sentence goes on.",
        ),
        Edit(
            "ends-with-an-end",
            APPEND,
            APPEND + "    tokens.append(eos)\n",
            "An end was put at the end of every sentence. Leave it out.",
        ),
        Edit(
            "begins-with-nothing",
            "tokens, token = [], eos",
            "tokens, token = [], unk",
            "The first token read is not eos. What comes after an end is a beginning, and that is "
            "what the model has learned.",
        ),
        Edit(
            "first-prediction-thrown-away",
            "    while len",
            "    y_hat, state = step(token, state)\n    while len",
            "The model takes a step before the loop, and its first prediction is never used.",
        ),
        Edit(
            "unknown-is-drawn",
            "        known[unk] = 0\n",
            "",
            "The unknown word is drawn like any other. It stands for all words that the vocabulary "
            "does not have, and nobody can read it.",
        ),
        Edit(
            "unknown-is-left-out-afterwards",
            "        known[unk] = 0\n",
            "",
            "The unknown word is drawn and left out of the sentence, but the model has read it and "
            "goes on from there. Make it impossible before the draw.",
            also=((APPEND, "        if token != unk:\n            tokens.append(token)\n"),),
        ),
        Edit(
            "unknown-is-drawn-after-another-step",
            "        known[unk] = 0\n",
            "",
            "Where the unknown word is drawn, the model takes another step from the token before. Draw "
            "again from the same prediction; a second step changes the state.",
            also=(
                (
                    DRAW,
                    "        before, token = token, sample_token(known, temperature, rng)\n"
                    "        if token == unk:\n            token = before\n            continue\n",
                ),
            ),
        ),
        Edit(
            "unknown-ends",
            "        known[unk] = 0\n",
            "",
            "The sentence ends where the unknown word is drawn, or the end was given its "
            "probability. Only eos should end it, and what the unknown word had should go to all "
            "others, in proportion.",
            also=(("        if token == eos:", "        if token in (eos, unk):"),),
        ),
        Edit(
            "unknown-becomes-the-best",
            "        known[unk] = 0\n",
            "",
            "Where the unknown word is drawn, the most probable other one is taken. Then that one "
            "comes too often: all others share in it, in proportion.",
            also=(
                (
                    DRAW,
                    DRAW + "        if token == unk:\n            known[unk] = 0\n"
                    "            token = int(known.argmax())\n",
                ),
            ),
        ),
        Edit(
            "end-forbidden-too",
            UNK,
            "known[[unk, eos]] = 0\n        known[eos] = y_hat[eos] if len(tokens) else 0\n"
            "        known[eos] += y_hat[eos] * (known.sum() == 0)",
            "An empty sentence is never written. The end may be drawn at once, and then the sentence "
            "is empty.",
        ),
        Edit(
            "state-not-carried",
            STEP,
            "y_hat, _state = step(token, state)",
            "The state is not carried: each step is given the first one, so the model knows only the "
            "last token.",
        ),
        Edit(
            "token-not-fed-back",
            STEP,
            "y_hat, state = step(eos, state)",
            "The model reads eos at every step. It must read the token that was drawn.",
        ),
        Edit(
            "feeds-back-the-best",
            END + APPEND,
            END + APPEND + "        token = int(known.argmax())\n",
            "The most probable token is read next, and not the one that was drawn and written. The "
            "model must read what stands in the sentence.",
        ),
        Edit(
            "argmax",
            "sample_token(known, temperature, rng)",
            "int(known.argmax())",
            "The most probable token is always taken. It should be drawn, with sample_token.",
        ),
        Edit(
            "temperature-not-passed-on",
            "sample_token(known, temperature, rng)",
            "sample_token(known, 1.0, rng)",
            "The temperature is not passed on to sample_token.",
        ),
        Edit(
            "one-token-too-many",
            "len(tokens) < max_length",
            "len(tokens) <= max_length",
            "The sentence may be one token longer than max_length.",
        ),
        Edit(
            "one-token-too-few",
            "len(tokens) < max_length",
            "len(tokens) + 1 < max_length",
            "The sentence ends one token too early: max_length tokens are allowed, the end not counted.",
        ),
        Edit(
            "only-the-last-token",
            APPEND,
            "        tokens = [*tokens, token]\n    tokens = tokens[-1:]\n",
            "Only the last token is handed back; all of them are asked for.",
        ),
        Edit(
            "same-seed-each-time",
            "sample_token(known, temperature, rng)",
            "sample_token(known, temperature, np.random.default_rng(0))",
            "A fresh generator with a fixed seed is made for every token. Use the rng that is handed "
            "in: it moves on from draw to draw.",
        ),
        Edit(
            "unknown-counts",
            "while len(tokens) < max_length:",
            "for _ in range(max_length):",
            "The unknown word is drawn and left out of the sentence, but it has taken a turn: the"
            " model has read it, and the sentence comes out shorter. Make it impossible before "
            "the draw.",
            also=(
                ("known[unk] = 0", "known = y_hat"),
                (
                    "        tokens.append(token)\n",
                    "        if token != unk:\n            tokens.append(token)\n",
                ),
            ),
        ),
    ),
    alternatives=(drawing_again, normalised, recursive, without_the_unknown),
    distribution=texts,
)
