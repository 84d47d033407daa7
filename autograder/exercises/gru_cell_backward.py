"""One step of a GRU, backwards."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from course.given import GRUCache, GRUParams
from solutions.gru import gru_cell_backward, gru_cell_forward
from solutions.tests.proofs import complex_step


def inputs(rng, scale=1.0, gradient=1.0, memory=1.0, **fixed):
    size = sizes(rng, **fixed)
    x_t = normal(rng, size["m"], size["n_x"]) * scale
    c_prev = np.tanh(normal(rng, size["m"], size["n_a"])) * memory
    params = parameters(GRUParams, rng, size)
    _c, cache = gru_cell_forward(x_t, c_prev, params)
    return {"dc": normal(rng, size["m"], size["n_a"]) * gradient, "cache": cache, "params": params}


def saturated(rng):
    """Half of the examples have inputs so large that their gates have no slope left."""
    case = inputs(rng, m=6)
    x_t = case["cache"].x_t
    x_t[::2] *= 100
    _c, cache = gru_cell_forward(x_t, case["cache"].c_prev, case["params"])
    return {**case, "cache": cache}


def by_hand(dc, cache, params):
    """Example by example and unit by unit, with running sums."""
    Wu, Wr, Wc = params.Wu, params.Wr, params.Wc
    n, dx_t, dc_prev = dc.shape[1], np.zeros(cache.x_t.shape), np.zeros(dc.shape)
    sums = [np.zeros(w.shape) for w in params]
    for i in range(len(dc)):
        u, r, new = cache.update[i], cache.reset[i], cache.candidate[i]
        old, x = cache.c_prev[i], cache.x_t[i]
        seen, cut = np.concatenate([old, x]), np.concatenate([r * old, x])
        back = np.zeros(len(cut))
        for j in range(n):
            g = dc[i, j] * u[j] * (1 - new[j]) * (1 + new[j])
            back += g * Wc[j]
            sums[4][j] += g * cut
            sums[5][j] += g
        both = np.zeros(len(seen))
        for j in range(n):
            gu = dc[i, j] * (new[j] - old[j]) * u[j] * (1 - u[j])
            gr = back[j] * old[j] * r[j] * (1 - r[j])
            both += gu * Wu[j] + gr * Wr[j]
            sums[0][j] += gu * seen
            sums[1][j] += gu
            sums[2][j] += gr * seen
            sums[3][j] += gr
        dx_t[i] = (both + back)[n:]
        dc_prev[i] = dc[i] - dc[i] * u + both[:n] + r * back[:n]
    return dx_t, dc_prev, GRUParams(*sums)


def fused(dc, cache, params):
    """Gradients of all three sums in one array, and one product for all weights."""
    n = dc.shape[1]
    x, old, u, r, h = cache
    keep = 1 - u
    d_h = dc * u * (1 - h * h)
    through = np.einsum("mj,jk->mk", d_h, params.Wc)
    d_u = dc * (h - old) * keep * u
    d_r = through[:, :n] * old * (r - r * r)
    sums = np.hstack([d_u, d_r])
    back = sums @ np.vstack([params.Wu, params.Wr])
    one = np.ones((len(dc), 1), dc.dtype)
    gates = sums.T @ np.hstack([old, x, one])
    proposed = d_h.T @ np.hstack([r * old, x, one])
    grads = GRUParams(
        gates[:n, :-1], gates[:n, -1], gates[n:, :-1], gates[n:, -1], proposed[:, :-1],
        proposed[:, -1],
    )  # fmt: skip
    return back[:, n:] + through[:, n:], dc * keep + back[:, :n] + r * through[:, :n], grads


def state_and_input_apart(dc, cache, params):
    """The two halves of every matrix by themselves."""
    c, u, r, new, x = cache.c_prev, cache.update, cache.reset, cache.candidate, cache.x_t
    n = c.shape[1]
    ds_c = u * dc * (1 - new**2)
    dseen = ds_c @ params.Wc[:, :n]
    ds_r = dseen * c * r * (1 - r)
    dupdate = dc * new - dc * c
    ds_u = dupdate * u * (1 - u)
    dx, dc_prev = ds_c @ params.Wc[:, n:], dc - u * dc + dseen * r
    grads = {"Wc": np.hstack([ds_c.T @ (r * c), ds_c.T @ x]), "bc": ds_c.sum(axis=0)}
    for gate, ds, W in (("u", ds_u, params.Wu), ("r", ds_r, params.Wr)):
        dx += ds @ W[:, n:]
        dc_prev += ds @ W[:, :n]
        grads[f"W{gate}"] = np.hstack([ds.T @ c, ds.T @ x])
        grads[f"b{gate}"] = np.add.reduce(ds)
    return dx, dc_prev, GRUParams(**grads)


def in_float32(dc, cache, params):
    small = GRUCache(*(part.astype(np.float32) for part in cache))
    cast = GRUParams(*(w.astype(np.float32) for w in params))
    return fused(dc.astype(np.float32), small, cast)


def derivative(dc, cache, params):
    """Complex steps of the forward cell."""

    def loss(x_t, c_prev, *weights):
        return (dc * gru_cell_forward(x_t, c_prev, GRUParams(*weights))[0]).sum()

    everything = [cache.x_t, cache.c_prev, *params]
    dx_t, dc_prev, *grads = (
        complex_step(lambda w, i=i: loss(*everything[:i], w, *everything[i + 1 :]), array)
        for i, array in enumerate(everything)
    )
    return dx_t, dc_prev, GRUParams(*grads)


def strays(dc, cache, params):
    """What goes back, without what comes through one of the weights."""
    x_t, c_prev, update, reset, candidate = cache
    n_a = c_prev.shape[1]
    dz_reset = (dc * update * (1 - candidate**2)) @ params.Wc
    ds_r = dz_reset[:, :n_a] * c_prev * reset * (1 - reset)
    ds_u = dc * (candidate - c_prev) * update * (1 - update)
    through_c = np.concatenate([dz_reset[:, :n_a] * reset, dz_reset[:, n_a:]], axis=1)
    back = {"Wu": ds_u @ params.Wu, "Wr": ds_r @ params.Wr, "Wc": through_c}
    kept = np.concatenate([dc * (1 - update), np.zeros_like(x_t)], axis=1)
    whole = kept + sum(back.values())
    return {
        name: {
            f"In it what comes back through {weight} is missing: three ways lead back through "
            "weights, and all are added.": (whole - part)[:, columns]
            for weight, part in back.items()
        }
        for name, columns in (("dc_prev", slice(n_a)), ("dx_t", slice(n_a, None)))
    }


EXERCISE = Exercise(
    reference=gru_cell_backward,
    cases=(
        Case("every size differs", inputs),
        Case("every size differs", inputs),
        Case("more inputs than units", partial(inputs, n_x=7, n_a=2)),
        Case("fewer examples than units", partial(inputs, m=2, n_a=6)),
        Case("one example", partial(inputs, m=1)),
        Case("as many inputs as units and examples", partial(inputs, m=4, n_x=4, n_a=4)),
        Case("one of everything", partial(inputs, m=1, n_x=1, n_a=1)),
        Case("an empty memory", partial(inputs, memory=0.0)),
        Case("gates without slope", saturated),
        Case("a gradient of millions", partial(inputs, gradient=1e6)),
    ),
    returns=("dx_t", "dc_prev", "grads"),
    order=("grads.bu", "grads.bc", "grads.br", "grads", "dx_t", "dc_prev"),
    points=6,
    hints=(
        "Draw the cell and turn every arrow round. c_prev has four arrows going out: to the "
        "mixture, to the update gate, to the reset gate, and, reset, to the candidate. Four things "
        "come back to it. x_t has three.",
        "First what reaches the sums inside: ds_u from dc times (candidate - c_prev), since the gate "
        "stands in both halves of the mixture; ds_c from dc times update. Each goes through the "
        "slope of its own function: gate * (1 - gate), or one minus candidate squared. Then back "
        "through Wc, dz_reset = ds_c @ p.Wc; its first n_a columns belong to reset * c_prev, and "
        "give ds_r.",
        "ds_r is the first n_a columns of dz_reset times c_prev times reset times its slope. With "
        "dz, from ds_u and ds_r through Wu and Wr: dx_t adds the last columns of dz and dz_reset; "
        "dc_prev adds dc (1 - update), the first columns of dz, and those of dz_reset times reset. "
        "The weights: ds.T with z for the gates, with z_reset for the candidate.",
    ),
    misconceptions=(
        Edit(
            "kept-path-missing",
            "dc * (1 - update) + dz[:, :n_a]",
            "dz[:, :n_a]",
            "The direct path is missing from dc_prev: dc * (1 - update). What was kept goes "
            "straight from the old memory to the new, and so does its gradient. It is the very "
            "path that GRUs were invented for.",
        ),
        Edit(
            "reset-path-missing",
            " + dz_reset[:, :n_a] * reset",
            "",
            "The path through the candidate is missing from dc_prev: the candidate saw "
            "reset * c_prev, so dz_reset's first n_a columns come back, times reset.",
        ),
        Edit(
            "reset-path-not-reset",
            "dz_reset[:, :n_a] * reset",
            "dz_reset[:, :n_a]",
            "What comes back through the candidate was not multiplied by reset. The candidate saw "
            "reset * c_prev: a shut reset gate stops the gradient, too.",
        ),
        Edit(
            "gate-path-missing",
            "dc * (1 - update) + dz[:, :n_a] +",
            "dc * (1 - update) +",
            "The paths through the gates are missing from dc_prev: both gates looked at c_prev, so "
            "dz's first n_a columns come back to it.",
        ),
        Edit(
            "update-sign",
            "(candidate - c_prev)",
            "(c_prev - candidate)",
            "The gradient of the update gate has the wrong sign: opening it adds the candidate and "
            "takes away c_prev, so it is dc times (candidate - c_prev).",
        ),
        Edit(
            "update-turned-round",
            "dc * (candidate - c_prev)",
            "dc * (c_prev - candidate)",
            "These are the gradients of a cell whose update gate points the other way, as in "
            "PyTorch, where an open gate keeps the old memory. Here it lets the candidate in.",
            also=(
                ("ds_c = dc * update", "ds_c = dc * (1 - update)"),
                ("dc_prev = dc * (1 - update)", "dc_prev = dc * update"),
            ),
        ),
        Edit(
            "update-without-the-kept-half",
            "(candidate - c_prev)",
            "candidate",
            "The update gate stands in both halves of the mixture. What it lets in pushes out old "
            "memory: dc times (candidate - c_prev), not dc times candidate.",
        ),
        Edit(
            "update-halves-added",
            "(candidate - c_prev)",
            "(candidate + c_prev)",
            "The two halves of the mixture were added in the gradient of the update gate. The old "
            "memory's share is 1 - update: it counts with a minus.",
        ),
        Edit(
            "candidate-not-gated",
            "ds_c = dc * update",
            "ds_c = dc",
            "The gradient of the candidate lacks its gate: in the mixture the candidate is "
            "multiplied by update, so dc is, too.",
        ),
        Edit(
            "candidate-gated-the-other-way",
            "ds_c = dc * update",
            "ds_c = dc * (1 - update)",
            "The candidate's gradient was given the share 1 - update. That is the old memory's "
            "share; the candidate's is update. In PyTorch's convention it is the other way.",
        ),
        Edit(
            "kept-path-gated-the-other-way",
            "dc * (1 - update) + dz",
            "dc * update + dz",
            "The direct path was given the share update. The old memory's share in the mixture is "
            "1 - update. In PyTorch's convention it is the other way.",
        ),
        Edit(
            "reset-without-the-memory",
            "dz_reset[:, :n_a] * c_prev * reset",
            "dz_reset[:, :n_a] * reset",
            "The gradient of the reset gate lacks c_prev: the gate multiplied it, so the gate's "
            "gradient is what comes back times c_prev.",
        ),
        Edit(
            "reset-from-the-candidate",
            "dz_reset[:, :n_a] * c_prev * reset",
            "ds_c * c_prev * reset",
            "The gradient of the reset gate was made from ds_c. Between the reset memory and the "
            "candidate's sum stands Wc: take the first n_a columns of ds_c @ Wc.",
        ),
        Edit(
            "reset-after-the-product",
            "dz_reset[:, :n_a] * c_prev * reset",
            "ds_c * (c_prev @ p.Wc[:, :n_a].T) * reset",
            "This is the gradient of a reset gate that acts after the matrix product, as "
            "PyTorch's. Here it acts on c_prev, before the product.",
        ),
        Edit(
            "input-lacks-the-candidate",
            "dz[:, n_a:] + dz_reset[:, n_a:]",
            "dz[:, n_a:]",
            "dx_t lacks the candidate's path. The input was heard three times: by both gates, and "
            "by the candidate.",
        ),
        Edit(
            "input-lacks-the-gates",
            "dz[:, n_a:] + dz_reset[:, n_a:]",
            "dz_reset[:, n_a:]",
            "dx_t lacks the paths through the gates. The input was heard three times: by both "
            "gates, and by the candidate.",
        ),
        Edit(
            "slopes-of-the-gates-missing",
            "(candidate - c_prev) * update * (1 - update)",
            "(candidate - c_prev)",
            "The slopes of the gates' sigmoids are missing. On the way from a gate to its sum, "
            "multiply by gate * (1 - gate).",
            also=(("c_prev * reset * (1 - reset)", "c_prev"),),
        ),
        Edit(
            "slope-of-update-missing",
            "(candidate - c_prev) * update * (1 - update)",
            "(candidate - c_prev)",
            "The slope of the update gate's sigmoid is missing: update * (1 - update).",
        ),
        Edit(
            "slope-of-reset-missing",
            "c_prev * reset * (1 - reset)",
            "c_prev",
            "The slope of the reset gate's sigmoid is missing: reset * (1 - reset).",
        ),
        Edit(
            "gates-with-the-slope-of-tanh",
            "* update * (1 - update)",
            "* (1 - update**2)",
            "The gates were given the slope of tanh. They are sigmoids: gate * (1 - gate).",
            also=(("* reset * (1 - reset)", "* (1 - reset**2)"),),
        ),
        Edit(
            "slope-of-candidate-missing",
            " * (1 - candidate**2)",
            "",
            "The slope of the candidate's tanh is missing: one minus candidate squared.",
        ),
        Edit(
            "square-of-the-difference",
            "(1 - candidate**2)",
            "(1 - candidate) ** 2",
            "The square stands in the wrong place: the slope of tanh is 1 - candidate², and not "
            "(1 - candidate)².",
        ),
        Edit(
            "tanh-twice",
            "candidate**2",
            "np.tanh(candidate) ** 2",
            "The candidate's slope was computed with tanh(candidate). The candidate is a tanh "
            "already: 1 - candidate². This slip is in print.",
        ),
        Edit(
            "candidate-with-the-slope-of-a-sigmoid",
            "(1 - candidate**2)",
            "candidate * (1 - candidate)",
            "The candidate was given the slope of a sigmoid. It is a tanh: 1 - candidate².",
        ),
        Edit(
            "dWc-with-the-memory-not-reset",
            "Wc=ds_c.T @ z_reset",
            "Wc=ds_c.T @ z",
            "The gradient of Wc was made with c_prev as it is. Forwards Wc was multiplied by the "
            "reset memory: use z_reset.",
        ),
        Edit(
            "dW-of-the-gates-with-the-reset-memory",
            "Wu=ds_u.T @ z",
            "Wu=ds_u.T @ z_reset",
            "The gradients of Wu and Wr were made with the reset memory. The gates saw c_prev as "
            "it is: use z.",
            also=(("Wr=ds_r.T @ z,", "Wr=ds_r.T @ z_reset,"),),
        ),
        Edit(
            "input-first-in-the-weights",
            "z = np.concatenate([c_prev, x_t], axis=1)",
            "z = np.concatenate([x_t, c_prev], axis=1)",
            "In the weights' gradients, x_t stands before the memory. The first n_a columns belong "
            "to the memory.",
            also=(("[reset * c_prev, x_t]", "[x_t, reset * c_prev]"),),
        ),
        Edit(
            "columns-exchanged",
            "dx_t = dz[:, n_a:] + dz_reset[:, n_a:]",
            "dx_t = dz[:, : x_t.shape[1]] + dz_reset[:, : x_t.shape[1]]",
            "dx_t was taken from the first columns. The weights act on [c_prev, x_t]: the first "
            "n_a columns belong to the memory, the others to the input.",
        ),
        Edit(
            "br-takes-bu",
            "br=ds_r.sum(axis=0)",
            "br=ds_u.sum(axis=0)",
            "The gradient of br is that of bu. It should come from ds_r.",
        ),
        Edit(
            "dWr-from-ds_u",
            "Wr=ds_r.T",
            "Wr=ds_u.T",
            "The gradient of Wr was made from ds_u. It should come from ds_r.",
        ),
        Edit(
            "reset-gate-left-out",
            "dz = ds_u @ p.Wu + ds_r @ p.Wr",
            "dz = ds_u @ p.Wu",
            "The reset gate's sum leads back to c_prev and x_t as well: ds_r @ Wr is missing in "
            "dz.",
        ),
        Edit(
            "update-gate-left-out",
            "dz = ds_u @ p.Wu + ds_r @ p.Wr",
            "dz = ds_r @ p.Wr",
            "The update gate's sum leads back to c_prev and x_t as well: ds_u @ Wu is missing in "
            "dz.",
        ),
        Edit(
            "bias-averaged",
            "bu=ds_u.sum(axis=0)",
            "bu=ds_u.mean(axis=0)",
            "The biases' gradients are averaged over the examples, and the weights' are summed. "
            "Sum them, too.",
            also=(
                ("br=ds_r.sum(axis=0)", "br=ds_r.mean(axis=0)"),
                ("bc=ds_c.sum(axis=0)", "bc=ds_c.mean(axis=0)"),
            ),
        ),
        Edit(
            "averaged-over-examples",
            "n_a = c_prev.shape[1]",
            "n_a, dc = c_prev.shape[1], dc / len(dc)",
            "Everything is divided by m. If the loss is a mean, that division is in dc already, "
            "and must not be made twice.",
        ),
        Edit(
            "slopes-without-the-gates",
            "ds_u = dc * (candidate - c_prev) * update * (1 - update)",
            "ds_u = dc * (candidate - c_prev) * (1 - update)",
            "The slope of a sigmoid is s * (1 - s). Here it is 1 - s alone, for both gates.",
            also=(("c_prev * reset * (1 - reset)", "c_prev * (1 - reset)"),),
        ),
        Edit(
            "slope-of-update-is-the-gate",
            "* update * (1 - update)",
            "* update",
            "The slope of the update gate is update * (1 - update). Its factor 1 - update is "
            "missing.",
        ),
        Edit(
            "slope-of-reset-is-the-gate",
            "* reset * (1 - reset)",
            "* reset",
            "The slope of the reset gate is reset * (1 - reset). Its factor 1 - reset is missing.",
        ),
        Edit(
            "slopes-are-the-gates",
            "* update * (1 - update)",
            "* update",
            "The slope of a sigmoid is s * (1 - s). Here it is s alone, for both gates.",
            also=(("* reset * (1 - reset)", "* reset"),),
        ),
        Edit(
            "reset-through-Wc",
            "ds_r @ p.Wr",
            "ds_r @ p.Wc",
            "The way back through the reset gate goes through Wc. The gate was made with Wr.",
        ),
    ),
    alternatives=(by_hand, fused, state_and_input_apart, in_float32),
    derivative=derivative,
    strays=strays,
)
