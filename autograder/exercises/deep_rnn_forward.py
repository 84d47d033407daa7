"""Recurrent layers over whole sequences, one upon another."""

from functools import partial, reduce

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, sizes
from autograder.specs import Stack
from solutions.deep_rnn import deep_rnn_forward


def inputs(rng, states=(1, 2, 1), zeros=(), **fixed):
    """Layers with so many states each; those of `zeros` are given no start states.

    Their numbers of units differ, and differ from n_x.
    """
    size = sizes(rng, **fixed)
    n_a = rng.permutation([n for n in range(2, 9) if n != size["n_x"]])[: len(states)].tolist()
    for above, n_states in enumerate(states[1:], start=1):
        if not n_states:  # a layer that only weighs has as many units as the one below
            n_a[above] = n_a[above - 1]
    starts = [
        () if layer in zeros else tuple(normal(rng, size["m"], n) for _ in range(n_states))
        for layer, (n, n_states) in enumerate(zip(n_a, states, strict=True))
    ]
    gains = [(k, rng.uniform(0.5, 1.5, n)) for k, n in zip(states, n_a, strict=True)]
    return {
        "x": normal(rng, size["T_x"], size["m"], size["n_x"]),
        "a0s": starts,
        "layers": Stack(tuple(gains)),
    }


def by_number(x, a0s, layers):
    """Layers by number; the outputs in a tuple."""
    read, found = x, ()
    for k in range(len(layers)):
        read = layers[k].forward(read, *a0s[k])
        found += (read,)
    return found


def recursive(x, a0s, layers):
    """The lowest layer, and then the stack above it."""
    if not layers:
        return []
    (first, *above), (start, *starts) = layers, a0s
    out = first.forward(x, *start)
    return [out, *recursive(out, starts, above)]


def folded(x, a0s, layers):
    def add(sequences, pair):
        layer, start = pair
        return [*sequences, layer.forward(sequences[-1], *start)]

    return reduce(add, zip(layers, a0s), [x])[1:]


def with_slots(x, a0s, layers):
    """What is read, at place 0 of a list with a slot for each layer."""
    a = [np.array(x)] + [None] * len(layers)
    for l, layer in enumerate(layers, 1):  # noqa: E741  # the formula's letter
        states = tuple(a0s[l - 1])
        a[l] = layer.forward(a[l - 1], *states)
    return a[1:]


def in_float32(x, a0s, layers):
    return [out.astype(np.float32) for out in by_number(x.astype(np.float32), a0s, layers)]


RUN = "a = layer.forward(a, *start)"
LOOP = "    for layer, start in zip(layers, a0s, strict=True):\n"
APPEND = "        outputs.append(a)\n"

EXERCISE = Exercise(
    reference=deep_rnn_forward,
    cases=(
        Case("three layers, every size differs", inputs),
        Case("three layers, every size differs", partial(inputs, states=(2, 1, 1))),
        Case("two layers with two states each", partial(inputs, states=(2, 2))),
        Case(
            "four layers; two start from zeros", partial(inputs, states=(1, 2, 1, 2), zeros=(1, 2))
        ),
        Case("a layer without states between two others", partial(inputs, states=(1, 0, 2))),
        Case("one step", partial(inputs, T_x=1)),
        Case("one example", partial(inputs, m=1)),
        Case("a long sequence", partial(inputs, T_x=12, states=(1, 1))),
    ),
    returns=("outputs",),
    points=3,
    hints=(
        "One loop, over the layers from the bottom up. The first reads x; every other one reads the "
        "whole output of the layer below it, all steps at once.",
        "Keep what is to be read next in a variable that starts as x. In the loop, run the layer on "
        "it, from that layer's own start states; what comes out is stored, and is read next.",
        "zip(layers, a0s) gives each layer with its tuple of start states. A star spreads the tuple "
        "over the arguments: forward(sequences, *start), also when it is empty. Assign the output to "
        "the variable that is read next, and append it.",
    ),
    misconceptions=(
        Edit(
            "every-layer-reads-x",
            RUN,
            "a = layer.forward(x, *start)",
            "Every layer reads x. Only the lowest should; every other layer reads the output of "
            "the one below it.",
        ),
        Edit(
            "starts-from-zeros",
            "forward(a, *start)",
            "forward(a)",
            "The start states in a0s are not used: every layer starts from zeros.",
        ),
        Edit(
            "only-the-first-starts-as-told",
            "forward(a, *start)",
            "forward(a, *(start if not outputs else ()))",
            "Only the lowest layer starts from its states in a0s, and the others from zeros. Each "
            "layer has start states of its own.",
        ),
        Edit(
            "starts-from-the-top-down",
            "zip(layers, a0s, strict=True)",
            "zip(layers, reversed(a0s), strict=True)",
            "The start states are handed out from the top down. a0s is from the bottom up, as layers "
            "is.",
        ),
        Edit(
            "layers-from-the-top-down",
            LOOP,
            "    for layer, start in zip(layers[::-1], a0s[::-1], strict=True):\n",
            "The stack is run from the top down: the last layer of the list reads x. The list begins "
            "with the lowest layer.",
        ),
        Edit(
            "tuple-not-spread",
            "forward(a, *start)",
            "forward(a, start)",
            "The tuple of start states is handed over as one argument. forward takes the states one by "
            "one: spread the tuple with a star, forward(..., *start).",
        ),
        Edit(
            "only-the-first-state",
            "forward(a, *start)",
            "forward(a, *start[:1])",
            "Only the first state of each tuple is handed over. A layer may have two, such as an LSTM's "
            "hidden state and memory: spread the whole tuple with a star.",
        ),
        Edit(
            "only-the-top-output",
            APPEND,
            APPEND + "    outputs = outputs[-1:]\n",
            "Only the top layer's output is handed back; the outputs of all layers are asked for.",
        ),
        Edit(
            "outputs-from-the-top-down",
            APPEND,
            "        outputs.insert(0, a)\n",
            "The outputs are listed from the top down. outputs[0] is the lowest layer's.",
        ),
        Edit(
            "x-among-the-outputs",
            "outputs = []",
            "outputs = [x]",
            "x stands among the outputs. It is what the lowest layer reads, and no layer's output.",
        ),
        Edit(
            "only-the-last-steps",
            APPEND,
            "        outputs.append(a[-1])\n",
            "Only the last step of each output is kept. outputs holds whole sequences, (T_x, m, n_a).",
        ),
        Edit(
            "last-state-handed-up",
            APPEND,
            APPEND + "        a = np.repeat(a[-1:], len(a), axis=0)\n",
            "The layer above is handed the last step of the output, again and again. At step t "
            "it should read step t of the layer below.",
        ),
        Edit(
            "skips-by-addition",
            APPEND,
            "        outputs.append(a)\n        a = a + x.sum(axis=-1, keepdims=True)\n",
            "Something of x is added on the way up. A layer reads the output of the one below, and that "
            "alone.",
        ),
        Edit(
            "reads-a-step-late",
            APPEND,
            APPEND + "        a = np.concatenate([np.zeros_like(a[:1]), a[:-1]])\n",
            "Each layer reads the one below a step late: at step t it gets the output of step t - 1. "
            "Both belong to the same step.",
        ),
        Edit(
            "top-layer-missing",
            LOOP,
            "    for layer, start in list(zip(layers, a0s, strict=True))[:-1]:\n",
            "The top layer is never run: the loop ends one layer early.",
        ),
        Edit(
            "lowest-layer-missing",
            LOOP,
            "    for layer, start in list(zip(layers, a0s, strict=True))[1:]:\n",
            "The lowest layer is never run: the loop begins with the second, which reads x.",
        ),
        Edit(
            "read-backwards",
            RUN,
            "a = layer.forward(a[::-1], *start)",
            "Each layer reads what it is handed from its end to its beginning.",
        ),
    ),
    alternatives=(by_number, recursive, folded, with_slots, in_float32),
)
