"""An encoder: a whole sequence becomes one state."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from autograder.specs import Layer
from course.given import RNNParams
from solutions.seq2seq import encode_sequence


def inputs(rng, n_states=2, T_x=None, m=None, full=False):
    """Sequences of different lengths, with anything at all in their padding."""
    size = sizes(rng, **{k: v for k, v in (("T_x", T_x), ("m", m)) if v})
    T_x, m = size["T_x"], size["m"]
    return {
        "x": normal(rng, T_x, m, size["n_x"]),
        "lengths": np.full(m, T_x) if full else ragged(rng, T_x, m),
        "encoder": Layer(parameters(RNNParams, rng, size), n_states),
    }


def ragged(rng, T_x, m):
    """Real steps of each of m examples: the first is not the longest, and one has T_x."""
    lengths = rng.integers(1, T_x, m) if T_x > 1 else np.ones(m, int)
    lengths[-1] = T_x
    return lengths


def long(rng):
    """The encoder's units swing fast: large inputs."""
    case = inputs(rng, n_states=1, T_x=12, m=3)
    return {**case, "x": case["x"] * 20}


def by_indices(x, lengths, encoder):
    encoder.forward(x, lengths=lengths)
    columns = np.arange(x.shape[1])
    return tuple(over_time[lengths - 1, columns] for over_time in encoder.states)


def by_a_mask(x, lengths, encoder):
    """The last real step of each example is marked, and everything else multiplied by 0."""
    encoder.forward(x, lengths=lengths)
    ends = np.arange(1, len(x) + 1)[:, None] == lengths
    return tuple(np.einsum("tm,tma->ma", ends, s) for s in encoder.states)


def example_by_example(sentences, n_words, network):
    """Runs over the padding too, and picks each example's own step afterwards."""
    network.forward(sentences)
    found = []
    for hidden in network.states:
        rows = []
        for i, n in enumerate(n_words):
            rows.append(list(hidden[n - 1][i]))
        found.append(np.array(rows))
    return tuple(found)


def in_float32(x, lengths, encoder):
    encoder.forward(x.astype(np.float32), lengths=list(lengths))
    return tuple([part.astype(np.float32) for part in encoder.last])


RUN = "encoder.forward(x, lengths=lengths)"
LAST = "state = encoder.last\n"

EXERCISE = Exercise(
    reference=encode_sequence,
    cases=(
        Case("a state and a memory, every size differs", inputs),
        Case("one state, every size differs", partial(inputs, n_states=1)),
        Case("more examples than steps", partial(inputs, T_x=3, m=8)),
        Case("one step", partial(inputs, T_x=1)),
        Case("one example", partial(inputs, m=1)),
        Case("as many steps as examples", partial(inputs, T_x=4, m=4)),
        Case("no padding", partial(inputs, full=True)),
        Case("a long sequence of large inputs", long),
    ),
    returns=("state",),
    points=2,
    hints=(
        "The layer does the reading: all that you decide is how far each example is read, and "
        "which of the states over time is handed on.",
        "The layer's forward takes the lengths by name, as lengths=, and stops each example after "
        "its own last real step. What it returns are outputs over time; what you want is the state "
        "at each example's end, all of its parts.",
        "Two lines: run encoder.forward on x with the lengths; then the layer has, in its attribute "
        "last, the tuple that is asked for.",
    ),
    misconceptions=(
        Edit(
            "lengths-ignored",
            RUN,
            "encoder.forward(x)",
            "The encoder was not told the lengths, so it read on through the padding, and its last "
            "state is one that the padding has changed.",
        ),
        Edit(
            "last-step-of-the-batch",
            LAST,
            "state = tuple(s[-1] for s in encoder.states)\n",
            "The state was taken at the last step of the batch. A shorter example ended before, at "
            "its own length.",
        ),
        Edit(
            "examples-not-paired",
            LAST,
            "state = tuple(s[lengths - 1] for s in encoder.states)\n",
            "s[lengths - 1] takes those steps of every example, and so makes (m, m, n_a) of it. Pair "
            "each example's step with the example: s[lengths - 1, np.arange(m)].",
        ),
        Edit(
            "one-step-early",
            LAST,
            "state = tuple(s[lengths - 2, np.arange(len(lengths))] for s in encoder.states)\n",
            "The state was taken one step early: step number L has index L - 1.",
        ),
        Edit(
            "first-step",
            LAST,
            "state = tuple(s[0] for s in encoder.states)\n",
            "This is the state after the first step, which has read next to nothing.",
        ),
        Edit(
            "length-of-the-longest",
            LAST,
            "state = tuple(s[lengths[0] - 1] for s in encoder.states)\n",
            "All examples were read out at one step, the last of the first example. Each has a "
            "length of its own.",
        ),
        Edit(
            "memory-dropped",
            LAST,
            "state = encoder.last[:1]\n",
            "Only the hidden state was handed on. An LSTM also has a memory, and the decoder needs "
            "both to go on where the encoder stopped.",
        ),
        Edit(
            "only-the-memory",
            LAST,
            "state = encoder.last[-1:]\n",
            "Only the memory was handed on, without the hidden state.",
        ),
        Edit(
            "parts-swapped",
            LAST,
            "state = encoder.last[::-1]\n",
            "Hidden state and memory changed places. The output comes first, as in encoder.states.",
        ),
        Edit(
            "all-the-states",
            LAST,
            "state = encoder.states\n",
            "These are the states of every step. The encoder hands over one state for each example, "
            "the one after its last real step.",
        ),
        Edit(
            "mean-of-the-states",
            LAST,
            "state = tuple(s.sum(axis=0) / lengths[:, None] for s in encoder.states)\n",
            "This is the mean of the states over time. The state after the last real step, which "
            "has read everything, is asked for.",
        ),
        Edit(
            "sum-of-the-states",
            LAST,
            "state = tuple(s.sum(axis=0) for s in encoder.states)\n",
            "This is the sum of the states over time. The state after the last real step is "
            "asked for.",
        ),
        Edit(
            "read-backwards",
            RUN,
            "encoder.forward(x[::-1], lengths=lengths)",
            "The sequence was turned round together with its padding, so a short example begins "
            "with padding and its beginning is never read. Read it as it is.",
        ),
        Edit(
            "one-word-short",
            RUN,
            "encoder.forward(x, lengths=np.maximum(lengths - 1, 1))",
            "The encoder was told lengths that are too short by one: the last word was not read.",
        ),
        Edit(
            "outputs-for-states",
            RUN,
            "a = encoder.forward(x, lengths=lengths)",
            "The output over time was handed on in place of a state: what forward returns has an "
            "entry for every step.",
            also=((LAST, "state = (a,) * len(encoder.last)\n"),),
        ),
        Edit(
            "memory-is-the-hidden-state",
            LAST,
            "state = (encoder.last[0],) * len(encoder.last)\n",
            "The hidden state was handed on twice, once in place of the memory.",
        ),
        Edit(
            "lengths-without-their-name",
            "encoder.forward(x, lengths=lengths)",
            "encoder.forward(x, lengths)",
            "The lengths were handed over without their name, so the layer takes them for a start"
            " state. Write lengths=lengths.",
        ),
    ),
    alternatives=(by_indices, by_a_mask, example_by_example, in_float32),
)
