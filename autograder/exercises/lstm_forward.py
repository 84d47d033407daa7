"""An LSTM over whole sequences."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from course.given import LSTMCache, LSTMParams
from solutions.lstm import lstm_cell_forward, lstm_forward


def inputs(rng, scale=1.0, **fixed):
    size = sizes(rng, **fixed)
    x = normal(rng, size["T_x"], size["m"], size["n_x"])
    x[:, ::2] *= scale
    return {
        "x": x,
        "a0": np.tanh(normal(rng, size["m"], size["n_a"])),
        "c0": normal(rng, size["m"], size["n_a"]),
        "params": parameters(LSTMParams, rng, size),
    }


def appending(x, a0, c0, params):
    """Lists, stacked at the end."""
    hidden, memories, caches = [], [], []
    a, c = a0, c0
    for x_t in x:
        a, c, cache = lstm_cell_forward(x_t, a, c, params)
        hidden.append(a)
        memories.append(c)
        caches.append(cache)
    return np.stack(hidden), np.stack(memories), caches


def projecting_first(x, a0, c0, params):
    """The inputs of all steps through one product, gates fused, the cell written out."""
    p, n_a = params, a0.shape[1]
    W, b = np.vstack([p.Wf, p.Wu, p.Wo, p.Wc]), np.hstack([p.bf, p.bu, p.bo, p.bc])
    projected = np.einsum("tmx,kx->tmk", x, W[:, n_a:]) + b
    state, memory, out = a0, c0, []
    for x_t, from_x in zip(x, projected):
        s = from_x + state @ W[:, :n_a].T
        f, u, o = ((1 + np.tanh(part / 2)) / 2 for part in np.split(s[:, : 3 * n_a], 3, axis=1))
        g = np.tanh(s[:, 3 * n_a :])
        new = f * memory + u * g
        out.append(
            (o * np.tanh(new), new, LSTMCache(np.hstack([state, x_t]), f, u, g, o, memory, new))
        )
        state, memory = out[-1][:2]
    a, c, caches = zip(*out)
    return np.array(a), np.array(c), caches


def with_slots_for_the_start(x, a0, c0, params):
    """Arrays one step longer than needed, which begin with a0 and c0."""
    T_x = x.shape[0]
    A = np.empty((T_x + 1, *a0.shape))
    C = np.empty((T_x + 1, *c0.shape))
    A[0], C[0] = a0, c0
    caches = [None] * T_x
    for t in range(T_x):
        A[t + 1], C[t + 1], caches[t] = lstm_cell_forward(x[t, :, :], A[t], C[t], params)
    return A[1:], C[1:], caches


def recursive(x, a0, c0, params):
    """The first step, then the rest."""
    if not len(x):
        nothing = np.empty((0, *a0.shape))
        return nothing, nothing, []
    a, c, cache = lstm_cell_forward(x[0], a0, c0, params)
    later_a, later_c, caches = recursive(x[1:], a, c, params)
    return np.concatenate([a[None], later_a]), np.concatenate([c[None], later_c]), [cache, *caches]


def in_float32(x, a0, c0, params):
    small = [v.astype(np.float32) for v in (x, a0, c0)]
    return appending(*small, LSTMParams(*(w.astype(np.float32) for w in params)))


EXERCISE = Exercise(
    reference=lstm_forward,
    cases=(
        Case("every size differs", partial(inputs, T_x=3)),
        Case("every size differs", partial(inputs, T_x=4)),
        Case("more examples than steps", partial(inputs, T_x=2, m=6)),
        Case("one step", partial(inputs, T_x=1)),
        Case("one example", partial(inputs, T_x=3, m=1)),
        Case("as many steps as examples", partial(inputs, T_x=3, m=3)),
        Case("a long sequence", partial(inputs, T_x=7, m=2, n_x=4, n_a=3)),
        Case("gates wide open and gates shut", partial(inputs, T_x=3, m=6, scale=100.0)),
    ),
    returns=("a", "c", "caches"),
    points=3,
    calls=("lstm_cell_forward",),
    hints=(
        "A loop over time, as for a plain recurrent network; but two things go from each step to "
        "the next: the hidden state and the memory.",
        "x[t] is one step of all examples. Keep the newest of both in two variables that start as "
        "a0 and c0. Call lstm_cell_forward(x[t], those two, params); it returns three things, and "
        "all three are stored.",
        "Before the loop: two arrays of zeros, (T_x, m, n_a), one for a and another for c; "
        "caches = []; a_prev and c_prev. Inside: the call fills a[t] and c[t] and gives a cache to "
        "append; then a_prev and c_prev become a[t] and c[t].",
    ),
    misconceptions=(
        Edit(
            "one-array-two-names",
            "c = np.zeros_like(a)",
            "c = a",
            "a and c are one array under two names (c = a makes no copy), so whatever is written "
            "into one overwrites the other. Make two arrays of zeros.",
        ),
        Edit(
            "a0-ignored",
            "a_prev, c_prev = a0, c0",
            "a_prev, c_prev = np.zeros_like(a0), c0",
            "The first step starts from a hidden state of zeros; it must start from a0.",
        ),
        Edit(
            "c0-ignored",
            "a_prev, c_prev = a0, c0",
            "a_prev, c_prev = a0, np.zeros_like(c0)",
            "The first step starts from an empty memory; it must start from c0.",
        ),
        Edit(
            "a0-and-c0-ignored",
            "a_prev, c_prev = a0, c0",
            "a_prev, c_prev = np.zeros_like(a0), np.zeros_like(c0)",
            "The first step starts from zeros; it must start from a0 and c0.",
        ),
        Edit(
            "starts-exchanged",
            "a_prev, c_prev = a0, c0",
            "a_prev, c_prev = c0, a0",
            "The first step takes c0 for the hidden state and a0 for the memory.",
        ),
        Edit(
            "memory-starts-as-a0",
            "a_prev, c_prev = a0, c0",
            "a_prev, c_prev = a0, a0",
            "The memory starts as a0. It should start as c0.",
        ),
        Edit(
            "memory-not-carried",
            "        a_prev, c_prev = a[t], c[t]\n",
            "        a_prev = a[t]\n",
            "Every step starts from the memory c0: the new memory is stored but never carried on. "
            "It is the memory's journey that makes an LSTM.",
        ),
        Edit(
            "memory-emptied-each-step",
            "a_prev, c_prev, params)",
            "a_prev, np.zeros_like(c0), params)",
            "Every step starts with an empty memory. It should take the one that the step before "
            "left.",
        ),
        Edit(
            "hidden-state-not-carried",
            "        a_prev, c_prev = a[t], c[t]\n",
            "        c_prev = c[t]\n",
            "Every step starts from the hidden state a0: the new one is stored but never carried "
            "on, so the gates never see what the network has read.",
        ),
        Edit(
            "nothing-carried",
            "        a_prev, c_prev = a[t], c[t]\n",
            "",
            "Every step starts from a0 and c0: neither the hidden state nor the memory is carried "
            "on to the next.",
        ),
        Edit(
            "exchanged-in-the-call",
            "x[t], a_prev, c_prev, params",
            "x[t], c_prev, a_prev, params",
            "The memory and the hidden state are exchanged in the call: first the hidden state, "
            "then the memory.",
        ),
        Edit(
            "exchanged-in-the-result",
            "a[t], c[t], cache = lstm",
            "c[t], a[t], cache = lstm",
            "The cell's results are taken in the wrong order: it returns the hidden state, then "
            "the memory, then the cache.",
        ),
        Edit(
            "exchanged-when-carried",
            "a_prev, c_prev = a[t], c[t]",
            "a_prev, c_prev = c[t], a[t]",
            "The two are exchanged on their way to the next step: the memory becomes the hidden "
            "state and the other way round.",
        ),
        Edit(
            "hidden-state-carried-as-memory",
            "a_prev, c_prev = a[t], c[t]",
            "a_prev, c_prev = a[t], a[t]",
            "The hidden state is carried on as the memory, too. What was not shown is lost at "
            "every step.",
        ),
        Edit(
            "returned-in-the-other-order",
            "        a_prev, c_prev = a[t], c[t]\n",
            "        a_prev, c_prev = a[t], c[t]\n    a, c = c, a\n",
            "a and c are returned in the wrong order: hidden states first, memories second.",
        ),
        Edit(
            "reads-its-own-last-slots",
            "lstm_cell_forward(x[t], a_prev, c_prev, params)",
            "lstm_cell_forward(x[t], a[t - 1], c[t - 1], params)",
            "State and memory are read from a[t - 1] and c[t - 1]. At t = 0 these are the last "
            "slots, still zero; a0 and c0 are lost.",
        ),
        Edit(
            "input-of-the-step-before",
            "lstm_cell_forward(x[t]",
            "lstm_cell_forward(x[t - 1]",
            "Step t reads x[t - 1], and the first one x[-1], the last input of all. It should read "
            "x[t].",
        ),
        Edit(
            "same-input-every-step",
            "lstm_cell_forward(x[t],",
            "lstm_cell_forward(x[0],",
            "Every step reads x[0]. Step t should read x[t].",
        ),
        Edit(
            "time-on-the-batch-axis",
            "x[t], a_prev",
            "x[:, t], a_prev",
            "x[:, t] takes example t at all times. Time is the first axis: x[t] is step t of all "
            "examples.",
        ),
        Edit(
            "reads-backwards",
            "lstm_cell_forward(x[t],",
            "lstm_cell_forward(x[T_x - 1 - t],",
            "The sequence is read from its end to its beginning.",
        ),
        Edit(
            "loop-runs-backwards",
            "in range(T_x)",
            "in reversed(range(T_x))",
            "The loop runs from the last step to the first; state and memory must flow forward in "
            "time.",
        ),
        Edit(
            "first-step-skipped",
            "in range(T_x)",
            "in range(1, T_x)",
            "The loop starts at t = 1, so the first step is never taken.",
        ),
        Edit(
            "last-step-missing",
            "in range(T_x)",
            "in range(T_x - 1)",
            "The loop ends one step early. range(T_x) already stops at T_x - 1.",
        ),
        Edit(
            "stores-what-was-before",
            "        a[t], c[t], cache = lstm_cell_forward(x[t], a_prev, c_prev, params)\n",
            "        a[t], c[t] = a_prev, c_prev\n"
            "        a_next, c_next, cache = lstm_cell_forward(x[t], a_prev, c_prev, params)\n",
            "a[t] and c[t] hold what was before step t; they must hold what is after it.",
            also=(("a_prev, c_prev = a[t], c[t]\n", "a_prev, c_prev = a_next, c_next\n"),),
        ),
        Edit(
            "caches-in-reverse",
            "caches.append(cache)",
            "caches.insert(0, cache)",
            "The caches are in reverse: caches[0] must belong to the first step.",
        ),
        Edit(
            "only-the-last-cache",
            "caches.append(cache)",
            "caches = [cache]",
            "Only the last step's cache is kept. The backward pass needs one for every step: "
            "append them.",
        ),
        Edit(
            "memory-added-up",
            "a_prev, c_prev = a[t], c[t]",
            "a_prev, c_prev = a[t], c_prev + c[t]",
            "The new memory is added to the old one. It has the old one in it already, as much "
            "of it as the forget gate let through, and should replace it.",
        ),
        Edit(
            "overwrites-a0-and-c0",
            "a_prev, c_prev = a[t], c[t]",
            "a_prev[:], c_prev[:] = a[t], c[t]",
            "The new values are written into the arrays that a0 and c0 are (a_prev[:] = ...). All "
            "caches then share one memory, and the caller's a0 and c0 are overwritten.",
        ),
        Edit(
            "starts-in-the-first-places",
            "    for t in range(T_x):\n",
            "    a[0], c[0] = a0, c0\n    for t in range(1, T_x):\n",
            "a0 and c0 were stored as a[0] and c[0], and the loop starts at t = 1: the first step"
            " is never taken. a[0] and c[0] are what comes of the first step; a0 and c0 stand "
            "before all of them.",
        ),
        Edit(
            "zeros-between-steps",
            "a_prev, c_prev = a[t], c[t]",
            "a_prev, c_prev = 0 * a[t], 0 * c[t]",
            "From the second step on every step begins with zeros, as if a[-1] and c[-1] were "
            "read, which are not filled yet. A step begins with what the step before has left: "
            "a[t - 1] and c[t - 1].",
        ),
    ),
    alternatives=(appending, projecting_first, with_slots_for_the_start, recursive, in_float32),
)
