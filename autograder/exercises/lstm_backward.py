"""An LSTM over whole sequences, backwards."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, padding_mask, parameters, sizes
from course.given import LSTMParams
from solutions.lstm import lstm_backward, lstm_cell_backward, lstm_forward
from solutions.tests.proofs import complex_step


def inputs(rng, scale=1.0, gradient=1.0, **fixed):
    """Every other example's inputs are scaled."""
    size = sizes(rng, **fixed)
    params = parameters(LSTMParams, rng, size)
    x = normal(rng, size["T_x"], size["m"], size["n_x"])
    x[:, ::2] *= scale
    a0, c0 = np.tanh(normal(rng, size["m"], size["n_a"])), normal(rng, size["m"], size["n_a"])
    a, c, caches = lstm_forward(x, a0, c0, params)
    da, dc = normal(rng, *a.shape) * gradient, normal(rng, *c.shape) * gradient
    return {"da": da, "dc": dc, "caches": caches, "params": params}


def hidden_states_only(rng):
    """The usual case: no loss looks at the memories."""
    case = inputs(rng, T_x=4)
    case["dc"][:] = 0
    return case


def many_to_one(rng):
    case = inputs(rng, T_x=5)
    case["da"][:-1] = 0
    case["dc"][:] = 0
    return case


def encoder(rng):
    """The last memory and the last hidden state are handed on, and nothing else has a loss."""
    case = inputs(rng, T_x=4)
    case["da"][:-1], case["dc"][:-1] = 0, 0
    return case


def padded(rng):
    """No gradient at the padding."""
    case = inputs(rng, T_x=6, m=4)
    padding = ~padding_mask(rng, 6, 4)
    case["da"][padding], case["dc"][padding] = 0, 0
    return case


def long(rng):
    return inputs(rng, T_x=10, m=3, n_x=2, n_a=4)


def carrying_totals(da, dc, caches, params):
    """Step by step from the end, both total gradients in variables of their own."""
    dx, sums = [], [np.zeros(p.shape) for p in params]
    whole_a, whole_c = da[-1], dc[-1]
    for t in range(len(caches) - 1, -1, -1):
        dx_t, back_a, back_c, grads = lstm_cell_backward(whole_a, whole_c, caches[t], params)
        dx.insert(0, dx_t)
        sums = [s + g for s, g in zip(sums, grads)]
        whole_a, whole_c = back_a + da[t - 1], back_c + dc[t - 1]
    return np.array(dx), back_a, back_c, LSTMParams(*sums)


def all_steps_at_once(da, dc, caches, params):
    """Only the two carried gradients in a loop; the rest as products over all steps."""
    p, n = params, da.shape[2]
    z, f, u, g, o, c_prev, c = (np.array(field) for field in zip(*caches))
    W = np.concatenate([p.Wf, p.Wu, p.Wc, p.Wo])
    shown = np.tanh(c)
    slopes_c = np.stack([c_prev * f * (1 - f), g * u * (1 - u), u * (1 - g**2)], axis=2)
    slope_o, through = shown * o * (1 - o), o * (1 - shown**2)
    ds = np.empty((*z.shape[:2], 4 * n), dtype=da.dtype)
    back_a = back_c = np.zeros_like(da[0])
    for t in range(len(z) - 1, -1, -1):
        back_a = back_a + da[t]
        back_c = back_c + dc[t] + back_a * through[t]
        ds[t, :, : 3 * n] = (slopes_c[t] * back_c[:, None]).reshape(len(back_c), -1)
        ds[t, :, 3 * n :] = slope_o[t] * back_a
        back_a, back_c = ds[t] @ W[:, :n], back_c * f[t]
    dW = np.split(np.tensordot(ds, z, axes=([0, 1], [0, 1])), 4)
    db = np.split(ds.sum(axis=(0, 1)), 4)
    grads = LSTMParams(*(array for pair in zip(dW, db) for array in pair))
    return ds @ W[:, n:], back_a, back_c, grads


def recursive(da, dc, caches, params):
    """The steps from the second on first, then the first."""
    later, arriving, sums = [], (0, 0), [0] * len(params)
    if len(caches) > 1:
        later, *arriving, sums = recursive(da[1:], dc[1:], caches[1:], params)
    dx_t, da0, dc0, grads = lstm_cell_backward(
        da[0] + arriving[0], dc[0] + arriving[1], caches[0], params
    )
    return [dx_t, *later], da0, dc0, LSTMParams(*(s + g for s, g in zip(sums, grads)))


def loss_by_loss(da, dc, caches, params):
    """The loss of each step by itself, all the way back; then the sum."""
    n_a = da.shape[2]
    dx = np.zeros((*da.shape[:2], caches[0].z.shape[1] - n_a))
    da0, dc0, grads = 0, 0, LSTMParams(*[0] * 8)
    for s in range(len(da)):
        back = da[s], dc[s]
        for t in range(s, -1, -1):
            dx_t, *back, more = lstm_cell_backward(*back, caches[t], params)
            dx[t] += dx_t
            grads = LSTMParams(*(g + h for g, h in zip(grads, more)))
        da0, dc0 = da0 + back[0], dc0 + back[1]
    return dx, da0, dc0, grads


def in_float32(da, dc, caches, params):
    caches = [type(c)(*(field.astype(np.float32) for field in c)) for c in caches]
    cast = LSTMParams(*(p.astype(np.float32) for p in params))
    return all_steps_at_once(da.astype(np.float32), dc.astype(np.float32), caches, cast)


# ------------------------------------------------------------------ found without it


def derivative(da, dc, caches, params, h=1e-20):
    """Complex steps of the forward pass."""
    n_a = da.shape[2]
    x = np.array([cache.z[:, n_a:] for cache in caches])
    start = {"x": x, "a0": caches[0].z[:, :n_a], "c0": caches[0].c_prev}

    def losses(params=params, **moved):
        a, c, _caches = lstm_forward(**{**start, **moved}, params=params)
        return (da * a + dc * c).sum(axis=(0, 2))

    found = []
    for name, value in start.items():
        gradient = np.empty(value.shape)
        ahead, last = np.moveaxis(gradient, -2, 0), value.shape[-1]  # examples first
        for i in np.ndindex(*value.shape[:-2], last):  # all examples moved at once
            moved = value.astype(complex)
            np.moveaxis(moved, -2, 0)[(slice(None), *i)] += 1j * h
            ahead[(slice(None), *i)] = losses(**{name: moved}).imag / h
        found.append(gradient)
    grads = {
        name: complex_step(lambda w, name=name: losses(params._replace(**{name: w})).sum(), value)
        for name, value in params._asdict().items()
    }
    return (*found, LSTMParams(**grads))


# ------------------------------------------------------------------ how it goes wrong


def shares(da, dc, caches, params):
    """What step t adds to each sum on account of the loss at step s, at [t, s]."""
    T_x = len(da)
    found = {f"grads.{n}": np.zeros((T_x, T_x, *p.shape)) for n, p in params._asdict().items()}
    for s in range(T_x):
        back = da[s], dc[s]
        for t in range(s, -1, -1):
            _dx_t, *back, grads = lstm_cell_backward(*back, caches[t], params)
            for name, grad in grads._asdict().items():
                found[f"grads.{name}"][t, s] = grad
    return found


ROUTES = {
    "It is what comes back through the memories alone, right at the last step only: da_prev is not "
    "added to da[t].": (0, 1),
    "It is what comes back through the hidden states alone, right at the last step only: dc_prev "
    "is not added to dc[t].": (1, 0),
    "It knows of each step's own loss only: neither da_prev nor dc_prev goes from a step to the "
    "one before.": (0, 0),
}
NO_MEMORY_LOSS = "It lacks what the loss asks of the memories themselves: dc[t] is not added."


def strays(da, dc, caches, params):
    """Each quantity where one road back is closed, or both."""
    found = {story: _back(da, dc, caches, params, *open_) for story, open_ in ROUTES.items()}
    found[NO_MEMORY_LOSS] = _back(da, np.zeros_like(dc), caches, params, 1, 1)
    paths = found[NO_MEMORY_LOSS]
    return {path: {story: values[path] for story, values in found.items()} for path in paths}


def _back(da, dc, caches, params, by_state, by_memory):
    """The backward pass with each road open (1) or closed (0), by path."""
    back_a = back_c = 0.0
    dx, sums = [], [0.0] * len(params)
    for t in range(len(da) - 1, -1, -1):
        dx_t, back_a, back_c, grads = lstm_cell_backward(
            da[t] + by_state * back_a, dc[t] + by_memory * back_c, caches[t], params
        )
        dx.insert(0, dx_t)
        sums = [s + g for s, g in zip(sums, grads, strict=True)]
    named = zip(LSTMParams._fields, sums, strict=True)
    ends = {"dx": np.array(dx), "da0": back_a, "dc0": back_c}
    return {**ends, **{f"grads.{name}": total for name, total in named}}


CALL = "da[t] + da_prev, dc[t] + dc_prev, caches[t], params"
OVERWRITES = ("total += grad", "total[...] = grad")
NO_STATE = (
    "da_prev is not carried: each step hears of later losses through the memory alone, so dx is "
    "right at the last step and wrong before. A hidden state feeds all four gates of the next step: "
    "add the da_prev that this step gave to da[t]. It is the most frequent slip of all, and was "
    "in a famous answer for years."
)
NO_MEMORY = (
    "dc_prev is not carried: each step hears of later losses through the hidden state alone, so dx "
    "is right at the last step and wrong before. The memory's road is the one on which gradients "
    "survive: add the dc_prev that this step gave to dc[t]."
)
NEITHER = (
    "Neither da_prev nor dc_prev is carried: each step hears of its own loss only, so dx is right "
    "at the last step and wrong before. Add what the step after it gave, to da[t] and to dc[t]. A "
    "famous expected output was computed like this, for years."
)
SUMMED = "Besides, each step's gradients overwrite the one before: sum them, +=."
ZERO = "And what is left at the end is not returned: {} zero."


def overwritten(*fields):
    """The edit that overwrites the gradients of some fields and sums the others."""
    chosen = " or ".join(f"total is grads.{field}" for field in fields)
    return ("total += grad", f"total[...] = grad if {chosen} else total + grad")


EXERCISE = Exercise(
    reference=lstm_backward,
    cases=(
        Case("every size differs", partial(inputs, T_x=5)),
        Case("every size differs", partial(inputs, T_x=4)),
        Case("two steps", partial(inputs, T_x=2)),
        Case("one step", partial(inputs, T_x=1)),
        Case("one example", partial(inputs, T_x=5, m=1)),
        Case("as many steps as examples", partial(inputs, T_x=4, m=4)),
        Case("no loss looks at the memories", hidden_states_only),
        Case("a loss at the last hidden state only", many_to_one),
        Case("the last state and memory are handed on", encoder),
        Case("padded sequences", padded),
        Case("a long sequence", long),
        Case(
            "gates open and shut, a gradient of millions",
            partial(inputs, T_x=4, m=6, scale=40, gradient=1e6),
        ),
    ),
    returns=("dx", "da0", "dc0", "grads"),
    points=6,
    calls=("lstm_cell_backward",),
    hints=(
        "Walk the steps from the last to the first. Two things go from step to step, a hidden "
        "state and a memory; so two gradients come back, and both have to be carried.",
        "Keep what comes from the next step in da_prev and dc_prev, zeros at first. Each is added "
        "to its own: da_prev to da[t], dc_prev to dc[t]. Those two sums go into lstm_cell_backward, "
        "which gives dx[t], the next da_prev and dc_prev, and this step's gradients.",
        "Before the loop: zeros for dx, da_prev, dc_prev and for each gradient (n_x is what is left "
        "of caches[0].z's columns without n_a). In the loop, from the last step down to 0: the "
        "call with both sums, then add each gradient to its total. After it, da_prev and dc_prev "
        "are da0 and dc0.",
    ),
    misconceptions=(
        # ---- what is carried
        Edit("hidden-state-not-carried", "da[t] + da_prev", "da[t]", NO_STATE),
        Edit("memory-not-carried", "dc[t] + dc_prev", "dc[t]", NO_MEMORY),
        Edit("neither-carried", CALL, "da[t], dc[t], caches[t], params", NEITHER),
        Edit(
            "hidden-state-not-carried-and-da0-zero",
            "da[t] + da_prev",
            "da[t]",
            f"{NO_STATE} {ZERO.format('da0 is')}",
            also=(("da0, dc0 = da_prev, dc_prev", "da0, dc0 = np.zeros_like(da_prev), dc_prev"),),
        ),
        Edit(
            "memory-not-carried-and-dc0-zero",
            "dc[t] + dc_prev",
            "dc[t]",
            f"{NO_MEMORY} {ZERO.format('dc0 is')}",
            also=(("da0, dc0 = da_prev, dc_prev", "da0, dc0 = da_prev, np.zeros_like(dc_prev)"),),
        ),
        Edit(
            "never-updated",
            "dx[t], da_prev, dc_prev, step =",
            "dx[t], _da_prev, _dc_prev, step =",
            "da_prev and dc_prev are made before the loop, added in it, and never updated: they "
            "stay zero, so nothing is carried, and da0 and dc0 are zero. Let the call give them "
            "their new values.",
        ),
        Edit(
            "hidden-state-not-carried-and-overwritten",
            "da[t] + da_prev",
            "da[t]",
            f"{NO_STATE} {SUMMED}",
            also=(OVERWRITES,),
        ),
        Edit(
            "memory-not-carried-and-overwritten",
            "dc[t] + dc_prev",
            "dc[t]",
            f"{NO_MEMORY} {SUMMED}",
            also=(OVERWRITES,),
        ),
        Edit(
            "neither-carried-and-overwritten",
            CALL,
            "da[t], dc[t], caches[t], params",
            f"{NEITHER} {SUMMED}",
            also=(OVERWRITES,),
        ),
        Edit(
            "carried-crosswise",
            CALL,
            "da[t] + dc_prev, dc[t] + da_prev, caches[t], params",
            "da_prev was added to dc[t], and dc_prev to da[t]. Each goes to its own.",
        ),
        Edit(
            "taken-crosswise",
            "dx[t], da_prev, dc_prev, step =",
            "dx[t], dc_prev, da_prev, step =",
            "The results of lstm_cell_backward are taken in the wrong order: da_prev is its "
            "second, dc_prev its third.",
        ),
        Edit(
            "da_prev-into-both",
            "dc[t] + dc_prev",
            "dc[t] + dc_prev + da_prev",
            "da_prev was added to dc[t], too. It belongs to the hidden state; how much of it "
            "reaches the memory, lstm_cell_backward finds out.",
        ),
        Edit(
            "dc-ignored",
            "dc[t] + dc_prev",
            "dc_prev",
            "dc is never used. Mostly it is zero, but not where a memory is handed on: add dc[t] "
            "to dc_prev.",
        ),
        Edit(
            "dc-ignored-and-not-carried",
            "dc[t] + dc_prev",
            "0.0 * dc[t]",
            "The memory gets no gradient at all: neither dc[t] nor dc_prev goes into "
            "lstm_cell_backward. It takes the sum of the two.",
        ),
        Edit(
            "da-ignored",
            "da[t] + da_prev",
            "da_prev",
            "da[t] is never used: the loss at each step's own hidden state is lost.",
        ),
        Edit(
            "only-the-last-da",
            "da[t] + da_prev",
            "da[t] * (t == T_x - 1) + da_prev",
            "Only da at the last step enters. Every step may have a loss of its own: add da[t] at "
            "each.",
        ),
        Edit(
            "only-the-last-dc",
            "dc[t] + dc_prev",
            "dc[t] * (t == T_x - 1) + dc_prev",
            "Only dc at the last step enters. Add dc[t] at each.",
        ),
        Edit(
            "carried-twice",
            CALL,
            "da[t] + 2 * da_prev, dc[t] + 2 * dc_prev, caches[t], params",
            "What comes from the next step is added twice. Add it once.",
        ),
        Edit(
            "memory-gradients-pile-up",
            "dx[t], da_prev, dc_prev, step =",
            "before = dc_prev\n        dx[t], da_prev, dc_prev, step =",
            "The carried gradient of the memory is added up over the steps. Each step's dc_prev "
            "replaces the last: it has everything from later steps in it already.",
            also=(
                (
                    "for total, grad in zip",
                    "dc_prev = before + dc_prev\n        for total, grad in zip",
                ),
            ),
        ),
        Edit(
            "both-gradients-pile-up",
            "dx[t], da_prev, dc_prev, step =",
            "before = da_prev, dc_prev\n        dx[t], da_prev, dc_prev, step =",
            "What is carried is added up over the steps. Each step's da_prev and dc_prev replace the "
            "last: they have everything from later steps in them already.",
            also=(
                (
                    "for total, grad in zip",
                    "da_prev, dc_prev = before[0] + da_prev, before[1] + dc_prev\n"
                    "        for total, grad in zip",
                ),
            ),
        ),
        Edit(
            "forgotten-twice",
            CALL,
            "da[t] + da_prev, dc[t] + dc_prev * caches[t].forget, caches[t], params",
            "dc_prev was multiplied by a forget gate on its way. lstm_cell_backward has done so: "
            "hand it on as it is.",
        ),
        # ---- the loop
        Edit(
            "forwards",
            "reversed(range(T_x))",
            "range(T_x)",
            "The loop runs from the first step to the last. A step's gradient needs that of the "
            "step after it: begin at the end.",
        ),
        Edit(
            "first-step-skipped",
            "reversed(range(T_x))",
            "reversed(range(1, T_x))",
            "The loop stops at step 1. Step 0 has an input, a state and a memory, too.",
        ),
        Edit(
            "last-step-skipped",
            "reversed(range(T_x))",
            "reversed(range(T_x - 1))",
            "The loop begins one step too early in time: the last step is left out.",
        ),
        Edit(
            "first-cache-for-all",
            "caches[t]",
            "caches[0]",
            "Every step uses caches[0]. Each step has a cache of its own: caches[t].",
        ),
        Edit(
            "last-cache-for-all",
            "caches[t]",
            "caches[-1]",
            "Every step uses the last cache. Each step has a cache of its own: caches[t].",
        ),
        Edit(
            "caches-turned-round",
            "caches[t]",
            "caches[T_x - 1 - t]",
            "The caches are taken in the opposite order to the gradients: da[t] belongs to "
            "caches[t].",
        ),
        # ---- the sums
        Edit(
            "overwritten",
            *OVERWRITES,
            "Each step's gradient of the parameters overwrites the one before: only the first "
            "step's is left. All steps share the parameters, so their gradients are summed: +=.",
        ),
        Edit(
            "biases-overwritten",
            *overwritten("bf", "bu", "bc", "bo"),
            "The gradients of the biases are overwritten at each step, and those of the weights "
            "are summed. Sum all of them: +=.",
        ),
        *(
            Edit(
                f"{gate}-overwritten",
                *overwritten(f"W{letter}", f"b{letter}"),
                f"The gradients of W{letter} and b{letter} are overwritten at each step, and the "
                "others are summed. Sum all of them: +=.",
            )
            for gate, letter in (
                ("forget", "f"),
                ("update", "u"),
                ("candidate", "c"),
                ("output", "o"),
            )
        ),
        Edit(
            "sums-stay-zero",
            "total += grad",
            "total += total",
            "The sums stay zero: each is added to itself. Add this step's gradient.",
        ),
        Edit(
            "averaged-over-time",
            "da0, dc0 = da_prev, dc_prev",
            "da0, dc0, grads = da_prev, dc_prev, LSTMParams(*(grad / T_x for grad in grads))",
            "The parameters' gradients are divided by T_x. They should be sums over time; if the "
            "loss is a mean, that is in da already.",
        ),
        Edit(
            "bo-copies-bc",
            "da0, dc0 = da_prev, dc_prev",
            "da0, dc0, grads = da_prev, dc_prev, grads._replace(bo=grads.bc)",
            "The gradient of bo is that of bc: a copied line?",
        ),
        # ---- what is left at the end
        Edit(
            "da0-zero",
            "da0, dc0 = da_prev, dc_prev",
            "da0, dc0 = np.zeros_like(da_prev), dc_prev",
            "da0 is zero. It should be what is left in da_prev after the first step's turn.",
        ),
        Edit(
            "dc0-zero",
            "da0, dc0 = da_prev, dc_prev",
            "da0, dc0 = da_prev, np.zeros_like(dc_prev)",
            "dc0 is zero. It should be what is left in dc_prev after the first step's turn.",
        ),
        Edit(
            "da0-and-dc0-zero",
            "da0, dc0 = da_prev, dc_prev",
            "da0, dc0 = np.zeros_like(da_prev), np.zeros_like(dc_prev)",
            "da0 and dc0 are zero. They should be what is left in da_prev and dc_prev after the "
            "first step's turn.",
        ),
        Edit(
            "da0-is-dc0",
            "da0, dc0 = da_prev, dc_prev",
            "da0, dc0 = dc_prev, dc_prev",
            "da0 is the gradient of the first memory. It should be what is left in da_prev.",
        ),
        Edit(
            "da0-and-dc0-exchanged",
            "da0, dc0 = da_prev, dc_prev",
            "da0, dc0 = dc_prev, da_prev",
            "da0 and dc0 are exchanged: da0 should be what is left in da_prev.",
        ),
        Edit(
            "gradients-after-the-first-step",
            "dx[t], da_prev, dc_prev, step =",
            "da_next, dc_next = da[t] + da_prev, dc[t] + dc_prev\n"
            "        dx[t], da_prev, dc_prev, step =",
            "These are the gradients of state and memory after the first step. da0 and dc0 are "
            "those before it: one more step back, through the first cell.",
            also=(("da0, dc0 = da_prev, dc_prev", "da0, dc0 = da_next, dc_next"),),
        ),
        Edit(
            "dx-turned-round",
            "dx[t], da_prev",
            "dx[T_x - 1 - t], da_prev",
            "dx is stored from the end: dx[0] must belong to the first step.",
        ),
        Edit(
            "dx-piles-up",
            "da0, dc0 = da_prev, dc_prev",
            "da0, dc0, dx = da_prev, dc_prev, dx[::-1].cumsum(axis=0)[::-1]",
            "dx is summed over the steps. Each step has an input of its own, and so a gradient of "
            "its own; only shared parameters are summed.",
        ),
        Edit(
            "last-loss-twice",
            "da_prev, dc_prev = np.zeros_like(da[0]), np.zeros_like(dc[0])",
            "da_prev, dc_prev = da[-1], dc[-1]",
            "What is carried starts as da[-1] and dc[-1], and the first turn of the loop adds "
            "them again: the last step's loss counts twice. Nothing comes from beyond the last "
            "step, so start from zeros.",
        ),
    ),
    alternatives=(carrying_totals, all_steps_at_once, recursive, loss_by_loss, in_float32),
    derivative=derivative,
    shares=shares,
    strays=strays,
)
