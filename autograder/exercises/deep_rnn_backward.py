"""Recurrent layers over whole sequences, one upon another, backwards."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.exercises.deep_rnn_forward import inputs as forward_inputs
from autograder.handed import GainParams
from autograder.inputs import normal
from autograder.specs import Stack
from solutions.deep_rnn import deep_rnn_backward, deep_rnn_forward
from solutions.tests.proofs import complex_step


def inputs(rng, gradient=1.0, **fixed):
    """Layers that have run, and a loss at every output of every one of them."""
    case = forward_inputs(rng, **fixed)
    x, a0s, stack = case.values()
    outputs = deep_rnn_forward(x, a0s, stack.make())
    runs = zip(stack.layers, [x, *outputs], a0s, strict=False)
    return {
        "das": [gradient * normal(rng, *a.shape) for a in outputs],
        "layers": Stack(tuple((*layer, read, *start) for layer, read, start in runs)),
    }


def only_the_top(rng, **fixed):
    """As it mostly is: a loss sees the top layer."""
    case = inputs(rng, **fixed)
    return {**case, "das": [*map(np.zeros_like, case["das"][:-1]), case["das"][-1]]}


def at_the_end_only(rng):
    """A loss at the last step of the top layer."""
    case = only_the_top(rng, T_x=5)
    case["das"][-1][:-1] = 0
    return case


def by_number(das, layers):
    """Downwards by number; lists with a slot for each layer, and tuples."""
    L = len(layers)
    da0s, grads, back = [None] * L, [None] * L, None
    for k in range(L - 1, -1, -1):
        total = das[k] if back is None else np.add(das[k], back)
        result = layers[k].backward(total)
        back, da0s[k], grads[k] = result[0], list(result[1:-1]), result[-1]
    return back, tuple(da0s), tuple(grads)


def recursive(das, layers):
    """The stack above first, then the lowest layer."""
    if not layers:
        return 0, [], []
    down, starts, grads = recursive(das[1:], layers[1:])
    dx, *start, own = layers[0].backward(das[0] + down)
    return dx, [tuple(start), *starts], [own, *grads]


def popping(das, layers):
    """From copies of the lists, whose ends are taken off."""
    left, above, found = list(das), list(layers), []
    d = np.zeros_like(left[-1])
    while above:
        d, *rest = above.pop().backward(left.pop() + d)
        found.append(rest)
    found.reverse()
    return d, [tuple(f[:-1]) for f in found], [f[-1] for f in found]


def in_place(das, layers):
    """What comes down is added into the gradient of the layer below."""
    das = [da.copy() for da in das]
    starts, grads = [], []
    for below, (da, layer) in list(enumerate(zip(das, layers), -1))[::-1]:
        down, *start, own = layer.backward(da)
        if below >= 0:
            das[below] += down
        starts.append(tuple(start))
        grads.append(own)
    return down, starts[::-1], grads[::-1]


def in_float32(das, layers):
    def narrow(found):
        return found.astype(np.float32)

    dx, starts, grads = recursive([narrow(da) for da in das], layers)
    starts = [tuple(map(narrow, start)) for start in starts]
    return narrow(dx), starts, [type(own)(*map(narrow, own)) for own in grads]


def derivative(das, layers):
    """Complex steps of the forward pass."""
    x = layers.layers[0][2]
    gains = [gain for _n_states, gain, *_run in layers.layers]
    starts = [started(*layer, m=x.shape[1]) for layer in layers.layers]

    def loss(x, starts, gains):
        kinds = ((n_states, g) for (n_states, *_), g in zip(layers.layers, gains))
        outputs = deep_rnn_forward(x, starts, Stack(tuple(kinds)).make())
        return sum((da * a).sum() for da, a in zip(das, outputs))

    def of_state(k, i):
        def moved(w):
            return loss(x, swapped(starts, k, swapped(starts[k], i, w)), gains)

        return complex_step(moved, starts[k][i])

    def of_gain(k):
        return complex_step(lambda gain: loss(x, starts, swapped(gains, k, gain)), gains[k])

    return (
        complex_step(lambda x: loss(x, starts, gains), x),
        [tuple(of_state(k, i) for i in range(len(start))) for k, start in enumerate(starts)],
        [GainParams(of_gain(k)) if start else () for k, start in enumerate(starts)],
    )


def started(n_states, gain, _x, *start, m):
    """The states that a layer started from: zeros if it was given none."""
    return list(start) or [np.zeros((m, len(gain))) for _ in range(n_states)]


def swapped(items, place, item):
    return [*items[:place], item, *items[place + 1 :]]


BACK = "        dx, *da0, layer_grads = layer.backward(da + dx)\n"
LOOP = "    for layer, da in zip(reversed(layers), reversed(das), strict=True):\n"
DA0 = "        da0s.insert(0, tuple(da0))\n"
GRADS = "        grads.insert(0, layer_grads)\n"

EXERCISE = Exercise(
    reference=deep_rnn_backward,
    cases=(
        Case("three layers, every size differs", inputs),
        Case("three layers, every size differs", partial(inputs, states=(2, 1, 1))),
        Case("a loss at the top layer only", only_the_top),
        Case("a loss at the last step of the top layer only", at_the_end_only),
        Case(
            "four layers; two started from zeros",
            partial(inputs, states=(1, 2, 1, 2), zeros=(1, 2)),
        ),
        Case("a layer without states between two others", partial(inputs, states=(1, 0, 2))),
        Case("one layer with two states", partial(inputs, states=(2,))),
        Case("one step", partial(inputs, T_x=1)),
        Case("one example", partial(inputs, m=1)),
        Case("a gradient of millions", partial(inputs, states=(1, 1), gradient=1e6)),
    ),
    returns=("dx", "da0s", "grads"),
    points=4,
    hints=(
        "From the top layer down. A layer's output has two uses: its own place in the loss, which is in "
        "das, and the layer above, which has just been done. Their gradients are added before the "
        "layer takes them back.",
        "What a layer's backward returns first is the gradient of its input, and its input is the "
        "output of the layer below. Carry it down in a variable that is 0 at the top, since nothing "
        "stands upon the top layer.",
        "Walk over reversed(layers) and reversed(das) together. A star takes as many start states as "
        "there are: first, *middle, last = layer.backward(the sum). Put tuple(middle) and last at the "
        "front of their lists; what is carried after the lowest layer is dx.",
    ),
    misconceptions=(
        Edit(
            "not-handed-down",
            "layer.backward(da + dx)",
            "layer.backward(da)",
            "What comes down from the layer above is dropped: each layer hears of its own das only, so "
            "the top layer is right and all below it are wrong. Add the gradient of what the layer "
            "above has read.",
        ),
        Edit(
            "own-loss-ignored",
            "layer.backward(da + dx)",
            "layer.backward(dx if grads else da)",
            "Below the top layer, das is not used. Every layer's output may have a place of its own in "
            "the loss: add it to what comes from the layer above.",
        ),
        Edit(
            "only-the-last-step-comes-down",
            "layer.backward(da + dx)",
            "layer.backward(da + dx * (np.arange(len(da)) == len(da) - 1)[:, None, None])",
            "Only the last step of what comes from the layer above is handed down. It read the layer "
            "below at every step.",
        ),
        Edit(
            "only-the-last-loss-counts",
            "layer.backward(da + dx)",
            "layer.backward(da * (np.arange(len(da)) == len(da) - 1)[:, None, None] + dx)",
            "Of das only the last step is used. Every step's output may have a place in the loss.",
        ),
        Edit(
            "handed-down-twice",
            "layer.backward(da + dx)",
            "layer.backward(da + 2 * dx)",
            "What comes from the layer above is added twice. Add it once, to the layer's own part.",
        ),
        Edit(
            "replaces-where-there-is-a-loss",
            "layer.backward(da + dx)",
            "layer.backward(da if np.any(da) else dx)",
            "Where a layer has a part in das, what comes from the layer above is dropped. Add "
            "the two: an output that is used twice gets the sum.",
        ),
        Edit(
            "averaged-over-two-uses",
            "layer.backward(da + dx)",
            "layer.backward((da + dx) / (2 if grads else 1))",
            "The two uses of an output are averaged. Add their gradients.",
        ),
        Edit(
            "lists-from-the-top-down",
            GRADS,
            "        grads.append(layer_grads)\n",
            "da0s and grads are listed from the top down, in the order in which they are found. "
            "They should be listed from the bottom up: insert at the front, or turn them round "
            "at the end.",
            also=((DA0, "        da0s.append(tuple(da0))\n"),),
        ),
        Edit(
            "grads-from-the-top-down",
            GRADS,
            "        grads.append(layer_grads)\n",
            "grads is listed from the top down. Insert at the front, as for da0s.",
        ),
        Edit(
            "da0s-from-the-top-down",
            DA0,
            "        da0s.append(tuple(da0))\n",
            "da0s is listed from the top down. Insert at the front, as for grads.",
        ),
        Edit(
            "from-the-bottom-up",
            LOOP,
            "    for layer, da in zip(layers, das, strict=True):\n",
            "The loop runs from the bottom up, as forwards. A gradient comes from the loss: begin with "
            "the top layer.",
        ),
        Edit(
            "das-not-reversed",
            LOOP,
            "    for layer, da in zip(reversed(layers), das, strict=True):\n",
            "The layers are taken from the top down, and das from the bottom up: reverse both.",
        ),
        Edit(
            "only-the-first-state",
            DA0,
            "        da0s.insert(0, tuple(da0[:1]))\n",
            "Of each layer only the first start state's gradient is kept. A layer may have two, such as "
            "an LSTM's hidden state and memory.",
        ),
        Edit(
            "one-name-for-the-states",
            "dx, *da0, layer_grads",
            "dx, da0, layer_grads",
            "Between the input's gradient and the parameters' there may be one start state, or two, or "
            "none: a star before the name in the middle takes them all.",
            also=((DA0, "        da0s.insert(0, (da0,))\n"),),
        ),
        Edit(
            "states-in-reverse",
            DA0,
            "        da0s.insert(0, tuple(da0[::-1]))\n",
            "The gradients of a layer's start states are in reverse. They should come in the "
            "order in which forward takes the states.",
        ),
        Edit(
            "da0s-zero",
            DA0,
            "        da0s.insert(0, tuple(np.zeros_like(d) for d in da0))\n",
            "The gradients of the start states are zero. layer.backward returns them, between the "
            "input's and the parameters'.",
        ),
        Edit(
            "dx-of-the-top-layer",
            BACK,
            "        down, *da0, layer_grads = layer.backward(da + dx)\n"
            "        top = top if grads else down\n        dx = down\n",
            "dx is the gradient of what the top layer has read. It should be that of x, which "
            "the lowest layer reads: the last to be found.",
            also=(
                ("    da0s, grads = [], []\n", "    da0s, grads, top = [], [], None\n"),
                (GRADS, GRADS + "    dx = top\n"),
            ),
        ),
        Edit(
            "dx-summed-over-time",
            GRADS,
            GRADS + "    dx = dx.sum(axis=0)\n",
            "dx was summed over time. Every step has an input of its own: dx is (T_x, m, n_x).",
        ),
        Edit(
            "grads-of-the-lowest-layer-missing",
            LOOP,
            "    for layer, da in list(zip(reversed(layers), reversed(das), strict=True))[:max(1, len(das) - 1)]:\n",
            "The lowest layer is left out: the loop ends one layer early.",
        ),
        Edit(
            "divided-by-the-examples",
            "layer.backward(da + dx)",
            "layer.backward(da / da.shape[1] + dx)",
            "das is divided by m. If the loss is a mean, that division is in it already, and must not be "
            "made twice.",
        ),
    ),
    alternatives=(by_number, recursive, popping, in_place, in_float32),
    derivative=derivative,
)
