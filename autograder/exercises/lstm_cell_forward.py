"""One step of an LSTM."""

import math
from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from course.given import LSTMCache, LSTMParams, sigmoid
from solutions.lstm import lstm_cell_forward


def inputs(rng, scale=1.0, memory=1.0, **fixed):
    size = sizes(rng, **fixed)
    return {
        "x_t": normal(rng, size["m"], size["n_x"]) * scale,
        "a_prev": np.tanh(normal(rng, size["m"], size["n_a"])),
        "c_prev": normal(rng, size["m"], size["n_a"]) * memory,
        "params": parameters(LSTMParams, rng, size),
    }


def shut_and_open(rng):
    """Gates that are fully open or fully shut, some by sums beyond 1000."""
    case = inputs(rng, m=6)
    case["x_t"][::2] *= 2000
    return case


def by_hand(x_t, a_prev, c_prev, params):
    """Unit by unit, in loops over plain numbers."""
    units = range(a_prev.shape[1])
    rows = []
    for x, a, c in zip(x_t.tolist(), a_prev.tolist(), c_prev.tolist()):
        seen = a + x
        sums = {
            gate: [
                sum(w * s for w, s in zip(getattr(params, "W" + gate)[j], seen))
                + getattr(params, "b" + gate)[j]
                for j in units
            ]
            for gate in "fuco"
        }
        f, u, o = ([0.5 + 0.5 * math.tanh(s / 2) for s in sums[gate]] for gate in "fuo")
        new = [math.tanh(s) for s in sums["c"]]
        kept = [f[j] * c[j] + u[j] * new[j] for j in units]
        shown = [o[j] * math.tanh(kept[j]) for j in units]
        rows.append((seen, f, u, new, o, c, kept, shown))
    *cache, a = (np.array(column) for column in zip(*rows))
    return a, cache[-1], LSTMCache(*cache)


def fused(x_t, a_prev, c_prev, params):
    """All four sums from one product, and one tanh for all of them."""
    p, n = params, a_prev.shape[1]
    W, b = np.vstack([p.Wf, p.Wu, p.Wo, p.Wc]), np.hstack([p.bf, p.bu, p.bo, p.bc])
    z = np.hstack((a_prev, x_t))
    half = np.repeat([0.5, 0.5, 0.5, 1.0], n).astype(x_t.dtype)
    t = np.tanh((z.dot(W.T) + b) * half)
    f, u, o = np.split((t[:, : 3 * n] + 1) / 2, 3, axis=1)
    g = t[:, 3 * n :]
    c = c_prev * f + g * u
    return np.tanh(c) * o, c, LSTMCache(z, f, u, g, o, c_prev, c)


def logistic(z):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


def in_two_products(x_t, a_prev, c_prev, params):
    """State and input by themselves, with einsum, and a sigmoid of one's own."""
    n_a = a_prev.shape[1]

    def total(W, b):
        from_state = np.einsum("mb,ab->ma", a_prev, W[:, :n_a])
        return from_state + np.einsum("mx,ax->ma", x_t, W[:, n_a:]) + b

    i, f, o = (
        logistic(total(params[k], params[k + 1]))
        for k in map(LSTMParams._fields.index, ("Wu", "Wf", "Wo"))
    )
    g = np.tanh(total(params.Wc, params.bc))
    c_next = i * g + f * c_prev
    cache = LSTMCache(
        z=np.concatenate((a_prev, x_t), -1), forget=f, update=i, candidate=g, output=o,
        c_prev=c_prev, c=c_next,
    )  # fmt: skip
    return o * np.tanh(c_next), c_next, cache


def column_by_column(x_t, a_prev, c_prev, params):
    """Features first, as in lectures, and turned back at the end."""
    p = params
    concat = np.concatenate((a_prev.T, x_t.T))
    gates = [
        act(W @ concat + b.reshape(-1, 1))
        for act, W, b in (
            (logistic, p.Wf, p.bf),
            (logistic, p.Wu, p.bu),
            (np.tanh, p.Wc, p.bc),
            (logistic, p.Wo, p.bo),
        )
    ]
    ft, it, cct, ot = gates
    c_next = np.multiply(ft, c_prev.T) + np.multiply(it, cct)
    a_next = np.multiply(ot, np.tanh(c_next))
    return a_next.T, c_next.T, LSTMCache(concat.T, ft.T, it.T, cct.T, ot.T, c_prev, c_next.T)


def in_float32(x_t, a_prev, c_prev, params):
    small = [v.astype(np.float32) for v in (x_t, a_prev, c_prev)]
    return fused(*small, LSTMParams(*(w.astype(np.float32) for w in params)))


GATES = {"f": "forget", "u": "update", "c": "candidate", "o": "output"}


def of_another_gate(z, params, gates):
    """Every gate made of z with the weights or the bias of another, a slip of copy and paste.

    Parameters
    ----------
    z : (m, n_a + n_x) ndarray
        What the gates see.
    params : NamedTuple of ndarray
    gates : dict of str to str
        From the letters of parameters to fields of the cache; the candidate, c, has a tanh.
    """
    found = {}
    for own, field in gates.items():
        curve = np.tanh if own == "c" else sigmoid
        found[f"cache.{field}"] = {
            f"It was made with {' and '.join(f'{k}{other}' for k in taken)}: "
            f"W{own} and b{own} belong to it.": curve(
                z @ getattr(params, f"W{other if 'W' in taken else own}").T
                + getattr(params, f"b{other if 'b' in taken else own}")
            )
            for other in sorted(gates.keys() - {own})
            for taken in ("W", "b", "Wb")
        }
    return found


def strays(x_t, a_prev, c_prev, params):
    return of_another_gate(np.concatenate([a_prev, x_t], axis=1), params, GATES)


EXERCISE = Exercise(
    reference=lstm_cell_forward,
    cases=(
        Case("every size differs", inputs),
        Case("every size differs", inputs),
        Case("more inputs than units", partial(inputs, n_x=7, n_a=2)),
        Case("one example", partial(inputs, m=1)),
        Case("one unit", partial(inputs, n_a=1)),
        Case("as many inputs as units and examples", partial(inputs, m=4, n_x=4, n_a=4)),
        Case("a memory far beyond 1", partial(inputs, memory=6.0)),
        Case("gates wide open and gates shut", shut_and_open),
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
    points=4,
    hints=(
        "Three gates and a candidate, each made from the same thing: the hidden state and the "
        "input side by side. Then the memory is rewritten, and at last a part of it is shown.",
        "z is a_prev and x_t joined along their second axis, the state first. Each of the four is "
        "an activation of z times its own weights, transposed, plus its own bias: sigmoid for the "
        "three gates, tanh for the candidate.",
        "After those five lines two are left, equations (6.6) and (6.7), entry by entry: the new "
        "memory from forget, c_prev, update and candidate; the hidden state from output and the "
        "tanh of the new memory.",
    ),
    misconceptions=(
        Edit(
            "input-before-state",
            "[a_prev, x_t]",
            "[x_t, a_prev]",
            "z has the input first and the state second. The weights' columns are for the state "
            "first: [a_prev, x_t].",
        ),
        Edit(
            "memory-in-place-of-state",
            "[a_prev, x_t]",
            "[c_prev, x_t]",
            "The gates read c_prev. In an LSTM they read the hidden state, a_prev; the memory "
            "itself is never multiplied by a weight matrix.",
        ),
        Edit(
            "joined-along-examples",
            "[a_prev, x_t], axis=1",
            "[a_prev, x_t], axis=0",
            "State and input were joined along axis 0, one below the other. They belong side by "
            "side, example by example: axis=1.",
        ),
        Edit(
            "sigmoid-candidate",
            "np.tanh(z @ p.Wc.T + p.bc)",
            "sigmoid(z @ p.Wc.T + p.bc)",
            "The candidate went through a sigmoid. It is no gate but a value to be written, and "
            "uses tanh: memory must be able to fall as well as rise.",
        ),
        Edit(
            "bare-candidate",
            "np.tanh(z @ p.Wc.T + p.bc)",
            "z @ p.Wc.T + p.bc",
            "The candidate is a bare sum. It goes through tanh, so that no single step can write "
            "more than 1 into the memory.",
        ),
        Edit(
            "tanh-output-gate",
            "output = sigmoid(",
            "output = np.tanh(",
            "The output gate went through tanh. A gate says how much, from 0 to 1: sigmoid.",
        ),
        Edit(
            "tanh-forget-gate",
            "forget = sigmoid(",
            "forget = np.tanh(",
            "The forget gate went through tanh. A gate says how much, from 0 to 1: sigmoid. With a "
            "negative one the memory would change its sign.",
        ),
        Edit(
            "tanh-update-gate",
            "update = sigmoid(",
            "update = np.tanh(",
            "The update gate went through tanh. A gate says how much, from 0 to 1: sigmoid.",
        ),
        Edit(
            "gates-exchanged",
            "forget * c_prev + update * candidate",
            "update * c_prev + forget * candidate",
            "Forget and update gate are exchanged: forget says how much of the old memory stays, "
            "update how much of the candidate comes in.",
        ),
        Edit(
            "old-state-for-old-memory",
            "forget * c_prev",
            "forget * a_prev",
            "The forget gate was applied to a_prev. It is the memory that is kept: c_prev. With "
            "zero initial states nobody would notice at the first step.",
        ),
        Edit(
            "no-forget-gate",
            "c = forget * c_prev",
            "c = c_prev",
            "The forget gate is not used: nothing is ever forgotten. So it was in the LSTM of 1997; "
            "this one can clear its memory.",
        ),
        Edit(
            "no-update-gate",
            "update * candidate",
            "candidate",
            "The update gate is not used: every candidate is written in full, at every step.",
        ),
        Edit(
            "coupled-like-a-gru",
            "update * candidate",
            "(1 - forget) * candidate",
            "The candidate comes in by 1 - forget, as in a GRU. An LSTM has an update gate of its "
            "own: it may keep and write at once.",
        ),
        Edit(
            "forgets-what-it-keeps",
            "forget * c_prev",
            "(1 - forget) * c_prev",
            "The memory was multiplied by 1 - forget. The name misleads: a forget gate of 1 means "
            "keep everything.",
        ),
        Edit(
            "no-memory",
            "forget * c_prev + update",
            "update",
            "c_prev is not used: the memory is made from this step alone.",
        ),
        Edit(
            "memory-squashed",
            "c = forget * c_prev + update * candidate",
            "c = np.tanh(forget * c_prev + update * candidate)",
            "The memory itself went through tanh. Only what is shown should, in a: squashed at "
            "every step, the memory would fade, and its gradient with it.",
        ),
        Edit(
            "no-output-gate",
            "output * np.tanh(c)",
            "np.tanh(c)",
            "The output gate is computed and not used: it decides how much of the memory is shown.",
        ),
        Edit(
            "no-tanh-of-memory",
            "output * np.tanh(c)",
            "output * c",
            "a is output times the bare memory. The memory goes through tanh first: it may have "
            "grown far beyond 1.",
        ),
        Edit(
            "sigmoid-of-memory",
            "output * np.tanh(c)",
            "output * sigmoid(c)",
            "The memory went through a sigmoid on its way out. It should be tanh there, so that "
            "a may be negative.",
        ),
        Edit(
            "tanh-of-the-product",
            "output * np.tanh(c)",
            "np.tanh(output * c)",
            "tanh was taken of output times memory. Take tanh of the memory, then let the gate "
            "through: output * tanh(c).",
        ),
        Edit(
            "shows-the-old-memory",
            "output * np.tanh(c)",
            "output * np.tanh(c_prev)",
            "a shows the memory before the step, c_prev. Rewrite the memory first and show the new "
            "one.",
        ),
        Edit(
            "shows-the-candidate",
            "output * np.tanh(c)",
            "output * candidate",
            "a shows the candidate. What is shown is the memory, in which old and new are together.",
        ),
        Edit(
            "update-weights-in-forget",
            "z @ p.Wf.T + p.bf",
            "z @ p.Wu.T + p.bu",
            "The forget gate uses the update gate's weights and bias: a copied line? It has Wf and "
            "bf of its own.",
        ),
        Edit(
            "forget-weights-in-update",
            "z @ p.Wu.T + p.bu",
            "z @ p.Wf.T + p.bf",
            "The update gate uses the forget gate's weights and bias: a copied line? It has Wu and "
            "bu of its own.",
        ),
        Edit(
            "output-and-candidate-weights-exchanged",
            "z @ p.Wc.T + p.bc",
            "z @ p.Wo.T + p.bo",
            "The candidate has the weights of the output gate, and the output gate those of the "
            "candidate.",
            also=(("sigmoid(z @ p.Wo.T + p.bo)", "sigmoid(z @ p.Wc.T + p.bc)"),),
        ),
        Edit(
            "no-bf",
            " + p.bf",
            "",
            "The bias bf is left out of the forget gate. It matters more than others: section 6.8.",
        ),
        Edit("no-bu", " + p.bu", "", "The bias bu is left out of the update gate."),
        Edit("no-bc", " + p.bc", "", "The bias bc is left out of the candidate."),
        Edit("no-bo", " + p.bo", "", "The bias bo is left out of the output gate."),
        Edit(
            "bias-outside-the-gate",
            "sigmoid(z @ p.Wf.T + p.bf)",
            "sigmoid(z @ p.Wf.T) + p.bf",
            "The forget gate's bias was added after the sigmoid. It belongs inside; outside, the "
            "gate leaves the range from 0 to 1.",
        ),
        Edit(
            "forget-and-update-weights-exchanged",
            "forget = sigmoid(z @ p.Wf.T + p.bf)",
            "forget = sigmoid(z @ p.Wu.T + p.bu)",
            "The forget gate was made with Wu and bu, and the update gate with Wf and bf. The "
            "letter says whose they are.",
            also=(("update = sigmoid(z @ p.Wu.T + p.bu)", "update = sigmoid(z @ p.Wf.T + p.bf)"),),
        ),
    ),
    alternatives=(by_hand, fused, in_two_products, column_by_column, in_float32),
    strays=strays,
)
