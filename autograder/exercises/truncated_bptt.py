"""Backwards through a recurrent cell, a chunk of steps at a time."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.exercises import rnn_backward as whole
from course.given import RNNParams
from solutions.bptt import rnn_backward, rnn_cell_backward, truncated_bptt
from solutions.rnn import rnn_forward


def inputs(rng, length, **fixed):
    return {**whole.inputs(rng, **fixed), "length": length}


def many_to_one(rng):
    return {**whole.many_to_one(rng), "length": 2}


def without_carrying(da, caches, params, length):
    """One loop over all steps; what is carried is dropped at the end of a chunk."""
    dx, sums = [], [0, 0, 0]
    carried = np.zeros_like(da[0])
    for t in range(len(da) - 1, -1, -1):
        if (t + 1) % length == 0:
            carried = np.zeros_like(da[0])
        dx_t, carried, grads = rnn_cell_backward(da[t] + carried, caches[t], params)
        dx.append(dx_t)
        sums = [s + g for s, g in zip(sums, grads)]
    return np.stack(dx[::-1]), carried, RNNParams(*sums)


def chunk_by_chunk(da, caches, params, length):
    """From the first chunk to the last, keeping the first da0."""
    parts = [
        rnn_backward(da[start : start + length], caches[start : start + length], params)
        for start in range(0, len(da), length)
    ]
    dx = np.concatenate([part[0] for part in parts])
    grads = [sum(part[2][k] for part in parts) for k in range(3)]
    return dx, parts[0][1], RNNParams(*grads)


def written_out(da, caches, params, length):
    x, a_prev, a = (np.array(field) for field in zip(*caches))
    ds, carried = np.empty_like(a), 0
    for t in reversed(range(len(a))):
        last_of_its_chunk = t % length == length - 1
        ds[t] = (1 - a[t] ** 2) * (da[t] + (0 if last_of_its_chunk else carried))
        carried = ds[t] @ params.Waa
    dWaa = np.einsum("tma,tmb->ab", ds, a_prev)
    grads = RNNParams(np.einsum("tma,tmx->ax", ds, x), dWaa, ds.sum(axis=(0, 1)))
    return ds @ params.Wax, carried, grads


def in_float32(da, caches, params, length):
    caches = [type(c)(*(field.astype(np.float32) for field in c)) for c in caches]
    cast = RNNParams(*(p.astype(np.float32) for p in params))
    return written_out(da.astype(np.float32), caches, cast, length)


def derivative(da, caches, params, length):
    """Complex steps of the forward pass, each chunk's first state held fast."""

    def losses(x, a0, params):
        total = 0
        for start in range(0, len(da), length):
            chunk = slice(start, start + length)
            first = a0 if start == 0 else caches[start].a_prev
            total = total + (da[chunk] * rnn_forward(x[chunk], first, params)[0]).sum(axis=(0, 2))
        return total

    return whole.complex_steps(losses, caches, params)


def shares(da, caches, params, length):
    """As of the whole gradient, so that a cut in the wrong place shows."""
    return whole.shares(da, caches, params)


EXERCISE = Exercise(
    reference=truncated_bptt,
    cases=(
        Case("chunks of 3, the last one shorter", partial(inputs, T_x=8, length=3)),
        Case("chunks of 2, the last one shorter", partial(inputs, T_x=7, length=2)),
        Case("chunks of 3, all full", partial(inputs, T_x=6, length=3)),
        Case("a chunk longer than the sequence", partial(inputs, length=9)),
        Case("a chunk as long as the sequence", partial(inputs, T_x=5, length=5)),
        Case("chunks of one step", partial(inputs, T_x=5, length=1)),
        Case("one step", partial(inputs, T_x=1, length=2)),
        Case("one example", partial(inputs, T_x=7, m=1, length=4)),
        Case("a loss at the last step only", many_to_one),
    ),
    returns=("dx", "da0", "grads"),
    points=3,
    calls=("rnn_backward",),
    hints=(
        "Cut da and caches into chunks: steps 0 to length - 1, then length to 2 length - 1, and so "
        "on. Each chunk goes back by itself, with your rnn_backward, as if it were a whole "
        "sequence.",
        "range(0, T_x, length) gives the first step of each chunk, and slice(start, start + "
        "length) its steps; a slice that reaches beyond the end is cut there. dx of the chunk "
        "goes into the same slice of dx, and the weights' gradients are added to running sums.",
        "For each start: one call of rnn_backward(da[chunk], caches[chunk], params), whose dx goes "
        "to dx[chunk]; three sums. da0 is what the chunk with start 0 gives, and no other: take "
        "the chunks in reverse, and it comes last.",
    ),
    misconceptions=(
        Edit(
            "not-truncated",
            "    for start in reversed(range(0, T_x, length)):",
            "    length = T_x\n    for start in reversed(range(0, T_x, length)):",
            "This is the whole gradient: nothing is cut off. At the border of two chunks the "
            "gradient must stop.",
        ),
        Edit(
            "one-step-at-a-time",
            "    for start in reversed(range(0, T_x, length)):",
            "    length = 1\n    for start in reversed(range(0, T_x, length)):",
            "No gradient is carried at all, as if every chunk were one step. Within a chunk it is "
            "carried from step to step.",
        ),
        Edit(
            "chunks-from-the-end",
            "        chunk = slice(start, start + length)\n",
            "        chunk = slice(max(0, T_x - start - length), T_x - start)\n",
            "The chunks are counted from the last step. Count them from the first, so that the "
            "last one may be shorter.",
            also=(("reversed(range(0, T_x, length))", "range(0, T_x, length)"),),
        ),
        Edit(
            "one-step-too-long",
            "    for start in reversed(range(0, T_x, length)):",
            "    length += 1\n    for start in reversed(range(0, T_x, length)):",
            "The chunks have length + 1 steps.",
        ),
        Edit(
            "one-step-too-short",
            "slice(start, start + length)",
            "slice(start, start + max(length - 1, 1))",
            "Each chunk lacks its last step: a slice ends before its second number.",
        ),
        Edit(
            "a-step-shared",
            "slice(start, start + length)",
            "slice(start, start + length + 1)",
            "The chunks overlap: the first step of each is also the last of the one before it, and "
            "counts twice.",
        ),
        Edit(
            "sliding-window",
            "        dx[chunk], da0, part = rnn_backward(da[chunk], caches[chunk], params)\n"
            "        for total, grad in zip(grads, part, strict=True):\n"
            "            total += grad\n",
            "        for s in range(start, min(start + length, T_x)):\n"
            "            window = slice(max(0, s - length + 1), s + 1)\n"
            "            own = np.zeros_like(da[window])\n"
            "            own[-1] = da[s]\n"
            "            more, back, part = rnn_backward(own, caches[window], params)\n"
            "            dx[window] += more\n"
            "            da0 = back + (0 if s == 0 else da0 if window.start == start == 0 else 0)\n"
            "            for total, grad in zip(grads, part, strict=True):\n"
            "                total += grad\n",
            "The loss of each step goes back over its own last steps: a window that slides. Here "
            "the steps are cut into chunks once, and no gradient crosses a border.",
        ),
        Edit(
            "last-chunk-dropped",
            "range(0, T_x, length)",
            "range(0, T_x - length + 1, length)",
            "A last chunk that is shorter than the others is left out. Its steps count, too.",
            also=(("    dtype = ", "    length, da0 = min(length, T_x), None\n    dtype = "),),
        ),
        Edit(
            "only-the-last-chunk",
            "            total += grad\n",
            "            total += grad\n        if chunk.stop >= T_x:\n            kept = [grad.copy() for grad in grads]\n"
            "    grads = RNNParams(*kept)\n",
            "The weights' gradients are those of the last chunk. All chunks share the weights: "
            "sum over them.",
        ),
        Edit(
            "overwritten",
            "total += grad",
            "total[...] = grad",
            "Each chunk's gradient of the weights overwrites the one before: only the first "
            "chunk's is left. Sum over the chunks: +=.",
        ),
        Edit(
            "mean-over-chunks",
            "            total += grad\n",
            "            total += grad / -(-T_x // length)\n",
            "The weights' gradients are divided by the number of chunks. They should be sums "
            "over all steps, however the steps are cut.",
        ),
        Edit(
            "divided-by-the-length",
            "            total += grad\n",
            "            total += grad / length\n",
            "The weights' gradients are divided by length. They should be sums over all steps.",
        ),
        Edit(
            "da0-of-the-last-chunk",
            "reversed(range(0, T_x, length))",
            "range(0, T_x, length)",
            "da0 comes from the last chunk. It is the gradient of the state before the first step: "
            "only the first chunk knows it.",
        ),
        Edit(
            "da0-zero",
            "            total += grad\n",
            "            total += grad\n    da0 = np.zeros_like(da0)\n",
            "da0 is zero. The first chunk does reach the state before it.",
        ),
        Edit(
            "da0-summed",
            "        dx[chunk], da0, part = rnn_backward(da[chunk], caches[chunk], params)\n",
            "        dx[chunk], back, part = rnn_backward(da[chunk], caches[chunk], params)\n"
            "        da0 = back + (0 if chunk.stop >= T_x else da0)\n",
            "da0 is a sum over the chunks. What a later chunk sends to the state before it is cut "
            "off, and belongs to another state.",
        ),
        Edit(
            "chunks-in-reverse",
            "dx[chunk], da0, part",
            "dx[T_x - len(da[chunk]) - start : T_x - start], da0, part",
            "dx holds the chunks in reverse order.",
        ),
        Edit(
            "wrong-caches",
            "caches[chunk]",
            "caches[: len(da[chunk])]",
            "Every chunk uses the caches of the first steps. A chunk has its own: caches[chunk].",
        ),
        Edit(
            "only-the-chunks-last-loss",
            "        dx[chunk], da0, part = rnn_backward(da[chunk], caches[chunk], params)\n",
            "        ends = np.zeros_like(da[chunk])\n        ends[-1] = da[chunk][-1]\n"
            "        dx[chunk], da0, part = rnn_backward(ends, caches[chunk], params)\n",
            "Only the loss at the last step of each chunk is used. Every step has one.",
        ),
        Edit(
            "borders-one-step-late",
            "range(0, T_x, length)",
            "range(1 - length, T_x, length)",
            "The borders lie one step too late, so that the first chunk has a single step. A "
            "chunk begins at each multiple of length: the gradient is cut between step t and step"
            " t - 1, after step t's turn and not before it.",
            also=(("slice(start, start + length)", "slice(max(start, 0), start + length)"),),
        ),
        Edit(
            "borders-one-step-early",
            "reversed(range(0, T_x, length))",
            "reversed(sorted({0, *range(length - 1 or 1, T_x, length)}))",
            "The borders lie one step too early, so that the first chunk has length - 1 steps. A "
            "chunk should begin at each multiple of length.",
            also=(
                (
                    "slice(start, start + length)",
                    "slice(start, start + length if start or length == 1 else length - 1)",
                ),
            ),
        ),
    ),
    alternatives=(without_carrying, chunk_by_chunk, written_out, in_float32),
    derivative=derivative,
    shares=shares,
)
