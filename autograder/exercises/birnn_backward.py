"""Gradients back through both layers of a bidirectional network."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.exercises import birnn_forward as forward_exercise
from autograder.exercises.reverse_sequences import all_full, none_full
from autograder.inputs import normal
from course.given import RNNParams
from solutions.birnn import birnn_backward, birnn_forward, reverse_sequences
from solutions.tests.proofs import complex_step


def inputs(rng, gradient=1.0, **how):
    """Layers that have run; da stands at the padding, too, and is to be ignored there."""
    x, lengths, forward, backward = forward_exercise.inputs(rng, **how).values()
    units = len(forward.params.ba) + len(backward.params.ba)
    return {
        "da": normal(rng, *x.shape[:2], units) * gradient,
        "lengths": lengths,
        "forward": forward._replace(x=x, lengths=lengths),
        "backward": backward._replace(x=reverse_sequences(x, lengths), lengths=lengths),
    }


def last_alone(rng):
    """A loss that sees the first and the last real step: what is read out of a whole sentence."""
    case = inputs(rng, T_x=6, m=4)
    kept = np.zeros((*case["da"].shape[:2], 1))
    kept[0], kept[case["lengths"] - 1, np.arange(4)] = 1, 1
    case["da"] *= kept
    return case


def split_and_added(da, lengths, forward, backward):
    """np.split, and a sum in place."""
    left, right = np.split(da, [forward.states[0].shape[2]], axis=2)
    dx, grads = (out := forward.backward(left))[0].copy(), out[-1]
    other = backward.backward(reverse_sequences(right, lengths))
    dx += reverse_sequences(other[0], lengths)
    return dx, grads, other[-1]


def by_index(da, lengths, forward, backward):
    n_a = len(forward.params.ba)
    t = np.arange(len(da))[:, None]
    order = (np.where(t < lengths, lengths - 1 - t, t), np.arange(da.shape[1]))
    back = list(backward.backward(da[:, :, n_a:][order]))
    ahead = list(forward.backward(da[:, :, :n_a]))
    return ahead.pop(0) + back.pop(0)[order], ahead.pop(), back.pop()


def step_by_step(da, lengths, forward, backward):
    """What comes back from the backward layer is put in its place step by step."""
    size = forward.widths[0]
    mirrored = np.zeros(da[..., size:].shape)
    for i in range(da.shape[1]):
        for t in range(lengths[i]):
            mirrored[t, i] = da[lengths[i] - 1 - t, i, size:]
    first, *_, weights = forward.backward(da[..., :size])
    second, *_, weights_back = backward.backward(mirrored)
    total = first.tolist()
    for i in range(da.shape[1]):
        for t in range(lengths[i]):
            mine = second[lengths[i] - 1 - t, i]
            total[t][i] = [a + b for a, b in zip(total[t][i], mine)]
    return total, weights, weights_back


def in_float32(da, lengths, forward, backward):
    n_a = forward.states[0].shape[-1]
    parts = [forward.backward(da[..., :n_a])]
    parts.append(backward.backward(reverse_sequences(da[..., n_a:], lengths)))
    dx = parts[0][0] + reverse_sequences(parts[1][0], lengths)
    narrow = [RNNParams(*(g.astype(np.float32) for g in part[-1])) for part in parts]
    return dx.astype(np.float32), *narrow


def derivative(da, lengths, forward, backward):
    """Complex steps of the forward pass."""
    x = forward.x
    real = (np.arange(len(x))[:, None] < lengths)[:, :, None]

    def losses(x, ahead, back):
        layers = (
            layer._replace(params=params, x=None).make()
            for layer, params in ((forward, ahead), (backward, back))
        )
        return (da * real * birnn_forward(x, lengths, *layers)).sum(axis=(0, 2))

    own = forward.params, backward.params
    dx, h = np.empty(x.shape), 1e-20
    for t, k in np.ndindex(len(x), x.shape[2]):  # each example has its own x: all moved at once
        moved = x.astype(complex)
        moved[t, :, k] += 1j * h
        dx[t, :, k] = losses(moved, *own).imag / h

    def slope(which, name, value):
        params = list(own)
        params[which] = params[which]._replace(**{name: value})
        return losses(x, *params).sum()

    grads = [
        RNNParams(
            **{
                name: complex_step(partial(slope, which, name), value)
                for name, value in params._asdict().items()
            }
        )
        for which, params in enumerate(own)
    ]
    return dx, *grads


AHEAD = "dx_forward, *_, grads_forward = forward.backward(da_forward)"
BACK = "backward.backward(reverse_sequences(da_backward, lengths))"
SUM = "dx = dx_forward + reverse_sequences(dx_backward, lengths)"
HALVES = "da[..., :n_a], da[..., n_a:]"

EXERCISE = Exercise(
    reference=birnn_backward,
    cases=(
        Case("every size differs", inputs),
        Case("memories of two kinds, every size differs", partial(inputs, states=(2, 1))),
        Case("none as long as there are steps", partial(inputs, lengths=none_full, T_x=8, m=5)),
        Case("layers of one size", partial(inputs, T_x=6, m=4, n_a=3, units="n_a")),
        Case("all sizes equal", partial(inputs, T_x=4, m=4, n_x=4, n_a=4, units="n_a")),
        Case("no padding", partial(inputs, lengths=all_full, states=(1, 2), T_x=5)),
        Case("one example, padded", partial(inputs, m=1, T_x=6)),
        Case("one step", partial(inputs, T_x=1, m=3)),
        Case("a loss at both ends only", last_alone),
        Case("a gradient of millions", partial(inputs, gradient=1e6)),
    ),
    returns=("dx", "grads_forward", "grads_backward"),
    points=4,
    calls=("reverse_sequences",),
    hints=(
        "Turn round every arrow of the forward pass. a was two outputs side by side, so da is two "
        "gradients side by side. x was read by both layers, so its gradient has two parts.",
        "The first n_a columns of da belong to the forward layer. The others belong to the "
        "backward layer, which lives in its own order: reverse what you hand to it, and reverse "
        "the gradient of its input that comes back.",
        "dx_forward, *_, grads_forward = forward.backward(...) takes the first and the last of what "
        "a layer returns, whatever stands between. Do the same for the backward layer, and add up "
        "the two gradients of x.",
    ),
    misconceptions=(
        Edit(
            "gradient-not-turned-round",
            BACK,
            "backward.backward(da_backward)",
            "da was handed to the backward layer in order of time. That layer read the sentence "
            "from its end, so its gradient must come in that order: reverse it.",
        ),
        Edit(
            "dx-not-turned-back",
            "reverse_sequences(dx_backward, lengths)",
            "dx_backward",
            "The backward layer's dx is in its own order: its step 0 is about the last word. Reverse "
            "it before you add.",
        ),
        Edit(
            "nothing-turned-round",
            BACK,
            "backward.backward(da_backward)",
            "Nothing is reversed on the way back. The backward layer's gradients are in its own "
            "order: reverse what you hand to it, and the dx that it returns.",
            also=(("reverse_sequences(dx_backward, lengths)", "dx_backward"),),
        ),
        Edit(
            "dx-of-the-backward-layer-alone",
            SUM,
            "dx = reverse_sequences(dx_backward, lengths)",
            "dx holds the backward layer's part only. Both layers read x, so both parts are added.",
        ),
        Edit(
            "dx-of-the-forward-layer-alone",
            SUM,
            "dx = dx_forward",
            "dx holds the forward layer's part only. Both layers read x, so both parts are added.",
        ),
        Edit(
            "dx-averaged",
            SUM,
            "dx = (dx_forward + reverse_sequences(dx_backward, lengths)) / 2",
            "The two parts of dx are averaged. Where a quantity is used twice, the gradients that "
            "come back are added.",
        ),
        Edit(
            "dx-side-by-side",
            SUM,
            "dx = np.concatenate([dx_forward, reverse_sequences(dx_backward, lengths)], axis=-1)",
            "The two parts of dx stand side by side. The outputs did; the input was one and the "
            "same, and its gradients are added.",
        ),
        Edit(
            "dx-subtracted",
            "dx_forward + reverse",
            "dx_forward - reverse",
            "The backward layer's part of dx is subtracted. Reading from the other end changes the "
            "order, not the sign: add.",
        ),
        Edit(
            "halves-swapped",
            HALVES,
            "da[..., n_a:], da[..., :n_a]",
            "The halves of da are swapped: the first n_a columns belong to the forward layer.",
        ),
        Edit(
            "cut-in-the-middle",
            HALVES,
            "da[..., : da.shape[-1] // 2], da[..., da.shape[-1] // 2 :]",
            "da was cut in the middle. The layers may have different sizes: the forward layer's "
            "part is the first n_a columns.",
        ),
        Edit(
            "cut-one-column-early",
            HALVES,
            "da[..., : n_a - 1], da[..., n_a - 1 :]",
            "da was cut one column too early: the first n_a columns belong to the forward layer.",
        ),
        Edit(
            "whole-gradient-to-the-forward-layer",
            "forward.backward(da_forward)",
            "forward.backward(da)",
            "The forward layer was handed the whole of da. Its part is the first n_a columns.",
        ),
        Edit(
            "parameters-swapped",
            "dx_forward, *_, grads_forward",
            "dx_forward, *_, grads_backward",
            "The two layers' gradients are swapped.",
            also=(("dx_backward, *_, grads_backward", "dx_backward, *_, grads_forward"),),
        ),
        Edit(
            "padding-turned-round-in-da",
            BACK,
            "backward.backward(da_backward[::-1])",
            "da_backward[::-1] turns the padding round with the rest. Each sentence is reversed "
            "within its own length: use reverse_sequences.",
        ),
        Edit(
            "padding-turned-round-in-dx",
            "reverse_sequences(dx_backward, lengths)",
            "dx_backward[::-1]",
            "dx_backward[::-1] turns the padding round with the rest. Each sentence is reversed "
            "within its own length: use reverse_sequences.",
        ),
        Edit(
            "padding-turned-round-twice",
            BACK,
            "backward.backward(da_backward[::-1])",
            "[::-1] turns the padding round with the rest, both times. Each sentence is reversed "
            "within its own length: use reverse_sequences.",
            also=(("reverse_sequences(dx_backward, lengths)", "dx_backward[::-1]"),),
        ),
        Edit(
            "forward-layer-turned-round",
            "forward.backward(da_forward)",
            "forward.backward(reverse_sequences(da_forward, lengths))",
            "The forward layer's gradient was reversed. It read the sentence in order of time, and "
            "its gradient comes in that order; `backward` stands for going back through a layer.",
        ),
        Edit(
            "layers-swapped-on-the-way-back",
            "forward.backward(da_forward)",
            "forward.backward(reverse_sequences(da_forward, lengths))",
            "The wrong one of the two is reversed: it was the backward layer that read from the end.",
            also=((BACK, "backward.backward(da_backward)"),),
        ),
        Edit(
            "one-start-state",
            AHEAD,
            "dx_forward, _, grads_forward = forward.backward(da_forward)",
            "A layer with a memory of two parts, such as an LSTM, returns two gradients of start "
            "states, so there are more than three parts. Take the first and the last.",
        ),
        Edit(
            "gradient-of-the-other-half",
            "reverse_sequences(da_backward, lengths)",
            "reverse_sequences(da_forward, lengths)",
            "The backward layer was handed the forward layer's half of da.",
        ),
    ),
    alternatives=(split_and_added, by_index, step_by_step, in_float32),
    derivative=derivative,
)
