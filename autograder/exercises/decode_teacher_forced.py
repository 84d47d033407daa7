"""A decoder that is taught: it reads the right tokens, one step late."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from autograder.specs import Layer, Named
from course.given import RNNParams
from solutions.seq2seq import decode_teacher_forced


def inputs(rng, n_states=2, T_y=None, m=None, n_v=None, scale=1.0):
    """Right tokens that are all random: what follows an end is padding and may be anything."""
    size = sizes(rng, **{k: v for k, v in (("T_y", T_y), ("m", m)) if v})
    T_y, m, n_a = (size[letter] for letter in ("T_y", "m", "n_a"))
    n_v = n_v or size["n_y"] + 2
    return {
        "y": rng.integers(0, n_v, (T_y, m)),
        "state": tuple(normal(rng, m, n_a) * scale for _ in range(n_states)),
        "decoder": Layer(parameters(RNNParams, rng, {**size, "n_x": n_v}), n_states),
        "output": Named("squared_shares", (normal(rng, n_v, n_a), normal(rng, n_v) + 2)),
        "eos": int(rng.integers(1, n_v)),
        "n_v": n_v,
    }


def words(rng):
    """Sequences that end, and the end again and again as padding."""
    case = inputs(rng, n_states=1, T_y=6, m=4)
    ends = np.arange(6)[:, np.newaxis] >= rng.integers(1, 6, 4)
    return {**case, "y": np.where(ends, case["eos"], case["y"])}


def filling(y, state, decoder, output, eos, n_v):
    T_y, m = y.shape
    x = np.zeros((T_y, m, n_v))
    x[0, :, eos] = 1
    for t in range(1, T_y):
        x[t, np.arange(m), y[t - 1]] = 1
    return output(decoder.forward(x, *state))


def rows_of_the_identity(y, state, decoder, output, eos, n_v):
    before = np.roll(y, 1, axis=0)
    before[0] = eos
    return output(decoder.forward(np.eye(n_v)[before], *state))


def in_lists(right, thought, network, to_words, stop, size):
    """One-hot vectors as lists of lists of lists, and predictions step by step."""
    read = [[stop] * len(right[0])]
    for row in right[:-1]:
        read.append(list(row))
    vectors = [[[float(k == token) for k in range(size)] for token in row] for row in read]
    hidden = network.forward(np.array(vectors), *thought)
    return [to_words(h) for h in hidden]


def padded_in_front(y, state, decoder, output, eos, n_v):
    """In single precision; the end is put in front and the last token cut off."""
    shifted = np.pad(y, ((1, 0), (0, 0)), constant_values=eos)[:-1]
    x = np.zeros((shifted.size, n_v), np.float32)
    x[range(shifted.size), shifted.ravel()] = 1
    a = decoder.forward(x.reshape(*y.shape, n_v), *state)
    return output(a).astype(np.float32)


FIRST = "first = np.full_like(y[:1], eos)"
SHIFT = "np.concatenate([first, y[:-1]])"
RUN = "decoder.forward(x, *state)"
PREDICT = "    y_hat = output(a)\n"

EXERCISE = Exercise(
    reference=decode_teacher_forced,
    cases=(
        Case("a state and a memory, every size differs", inputs),
        Case("one state, every size differs", partial(inputs, n_states=1)),
        Case("sequences that end, and padding", words),
        Case("one step", partial(inputs, T_y=1)),
        Case("one example", partial(inputs, m=1)),
        Case("as many steps as examples", partial(inputs, T_y=4, m=4)),
        Case("a large vocabulary", partial(inputs, n_v=300, T_y=3, m=2)),
        Case("a state of large numbers", partial(inputs, scale=30.0)),
    ),
    returns=("y_hat",),
    points=4,
    hints=(
        "What is read is y, one step late: the end first, then y without its last token. The decoder "
        "starts from the encoder's state.",
        "Join a row of eos and y[:-1] to a (T_y, m) array of tokens. For one-hot vectors, compare "
        "each token, with a new axis behind, with np.arange(n_v). Then the layer, then output.",
        "np.full_like makes a first row of the shape of y[:1]; np.concatenate puts y[:-1] under it. The "
        "comparison gives booleans: make them numbers with astype. decoder.forward takes them and "
        "then every part of the state, with a star; output of what comes back is y_hat.",
    ),
    misconceptions=(
        Edit(
            "shifted-over-examples",
            SHIFT,
            "np.concatenate([first, y[:, :-1]], axis=1)",
            "The tokens were shifted from example to example. Time comes first: y[:-1] is every step "
            "but the last, of all examples.",
            also=((FIRST, "first = np.full_like(y[:, :1], eos)"),),
        ),
        Edit(
            "reads-what-it-is-to-predict",
            SHIFT,
            "y",
            "The decoder reads the token that it is to predict at the same step. It would learn "
            "to copy, and be lost when it writes by itself. It should read the token of the step "
            "before.",
        ),
        Edit(
            "reads-ahead",
            SHIFT,
            "np.concatenate([y[1:], first])",
            "The tokens were shifted the wrong way: the decoder reads what comes after the token "
            "that it is to predict.",
        ),
        Edit(
            "end-at-the-end",
            SHIFT,
            "np.concatenate([y[:-1], first])",
            "The end was put behind the right tokens, so nothing is shifted: the decoder reads "
            "what it is to predict. The end should come first.",
        ),
        Edit(
            "first-token-twice",
            FIRST,
            "first = y[:1]",
            "The first thing read is the first right token, which is just what is to be "
            "predicted there. It should be eos: after an end comes a beginning.",
        ),
        Edit(
            "begins-with-token-0",
            FIRST,
            "first = np.zeros_like(y[:1])",
            "The first thing read is token 0. It should be eos, which has an index of its own "
            "here.",
        ),
        Edit(
            "begins-with-nothing",
            FIRST,
            "first = np.full_like(y[:1], -1)",
            "The first thing read is a vector of zeros, or the last token of the vocabulary. It "
            "should be the one-hot vector of eos.",
        ),
        Edit(
            "two-steps-late",
            SHIFT,
            "np.concatenate([first, first, y[:-2]])[: len(y)]",
            "The right tokens come two steps late. Step t should read the token of step t - 1.",
        ),
        Edit(
            "reads-the-end-every-time",
            SHIFT,
            "np.full_like(y, eos)",
            "The decoder reads eos at every step. That is right at the first only. At every "
            "other step it should read the right token of the step before.",
        ),
        Edit(
            "reads-the-first-token-every-time",
            "y[:-1]])",
            "np.repeat(y[:1], len(y) - 1, axis=0)])",
            "From the second step on, the first right token is read over and over. Step t should "
            "read the token of step t - 1.",
        ),
        Edit(
            "encoder-ignored",
            RUN,
            "decoder.forward(x)",
            "The decoder starts from zeros, so whatever the encoder has read is lost. It should "
            "start from the encoder's state.",
        ),
        Edit(
            "memory-not-handed-over",
            RUN,
            "decoder.forward(x, state[0], *(np.zeros_like(s) for s in state[1:]))",
            "The decoder got the hidden state, and a memory of zeros. It should start from both "
            "parts of the encoder's state.",
        ),
        Edit(
            "only-the-hidden-state",
            RUN,
            "decoder.forward(x, state[0])",
            "Only the hidden state was handed to the decoder. A layer with a memory starts from two "
            "arrays: *state hands on as many as there are.",
        ),
        Edit(
            "state-as-one-argument",
            RUN,
            "decoder.forward(x, state)",
            "The tuple was handed on as one argument. The layer takes its start states one by one: "
            "*state.",
        ),
        Edit(
            "parts-swapped",
            RUN,
            "decoder.forward(x, *state[::-1])",
            "Hidden state and memory changed places on the way to the decoder.",
        ),
        Edit(
            "feeds-back-its-own",
            PREDICT,
            "    for t in range(1, len(y)):\n"
            "        x[t] = output(a)[t - 1].argmax(axis=-1)[:, np.newaxis] == np.arange(n_v)\n"
            "        a = decoder.forward(x, *state)\n" + PREDICT,
            "The decoder reads its own most probable tokens. That is how it writes; while it is "
            "taught it should read the right ones.",
        ),
        Edit(
            "feeds-back-its-predictions",
            PREDICT,
            "    for t in range(1, len(y)):\n"
            "        x[t] = output(a)[t - 1]\n"
            "        a = decoder.forward(x, *state)\n" + PREDICT,
            "The decoder reads its own predictions, vectors of probabilities. While it is taught "
            "it should read the right tokens.",
        ),
        Edit(
            "states-for-predictions",
            PREDICT,
            "    y_hat = a\n",
            "These are the decoder's states. The output layer makes predictions of them.",
        ),
        Edit(
            "only-the-last-prediction",
            PREDICT,
            "    y_hat = output(a[-1])\n",
            "Only the last step's prediction was returned. There is one for every token.",
        ),
        Edit(
            "indices-for-vectors",
            "    a = decoder",
            "    x = tokens[:, :, np.newaxis]\n    a = decoder",
            "The decoder was given the indices themselves. It should be given one-hot vectors, "
            "n_v numbers for each token.",
        ),
        Edit(
            "each-step-from-the-encoder",
            "a = decoder.forward(x, *state)",
            "a = np.concatenate([decoder.forward(x[t : t + 1], *state) for t in range(len(x))])",
            "Every step starts from the encoder's state, and what the decoder has read until then"
            " is lost. Run it once, over the whole sequence: it carries its state from step to "
            "step.",
        ),
        Edit(
            "rolled-round",
            "first = np.full_like(y[:1], eos)",
            "first = y[-1:]",
            "The tokens were rolled round, so that the first thing read is what stood in the last"
            " place. It should be eos: after an end comes a beginning.",
        ),
    ),
    alternatives=(filling, rows_of_the_identity, in_lists, padded_in_front),
)
