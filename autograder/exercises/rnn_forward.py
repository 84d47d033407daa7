"""A recurrent cell over whole sequences."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from course.given import RNNCache, RNNParams
from solutions.rnn import rnn_cell_forward, rnn_forward


def inputs(rng, **fixed):
    size = sizes(rng, **fixed)
    return {
        "x": normal(rng, size["T_x"], size["m"], size["n_x"]),
        "a0": np.tanh(normal(rng, size["m"], size["n_a"])),
        "params": parameters(RNNParams, rng, size),
    }


def appending(x, a0, params):
    states, caches = [], []
    a_prev = a0
    for x_t in x:
        a_prev, cache = rnn_cell_forward(x_t, a_prev, params)
        states.append(a_prev)
        caches.append(cache)
    return np.stack(states), caches


def projecting_first(x, a0, params):
    """The inputs of all steps through one product, and the cell written out."""
    projected = x @ params.Wax.T + params.ba
    a = np.empty_like(projected)
    caches, before = [], a0
    for t, z in enumerate(projected):
        a[t] = np.tanh(z + before @ params.Waa.T)
        caches.append(RNNCache(x[t], before, a[t]))
        before = a[t].copy()
    return a, caches


def with_a_slot_for_a0(x, a0, params):
    """States in a list that begins with a0; caches as a tuple."""
    states, caches = [a0], ()
    for t in range(x.shape[0]):
        a, cache = rnn_cell_forward(x[t, :, :], states[t], params)
        states.append(a)
        caches += (cache,)
    return np.array(states[1:]), caches


def recursive(x, a0, params):
    if len(x) == 0:
        return np.empty((0, *a0.shape)), []
    a, cache = rnn_cell_forward(x[0], a0, params)
    rest, caches = recursive(x[1:], a, params)
    return np.concatenate([a[np.newaxis], rest]), [cache, *caches]


def in_float32(x, a0, params):
    cast = RNNParams(*(p.astype(np.float32) for p in params))
    return appending(x.astype(np.float32), a0.astype(np.float32), cast)


EXERCISE = Exercise(
    reference=rnn_forward,
    cases=(
        Case("every size differs", inputs),
        Case("every size differs", inputs),
        Case("more examples than steps", partial(inputs, T_x=3, m=6)),
        Case("one step", partial(inputs, T_x=1)),
        Case("one example", partial(inputs, m=1)),
        Case("as many steps as examples", partial(inputs, T_x=4, m=4)),
        Case("a long sequence", partial(inputs, T_x=12)),
    ),
    returns=("a", "caches"),
    points=4,
    calls=("rnn_cell_forward",),
    hints=(
        "A loop over time: each step takes this step's input and the state that the step before "
        "has left. The first step takes a0.",
        "x[t] is one step of all examples. Keep the newest state in a variable that starts as a0; "
        "call rnn_cell_forward(x[t], that state, params), and store both things that it returns.",
        "Before the loop: a = np.zeros((T_x, m, n_a)), caches = [], a_prev = a0. Inside, for t in "
        "range(T_x): the call fills a[t] and gives a cache; append it; then a_prev = a[t].",
    ),
    misconceptions=(
        Edit(
            "state-not-carried",
            "        a_prev = a[t]\n",
            "",
            "Every step starts from a0: the new state is stored but never carried on to the next "
            "step. Without that, the network has no memory.",
        ),
        Edit(
            "a0-ignored",
            "a_prev = a0",
            "a_prev = np.zeros_like(a0)",
            "The first step starts from zeros; it must start from a0.",
        ),
        Edit(
            "reads-its-own-last-slot",
            "rnn_cell_forward(x[t], a_prev, params)",
            "rnn_cell_forward(x[t], a[t - 1], params)",
            "The state is read from a[t - 1]. At t = 0 that is a[-1], the last slot, which is "
            "still zero; a0 is lost.",
        ),
        Edit(
            "same-input-every-step",
            "rnn_cell_forward(x[t],",
            "rnn_cell_forward(x[0],",
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
            "rnn_cell_forward(x[t],",
            "rnn_cell_forward(x[T_x - 1 - t],",
            "The sequence is read from its end to its beginning.",
        ),
        Edit(
            "loop-runs-backwards",
            "in range(T_x)",
            "in reversed(range(T_x))",
            "The loop runs from the last step to the first; the state must flow forward in time.",
        ),
        Edit(
            "first-step-skipped",
            "in range(T_x)",
            "in range(1, T_x)",
            "The loop starts at t = 1, so the first step is never taken and a[0] stays zero.",
        ),
        Edit(
            "first-step-and-a0-lost",
            "in range(T_x)",
            "in range(1, T_x)",
            "The loop starts at t = 1 and reads a[t - 1]: the first step and a0 are both lost.",
            also=(("rnn_cell_forward(x[t], a_prev", "rnn_cell_forward(x[t], a[t - 1]"),),
        ),
        Edit(
            "last-step-missing",
            "in range(T_x)",
            "in range(T_x - 1)",
            "The loop ends one step early: a[T_x - 1] stays zero. range(T_x) already stops at "
            "T_x - 1.",
        ),
        Edit(
            "stores-the-state-before",
            "        a[t], cache = rnn_cell_forward(x[t], a_prev, params)\n",
            "        a[t] = a_prev\n        a_next, cache = rnn_cell_forward(x[t], a_prev, params)\n",
            "a[t] holds the state before step t; it must hold the state after it.",
            also=(("        a_prev = a[t]\n", "        a_prev = a_next\n"),),
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
            "state-added-up",
            "        a_prev = a[t]\n",
            "        a_prev = a_prev + a[t]\n",
            "The new state is added to the old one. It should replace it.",
        ),
        Edit(
            "overwrites-a0",
            "        a_prev = a[t]\n",
            "        a_prev[:] = a[t]\n",
            "The new state is written into the array that a0 is (a_prev[:] = ...). All caches then "
            "share that one array, and the caller's a0 is overwritten. Use a_prev = a[t].",
        ),
        Edit(
            "a0-in-the-first-place",
            "    for t in range(T_x):\n",
            "    a[0] = a0\n    for t in range(1, T_x):\n",
            "a0 was stored as a[0], and the loop starts at t = 1: the first step is never taken. "
            "a[0] is what comes of the first step; a0 stands before all of them.",
        ),
        Edit(
            "a0-stored-too",
            "        a_prev = a[t]\n",
            "        a_prev = a[t]\n    a = np.concatenate([a0[np.newaxis], a])\n",
            "a0 stands in a, before the states: there are T_x + 1 of them. a[t] is the state "
            "after step t; a0 comes before all steps and is left out.",
        ),
        Edit(
            "time-turned-round",
            "in range(T_x)",
            "in reversed(range(T_x))",
            "The loop runs from the last step to the first; the state must flow forward in time.",
            also=(("caches.append(cache)", "caches.insert(0, cache)"),),
        ),
        Edit(
            "Waa-transposed",
            "a[t], cache = rnn_cell_forward(x[t], a_prev, params)",
            "a[t] = np.tanh(x[t] @ params.Wax.T + a_prev @ params.Waa + params.ba)\n"
            "        cache = RNNCache(x[t], a_prev, a[t])",
            "Waa was not transposed. It is square, so nothing complains; with examples in rows "
            "it is a_prev @ Waa.T.",
        ),
        Edit(
            "no-bias",
            "a[t], cache = rnn_cell_forward(x[t], a_prev, params)",
            "a[t] = np.tanh(x[t] @ params.Wax.T + a_prev @ params.Waa.T)\n"
            "        cache = RNNCache(x[t], a_prev, a[t])",
            "The bias ba is left out.",
        ),
        Edit(
            "sigmoid-for-tanh",
            "a[t], cache = rnn_cell_forward(x[t], a_prev, params)",
            "a[t] = sigmoid(x[t] @ params.Wax.T + a_prev @ params.Waa.T + params.ba)\n"
            "        cache = RNNCache(x[t], a_prev, a[t])",
            "The state went through a sigmoid. A plain recurrent cell uses tanh, so that a unit can be "
            "negative as well as positive.",
        ),
        Edit(
            "zeros-between-steps",
            "a_prev = a[t]",
            "a_prev = 0 * a[t]",
            "From the second step on every step begins with zeros, as if a[-1] were read, which "
            "is not filled yet. A step begins with the state that the step before has left: a[t -"
            " 1].",
        ),
    ),
    alternatives=(appending, projecting_first, with_a_slot_for_a0, recursive, in_float32),
)
