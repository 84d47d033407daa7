"""One step of an LSTM, backwards."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from course.given import LSTMCache, LSTMParams
from solutions.lstm import lstm_cell_backward, lstm_cell_forward
from solutions.tests.proofs import complex_step


def inputs(rng, memory=1.0, gradient=1.0, scale=1.0, **fixed):
    """Every other example's inputs are scaled."""
    size = sizes(rng, **fixed)
    x_t = normal(rng, size["m"], size["n_x"])
    x_t[::2] *= scale
    a_prev = np.tanh(normal(rng, size["m"], size["n_a"]))
    c_prev = normal(rng, size["m"], size["n_a"]) * memory
    params = parameters(LSTMParams, rng, size)
    cache = lstm_cell_forward(x_t, a_prev, c_prev, params)[2]
    da, dc = (normal(rng, size["m"], size["n_a"]) * gradient for _ in range(2))
    return {"da": da, "dc": dc, "cache": cache, "params": params}


def without(name):
    """As at the last step, where nothing comes through the memory; or where all of it does."""

    def draw(rng):
        case = inputs(rng)
        return {**case, name: np.zeros_like(case[name])}

    return draw


def by_hand(da, dc, cache, params):
    """Unit by unit, in loops, with names of its own."""
    concat, ft, it, cct, ot, c_prev, c_next = cache
    m, n = ft.shape
    dconcat, dc_prev = np.zeros_like(concat), np.zeros((m, n))
    sums = {name: np.zeros(w.shape) for name, w in params._asdict().items()}
    for i in range(m):
        for j in range(n):
            shown = np.tanh(c_next[i, j])
            whole = dc[i, j] + da[i, j] * ot[i, j] * (1 - shown) * (1 + shown)
            pieces = {
                "f": whole * c_prev[i, j] * (ft[i, j] - ft[i, j] ** 2),
                "u": whole * cct[i, j] * (it[i, j] - it[i, j] ** 2),
                "c": whole * it[i, j] * (1 - cct[i, j] * cct[i, j]),
                "o": da[i, j] * shown * (ot[i, j] - ot[i, j] ** 2),
            }
            for gate, piece in pieces.items():
                sums["W" + gate][j] += piece * concat[i]
                sums["b" + gate][j] += piece
                dconcat[i] += piece * getattr(params, "W" + gate)[j]
            dc_prev[i, j] = whole * ft[i, j]
    return dconcat[:, n:], dconcat[:, :n], dc_prev, LSTMParams(**sums)


def fused(da, dc, cache, params):
    """The four gates' gradients side by side, one product each way, and ones for the biases."""
    p, k, n = params, cache, da.shape[1]
    t = np.tanh(k.c)
    dc = dc + k.output * da * (1 - t * t)
    ds = np.hstack(
        [
            dc * k.c_prev * k.forget * (1 - k.forget),
            dc * k.candidate * k.update * (1 - k.update),
            dc * k.update * (1 - k.candidate**2),
            da * t * k.output * (1 - k.output),
        ]
    )
    back = ds @ np.vstack([p.Wf, p.Wu, p.Wc, p.Wo])
    seen = np.hstack([k.z, np.ones((len(da), 1), da.dtype)])
    parts = [(g[:, :-1], g[:, -1]) for g in np.split(ds.T @ seen, 4)]
    grads = LSTMParams(*(array for pair in parts for array in pair))
    return back[:, n:], back[:, :n], dc * k.forget, grads


def with_einsum(da, dc, cache, params):
    """In place, into the arguments themselves; state and input apart."""
    n = da.shape[-1]
    tanh_c = np.tanh(cache.c)
    ds_o = np.einsum("ma,ma,ma->ma", da, tanh_c, cache.output * (1 - cache.output))
    dc += da * cache.output * (1 - np.square(tanh_c))
    ds = {
        "f": dc * cache.c_prev * cache.forget * (1 - cache.forget),
        "u": dc * cache.candidate * cache.update * (1 - cache.update),
        "c": dc * cache.update * (1 - np.square(cache.candidate)),
        "o": ds_o,
    }
    W = params._asdict()
    dx_t = sum(np.einsum("ma,ax->mx", ds[k], W["W" + k][:, n:]) for k in ds)
    da_prev = sum(np.einsum("mb,ba->ma", ds[k], W["W" + k][:, :n]) for k in ds)
    weights = {"W" + k: np.einsum("ma,mz->az", ds[k], cache.z) for k in ds}
    biases = {"b" + k: np.einsum("ma->a", ds[k]) for k in ds}
    return dx_t, da_prev, np.multiply(cache.forget, dc), LSTMParams(**weights, **biases)


def column_by_column(da, dc, cache, params):
    """Features first, as in lectures, and turned back at the end."""
    concat, ft, it, cct, ot, c_prev, c_next = (part.T for part in cache)
    da_next, dc_next, n_a = da.T, dc.T, da.shape[1]
    dtanh = dc_next + ot * (1 - np.tanh(c_next) ** 2) * da_next
    dot = da_next * np.tanh(c_next) * ot * (1 - ot)
    dcct = dtanh * it * (1 - cct**2)
    dit = dtanh * cct * (1 - it) * it
    dft = dtanh * c_prev * ft * (1 - ft)
    p = params
    dconcat = np.dot(p.Wf.T, dft) + np.dot(p.Wu.T, dit) + np.dot(p.Wc.T, dcct) + np.dot(p.Wo.T, dot)
    grads = []
    for d in (dft, dit, dcct, dot):
        grads += [np.dot(d, concat.T), np.sum(d, axis=1, keepdims=True).reshape(-1)]
    return dconcat[n_a:].T, dconcat[:n_a].T, (dtanh * ft).T, LSTMParams(*grads)


def in_float32(da, dc, cache, params):
    small = LSTMCache(*(v.astype(np.float32) for v in cache))
    cast = LSTMParams(*(w.astype(np.float32) for w in params))
    return fused(da.astype(np.float32), dc.astype(np.float32), small, cast)


def derivative(da, dc, cache, params):
    """Complex steps of the forward cell."""
    n_a = da.shape[1]

    def loss(z, c_prev, *weights):
        a, c, _cache = lstm_cell_forward(z[:, n_a:], z[:, :n_a], c_prev, LSTMParams(*weights))
        return (da * a + dc * c).sum()

    everything = [cache.z, cache.c_prev, *params]
    dz, dc_prev, *grads = (
        complex_step(lambda w, i=i: loss(*everything[:i], w, *everything[i + 1 :]), array)
        for i, array in enumerate(everything)
    )
    return dz[:, n_a:], dz[:, :n_a], dc_prev, LSTMParams(*grads)


NOT_SHOWN = (
    "It was made from the dc that comes in alone: what comes through the hidden state is not added."
)
NOT_PASSED_ON = (
    "It was made from what comes through the hidden state alone: the dc that comes in is not added."
)
NO_SLOPE = (
    "In it the slope of the activation is missing: g (1 - g) of a sigmoid, 1 - g squared of tanh."
)
WHOSE = {
    "f": "the forget gate's",
    "u": "the update gate's",
    "c": "the candidate's",
    "o": "the output gate's",
}
FROM_MEMORY = "It was made from the memory's gradient: the output gate's comes from da."


def strays(da, dc, cache, params):
    """Each gate's gradients, and what goes back, with one slip in that place."""
    z, f, u, g, o, c_prev, c = cache
    shown = da * o * (1 - np.tanh(c) ** 2)
    whole = dc + shown
    partners = {"f": c_prev, "u": g, "c": u}
    slopes = {"f": f * (1 - f), "u": u * (1 - u), "c": 1 - g**2}
    found = {"dc_prev": {NOT_SHOWN: dc * f, NOT_PASSED_ON: shown * f}}
    right = {letter: whole * partners[letter] * slopes[letter] for letter in "fuc"}
    right["o"] = da * np.tanh(c) * o * (1 - o)
    for letter in "fuc":
        partner = partners[letter]
        shares = {NOT_SHOWN: dc, NOT_PASSED_ON: shown}
        made = {story: d * partner * slopes[letter] for story, d in shares.items()}
        found |= _of_gate(letter, {**made, NO_SLOPE: whole * partner}, z)
    made = {NO_SLOPE: da * np.tanh(c), FROM_MEMORY: whole * np.tanh(c) * o * (1 - o)}
    found |= _of_gate("o", made, z)
    back = {letter: ds @ getattr(params, f"W{letter}") for letter, ds in right.items()}
    for name, columns in (("da_prev", slice(da.shape[1])), ("dx_t", slice(da.shape[1], None))):
        found[name] = {
            f"In it what comes back through W{letter} is missing: four products are added.": (
                sum(back.values()) - part
            )[:, columns]
            for letter, part in back.items()
        } | {
            f"In it {WHOSE[letter]} part came back through W{other}, and not through W{letter}.": (
                sum(back.values()) - part + right[letter] @ getattr(params, f"W{other}")
            )[:, columns]
            for letter, part in back.items()
            for other in sorted(back.keys() - {letter})
        }
    return found


def _of_gate(letter, made, z):
    """The gradients of a gate's parameters, by story."""
    return {
        f"grads.W{letter}": {story: ds.T @ z for story, ds in made.items()},
        f"grads.b{letter}": {story: ds.sum(axis=0) for story, ds in made.items()},
    }


CONVEYOR = "dc = dc + da * output * (1 - tanh_c**2)"
BIASES = tuple(f"b{letter}=ds_{letter}.sum(axis=0)" for letter in "fuco")
WEIGHTS = tuple(f"W{letter}=ds_{letter}.T @ z" for letter in "fuco")


def all_biases(new):
    """Edits of the four biases' gradients at once: (old, new) pairs."""
    return tuple((old, f"b{k}={new.format(k=k)}") for old, k in zip(BIASES, "fuco", strict=True))


def all_weights(new):
    """Edits of the four weights' gradients at once: (old, new) pairs."""
    return tuple((old, f"W{k}={new.format(k=k)}") for old, k in zip(WEIGHTS, "fuco", strict=True))


EXERCISE = Exercise(
    reference=lstm_cell_backward,
    cases=(
        Case("every size differs", inputs),
        Case("every size differs", inputs),
        Case("more inputs than units", partial(inputs, n_x=7, n_a=2)),
        Case("fewer examples than units", partial(inputs, m=2, n_a=6)),
        Case("one example", partial(inputs, m=1)),
        Case("as many inputs as units and examples", partial(inputs, m=4, n_x=4, n_a=4)),
        Case("one of everything", partial(inputs, m=1, n_x=1, n_a=1)),
        Case("nothing comes through the memory", without("dc")),
        Case("nothing comes through the hidden state", without("da")),
        Case("a memory far beyond 1", partial(inputs, memory=4.0)),
        Case("gates wide open and gates shut", partial(inputs, m=6, scale=100.0)),
        Case("a gradient of millions", partial(inputs, gradient=1e6)),
    ),
    returns=("dx_t", "da_prev", "dc_prev", "grads"),
    order=("dc_prev", "grads", "da_prev", "dx_t"),
    points=6,
    hints=(
        "Go back in the order opposite to the forward pass. The new memory was used twice: passed "
        "on as it is (dc), and shown, through tanh and the output gate (da). Add the two gradients "
        "first; everything but the output gate hangs on that sum.",
        "With the whole gradient of the memory, each factor of c = forget * c_prev + update * "
        "candidate gets that gradient times its partner. Then go through the activation: a gate "
        "g has the slope g (1 - g), the candidate 1 - candidate squared. The output gate's gradient "
        "comes from da and tanh(c) alone.",
        "Call the four results ds_f, ds_u, ds_c, ds_o, each (m, n_a). dz is the sum of four "
        "products, each ds with its own weights, not transposed; its first n_a columns are da_prev, "
        "the rest dx_t. dc_prev is the whole gradient of the memory times forget. A weight's "
        "gradient is its ds, transposed, times z; a bias's is its ds summed over the examples.",
    ),
    misconceptions=(
        # ---- the memory
        Edit(
            "conveyor-without-forget-gate",
            "dc_prev = dc * forget",
            "dc_prev = dc",
            "dc_prev is the gradient of the new memory itself. Forwards the old memory was "
            "multiplied by the forget gate; so is its gradient.",
        ),
        Edit(
            "dc_prev-without-the-way-through-a",
            CONVEYOR,
            "dc_next, dc = dc, dc + da * output * (1 - tanh_c**2)",
            "dc_prev was made from the dc that comes in, without what comes through the hidden "
            "state. Use the sum of both, as for the gates.",
            also=(("dc_prev = dc * forget", "dc_prev = dc_next * forget"),),
        ),
        Edit(
            "dc-ignored",
            "dc + da * output",
            "da * output",
            "The dc that comes in is not used: this is only what reaches the memory through the "
            "hidden state. The memory is also passed on to the next step as it is: add the two.",
        ),
        Edit(
            "da-ignored",
            "dc + da * output * (1 - tanh_c**2)",
            "dc",
            "What comes through the hidden state is not added to dc. The memory was also shown, "
            "through tanh and the output gate: (6.10).",
        ),
        Edit(
            "output-gate-missing-in-dc",
            "da * output * (1 -",
            "da * (1 -",
            "On its way from a to c the gradient was not multiplied by the output gate: what is "
            "not shown does not count.",
        ),
        Edit(
            "way-through-a-subtracted",
            "dc + da * output",
            "dc - da * output",
            "What comes through the hidden state is subtracted. The memory goes two ways, and the "
            "gradients of both are added.",
        ),
        Edit(
            "slope-missing-in-dc",
            " * (1 - tanh_c**2)",
            "",
            "On its way from a to c the gradient was not multiplied by the slope of tanh, "
            "1 - tanh(c) squared.",
        ),
        Edit(
            "slope-of-c-itself",
            "1 - tanh_c**2",
            "1 - c**2",
            "The slope of tanh was computed as 1 - c squared. The cache's c is the memory itself, "
            "not a tanh: take tanh of it first. With the candidate it is the other way round.",
        ),
        Edit(
            "slope-of-c_prev",
            "1 - tanh_c**2",
            "1 - np.tanh(c_prev) ** 2",
            "The slope of tanh was taken at the old memory, c_prev. What was shown is the new one, "
            "c.",
        ),
        Edit(
            "slope-of-a",
            "1 - tanh_c**2",
            "1 - (output * tanh_c) ** 2",
            "The slope was computed as 1 - a squared, as in a plain recurrent cell. Here a is "
            "output times tanh(c); the slope is that of tanh(c) alone.",
        ),
        Edit(
            "square-of-the-difference",
            "1 - tanh_c**2",
            "(1 - tanh_c) ** 2",
            "The square stands in the wrong place: the slope of tanh is 1 - tanh(c)², and not "
            "(1 - tanh(c))².",
        ),
        Edit(
            "tanh-twice-on-c",
            "1 - tanh_c**2",
            "1 - np.tanh(tanh_c) ** 2",
            "tanh was taken twice of the memory. The slope is 1 - tanh(c) squared.",
        ),
        Edit(
            "dc_prev-by-update",
            "dc_prev = dc * forget",
            "dc_prev = dc * update",
            "dc_prev was made with the update gate. The old memory came in through the forget "
            "gate.",
        ),
        # ---- the candidate
        Edit(
            "tanh-twice-on-the-candidate",
            "1 - candidate**2",
            "1 - np.tanh(candidate) ** 2",
            "The candidate's slope was computed as 1 - tanh(candidate) squared. The candidate is a "
            "tanh already: 1 - candidate squared. This slip is in print.",
        ),
        Edit(
            "equation-8-as-printed",
            "ds_c = dc * update * (1 - candidate**2)",
            "ds_c = dc_next * update + output * (1 - tanh_c**2) * update * da * candidate * "
            "(1 - np.tanh(candidate) ** 2)",
            "The candidate's gradient is the equation that a much-copied assignment prints, to the "
            "letter: brackets are missing, one candidate is too many, and tanh is taken twice. "
            "It is (6.11): the memory's whole gradient, times update, times 1 - candidate squared.",
            also=((CONVEYOR, "dc_next, " + CONVEYOR.replace(" = ", " = dc, ", 1)),),
        ),
        Edit(
            "equation-8-with-brackets",
            "ds_c = dc * update * (1 - candidate**2)",
            "ds_c = dc * update * candidate * (1 - np.tanh(candidate) ** 2)",
            "The candidate's gradient is the equation that a much-copied assignment prints, with "
            "its brackets mended. Two slips are left: the candidate is no factor of its own "
            "gradient, and it is a tanh already. It is (6.11).",
        ),
        Edit(
            "candidate-as-a-factor-of-its-own",
            "ds_c = dc * update *",
            "ds_c = dc * update * candidate *",
            "The candidate is a factor of its own gradient. In update * candidate its partner is "
            "update, and only that.",
        ),
        Edit(
            "update-missing-for-the-candidate",
            "ds_c = dc * update *",
            "ds_c = dc *",
            "The candidate's gradient lacks the update gate: what was not written does not count.",
        ),
        Edit(
            "sigmoid-slope-for-the-candidate",
            "(1 - candidate**2)",
            "candidate * (1 - candidate)",
            "The candidate got a sigmoid's slope, g (1 - g). It went through tanh: 1 - candidate "
            "squared.",
        ),
        Edit(
            "no-slope-for-the-candidate",
            " * (1 - candidate**2)",
            "",
            "The slope of tanh is missing in the candidate's gradient: 1 - candidate squared.",
        ),
        # ---- the gates
        Edit(
            "equations-9-and-10-as-printed",
            "ds_f = dc * c_prev * forget * (1 - forget)",
            "ds_f = dc_next * c_prev + "
            "output * (1 - tanh_c**2) * c_prev * da * forget * (1 - forget)",
            "The update and forget gates' gradients are those that a much-copied assignment "
            "prints, to the letter: brackets are missing, so that dc never meets the gate's slope. "
            "Add up the memory's whole gradient first, (6.10).",
            also=(
                (CONVEYOR, "dc_next, " + CONVEYOR.replace(" = ", " = dc, ", 1)),
                (
                    "ds_u = dc * candidate * update * (1 - update)",
                    "ds_u = dc_next * candidate + "
                    "output * (1 - tanh_c**2) * candidate * da * update * (1 - update)",
                ),
            ),
        ),
        Edit(
            "equations-8-to-10-as-printed",
            "ds_f = dc * c_prev * forget * (1 - forget)",
            "ds_f = dc_next * c_prev + "
            "output * (1 - tanh_c**2) * c_prev * da * forget * (1 - forget)",
            "Three gradients (forget, update, candidate) are those that a much-copied assignment "
            "prints, to the letter. Their brackets are missing, and the candidate's has a factor "
            "and a tanh too many. Add up the memory's whole gradient first, (6.10).",
            also=(
                (CONVEYOR, "dc_next, " + CONVEYOR.replace(" = ", " = dc, ", 1)),
                (
                    "ds_u = dc * candidate * update * (1 - update)",
                    "ds_u = dc_next * candidate + "
                    "output * (1 - tanh_c**2) * candidate * da * update * (1 - update)",
                ),
                (
                    "ds_c = dc * update * (1 - candidate**2)",
                    "ds_c = dc_next * update + output * (1 - tanh_c**2) * update * da * candidate "
                    "* (1 - np.tanh(candidate) ** 2)",
                ),
            ),
        ),
        Edit(
            "new-memory-in-the-forget-gate",
            "dc * c_prev * forget",
            "dc * c * forget",
            "The forget gate's gradient was made with the new memory, c. The gate was multiplied "
            "by the old one: c_prev.",
        ),
        Edit(
            "forget-gate-copies-the-candidate",
            "ds_f = dc * c_prev * forget * (1 - forget)",
            "ds_f = dc * update * (1 - candidate**2)",
            "The forget gate's line is that of the candidate: a copied line? Its partner is "
            "c_prev, its slope forget (1 - forget).",
        ),
        Edit(
            "update-gate-without-candidate",
            "dc * candidate * update * (1",
            "dc * update * (1",
            "The update gate's gradient lacks its partner, the candidate.",
        ),
        Edit(
            "forget-gate-without-memory",
            "dc * c_prev * forget * (1",
            "dc * forget * (1",
            "The forget gate's gradient lacks its partner, the old memory c_prev.",
        ),
        Edit(
            "output-gate-without-tanh_c",
            "da * tanh_c * output * (1",
            "da * output * (1",
            "The output gate's gradient lacks its partner, tanh(c).",
        ),
        Edit(
            "output-gate-with-bare-memory",
            "da * tanh_c * output",
            "da * c * output",
            "The output gate's gradient was made with the bare memory. The gate was multiplied "
            "by tanh(c).",
        ),
        Edit(
            "output-gate-with-tanh-of-a",
            "da * tanh_c * output",
            "da * np.tanh(output * tanh_c) * output",
            "The output gate's gradient was made with tanh(a). The gate was multiplied by tanh(c).",
        ),
        Edit(
            "output-gate-from-dc",
            "ds_o = da * tanh_c",
            "ds_o = dc * tanh_c",
            "The output gate's gradient was made from dc. The gate is no part of the memory: it "
            "only decides what is shown, so its gradient comes from da.",
        ),
        Edit(
            "output-gate-from-the-dc-that-comes-in",
            CONVEYOR,
            "dc_next, " + CONVEYOR.replace(" = ", " = dc, ", 1),
            "The output gate's gradient was made from the dc that comes in. The gate is no part "
            "of the memory: it only decides what is shown, so its gradient comes from da.",
            also=(("ds_o = da * tanh_c", "ds_o = dc_next * tanh_c"),),
        ),
        Edit(
            "no-slope-for-forget",
            "dc * c_prev * forget * (1 - forget)",
            "dc * c_prev",
            "The slope of the sigmoid is missing for the forget gate: forget (1 - forget).",
        ),
        Edit(
            "no-slope-for-update",
            "dc * candidate * update * (1 - update)",
            "dc * candidate",
            "The slope of the sigmoid is missing for the update gate: update (1 - update).",
        ),
        Edit(
            "no-slope-for-output",
            "da * tanh_c * output * (1 - output)",
            "da * tanh_c",
            "The slope of the sigmoid is missing for the output gate: output (1 - output).",
        ),
        Edit(
            "no-slopes-at-all",
            "dc * c_prev * forget * (1 - forget)",
            "dc * c_prev",
            "The slopes of the activations are missing for all gates and the candidate: these are "
            "gradients of the gates, and the weights act before the sigmoid or tanh.",
            also=(
                ("dc * candidate * update * (1 - update)", "dc * candidate"),
                ("dc * update * (1 - candidate**2)", "dc * update"),
                ("da * tanh_c * output * (1 - output)", "da * tanh_c"),
            ),
        ),
        Edit(
            "tanh-slope-for-the-gates",
            "forget * (1 - forget)",
            "(1 - forget**2)",
            "The three gates got the slope of tanh, 1 - g squared. They went through a sigmoid, "
            "whose slope is g (1 - g).",
            also=(
                ("update * (1 - update)", "(1 - update**2)"),
                ("output * (1 - output)", "(1 - output**2)"),
            ),
        ),
        # ---- back to state and input
        Edit(
            "output-gate-missing-in-dz",
            " + ds_o @ p.Wo",
            "",
            "The output gate's part is missing in da_prev and dx_t. All four read z: four products "
            "are added.",
        ),
        Edit(
            "forget-gate-missing-in-dz",
            "ds_f @ p.Wf + ",
            "",
            "The forget gate's part is missing in da_prev and dx_t. All four read z: four products "
            "are added.",
        ),
        Edit(
            "candidate-missing-in-dz",
            " + ds_c @ p.Wc",
            "",
            "The candidate's part is missing in da_prev and dx_t. All four read z: four products "
            "are added.",
        ),
        Edit(
            "gradients-for-weights-in-dz",
            "ds_f @ p.Wf + ds_u @ p.Wu + ds_c @ p.Wc + ds_o @ p.Wo",
            "ds_f @ ds_f.T @ z + ds_u @ ds_u.T @ z + ds_c @ ds_c.T @ z + ds_o @ ds_o.T @ z",
            "da_prev and dx_t were made with the gradients of the weights in place of the weights "
            "themselves.",
        ),
        Edit(
            "weights-exchanged-in-dz",
            "ds_f @ p.Wf + ds_u @ p.Wu",
            "ds_f @ p.Wu + ds_u @ p.Wf",
            "On the way back to z the forget and update gates have each other's weights.",
        ),
        Edit(
            "not-sliced",
            "da_prev, dx_t = dz[:, :n_a], dz[:, n_a:]",
            "da_prev, dx_t = dz, dz",
            "da_prev and dx_t both are the whole dz. z is the state and the input side by side: "
            "the first n_a columns belong to a_prev, the rest to x_t.",
        ),
        Edit(
            "sliced-as-input-before-state",
            "da_prev, dx_t = dz[:, :n_a], dz[:, n_a:]",
            "dx_t, da_prev = dz[:, :-n_a], dz[:, -n_a:]",
            "dz was cut as if the input came first in z. The state comes first: its n_a columns "
            "are da_prev.",
        ),
        Edit(
            "sliced-by-rows",
            "da_prev, dx_t = dz[:, :n_a], dz[:, n_a:]",
            "da_prev, dx_t = dz[:n_a], dz[n_a:]",
            "dz was cut along its rows, which are examples. Cut the columns: dz[:, :n_a].",
        ),
        # ---- the parameters
        Edit(
            "input-before-state-in-the-weights",
            "n_a = c.shape[1]\n",
            "n_a = c.shape[1]\n    z = np.concatenate([z[:, n_a:], z[:, :n_a]], axis=1)\n",
            "The weights' gradients were made with the input first and the state second. z, in the "
            "cache, has the state first.",
        ),
        Edit(
            "new-state-in-the-weights",
            "n_a = c.shape[1]\n",
            "n_a = c.shape[1]\n    z = np.concatenate([output * tanh_c, z[:, n_a:]], axis=1)\n",
            "The weights' gradients were made with the new hidden state. Forwards the weights met "
            "the old one: z, from the cache.",
        ),
        Edit(
            "weights-transposed",
            WEIGHTS[0],
            "Wf=z.T @ ds_f",
            "The weights' gradients are transposed. Row i of a weight makes unit i's sum, so row i "
            "of its gradient comes from unit i: ds.T comes first.",
            also=all_weights("z.T @ ds_{k}")[1:],
        ),
        Edit(
            "weights-of-forget-and-update-exchanged",
            WEIGHTS[0],
            "Wf=ds_u.T @ z",
            "The gradients of Wf and Wu are exchanged.",
            also=((WEIGHTS[1], "Wu=ds_f.T @ z"),),
        ),
        Edit(
            "grads-in-the-order-of-pytorch",
            "    )",
            "    )\n    g = grads\n"
            "    grads = LSTMParams(g.Wu, g.bu, g.Wf, g.bf, g.Wc, g.bc, g.Wo, g.bo)",
            "The gradients stand in the order of other texts: update, forget, candidate, output. "
            "LSTMParams begins with forget; give its fields by name, and no order can go wrong.",
        ),
        Edit(
            "bo-copies-bc",
            BIASES[3],
            "bo=ds_c.sum(axis=0)",
            "The gradient of bo is that of bc: a copied line?",
        ),
        Edit(
            "biases-from-the-weights-gradients",
            BIASES[0],
            "bf=(ds_f.T @ z).sum(axis=1)",
            "The biases' gradients are sums of the weights' gradients over their columns. A bias "
            "meets a 1 where the weights meet z: sum ds over the examples.",
            also=all_biases("(ds_{k}.T @ z).sum(axis=1)")[1:],
        ),
        Edit(
            "biases-averaged",
            BIASES[0],
            "bf=ds_f.mean(axis=0)",
            "The biases' gradients are averaged over the examples, and the weights' are summed. "
            "Sum them, too.",
            also=all_biases("ds_{k}.mean(axis=0)")[1:],
        ),
        Edit(
            "biases-with-keepdims",
            BIASES[0],
            "bf=ds_f.sum(axis=0, keepdims=True)",
            "The biases' gradients kept an axis of length 1. A bias is (n_a,), and so is its "
            "gradient: no keepdims. That is for texts in which biases are columns.",
            also=all_biases("ds_{k}.sum(axis=0, keepdims=True)")[1:],
        ),
        Edit(
            "biases-not-summed",
            BIASES[0],
            "bf=ds_f",
            "The biases' gradients have one row for each example. All of them share one bias: sum "
            "over the examples, axis 0.",
            also=all_biases("ds_{k}")[1:],
        ),
        Edit(
            "biases-summed-over-units",
            BIASES[0],
            "bf=ds_f.sum(axis=1)",
            "The biases' gradients were summed over the units. Sum over the examples, axis 0.",
            also=all_biases("ds_{k}.sum(axis=1)")[1:],
        ),
        Edit(
            "averaged-over-examples",
            "    n_a = c.shape[1]\n",
            "    n_a = c.shape[1]\n"
            "    ds_f, ds_u, ds_c, ds_o = (ds / len(da) for ds in (ds_f, ds_u, ds_c, ds_o))\n",
            "The parameters' gradients are divided by m. If the loss is a mean, that division is "
            "in da already, and must not be made twice.",
        ),
        Edit(
            "slopes-without-the-gates",
            "ds_f = dc * c_prev * forget * (1 - forget)",
            "ds_f = dc * c_prev * (1 - forget)",
            "The slope of a sigmoid is s * (1 - s). Here it is 1 - s alone, for all three gates.",
            also=(
                (
                    "ds_u = dc * candidate * update * (1 - update)",
                    "ds_u = dc * candidate * (1 - update)",
                ),
                ("ds_o = da * tanh_c * output * (1 - output)", "ds_o = da * tanh_c * (1 - output)"),
            ),
        ),
        Edit(
            "slope-of-forget-without-the-gate",
            "ds_f = dc * c_prev * forget * (1 - forget)",
            "ds_f = dc * c_prev * (1 - forget)",
            "The slope of the forget gate is forget * (1 - forget). Its factor forget is missing.",
        ),
        Edit(
            "slope-of-c-not-squared",
            "(1 - tanh_c**2)",
            "(1 - tanh_c)",
            "The slope of tanh(c) is 1 minus its square. Here it is not squared.",
        ),
    ),
    alternatives=(by_hand, fused, with_einsum, column_by_column, in_float32),
    derivative=derivative,
    strays=strays,
)
