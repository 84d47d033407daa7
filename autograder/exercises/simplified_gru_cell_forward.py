"""One step of a GRU without reset gate."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from course.given import SimplifiedGRUCache, SimplifiedGRUParams
from solutions.gru import simplified_gru_cell_forward


def inputs(rng, scale=1.0, memory=1.0, **fixed):
    size = sizes(rng, **fixed)
    return {
        "x_t": normal(rng, size["m"], size["n_x"]) * scale,
        "c_prev": np.tanh(normal(rng, size["m"], size["n_a"])) * memory,
        "params": parameters(SimplifiedGRUParams, rng, size),
    }


def slammed(rng):
    """Every other unit's gate is open to the last bit, the others are shut."""
    case = inputs(rng, n_a=5)
    case["params"].bu[::2] += 800
    case["params"].bu[1::2] -= 800
    return case


def by_hand(x_t, c_prev, params):
    """Unit by unit, with the math of one number."""
    c, gates, news = [], [], []
    for seen, old in zip(x_t.tolist(), c_prev.tolist()):
        row = old + seen
        gate, new = [], []
        for w, b, v, d in zip(params.Wu, params.bu, params.Wc, params.bc):
            gate.append(0.5 + 0.5 * np.tanh(0.5 * (b + sum(k * r for k, r in zip(w, row)))))
            new.append(np.tanh(d + sum(k * r for k, r in zip(v, row))))
        c.append([g * n + (1 - g) * o for g, n, o in zip(gate, new, old)])
        gates.append(gate)
        news.append(new)
    return np.array(c), SimplifiedGRUCache(x_t, c_prev, np.array(gates), np.array(news))


def moving_towards(x_t, c_prev, params):
    """c_prev, moved towards the candidate by a share; state and input apart."""
    n = c_prev.shape[1]
    Wu, Wc = params.Wu, params.Wc
    share = 1 / (
        1 + np.exp(-np.clip(c_prev @ Wu[:, :n].T + x_t @ Wu[:, n:].T + params.bu, -500, 500))
    )
    goal = np.tanh(c_prev @ Wc[:, :n].T + x_t @ Wc[:, n:].T + params.bc)
    return c_prev + share * (goal - c_prev), SimplifiedGRUCache(x_t, c_prev, share, goal)


def both_at_once(x_t, c_prev, params):
    """One product for the gate and the candidate."""
    W, b = np.vstack([params.Wu, params.Wc]), np.concatenate([params.bu, params.bc])
    sums = np.einsum("mk,jk->mj", np.hstack([c_prev, x_t]), W) + b
    u, new = np.split(sums, 2, axis=1)
    u, new = (1 + np.tanh(u / 2)) / 2, np.tanh(new)
    return u * new + c_prev - u * c_prev, SimplifiedGRUCache(x_t, c_prev, u, new)


def column_by_column(x_t, c_prev, params):
    """Features first, as in lectures, and turned back at the end."""
    z = np.vstack([c_prev.T, x_t.T])
    u = 0.5 * (1 + np.tanh((params.Wu @ z + params.bu[:, None]) / 2))
    new = np.tanh(params.Wc @ z + params.bc[:, None])
    c = np.where(u == 1, new, u * new + (1 - u) * c_prev.T)
    return c.T, SimplifiedGRUCache(x_t, c_prev, u.T, new.T)


def in_float32(x_t, c_prev, params):
    cast = SimplifiedGRUParams(*(w.astype(np.float32) for w in params))
    return both_at_once(x_t.astype(np.float32), c_prev.astype(np.float32), cast)


EXERCISE = Exercise(
    reference=simplified_gru_cell_forward,
    cases=(
        Case("every size differs", inputs),
        Case("every size differs", inputs),
        Case("more inputs than units", partial(inputs, n_x=7, n_a=2)),
        Case("one example", partial(inputs, m=1)),
        Case("one unit", partial(inputs, n_a=1)),
        Case("as many inputs as units", partial(inputs, n_x=4, n_a=4)),
        Case("an empty memory", partial(inputs, memory=0.0)),
        Case("large inputs, where gates are open or shut", partial(inputs, scale=30.0)),
        Case("sums of 800 and of -800 in the gate", slammed),
    ),
    returns=("c", "cache"),
    order=("cache.update", "cache.candidate", "c"),
    points=2,
    hints=(
        "Three things, in this order: a gate that says how much to rewrite, a candidate that says "
        "what to write, and a mixture of the candidate and the old memory.",
        "Put c_prev and x_t side by side along axis 1, in that order: (m, n_a + n_x). Gate and "
        "candidate are both made from that, each with a matrix and a bias of its own; the gate "
        "goes through sigmoid, the candidate through np.tanh.",
        "Name the gate update and the candidate candidate, since the last line puts them into the "
        "cache. Then c takes a share of update from the candidate, and the rest, one minus update, "
        "from c_prev, entry by entry (5.3).",
    ),
    misconceptions=(
        Edit(
            "gate-through-tanh",
            "sigmoid(z @ p.Wu.T",
            "np.tanh(z @ p.Wu.T",
            "The gate went through tanh. A gate is a share, from 0 to 1, so it takes a sigmoid; "
            "with tanh it could be negative.",
        ),
        Edit(
            "candidate-through-sigmoid",
            "np.tanh(z @ p.Wc.T",
            "sigmoid(z @ p.Wc.T",
            "The candidate went through a sigmoid. It is what may be written, and takes tanh: "
            "memory must be able to be negative.",
        ),
        Edit(
            "gate-turned-round",
            "update * candidate + (1 - update) * c_prev",
            "(1 - update) * candidate + update * c_prev",
            "The gate points the other way: here an open gate keeps the old memory. That is "
            "PyTorch's convention; in this course an open update gate lets the candidate in, (5.3).",
        ),
        Edit(
            "nothing-kept",
            " + (1 - update) * c_prev",
            "",
            "The old memory is gone: only the candidate's share is written. What is not rewritten "
            "is kept: add (1 - update) times c_prev.",
        ),
        Edit(
            "everything-kept",
            "(1 - update) * c_prev",
            "c_prev",
            "The candidate's share is added, and all of the old memory is kept as well. The two "
            "shares sum to one: c_prev gets 1 - update. Otherwise memory grows without bound.",
        ),
        Edit(
            "candidate-not-gated",
            "update * candidate",
            "candidate",
            "The whole candidate is written, whatever the gate says. It gets the share update.",
        ),
        Edit(
            "same-share-for-both",
            "(1 - update) * c_prev",
            "update * c_prev",
            "Both the candidate and the old memory get the share update. The shares sum to one: "
            "the old memory gets 1 - update.",
        ),
        Edit(
            "input-first",
            "[c_prev, x_t]",
            "[x_t, c_prev]",
            "x_t stands before c_prev. The first n_a columns of the weights belong to the memory: "
            "c_prev comes first. The sizes fit either way, so nothing complains.",
        ),
        Edit(
            "one-set-of-weights",
            "z @ p.Wc.T + p.bc",
            "z @ p.Wu.T + p.bu",
            "The candidate was made with the gate's weights, Wu and bu. It has its own, Wc and bc.",
        ),
        Edit(
            "weights-exchanged",
            "z @ p.Wu.T + p.bu",
            "z @ p.Wc.T + p.bc",
            "The weights are exchanged: Wu and bu belong to the update gate, Wc and bc to the "
            "candidate.",
            also=(("np.tanh(z @ p.Wc.T + p.bc)", "np.tanh(z @ p.Wu.T + p.bu)"),),
        ),
        Edit(
            "no-gate-bias",
            " + p.bu",
            "",
            "The gate's bias bu is left out. It decides how open a gate is that has heard nothing.",
        ),
        Edit(
            "no-candidate-bias",
            " + p.bc",
            "",
            "The candidate's bias bc is left out.",
        ),
        Edit(
            "gate-bias-outside",
            "sigmoid(z @ p.Wu.T + p.bu)",
            "sigmoid(z @ p.Wu.T) + p.bu",
            "The gate's bias was added after the sigmoid, so the gate can leave the range from 0 "
            "to 1. It belongs inside.",
        ),
        Edit(
            "tanh-of-the-memory",
            "c = update * candidate + (1 - update) * c_prev",
            "c = np.tanh(update * candidate + (1 - update) * c_prev)",
            "tanh was taken of the new memory. The mixture is the new memory as it is: a tanh at "
            "every step would shrink what is to be kept.",
        ),
        Edit(
            "gate-rounded",
            "sigmoid(z @ p.Wu.T + p.bu)",
            "np.round(sigmoid(z @ p.Wu.T + p.bu))",
            "The gate was rounded to 0 or 1. It is any share in between; a gate that jumps has no "
            "slope to learn from.",
        ),
        Edit(
            "candidate-without-memory",
            "np.tanh(z @ p.Wc.T",
            "np.tanh(x_t @ p.Wc[:, c_prev.shape[1] :].T",
            "The candidate sees the input only. In this cell it sees the old memory, too: Wc acts "
            "on both, side by side.",
        ),
        Edit(
            "candidate-of-the-gated-memory",
            "np.tanh(z @ p.Wc.T",
            "np.tanh(np.concatenate([update * c_prev, x_t], axis=1) @ p.Wc.T",
            "The candidate was made from update * c_prev. The simplified cell has no gate there: "
            "its candidate sees c_prev as it is.",
        ),
        Edit(
            "exponentials-overflow",
            "sigmoid(z @ p.Wu.T + p.bu)",
            "np.exp(z @ p.Wu.T + p.bu) / (1 + np.exp(z @ p.Wu.T + p.bu))",
            "A sigmoid written as exp(s) / (1 + exp(s)) overflows for large s, and infinity over "
            "infinity is not a number. Use sigmoid of course.given.",
        ),
    ),
    alternatives=(by_hand, moving_towards, both_at_once, column_by_column, in_float32),
)
