"""A decoder writes by itself: the most probable token, step after step."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.specs import Named
from solutions.seq2seq import greedy_decode

N_V, STATES = 6, 61


def inputs(rng, table, eos, max_length=8, state=0):
    """A decoder given by its table of predictions, one for each state."""
    table = np.array(table, dtype=float)
    return {
        "step": Named("forked_step", (table / table.sum(axis=1, keepdims=True), np.zeros(1, int))),
        "state": state,
        "eos": eos,
        "max_length": max_length,
    }


def writes(rng, length, max_length, tie=False):
    """A decoder that says a random text of so many tokens, and then its end, token 2."""
    table, visited = rng.dirichlet(np.ones(N_V), size=STATES), []
    while len(set(visited)) < length + 1:  # another state at each step
        tokens = rng.choice([0, 1, 3, 4], length)
        state = start = int(rng.integers(1, STATES))
        visited = []
        for token in [2, *tokens]:
            state = (3 * state + int(token) + 1) % STATES
            visited.append(state)
    table[visited, [*tokens, 2]] += 1
    if tie:
        table[visited[:-1], 5] = table[visited[:-1], tokens]
    return inputs(rng, table, 2, max_length, start)


def is_never_sure(rng):
    """A decoder to which no token, and no end, is ever more probable than not."""
    case = writes(rng, length=4, max_length=9)
    table, taken = case["step"].arguments
    best = table.argmax(axis=1)
    table = (table + 1) / (table + 1).sum(axis=1, keepdims=True)  # none is beyond 2 / 7
    table[np.arange(STATES), best] += 0.2
    return {**case, "step": Named("forked_step", (table / 1.2, taken))}


def never_ends(rng):
    table = rng.dirichlet(np.ones(N_V), size=STATES)
    table[:, 2] = 0
    return inputs(rng, table, 2, max_length=5, state=7)


def for_loop(step, state, eos, max_length):
    tokens = [eos]
    for _ in range(max_length):
        y_hat, state = step(tokens[-1], state)
        best = np.flatnonzero(y_hat == y_hat.max())[0]
        if best == eos:
            break
        tokens.append(best)
    return tokens[1:]


def recursive(step, state, eos, max_length):
    def rest(token, state, left):
        if left == 0:
            return []
        y_hat, state = step(token, state)
        best = int(np.argmax(y_hat))
        return [] if best == eos else [best, *rest(best, state, left - 1)]

    return rest(eos, state, max_length)


def in_an_array(ask, thought, stop, most):
    """Writes everything, and cuts at the end afterwards."""
    written = np.full(most + 1, stop)
    for place in range(most):
        odds, thought = ask(int(written[place]), thought)
        written[place + 1] = max(range(len(odds)), key=lambda k: odds[k])
    text = list(written[1:])
    return text[: text.index(stop)] if stop in text else text


def as_a_generator(step, state, eos, max_length):
    def tokens(token, state):
        while True:
            y_hat, state = step(token, state)
            token = sorted(range(len(y_hat)), key=lambda k: -y_hat[k])[0]
            if token == eos:
                return
            yield token

    return [token for token, _ in zip(tokens(eos, state), range(max_length))]


STEP = "y_hat, state = step(token, state)"
BEST = "token = int(y_hat.argmax())"
END = "        if token == eos:\n            break\n"
APPEND = "        tokens.append(token)\n"

EXERCISE = Exercise(
    reference=greedy_decode,
    cases=(
        Case("a text of four tokens", partial(writes, length=4, max_length=9)),
        Case("a text of five tokens", partial(writes, length=5, max_length=9)),
        Case("a text as long as it may be", partial(writes, length=6, max_length=6)),
        Case("a text longer than it may be", partial(writes, length=7, max_length=4)),
        Case("an end at once", partial(writes, length=0, max_length=5)),
        Case("at most one token", partial(writes, length=3, max_length=1)),
        Case("a decoder that never ends", never_ends),
        Case("nothing is ever more probable than not", is_never_sure),
        Case("two tokens equally probable", partial(writes, length=3, max_length=6, tie=True)),
    ),
    returns=("tokens",),
    points=3,
    hints=(
        "Read a token, get a prediction, take its best, and read that one in turn. The first token "
        "read is eos. Two things travel from turn to turn: the token and the state.",
        "In the loop: step(token, state) gives a prediction and the next state; argmax gives the "
        "most probable token, and of equals the lowest. If it is eos, stop; else append it.",
        "Begin with tokens an empty list and token equal to eos. While there are fewer than "
        "max_length tokens: take the step and keep the state that it returns; token becomes "
        "the prediction's argmax, as an int; break at eos; append.",
    ),
    misconceptions=(
        Edit(
            "end-is-kept",
            END + APPEND,
            APPEND + END,
            "The end itself stands in the sequence. It ends the sequence, and should be left out.",
        ),
        Edit(
            "end-does-not-end",
            END,
            "        if token == eos:\n            continue\n",
            "Where the end is the most probable the sequence goes on. The end should end it.",
        ),
        Edit(
            "end-is-a-token",
            END,
            "",
            "The end is taken for a token like any other: it is appended, and the sequence goes on.",
        ),
        Edit(
            "ends-with-an-end",
            APPEND,
            APPEND + "    tokens.append(eos)\n",
            "An end was put at the end of every sequence. Leave it out.",
        ),
        Edit(
            "ends-only-when-sure",
            "if token == eos:",
            "if y_hat[eos] > 0.5:",
            "The sequence ends only where the end is more probable than not. It should end where the "
            "end is the most probable: with several tokens, that may be less than one half.",
        ),
        Edit(
            "begins-with-an-end",
            APPEND,
            APPEND + "    tokens.insert(0, eos)\n",
            "The eos that is read first was kept in the sequence. It should be read, and stand "
            "nowhere among the tokens.",
        ),
        Edit(
            "begins-with-token-0",
            "tokens, token = [], eos",
            "tokens, token = [], 0",
            "The first token read is 0. It should be eos, which has an index of its own here.",
        ),
        Edit(
            "first-prediction-thrown-away",
            "    while len",
            "    y_hat, state = step(token, state)\n    while len",
            "The decoder takes a step before the loop, and its first prediction is never used.",
        ),
        Edit(
            "first-state-thrown-away",
            STEP,
            "y_hat, state = step(token, state if tokens else 0)",
            "The first step starts from 0 and not from the state that the encoder has made.",
        ),
        Edit(
            "state-not-carried",
            STEP,
            "y_hat, _state = step(token, state)",
            "The state is not carried: every step is given the encoder's. The decoder forgets what "
            "it has written.",
        ),
        Edit(
            "token-not-fed-back",
            STEP,
            "y_hat, state = step(eos, state)",
            "The decoder reads eos at every step. It must read the token that it has just written.",
        ),
        Edit(
            "first-token-fed-back",
            STEP,
            "y_hat, state = step(tokens[0] if tokens else eos, state)",
            "The decoder reads its first token over and over. It must read the newest one.",
        ),
        Edit(
            "one-token-late",
            STEP,
            "y_hat, state = step(tokens[-2] if len(tokens) > 1 else eos, state)",
            "The decoder reads the token before the newest one.",
        ),
        Edit(
            "least-probable",
            BEST,
            "token = int(y_hat.argmin())",
            "The least probable token was taken.",
        ),
        Edit(
            "last-of-equals",
            BEST,
            "token = len(y_hat) - 1 - int(y_hat[::-1].argmax())",
            "Of two tokens that are equally probable the one with the higher index was taken.",
        ),
        Edit(
            "drawn",
            BEST,
            "token = int(np.random.default_rng(0).choice(len(y_hat), p=y_hat))",
            "The token was drawn. Greedy decoding takes the most probable one, so that the same "
            "input always gives the same output.",
        ),
        Edit(
            "never-empty",
            BEST,
            "known = y_hat * ((np.arange(len(y_hat)) != eos) | (len(tokens) > 0))\n"
            "        token = int(known.argmax())",
            "An empty sequence is never written. Where the end is the most probable at once, the "
            "sequence is empty.",
        ),
        Edit(
            "stops-where-it-repeats",
            "if token == eos:",
            "if token in (eos, *tokens):",
            "The sequence ends where a token comes a second time. Only eos should end it.",
        ),
        Edit(
            "one-token-too-many",
            "len(tokens) < max_length",
            "len(tokens) <= max_length",
            "The sequence may be one token longer than max_length.",
        ),
        Edit(
            "one-token-too-few",
            "len(tokens) < max_length",
            "len(tokens) + 1 < max_length",
            "The sequence ends one token too early: max_length tokens are allowed, the end not "
            "counted.",
        ),
        Edit(
            "only-the-last-token",
            APPEND,
            "        tokens = [*tokens, token]\n    tokens = tokens[-1:]\n",
            "Only the last token is handed back; all of them are asked for.",
        ),
        Edit(
            "in-reverse",
            APPEND,
            "        tokens.append(token)\n    tokens = tokens[::-1]\n",
            "The tokens are in reverse. The first one written comes first.",
        ),
    ),
    alternatives=(for_loop, recursive, in_an_array, as_a_generator),
)
