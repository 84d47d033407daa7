"""One step of a GRU."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.exercises.lstm_cell_forward import of_another_gate
from autograder.inputs import normal, parameters, sizes
from course.given import GRUCache, GRUParams, sigmoid
from solutions.gru import gru_cell_forward


def inputs(rng, scale=1.0, memory=1.0, **fixed):
    size = sizes(rng, **fixed)
    return {
        "x_t": normal(rng, size["m"], size["n_x"]) * scale,
        "c_prev": np.tanh(normal(rng, size["m"], size["n_a"])) * memory,
        "params": parameters(GRUParams, rng, size),
    }


def slammed(rng):
    """All four pairs of gates that are open or shut to the last bit, and a unit in between."""
    case = inputs(rng, n_a=5)
    case["params"].bu[:4] += (800, 800, -800, -800)
    case["params"].br[:4] += (800, -800, 800, -800)
    return case


def by_hand(x_t, c_prev, params):
    """Example by example, as columns; the gates as functions."""
    Wu, bu, Wr, br, Wc, bc = params
    states, opened, forgotten, proposed = [], [], [], []
    for x, old in zip(x_t, c_prev):
        both = np.array([*old, *x])
        g_u, g_r = (0.5 * (1 + np.tanh(0.5 * (W @ both + b))) for W, b in ((Wu, bu), (Wr, br)))
        new = np.tanh(Wc.dot(np.array([*(g_r * old), *x])) + bc)
        states.append([n if g == 1 else g * n + (1 - g) * o for g, n, o in zip(g_u, new, old)])
        opened.append(g_u)
        forgotten.append(g_r)
        proposed.append(new)
    rest = (np.array(part) for part in (opened, forgotten, proposed))
    return np.array(states), GRUCache(x_t, c_prev, *rest)


def fused(x_t, c_prev, params):
    """Both gates in one product; state and input apart in the candidate."""
    n = c_prev.shape[1]
    W = np.concatenate([params.Wr, params.Wu])
    sums = c_prev @ W[:, :n].T + x_t @ W[:, n:].T + np.concatenate([params.br, params.bu])
    r, u = np.hsplit(0.5 * np.tanh(0.5 * sums) + 0.5, 2)
    h = np.tanh((r * c_prev) @ params.Wc[:, :n].T + x_t @ params.Wc[:, n:].T + params.bc)
    return c_prev + u * (h - c_prev), GRUCache(x_t, c_prev, update=u, reset=r, candidate=h)


def with_einsum(x_t, c_prev, params):
    """The reset gate inside the sum over units."""
    n = c_prev.shape[1]

    def heard(W):
        return np.einsum("mk,jk->mj", c_prev, W[:, :n]) + np.einsum("mk,jk->mj", x_t, W[:, n:])

    u = 1 / (1 + np.exp(-np.clip(heard(params.Wu) + params.bu, -600, 600)))
    r = 1 / (1 + np.exp(-np.clip(heard(params.Wr) + params.br, -600, 600)))
    kept = np.einsum("mk,mk,jk->mj", r, c_prev, params.Wc[:, :n])
    new = np.tanh(kept + np.einsum("mk,jk->mj", x_t, params.Wc[:, n:]) + params.bc)
    return (1 - u) * c_prev + u * new, GRUCache(x_t, c_prev, u, r, new)


def in_float32(x_t, c_prev, params):
    cast = GRUParams(*(w.astype(np.float32) for w in params))
    return fused(x_t.astype(np.float32), c_prev.astype(np.float32), cast)


def strays(x_t, c_prev, params):
    gates = {"u": "update", "r": "reset", "c": "candidate"}
    z = np.concatenate([c_prev, x_t], axis=1)
    reset = sigmoid(z @ params.Wr.T + params.br)
    z_reset = np.concatenate([reset * c_prev, x_t], axis=1)
    of_candidate = of_another_gate(z_reset, params, gates)["cache.candidate"]
    return of_another_gate(z, params, gates) | {"cache.candidate": of_candidate}


EXERCISE = Exercise(
    reference=gru_cell_forward,
    cases=(
        Case("every size differs", inputs),
        Case("every size differs", inputs),
        Case("more inputs than units", partial(inputs, n_x=7, n_a=2)),
        Case("one example", partial(inputs, m=1)),
        Case("one unit", partial(inputs, n_a=1)),
        Case("as many inputs as units", partial(inputs, n_x=4, n_a=4)),
        Case("an empty memory", partial(inputs, memory=0.0)),
        Case("large inputs, where gates are open or shut", partial(inputs, scale=30.0)),
        Case("sums of 800 and of -800 in the gates", slammed),
    ),
    returns=("c", "cache"),
    order=("cache.update", "cache.reset", "cache.candidate", "c"),
    points=4,
    hints=(
        "Begin with the simplified cell. A second gate, reset, is made as update is, with Wr and "
        "br. It changes one thing only: what the candidate gets to see of the old memory.",
        "Multiply c_prev by reset, entry by entry, before the candidate's matrix product; x_t is "
        "not reset. So there are two arrays with memory and input side by side: one for the gates, "
        "and one for the candidate.",
        "Make z from c_prev and x_t; update and reset from z; z_reset from reset * c_prev and x_t; "
        "candidate from z_reset with Wc and bc, (5.5). The last line is the simplified cell's: c_prev "
        "in it is not reset.",
    ),
    misconceptions=(
        Edit(
            "update-turned-round",
            "update * candidate + (1 - update) * c_prev",
            "(1 - update) * candidate + update * c_prev",
            "The update gate points the other way: here an open gate keeps the old memory. That is "
            "PyTorch's convention; in this course an open update gate lets the candidate in, (5.3).",
        ),
        Edit(
            "reset-after-the-product",
            "np.tanh(z_reset @ p.Wc.T + p.bc)",
            "np.tanh(reset * (c_prev @ p.Wc[:, : c_prev.shape[1]].T)"
            " + x_t @ p.Wc[:, c_prev.shape[1] :].T + p.bc)",
            "The reset gate was applied after the matrix product, as PyTorch does it. Here it acts "
            "on c_prev, before Wc mixes the units. With one unit, or an empty memory, the two are "
            "the same; otherwise they are different functions.",
        ),
        Edit(
            "reset-ignored",
            "np.tanh(z_reset @ p.Wc.T",
            "np.tanh(z @ p.Wc.T",
            "The candidate was made from c_prev as it is, so the reset gate has no effect. This is "
            "the simplified cell; here the candidate sees reset * c_prev.",
        ),
        Edit(
            "input-reset-too",
            "np.tanh(z_reset @ p.Wc.T + p.bc)",
            "np.tanh(reset * (z @ p.Wc.T) + p.bc)",
            "The reset gate multiplied the whole product, the input's part as well. It should "
            "act on the old memory alone: the input is always heard.",
        ),
        Edit(
            "whole-sum-reset",
            "np.tanh(z_reset @ p.Wc.T + p.bc)",
            "np.tanh(reset * (z @ p.Wc.T + p.bc))",
            "The reset gate multiplied the whole sum, input and bias as well. It should act on "
            "the old memory alone.",
        ),
        Edit(
            "gates-exchanged",
            "sigmoid(z @ p.Wu.T + p.bu)",
            "sigmoid(z @ p.Wr.T + p.br)",
            "The gates' weights are exchanged: Wu and bu belong to the update gate, Wr and br to "
            "the reset gate.",
            also=(("reset = sigmoid(z @ p.Wr.T + p.br)", "reset = sigmoid(z @ p.Wu.T + p.bu)"),),
        ),
        Edit(
            "gates-in-each-others-place",
            "reset * c_prev",
            "update * c_prev",
            "The gates stand in each other's place: reset must act on what the candidate sees, "
            "update on the mixture.",
            also=(
                (
                    "update * candidate + (1 - update) * c_prev",
                    "reset * candidate + (1 - reset) * c_prev",
                ),
            ),
        ),
        Edit(
            "one-gate-for-both",
            "z @ p.Wr.T + p.br",
            "z @ p.Wu.T + p.bu",
            "The reset gate was made with the update gate's weights. It has its own, Wr and br.",
        ),
        Edit(
            "kept-memory-reset",
            "(1 - update) * c_prev",
            "(1 - update) * reset * c_prev",
            "The memory that is kept was reset, too. The reset gate only decides what the "
            "candidate sees; what is kept is c_prev itself.",
        ),
        Edit(
            "gates-see-the-reset-memory",
            "update = sigmoid(z @ p.Wu.T + p.bu)",
            "update = sigmoid(np.concatenate([sigmoid(z @ p.Wr.T + p.br) * c_prev, x_t], axis=1)"
            " @ p.Wu.T + p.bu)",
            "The update gate was computed from the reset memory. Both gates see c_prev as it is; "
            "only the candidate sees it reset.",
        ),
        Edit(
            "tanh-of-the-memory",
            "c = update * candidate + (1 - update) * c_prev",
            "c = np.tanh(update * candidate + (1 - update) * c_prev)",
            "tanh was taken of the new memory. An LSTM does that on its way out; a GRU's memory is "
            "its output as it is.",
        ),
        Edit(
            "reset-gate-turned-round",
            "[reset * c_prev, x_t]",
            "[(1 - reset) * c_prev, x_t]",
            "The candidate sees (1 - reset) * c_prev. In spite of its name, an open reset gate "
            "lets the old memory through, and a shut one resets it.",
        ),
        Edit(
            "reset-added",
            "[reset * c_prev, x_t]",
            "[reset + c_prev, x_t]",
            "The reset gate was added to the memory. A gate multiplies.",
        ),
        Edit(
            "reset-gate-instead-of-memory",
            "[reset * c_prev, x_t]",
            "[reset, x_t]",
            "The candidate sees the reset gate itself. It must see the memory, multiplied by it.",
        ),
        Edit(
            "input-first",
            "z = np.concatenate([c_prev, x_t]",
            "z = np.concatenate([x_t, c_prev]",
            "x_t stands before c_prev. The first n_a columns of the weights belong to the memory: "
            "c_prev comes first, for the gates and for the candidate.",
            also=(("[reset * c_prev, x_t]", "[x_t, reset * c_prev]"),),
        ),
        Edit(
            "input-first-in-the-candidate",
            "[reset * c_prev, x_t]",
            "[x_t, reset * c_prev]",
            "In the candidate, x_t stands before the memory. The first n_a columns of Wc belong to "
            "the memory, as in the gates.",
        ),
        Edit(
            "input-first-in-the-gates",
            "z = np.concatenate([c_prev, x_t]",
            "z = np.concatenate([x_t, c_prev]",
            "In the gates, x_t stands before the memory. The first n_a columns of Wu and Wr belong "
            "to the memory.",
        ),
        Edit(
            "gates-through-tanh",
            "update = sigmoid(",
            "update = np.tanh(",
            "The gates went through tanh. A gate is a share, from 0 to 1: sigmoid.",
            also=(("reset = sigmoid(", "reset = np.tanh("),),
        ),
        Edit(
            "reset-through-tanh",
            "reset = sigmoid(",
            "reset = np.tanh(",
            "The reset gate went through tanh. A gate is a share, from 0 to 1: sigmoid.",
        ),
        Edit(
            "update-through-tanh",
            "update = sigmoid(",
            "update = np.tanh(",
            "The update gate went through tanh. A gate is a share, from 0 to 1: sigmoid.",
        ),
        Edit(
            "candidate-through-sigmoid",
            "np.tanh(z_reset",
            "sigmoid(z_reset",
            "The candidate went through a sigmoid. It is what may be written, and takes tanh: "
            "memory must be able to be negative.",
        ),
        Edit(
            "no-reset-bias",
            " + p.br",
            "",
            "The reset gate's bias br is left out.",
        ),
        Edit(
            "no-update-bias",
            " + p.bu",
            "",
            "The update gate's bias bu is left out.",
        ),
        Edit(
            "no-candidate-bias",
            " + p.bc",
            "",
            "The candidate's bias bc is left out.",
        ),
        Edit(
            "everything-kept",
            "(1 - update) * c_prev",
            "c_prev",
            "The candidate's share is added, and all of the old memory is kept as well. The two "
            "shares sum to one: c_prev gets 1 - update.",
        ),
        Edit(
            "exponentials-overflow",
            "sigmoid(z @ p.Wu.T + p.bu)",
            "np.exp(z @ p.Wu.T + p.bu) / (1 + np.exp(z @ p.Wu.T + p.bu))",
            "A sigmoid written as exp(s) / (1 + exp(s)) overflows for large s, and infinity over "
            "infinity is not a number. Use sigmoid of course.given.",
        ),
    ),
    alternatives=(by_hand, fused, with_einsum, in_float32),
    strays=strays,
)
