"""A decoder, backwards, to the state that it started from."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.handed import SineLayer
from autograder.inputs import normal, parameters, sizes
from autograder.specs import Layer
from course.given import RNNParams
from solutions.seq2seq import decode_teacher_forced_backward
from solutions.tests.proofs import complex_step


def inputs(rng, n_states=2, T_y=None, m=None, gradient=1.0):
    """Gradients of a decoder's outputs, and a decoder that has read one-hot vectors."""
    size = sizes(rng, **{k: v for k, v in (("T_y", T_y), ("m", m)) if v})
    T_y, m, n_v, n_a = (size[letter] for letter in ("T_y", "m", "n_y", "n_a"))
    params = parameters(RNNParams, rng, {**size, "n_x": n_v})
    x = np.eye(n_v)[rng.integers(0, n_v, (T_y, m))]
    start = tuple(normal(rng, m, n_a) for _ in range(n_states))
    return {
        "da": normal(rng, T_y, m, n_a) * gradient,
        "decoder": Layer(params, n_states, x, None, start),
    }


def padded(rng):
    """As an output layer leaves it: no gradient at the padding."""
    case = inputs(rng, T_y=6, m=4)
    case["da"][np.arange(6)[:, np.newaxis] >= rng.integers(2, 6, 4)] = 0
    return case


def derivative(da, decoder):
    """Complex steps of the run that the decoder has made."""
    params, n_states, x, _, start = decoder

    def loss(params, *start):
        return (da * SineLayer(params, n_states).forward(x, *start)).sum()

    def moved(i):
        before, after = start[:i], start[i + 1 :]
        return complex_step(lambda s: loss(params, *before, s, *after), start[i])

    grads = {
        name: complex_step(lambda w, name=name: loss(params._replace(**{name: w}), *start), value)
        for name, value in params._asdict().items()
    }
    return tuple(moved(i) for i in range(n_states)), RNNParams(**grads)


def by_index(da, decoder):
    found = decoder.backward(da)
    return found[1:-1], found[-1]


def with_a_gradient_for_every_state(gradients, network):
    """Zeros for the memory, which no output layer has seen; the parts in a list."""
    handed = [gradients] + [np.zeros_like(gradients)] * (len(network.states) - 1)
    everything = list(network.backward(*handed))
    weights = everything.pop()
    everything.pop(0)
    return tuple(np.array(part) for part in everything), weights


def loss_by_loss(da, decoder):
    """The loss of each step by itself, all the way back; then the sum."""
    total = None
    for t in range(len(da)):
        alone = np.zeros(da.shape)
        alone[t] = da[t]
        _, *dstate, grads = decoder.backward(alone)
        parts = [*dstate, *grads]
        total = parts if total is None else [s + p for s, p in zip(total, parts)]
    n = len(total) - len(grads)
    return tuple(total[:n]), type(grads)(*total[n:])


def in_float32(da, decoder):
    _, *dstate, grads = decoder.backward(da.astype(np.float32))
    narrow = [[part.astype(np.float32) for part in parts] for parts in (dstate, grads)]
    return tuple(narrow[0]), type(grads)(*narrow[1])


CALL = "_dx, *dstate, grads = decoder.backward(da)"

EXERCISE = Exercise(
    reference=decode_teacher_forced_backward,
    cases=(
        Case("a state and a memory, every size differs", inputs),
        Case("one state, every size differs", partial(inputs, n_states=1)),
        Case("sequences with padding", padded),
        Case("one step", partial(inputs, T_y=1)),
        Case("one example", partial(inputs, m=1)),
        Case("as many steps as examples", partial(inputs, T_y=4, m=4)),
        Case("a gradient of millions", partial(inputs, gradient=1e6)),
    ),
    returns=("dstate", "grads"),
    points=2,
    hints=(
        "The layer's backward does the work; it returns several things, and you keep all but one of "
        "them. Which one is of no use here?",
        "backward returns the gradient of what was read, then one for each start state, then those "
        "of the parameters. What was read are one-hot vectors: nobody wants their gradient. The "
        "start states came from the encoder.",
        "One line: decoder.backward(da), unpacked into a name for what is not needed, a name with a "
        "star for the gradients of the state, and grads.",
    ),
    misconceptions=(
        Edit(
            "dx-among-the-states",
            CALL,
            "*dstate, grads = decoder.backward(da)",
            "The gradient of what the decoder read was handed back as a part of the state. It is "
            "the first result of backward, and should be left out.",
        ),
        Edit(
            "memory-dropped",
            CALL,
            "_dx, *dstate, grads = decoder.backward(da)\n    dstate = dstate[:1]",
            "Only the hidden state's gradient was handed back. The decoder started from a memory, "
            "too.",
        ),
        Edit(
            "only-the-memory",
            CALL,
            "_dx, *dstate, grads = decoder.backward(da)\n    dstate = dstate[-1:]",
            "Only the memory's gradient was handed back, without the hidden state's.",
        ),
        Edit(
            "parts-swapped",
            CALL,
            "_dx, *dstate, grads = decoder.backward(da)\n    dstate = dstate[::-1]",
            "The gradients of hidden state and memory changed places.",
        ),
        Edit(
            "encoder-learns-nothing",
            CALL,
            "_dx, *dstate, grads = decoder.backward(da)\n    dstate = [0 * d for d in dstate]",
            "dstate is zero, so the encoder would learn nothing. What backward gives for the start "
            "states goes on to the encoder.",
        ),
        Edit(
            "gradient-of-the-first-output",
            CALL,
            "_dx, *dstate, grads = decoder.backward(da)\n    dstate[0] = da[0]",
            "da[0] is the gradient of the state after the first step, and only from that step's own "
            "loss. The state that the decoder started from comes before it, and every step's loss "
            "reaches it.",
        ),
        Edit(
            "last-output-added",
            CALL,
            "_dx, *dstate, grads = decoder.backward(da)\n    dstate[0] = dstate[0] + da[-1]",
            "da[-1] was added. It belongs to the last step, and backward has taken it into account "
            "already.",
        ),
        Edit(
            "only-the-last-loss",
            "decoder.backward(da)",
            "decoder.backward(da * (np.arange(len(da)) == len(da) - 1)[:, None, None])",
            "Only the last step's gradient was sent back. Every token has a loss, so every step has "
            "a gradient.",
        ),
        Edit(
            "only-the-first-loss",
            "decoder.backward(da)",
            "decoder.backward(da * (np.arange(len(da)) == 0)[:, None, None])",
            "Only the first step's gradient was sent back. Every token has a loss, so every step has "
            "a gradient.",
        ),
        Edit(
            "turned-round-in-time",
            "decoder.backward(da)",
            "decoder.backward(da[::-1])",
            "da was turned round in time before it was handed in. The layer itself goes from the "
            "last step to the first: da[t] belongs to step t.",
        ),
        Edit(
            "memory-gets-the-outputs-gradient",
            "decoder.backward(da)",
            "decoder.backward(*[da] * len(decoder.states))",
            "da was handed in for the memory, too. The output layer reads the hidden state only; the "
            "memory has no loss of its own.",
        ),
        Edit(
            "averaged-over-steps",
            "decoder.backward(da)",
            "decoder.backward(da / len(da))",
            "Everything is divided by T_y. If the loss is a mean, that division is in da already.",
        ),
        Edit(
            "averaged-over-examples",
            "decoder.backward(da)",
            "decoder.backward(da / da.shape[1])",
            "Everything is divided by m. If the loss is a mean, that division is in da already.",
        ),
        Edit(
            "sign",
            "decoder.backward(da)",
            "decoder.backward(-da)",
            "The sign is turned. Gradients go back as they come; it is the optimiser that steps "
            "against them.",
        ),
    ),
    alternatives=(by_index, with_a_gradient_for_every_state, loss_by_loss, in_float32),
    derivative=derivative,
)
