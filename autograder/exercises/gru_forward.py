"""A GRU over whole sequences."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from course.given import GRUCache, GRUParams
from solutions.gru import gru_cell_forward, gru_forward


def inputs(rng, scale=1.0, **fixed):
    size = sizes(rng, **fixed)
    return {
        "x": normal(rng, size["T_x"], size["m"], size["n_x"]) * scale,
        "c0": np.tanh(normal(rng, size["m"], size["n_a"])),
        "params": parameters(GRUParams, rng, size),
    }


def appending(x, c0, params):
    states, caches = [], []
    for x_t in x:
        state, cache = gru_cell_forward(x_t, states[-1] if states else c0, params)
        states.append(state)
        caches += [cache]
    return np.stack(states), caches


def projecting_first(x, c0, params):
    """The inputs of all steps through one product, and the cell written out."""
    n = c0.shape[1]
    heard = [x @ W[:, n:].T + b for W, b in zip(params[::2], params[1::2])]
    c, caches, old = np.empty((len(x), *c0.shape)), [], c0
    for t in range(len(x)):
        u = 0.5 + 0.5 * np.tanh(0.5 * (heard[0][t] + old @ params.Wu[:, :n].T))
        r = 0.5 + 0.5 * np.tanh(0.5 * (heard[1][t] + old @ params.Wr[:, :n].T))
        new = np.tanh(heard[2][t] + (r * old) @ params.Wc[:, :n].T)
        c[t] = old + u * (new - old)
        caches.append(GRUCache(x[t], old, u, r, new))
        old = c[t]
    return c, caches


def recursive(x, c0, params):
    """The first step, then the rest; caches as a tuple."""
    if len(x) == 0:
        return np.empty((0, *c0.shape)), ()
    c, cache = gru_cell_forward(x[0], c0, params)
    rest, caches = recursive(x[1:], c, params)
    return np.concatenate([c[np.newaxis], rest]), (cache, *caches)


def with_a_slot_for_c0(x, c0, params):
    """A while loop over an array that has one slot more."""
    slots = np.zeros((x.shape[0] + 1, *c0.shape))
    slots[0], caches, i = c0, {}, 0
    while i < x.shape[0]:
        slots[i + 1], caches[i] = gru_cell_forward(x[i], slots[i], params)
        i += 1
    return slots[1:], list(caches.values())


def in_float32(x, c0, params):
    cast = GRUParams(*(w.astype(np.float32) for w in params))
    return appending(x.astype(np.float32), c0.astype(np.float32), cast)


EXERCISE = Exercise(
    reference=gru_forward,
    cases=(
        Case("every size differs", inputs),
        Case("every size differs", inputs),
        Case("more examples than steps", partial(inputs, T_x=3, m=6)),
        Case("one step", partial(inputs, T_x=1)),
        Case("one example", partial(inputs, m=1)),
        Case("as many steps as examples", partial(inputs, T_x=4, m=4)),
        Case("a long sequence", partial(inputs, T_x=12)),
        Case("large inputs, where gates are open or shut", partial(inputs, scale=10.0)),
    ),
    returns=("c", "caches"),
    points=3,
    calls=("gru_cell_forward",),
    hints=(
        "A loop over time, as for a plain cell: each step takes its own input and the memory that "
        "the step before has left. The first step takes c0.",
        "x[t] is one step of all examples. Keep the newest memory in a variable that starts as c0; "
        "call gru_cell_forward(x[t], that memory, params), and store both things that it returns.",
        "Before the loop: c = np.zeros((T_x, m, n_a)), an empty list caches, and c_prev, which is "
        "c0. Inside, for t in range(T_x): the call fills c[t] and gives a cache, to be appended; "
        "then c_prev becomes c[t].",
    ),
    misconceptions=(
        Edit(
            "memory-not-carried",
            "        c_prev = c[t]\n",
            "",
            "Every step starts from c0: the new memory is stored but never carried on to the next "
            "step. Without that, nothing is remembered.",
        ),
        Edit(
            "c0-ignored",
            "c_prev = c0",
            "c_prev = np.zeros_like(c0)",
            "The first step starts from zeros; it must start from c0.",
        ),
        Edit(
            "reads-its-own-last-slot",
            "gru_cell_forward(x[t], c_prev, params)",
            "gru_cell_forward(x[t], c[t - 1], params)",
            "The memory is read from c[t - 1]. At t = 0 that is c[-1], the last slot, which is "
            "still zero; c0 is lost.",
        ),
        Edit(
            "input-of-the-step-before",
            "gru_cell_forward(x[t]",
            "gru_cell_forward(x[t - 1]",
            "Step t reads x[t - 1], and the first one x[-1], the last input of all. It should read "
            "x[t].",
        ),
        Edit(
            "same-input-every-step",
            "gru_cell_forward(x[t],",
            "gru_cell_forward(x[0],",
            "Every step reads x[0]. Step t should read x[t].",
        ),
        Edit(
            "time-on-the-batch-axis",
            "x[t], c_prev",
            "x[:, t], c_prev",
            "x[:, t] takes example t at all times. Time is the first axis: x[t] is step t of all "
            "examples.",
        ),
        Edit(
            "reads-backwards",
            "gru_cell_forward(x[t],",
            "gru_cell_forward(x[T_x - 1 - t],",
            "The sequence is read from its end to its beginning.",
        ),
        Edit(
            "loop-runs-backwards",
            "in range(T_x)",
            "in reversed(range(T_x))",
            "The loop runs from the last step to the first; memory must flow forward in time.",
        ),
        Edit(
            "first-step-skipped",
            "in range(T_x)",
            "in range(1, T_x)",
            "The loop starts at t = 1, so the first step is never taken and c[0] stays zero.",
        ),
        Edit(
            "first-step-and-c0-lost",
            "in range(T_x)",
            "in range(1, T_x)",
            "The loop starts at t = 1 and reads c[t - 1]: the first step and c0 are both lost.",
            also=(("gru_cell_forward(x[t], c_prev", "gru_cell_forward(x[t], c[t - 1]"),),
        ),
        Edit(
            "last-step-missing",
            "in range(T_x)",
            "in range(T_x - 1)",
            "The loop ends one step early: c[T_x - 1] stays zero. range(T_x) already stops at "
            "T_x - 1.",
        ),
        Edit(
            "stores-the-memory-before",
            "        c[t], cache = gru_cell_forward(x[t], c_prev, params)\n",
            "        c[t] = c_prev\n        c_next, cache = gru_cell_forward(x[t], c_prev, params)\n",
            "c[t] holds the memory before step t; it must hold the memory after it.",
            also=(("        c_prev = c[t]\n", "        c_prev = c_next\n"),),
        ),
        Edit(
            "carries-the-candidate",
            "        c_prev = c[t]\n",
            "        c_prev = cache.candidate\n",
            "The next step was given the candidate. What is carried on is the memory after the "
            "update gate has mixed it, c[t].",
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
            "        c_prev = c[t]\n",
            "        c_prev = c_prev + c[t]\n",
            "The new memory is added to the old one. It should replace it: what is kept of the "
            "old one is in it already.",
        ),
        Edit(
            "overwrites-c0",
            "        c_prev = c[t]\n",
            "        c_prev[:] = c[t]\n",
            "The new memory is written into the array that c0 is (c_prev[:] = ...). All caches "
            "then share that one array, and the caller's c0 is overwritten. Use c_prev = c[t].",
        ),
        Edit(
            "c0-in-the-first-place",
            "    for t in range(T_x):\n",
            "    c[0] = c0\n    for t in range(1, T_x):\n",
            "c0 was stored as c[0], and the loop starts at t = 1: the first step is never taken. "
            "c[0] is what comes of the first step; c0 stands before all of them.",
        ),
        Edit(
            "zeros-between-steps",
            "c_prev = c[t]",
            "c_prev = 0 * c[t]",
            "From the second step on every step begins with zeros, as if c[-1] were read, which "
            "is not filled yet. A step begins with the memory that the step before has left: c[t "
            "- 1].",
        ),
    ),
    alternatives=(appending, projecting_first, recursive, with_a_slot_for_c0, in_float32),
)
