"""One step of an LSTM that writes exactly what it forgets."""

import math
from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.exercises.lstm_cell_forward import GATES, of_another_gate
from autograder.inputs import normal, parameters, sizes
from course.given import CoupledLSTMParams, LSTMCache
from solutions.lstm import coupled_lstm_cell_forward


def inputs(rng, scale=1.0, memory=1.0, **fixed):
    size = sizes(rng, **fixed)
    return {
        "x_t": normal(rng, size["m"], size["n_x"]) * scale,
        "a_prev": np.tanh(normal(rng, size["m"], size["n_a"])),
        "c_prev": normal(rng, size["m"], size["n_a"]) * memory,
        "params": parameters(CoupledLSTMParams, rng, size),
    }


def by_hand(x_t, a_prev, c_prev, params):
    """Unit by unit, in loops over plain numbers."""
    rows = []
    for x, a, c in zip(x_t.tolist(), a_prev.tolist(), c_prev.tolist()):
        seen, row = a + x, []
        for j, old in enumerate(c):
            s_f, s_c, s_o = (
                sum(w * s for w, s in zip(params[k][j], seen)) + params[k + 1][j] for k in (0, 2, 4)
            )
            keep, show = (0.5 + 0.5 * math.tanh(s / 2) for s in (s_f, s_o))
            fresh = math.tanh(s_c)
            new = fresh + keep * (old - fresh)
            row.append((keep, 1 - keep, fresh, show, old, new, show * math.tanh(new)))
        rows.append(row)
    *cache, a = np.moveaxis(np.array(rows), 2, 0)
    return a, cache[-1], LSTMCache(np.hstack([a_prev, x_t]), *cache)


def update_as_a_sigmoid(x_t, a_prev, c_prev, params):
    """1 - sigmoid(s) is sigmoid(-s)."""
    p, z = params, np.hstack([a_prev, x_t])
    s = z @ p.Wf.T + p.bf
    f, u = (np.tanh(k * s / 2) / 2 + 0.5 for k in (1, -1))
    g, o = np.tanh(z @ p.Wc.T + p.bc), np.tanh((z @ p.Wo.T + p.bo) / 2) / 2 + 0.5
    c = f * c_prev + u * g
    return o * np.tanh(c), c, LSTMCache(z, f, u, g, o, c_prev, c)


def with_einsum(x_t, a_prev, c_prev, params):
    z = np.concatenate((a_prev, x_t), axis=-1)
    s_f, s_c, s_o = (
        np.einsum("mz,az->ma", z, params[k]) + params[k + 1] for k in range(0, len(params), 2)
    )
    with np.errstate(over="ignore"):
        keep, show = 1 / (1 + np.exp(-s_f)), 1 / (1 + np.exp(-s_o))
    fresh = np.tanh(s_c)
    memory = np.where(True, keep * c_prev + fresh - keep * fresh, 0)
    cache = LSTMCache(z, keep, 1 - keep, fresh, show, c_prev, memory)
    return show * np.tanh(memory), memory, cache


def in_float32(x_t, a_prev, c_prev, params):
    small = [v.astype(np.float32) for v in (x_t, a_prev, c_prev)]
    return update_as_a_sigmoid(*small, CoupledLSTMParams(*(w.astype(np.float32) for w in params)))


def strays(x_t, a_prev, c_prev, params):
    gates = {letter: name for letter, name in GATES.items() if letter != "u"}
    return of_another_gate(np.concatenate([a_prev, x_t], axis=1), params, gates)


EXERCISE = Exercise(
    reference=coupled_lstm_cell_forward,
    cases=(
        Case("every size differs", inputs),
        Case("every size differs", inputs),
        Case("more inputs than units", partial(inputs, n_x=7, n_a=2)),
        Case("one example", partial(inputs, m=1)),
        Case("one unit", partial(inputs, n_a=1)),
        Case("as many inputs as units and examples", partial(inputs, m=4, n_x=4, n_a=4)),
        Case("a memory far beyond 1", partial(inputs, memory=6.0)),
        Case("gates wide open and gates shut", partial(inputs, scale=500.0)),
    ),
    returns=("a", "c", "cache"),
    order=(
        "cache.z",
        "cache.forget",
        "cache.update",
        "cache.candidate",
        "cache.output",
        "cache.c_prev",
        "cache.c",
        "c",
        "a",
    ),
    points=2,
    hints=(
        "It is the LSTM cell with two gates in place of three. Only one line is new: where the "
        "update gate comes from.",
        "What is forgotten makes room, and exactly that room is written to: where forget is 1 "
        "nothing is written, where it is 0 the candidate comes in whole.",
        "update has no weights here: it is what forget leaves of 1. Everything else is as in "
        "lstm_cell_forward: z, forget, candidate, output, the memory, the hidden state.",
    ),
    misconceptions=(
        Edit(
            "coupled-the-other-way",
            "forget * c_prev + update * candidate",
            "update * c_prev + forget * candidate",
            "The gate is turned round: the old memory is kept by 1 - forget. In an LSTM it is the "
            "forget gate that keeps; it is in a GRU that an open gate lets the candidate in.",
        ),
        Edit(
            "update-is-forget",
            "update = 1 - forget",
            "update = forget",
            "The update gate is the forget gate itself: keep and write go up together. They "
            "should be opposites: update is 1 - forget.",
        ),
        Edit(
            "update-negative",
            "update = 1 - forget",
            "update = -forget",
            "The update gate is minus forget. It should be what forget leaves of 1.",
        ),
        Edit(
            "update-always-open",
            "update = 1 - forget",
            "update = np.ones_like(forget)",
            "The candidate is always written in full. It should be written as far as the old "
            "memory is forgotten: 1 - forget.",
        ),
        Edit(
            "update-from-the-output-weights",
            "update = 1 - forget",
            "update = sigmoid(z @ p.Wo.T + p.bo)",
            "The update gate has weights (those of the output gate). Here it has none of its own: "
            "it follows from forget.",
        ),
        Edit(
            "one-minus-inside-the-sigmoid",
            "update = 1 - forget",
            "update = sigmoid(1 - (z @ p.Wf.T + p.bf))",
            "The sum was subtracted from 1 inside the sigmoid. Subtract the gate from 1 (the same "
            "as the sigmoid of minus the sum).",
        ),
        Edit(
            "one-minus-by-tanh",
            "update = 1 - forget",
            "update = 1 - np.tanh(z @ p.Wf.T + p.bf)",
            "The update gate is 1 minus a tanh, which runs from 0 to 2. It should be 1 minus the "
            "forget gate.",
        ),
        Edit(
            "squares-sum-to-one",
            "update = 1 - forget",
            "update = np.sqrt(1 - forget**2)",
            "The squares of the two gates sum to 1. The gates themselves should.",
        ),
        Edit(
            "candidate-coupled-to-output",
            "update = 1 - forget",
            "update = 1 - sigmoid(z @ p.Wo.T + p.bo)",
            "update was coupled to the output gate. It should be coupled to forget.",
        ),
        Edit(
            "input-before-state",
            "[a_prev, x_t]",
            "[x_t, a_prev]",
            "z has the input first and the state second. The weights' columns are for the state "
            "first: [a_prev, x_t].",
        ),
        Edit(
            "sigmoid-candidate",
            "np.tanh(z @ p.Wc.T",
            "sigmoid(z @ p.Wc.T",
            "The candidate went through a sigmoid. It is no gate, and uses tanh.",
        ),
        Edit(
            "old-state-for-old-memory",
            "forget * c_prev",
            "forget * a_prev",
            "The forget gate was applied to a_prev. It is the memory that is kept: c_prev.",
        ),
        Edit(
            "no-output-gate",
            "output * np.tanh(c)",
            "np.tanh(c)",
            "The output gate is computed and not used. Coupling saves the update gate only.",
        ),
        Edit(
            "shows-the-memory-as-a-gru-does",
            "a = output * np.tanh(c)",
            "a = c",
            "a is the memory itself. That is a GRU; an LSTM shows its memory through tanh and an "
            "output gate.",
        ),
        Edit(
            "no-tanh-of-memory",
            "output * np.tanh(c)",
            "output * c",
            "a is output times the bare memory. The memory goes through tanh first.",
        ),
    ),
    alternatives=(by_hand, update_as_a_sigmoid, with_einsum, in_float32),
    strays=strays,
)
