"""One step of an LSTM whose gates see the memory."""

import math
from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from course.given import LSTMCache, PeepholeLSTMParams
from solutions.lstm import peephole_lstm_cell_forward


def inputs(rng, scale=1.0, memory=1.0, **fixed):
    size = sizes(rng, **fixed)
    return {
        "x_t": normal(rng, size["m"], size["n_x"]) * scale,
        "a_prev": np.tanh(normal(rng, size["m"], size["n_a"])),
        "c_prev": normal(rng, size["m"], size["n_a"]) * memory,
        "params": parameters(PeepholeLSTMParams, rng, size),
    }


def sigmoid(s):
    """A learner's own."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-s))


def by_hand(x_t, a_prev, c_prev, params):
    """Unit by unit, in loops over plain numbers."""
    p = params
    rows = []
    for x, a, c in zip(x_t.tolist(), a_prev.tolist(), c_prev.tolist()):
        seen, row = a + x, []
        for j, old in enumerate(c):
            f_sum, u_sum, c_sum, o_sum = (
                math.fsum(w * s for w, s in zip(W[j], seen)) + b[j]
                for W, b in ((p.Wf, p.bf), (p.Wu, p.bu), (p.Wc, p.bc), (p.Wo, p.bo))
            )
            f = 0.5 + 0.5 * math.tanh((f_sum + p.pf[j] * old) / 2)
            u = 0.5 + 0.5 * math.tanh((u_sum + p.pu[j] * old) / 2)
            fresh = math.tanh(c_sum)
            new = f * old + u * fresh
            o = 0.5 + 0.5 * math.tanh((o_sum + p.po[j] * new) / 2)
            row.append((f, u, fresh, o, old, new, o * math.tanh(new)))
        rows.append(row)
    *cache, a = np.moveaxis(np.array(rows), 2, 0)
    return a, cache[-1], LSTMCache(np.hstack([a_prev, x_t]), *cache)


def as_matrices(x_t, a_prev, c_prev, params):
    """Peepholes as diagonal matrices."""
    p, z = params, np.hstack([a_prev, x_t])
    f = sigmoid(z @ p.Wf.T + c_prev @ np.diag(p.pf) + p.bf)
    u = sigmoid(z @ p.Wu.T + c_prev @ np.diag(p.pu) + p.bu)
    g = np.tanh(z @ p.Wc.T + p.bc)
    c = u * g + f * c_prev
    o = sigmoid(z @ p.Wo.T + c @ np.diag(p.po) + p.bo)
    return np.tanh(c) * o, c, LSTMCache(z, f, u, g, o, c_prev, c)


def fused(x_t, a_prev, c_prev, params):
    """Four sums at once; the output gate's is finished when the memory is there."""
    p = params
    z = np.concatenate((a_prev, x_t), axis=-1)
    W, b = np.stack([p.Wf, p.Wu, p.Wc, p.Wo]), np.stack([p.bf, p.bu, p.bc, p.bo])
    s = np.einsum("mz,gaz->gma", z, W) + b[:, np.newaxis]
    forget, update = (1 + np.tanh((s[:2] + np.stack([p.pf, p.pu])[:, None] * c_prev) / 2)) / 2
    candidate = np.tanh(s[2])
    memory = np.multiply(forget, c_prev) + np.multiply(update, candidate)
    output = (1 + np.tanh((s[3] + p.po * memory) / 2)) / 2
    cache = LSTMCache(z, forget, update, candidate, output, c_prev, memory)
    return output * np.tanh(memory), memory, cache


def in_float32(x_t, a_prev, c_prev, params):
    small = [v.astype(np.float32) for v in (x_t, a_prev, c_prev)]
    return fused(*small, PeepholeLSTMParams(*(w.astype(np.float32) for w in params)))


EXERCISE = Exercise(
    reference=peephole_lstm_cell_forward,
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
        "cache.c_prev",
        "cache.c",
        "cache.output",
        "c",
        "a",
    ),
    points=3,
    hints=(
        "It is the LSTM cell with one more term in the sum of each gate: the memory, each unit "
        "weighed by a number of its own.",
        "A peephole weight is (n_a,), like a bias: it is multiplied by the memory entry by "
        "entry. The forget and update gates see the memory before the step. Which one does "
        "the output gate see, and when is that there?",
        "Order: z, forget with pf and c_prev, update with pu and c_prev, the candidate without a "
        "peephole, then the new memory, and only then output, with po and that new memory; a last.",
    ),
    misconceptions=(
        Edit(
            "output-sees-the-old-memory",
            "p.po * c + p.bo",
            "p.po * c_prev + p.bo",
            "The output gate sees the memory before the step. It decides how much of the *new* "
            "one is shown, and should see that one: make c first.",
        ),
        Edit(
            "peepholes-see-the-hidden-state",
            "p.pf * c_prev",
            "p.pf * a_prev",
            "The peepholes look at the hidden state, which is in z already. They are there to see "
            "what is not shown: the memory.",
            also=(("p.pu * c_prev", "p.pu * a_prev"),),
        ),
        Edit(
            "no-peephole-in-forget",
            " + p.pf * c_prev",
            "",
            "The forget gate has no peephole: pf is not used.",
        ),
        Edit(
            "no-peephole-in-update",
            " + p.pu * c_prev",
            "",
            "The update gate has no peephole: pu is not used.",
        ),
        Edit(
            "no-peephole-in-output",
            " + p.po * c",
            "",
            "The output gate has no peephole: po is not used.",
        ),
        Edit(
            "no-peepholes",
            " + p.pf * c_prev",
            "",
            "This is the LSTM without peepholes: pf, pu and po are not used.",
            also=((" + p.pu * c_prev", ""), (" + p.po * c", "")),
        ),
        Edit(
            "peepholes-exchanged",
            "p.pf * c_prev",
            "p.pu * c_prev",
            "The forget and update gates look through each other's peephole: pf belongs to forget.",
            also=(("+ p.pu * c_prev + p.bu", "+ p.pf * c_prev + p.bu"),),
        ),
        Edit(
            "peephole-outside-the-gate",
            "sigmoid(z @ p.Wf.T + p.pf * c_prev + p.bf)",
            "sigmoid(z @ p.Wf.T + p.bf) + p.pf * c_prev",
            "The forget gate's peephole was added after the sigmoid. It should be one more term "
            "of the sum inside.",
        ),
        Edit(
            "every-unit-sees-all",
            "p.pf * c_prev",
            "(c_prev @ p.pf)[:, np.newaxis]",
            "The forget gate's peephole is a sum over all units. Each gate looks at its own unit's "
            "memory alone: entry by entry.",
        ),
        Edit(
            "peephole-in-the-candidate",
            "np.tanh(z @ p.Wc.T + p.bc)",
            "np.tanh(z @ p.Wc.T + p.pu * c_prev + p.bc)",
            "The candidate has a peephole. Only the three gates should.",
        ),
        Edit(
            "output-sees-tanh-of-the-memory",
            "p.po * c + p.bo",
            "p.po * np.tanh(c) + p.bo",
            "The output gate sees tanh of the memory. A peephole shows the memory as it is.",
        ),
        Edit(
            "peephole-on-the-kept-part",
            "p.po * c + p.bo",
            "p.po * (forget * c_prev) + p.bo",
            "The output gate sees only what was kept of the old memory. It should see the whole "
            "new one.",
        ),
        Edit(
            "memory-joined-to-z",
            "z @ p.Wo.T + p.po * c",
            "np.concatenate([c, x_t], axis=1) @ p.Wo.T + p.po * c",
            "In the output gate the memory took the hidden state's place in z. A peephole is added "
            "to the sum; z stays.",
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
            "gates-exchanged",
            "forget * c_prev + update * candidate",
            "update * c_prev + forget * candidate",
            "Forget and update gate are exchanged in the new memory.",
        ),
        Edit(
            "no-output-gate",
            "output * np.tanh(c)",
            "np.tanh(c)",
            "The output gate is computed and not used.",
        ),
        Edit(
            "no-tanh-of-memory",
            "output * np.tanh(c)",
            "output * c",
            "a is output times the bare memory. The memory goes through tanh first.",
        ),
    ),
    alternatives=(by_hand, as_matrices, fused, in_float32),
)
