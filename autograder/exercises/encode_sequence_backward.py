"""An encoder, backwards: the gradient enters at each example's last real step."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.exercises.encode_sequence import ragged
from autograder.handed import SineLayer
from autograder.inputs import normal, parameters, sizes
from autograder.specs import Layer
from course.given import RNNParams
from solutions.seq2seq import encode_sequence, encode_sequence_backward
from solutions.tests.proofs import complex_step


def inputs(rng, n_states=2, T_x=None, m=None, full=False, gradient=1.0):
    """Gradients of an encoded state, and an encoder that has read its batch."""
    size = sizes(rng, **{k: v for k, v in (("T_x", T_x), ("m", m)) if v})
    T_x, m = size["T_x"], size["m"]
    lengths = np.full(m, T_x) if full else ragged(rng, T_x, m)
    params, x = parameters(RNNParams, rng, size), normal(rng, T_x, m, size["n_x"])
    return {
        "dstate": tuple(normal(rng, m, size["n_a"]) * gradient for _ in range(n_states)),
        "lengths": lengths,
        "encoder": Layer(params, n_states, x, lengths),
    }


def derivative(dstate, lengths, encoder):
    """Complex steps of the reference's way forward."""
    params, n_states, x, *_ = encoder

    def loss(x, params):
        state = encode_sequence(x, lengths, SineLayer(params, n_states))
        return sum((d * s).sum() for d, s in zip(dstate, state, strict=True))

    grads = {
        name: complex_step(lambda w, name=name: loss(x, params._replace(**{name: w})), value)
        for name, value in params._asdict().items()
    }
    return complex_step(lambda v: loss(v, params), x), RNNParams(**grads)


def by_a_mask(dstate, lengths, encoder):
    """The gradient is at every step, times 1 at the last real one and 0 elsewhere."""
    T_x = len(encoder.states[0])
    ends = np.arange(T_x)[:, None, None] == lengths[:, None] - 1
    dx, *_, grads = encoder.backward(*(ends * d for d in dstate))
    return dx, grads


def entry_by_entry(gradients, n_words, network):
    """Lists of rows, filled where they belong."""
    spread = []
    for g, over_time in zip(gradients, network.states):
        empty = np.zeros_like(over_time)
        for i in range(len(n_words)):
            empty[n_words[i] - 1][i] += g[i]
        spread.append(empty)
    everything = network.backward(*spread)
    return everything[0], everything[-1]


def by_one_hot_vectors(dstate, lengths, encoder):
    ends = np.eye(len(encoder.states[0]))[lengths - 1]  # (m, T_x)
    found = encoder.backward(*[np.einsum("mt,ma->tma", ends, d) for d in dstate])
    return [found[0], found[-1]]


def in_float32(dstate, lengths, encoder):
    T_x, m, n_a = encoder.states[0].shape
    over_time = np.zeros((len(dstate), T_x, m, n_a), np.float32)
    over_time[:, lengths - 1, range(m)] = np.stack(dstate)
    dx, *_, grads = encoder.backward(*over_time)
    return dx.astype(np.float32), type(grads)(*(g.astype(np.float32) for g in grads))


ENTER = "d[lengths - 1, np.arange(m)] = d_last"
CALL = "dx, *_dstart, grads = encoder.backward(*dstates)"

EXERCISE = Exercise(
    reference=encode_sequence_backward,
    cases=(
        Case("a state and a memory, every size differs", inputs),
        Case("one state, every size differs", partial(inputs, n_states=1)),
        Case("more examples than steps", partial(inputs, T_x=3, m=8)),
        Case("one step", partial(inputs, T_x=1)),
        Case("one example", partial(inputs, m=1)),
        Case("as many steps as examples", partial(inputs, T_x=4, m=4)),
        Case("no padding", partial(inputs, full=True)),
        Case("a long sequence, a gradient of millions", partial(inputs, T_x=12, gradient=1e6)),
    ),
    returns=("dx", "grads"),
    points=4,
    hints=(
        "The layer's backward wants gradients over time, one array for each of its states. The loss "
        "has seen only one step of each example: everywhere else the gradient is zero.",
        "For each part of dstate make zeros of shape (T_x, m, n_a), and put row i of it at step "
        "lengths[i] - 1 of example i. Two arrays of indices, one for time and one for examples, do "
        "it for all examples at once.",
        "In a loop over dstate: zeros; at the pair of indices lengths - 1 and np.arange(m) they get "
        "d_last; append to a list. Then encoder.backward of all of the list, with a star: its first "
        "result is dx, its last are the gradients of the parameters.",
    ),
    misconceptions=(
        Edit(
            "at-the-last-step-of-the-batch",
            ENTER,
            "d[-1] = d_last",
            "The gradient enters at the last step of the batch. That is padding for a shorter "
            "example, which then learns nothing: its own last real step is lengths[i] - 1.",
        ),
        Edit(
            "at-every-step",
            ENTER,
            "d[:] = d_last",
            "The gradient enters at every step. The decoder saw one state of each example, the one "
            "after its last real step.",
        ),
        Edit(
            "at-the-first-step",
            ENTER,
            "d[0] = d_last",
            "The gradient enters at the first step, so the later words get none.",
        ),
        Edit(
            "one-step-early",
            ENTER,
            "d[lengths - 2, np.arange(m)] = d_last",
            "The gradient enters one step early: step number L has index L - 1.",
        ),
        Edit(
            "index-of-the-length",
            ENTER,
            "d[lengths, np.arange(m)] = d_last",
            "lengths itself was taken as an index. Code counts from 0: the last of L steps has "
            "index L - 1.",
        ),
        Edit(
            "examples-not-paired",
            ENTER,
            "d[lengths - 1] = d_last",
            "d[lengths - 1] takes those steps of every example, so an example also gets a gradient "
            "at the others' ends. Pair each step with its own example: a second index.",
        ),
        Edit(
            "end-of-the-first-example",
            ENTER,
            "d[lengths[0] - 1] = d_last",
            "All gradients enter where the first example ends. Each example has its own last step.",
        ),
        Edit(
            "memory-dropped",
            CALL,
            "dx, *_dstart, grads = encoder.backward(dstates[0])",
            "Only the hidden state's gradient was handed in. The memory went to the decoder as well, "
            "and its gradient comes back.",
        ),
        Edit(
            "parts-swapped",
            CALL,
            "dx, *_dstart, grads = encoder.backward(*dstates[::-1])",
            "The gradients of hidden state and memory changed places.",
        ),
        Edit(
            "same-for-every-part",
            "for d_last in dstate:",
            "for d_last in [dstate[0]] * len(dstate):",
            "The hidden state's gradient was handed in for the memory, too. Each part of the state "
            "has a gradient of its own.",
        ),
        Edit(
            "averaged-over-examples",
            ENTER,
            "d[lengths - 1, np.arange(m)] = d_last / m",
            "Everything is divided by m. If the loss is a mean, that division is in dstate already.",
        ),
        Edit(
            "averaged-over-steps",
            ENTER,
            "d[lengths - 1, np.arange(m)] = d_last / lengths[:, np.newaxis]",
            "Each gradient is divided by the length of its example. The loss saw one state, not a "
            "mean over steps.",
        ),
        Edit(
            "sign",
            ENTER,
            "d[lengths - 1, np.arange(m)] = -d_last",
            "The sign is turned. Gradients go back as they come; it is the optimiser that steps "
            "against them.",
        ),
        Edit(
            "dx-turned-round",
            CALL,
            CALL + "\n    dx = dx[::-1]",
            "dx is turned round in time. The layer has put it in order: dx[0] belongs to the first "
            "step.",
        ),
        Edit(
            "dx-is-what-was-handed-in",
            CALL,
            "_dx, *_dstart, grads = encoder.backward(*dstates)\n    dx = dstates[0]",
            "dx is the gradient that was handed in. The gradient of the input is the first of what "
            "the layer's backward returns.",
        ),
        Edit(
            "start-state-for-dx",
            CALL,
            "_dx, dx, *_dstart, grads = encoder.backward(*dstates)",
            "What was returned as dx is the gradient of the start state. The gradient of the input "
            "is the first of what the layer's backward returns.",
        ),
        Edit(
            "parts-as-one-argument",
            "encoder.backward(*dstates)",
            "encoder.backward(dstates)",
            "The list was handed over as one argument. backward takes one gradient for each part "
            "of the state: spread the list with a star.",
        ),
    ),
    alternatives=(by_a_mask, entry_by_entry, by_one_hot_vectors, in_float32),
    derivative=derivative,
)
