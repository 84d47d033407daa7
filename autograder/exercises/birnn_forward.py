"""Two layers over the same sequences, one from each end."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.exercises.reverse_sequences import all_full, none_full, ragged_lengths
from autograder.inputs import normal, parameters, sizes
from autograder.specs import Layer
from course.given import RNNParams
from solutions.birnn import birnn_forward, reverse_sequences


def inputs(rng, lengths=ragged_lengths, states=(1, 1), units=None, scale=1.0, **fixed):
    """`units` is the letter of the backward layer's size; the forward layer's is n_a."""
    size = sizes(rng, **fixed)
    back = {**size, "n_a": size[units or "n_y"]}
    x = normal(rng, size["T_x"], size["m"], size["n_x"]) * scale
    return {
        "x": x,
        "lengths": lengths(rng, size["T_x"], size["m"]),
        "forward": Layer(parameters(RNNParams, rng, size), states[0]),
        "backward": Layer(parameters(RNNParams, rng, back), states[1]),
    }


def filling_halves(x, lengths, forward, backward):
    """An array for both, filled from either side."""
    ahead = forward.forward(x, lengths=lengths)
    back = backward.forward(reverse_sequences(x, lengths), lengths=lengths)
    T_x, m, n_a = ahead.shape
    out = np.zeros((T_x, m, n_a + back.shape[2]))
    out[:, :, :n_a] = ahead
    for i, n in enumerate(lengths):
        out[:n, i, n_a:] = back[n - 1 :: -1, i] if n > 1 else back[:1, i]
    return out


def by_index(x, lengths, forward, backward):
    """Reversing written out; the backward layer runs first, and its states are read."""
    t = np.arange(len(x))[:, None]
    order = np.where(t < lengths, lengths - 1 - t, t)
    examples = np.arange(x.shape[1])
    backward.forward(x[order, examples], lengths=lengths)
    forward.forward(x, lengths=lengths)
    return np.dstack([forward.states[0], backward.states[0][order, examples]])


def step_by_step(x, lengths, forward, backward):
    """In lists, one step of one example at a time."""
    right = forward.forward(x, lengths=lengths).tolist()
    left = backward.forward(reverse_sequences(x, lengths), lengths=lengths).tolist()
    whole = []
    for t in range(len(right)):
        whole.append([])
        for i, n in enumerate(lengths):
            other = left[n - 1 - t][i] if t < n else left[t][i]
            whole[-1].append(right[t][i] + other)
    return whole


def in_float32(x, lengths, forward, backward):
    both = [layer.forward(turn(x), lengths=lengths) for layer, turn in (
        (forward, lambda s: s), (backward, lambda s: reverse_sequences(s, lengths)))]  # fmt: skip
    both[1] = reverse_sequences(both[1], lengths)
    return np.concatenate(both, axis=2).astype(np.float32)


AHEAD = "forward.forward(x, lengths=lengths)"
BACK = "backward.forward(reverse_sequences(x, lengths), lengths=lengths)"
JOIN = "np.concatenate([a_forward, reverse_sequences(a_backward, lengths)], axis=-1)"

EXERCISE = Exercise(
    reference=birnn_forward,
    cases=(
        Case("every size differs", inputs),
        Case("memories of two kinds, every size differs", partial(inputs, states=(2, 1))),
        Case("none as long as there are steps", partial(inputs, lengths=none_full, T_x=8, m=5)),
        Case("layers of one size", partial(inputs, T_x=6, m=4, n_a=3, units="n_a")),
        Case("all sizes equal", partial(inputs, T_x=4, m=4, n_x=4, n_a=4, units="n_a")),
        Case("no padding", partial(inputs, lengths=all_full, states=(1, 2), T_x=5)),
        Case("one example, padded", partial(inputs, m=1, T_x=6)),
        Case("one step", partial(inputs, T_x=1, m=3)),
        Case("a large input", partial(inputs, scale=1e3, T_x=7)),
    ),
    returns=("a",),
    points=3,
    calls=("reverse_sequences",),
    hints=(
        "The backward layer is an ordinary layer, which reads from its first step to its last. What "
        "it is given has to be turned round; and what it returns is in its own order.",
        "Four things: the forward layer over x; the backward layer over the reversed x; the "
        "backward layer's output, reversed again, so that step t of it is about step t of x; both "
        "side by side. Tell both layers the lengths.",
        "a_backward comes from backward.forward, given reverse_sequences(x, lengths) and "
        "lengths=lengths. Reverse a_backward in the same way, and np.concatenate it to a_forward "
        "along the last axis.",
    ),
    misconceptions=(
        Edit(
            "not-turned-back",
            "reverse_sequences(a_backward, lengths)",
            "a_backward",
            "The backward layer's output is in its own reading order: its step 0 is about the last "
            "word. Turn it round again, so that both halves of a[t] are about step t.",
        ),
        Edit(
            "backward-layer-reads-forwards",
            "backward.forward(reverse_sequences(x, lengths)",
            "backward.forward(x",
            "The backward layer was given x as it is, so it reads from the first step to the last. "
            "Give it the reversed sequences.",
        ),
        Edit(
            "both-read-forwards",
            "backward.forward(reverse_sequences(x, lengths)",
            "backward.forward(x",
            "Both layers read from the first step to the last: nothing is reversed, and no state "
            "knows what comes later.",
            also=(("reverse_sequences(a_backward, lengths)", "a_backward"),),
        ),
        Edit(
            "backward-half-first",
            "[a_forward, reverse_sequences(a_backward, lengths)]",
            "[reverse_sequences(a_backward, lengths), a_forward]",
            "The backward layer's half comes first. The forward layer's should.",
        ),
        Edit(
            "summed",
            JOIN,
            "a_forward + reverse_sequences(a_backward, lengths)",
            "The two outputs were added. They should stand side by side: the layers may have "
            "different sizes, and what reads them weighs each half by itself.",
        ),
        Edit(
            "one-layer-for-both",
            "backward.forward(reverse",
            "forward.forward(reverse",
            "One layer ran both ways, with one set of weights. Each direction has a layer of its "
            "own.",
        ),
        Edit(
            "layers-swapped",
            AHEAD,
            "backward.forward(x, lengths=lengths)",
            "The layers are swapped: `backward` reads from the beginning and `forward` from the end.",
            also=(("backward.forward(reverse", "forward.forward(reverse"),),
        ),
        Edit(
            "forward-layer-not-told-the-lengths",
            AHEAD,
            "forward.forward(x)",
            "The forward layer was not told the lengths, so it runs on through the padding: its "
            "half is not zero there.",
        ),
        Edit(
            "backward-layer-not-told-the-lengths",
            "reverse_sequences(x, lengths), lengths=lengths)",
            "reverse_sequences(x, lengths))",
            "The backward layer was not told the lengths, so it runs on through the padding: its "
            "half is not zero there.",
        ),
        Edit(
            "nobody-told-the-lengths",
            AHEAD,
            "forward.forward(x)",
            "Neither layer was told the lengths, so both run on through the padding: a is not zero "
            "there.",
            also=(
                (
                    "reverse_sequences(x, lengths), lengths=lengths)",
                    "reverse_sequences(x, lengths))",
                ),
            ),
        ),
        Edit(
            "padding-read-first",
            "backward.forward(reverse_sequences(x, lengths)",
            "backward.forward(x[::-1]",
            "x[::-1] turns the padding round with the rest: the backward layer reads the padding "
            "first, and what it takes for the sentence begins with it. Use reverse_sequences.",
            also=(("reverse_sequences(a_backward, lengths)", "a_backward[::-1]"),),
        ),
        Edit(
            "input-turned-round-with-its-padding",
            "backward.forward(reverse_sequences(x, lengths)",
            "backward.forward(x[::-1]",
            "x[::-1] turns the padding round with the rest, so the backward layer reads the padding "
            "first. Use reverse_sequences.",
        ),
        Edit(
            "output-turned-round-with-its-padding",
            "reverse_sequences(a_backward, lengths)",
            "a_backward[::-1]",
            "a_backward[::-1] turns the padding round with the rest: the shorter sentences' states "
            "stand at the wrong steps. Use reverse_sequences.",
        ),
        Edit(
            "one-upon-the-other",
            "reverse_sequences(x, lengths), lengths=lengths)",
            "reverse_sequences(a_forward, lengths), lengths=lengths)",
            "The backward layer reads what the forward layer wrote. That is a deep network; here "
            "both read x, and neither knows of the other.",
        ),
        Edit(
            "forward-layer-turned-round",
            "forward.forward(x, lengths=lengths)",
            "forward.forward(reverse_sequences(x, lengths), lengths=lengths)",
            "The forward layer was given the reversed sequences, too. It reads x as it is; only the "
            "backward layer reads from the end.",
        ),
        Edit(
            "starts-where-the-other-ended",
            "reverse_sequences(x, lengths), lengths=lengths)",
            "reverse_sequences(x, lengths), *forward.last, lengths=lengths)",
            "The backward layer starts from the state in which the forward layer ended. It "
            "should start from zeros: the two know nothing of each other.",
        ),
        Edit(
            "lengths-without-their-name",
            AHEAD,
            "forward.forward(x, lengths)",
            "The lengths were handed over without their name, so the layer takes them for a start "
            "state. Write lengths=lengths.",
        ),
        Edit(
            "joined-in-time",
            "axis=-1",
            "axis=0",
            "The outputs were put one after the other in time. They belong side by side, along the "
            "last axis.",
        ),
        Edit(
            "joined-over-examples",
            "axis=-1",
            "axis=1",
            "The outputs were put side by side as if they were other examples. They belong along "
            "the last axis, the units.",
        ),
        Edit(
            "forward-layer-alone",
            "[a_forward, reverse_sequences(a_backward, lengths)]",
            "[a_forward, a_forward]",
            "The forward layer's output stands there twice; the backward layer's is missing.",
        ),
    ),
    alternatives=(filling_halves, by_index, step_by_step, in_float32),
)
