"""A recurrent cell over whole sequences, backwards."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, padding_mask, parameters, sizes
from course.given import RNNParams
from solutions.bptt import rnn_backward, rnn_cell_backward
from solutions.rnn import rnn_forward
from solutions.tests.proofs import complex_step


def inputs(rng, scale=1.0, gradient=1.0, **fixed):
    """Every other example's inputs are scaled."""
    size = sizes(rng, **fixed)
    params = parameters(RNNParams, rng, size)
    x = normal(rng, size["T_x"], size["m"], size["n_x"])
    x[:, ::2] *= scale
    a, caches = rnn_forward(x, np.tanh(normal(rng, size["m"], size["n_a"])), params)
    return {"da": normal(rng, *a.shape) * gradient, "caches": caches, "params": params}


def long(rng):
    return inputs(rng, T_x=12, m=3, n_x=2, n_a=4)


def padded(rng):
    """As `output_backward` leaves it: no gradient at the padding."""
    case = inputs(rng, T_x=6, m=4)
    case["da"][~padding_mask(rng, 6, 4)] = 0
    return case


def many_to_one(rng):
    case = inputs(rng, T_x=5)
    case["da"][:-1] = 0
    return case


def carrying_a_total(da, caches, params):
    """Step by step from the end, the total gradient of the state in one variable."""
    dx, sums = [], [np.zeros(p.shape) for p in params]
    total = da[-1]
    for t in range(len(caches) - 1, -1, -1):
        dx_t, da_prev, grads = rnn_cell_backward(total, caches[t], params)
        dx.insert(0, dx_t)
        sums = [s + g for s, g in zip(sums, grads)]
        total = da_prev + da[t - 1]
    return np.array(dx), da_prev, RNNParams(*sums)


def all_steps_at_once(da, caches, params):
    """Only the state's gradient in a loop; the rest as products over all steps."""
    x, a_prev, a = (np.array(field) for field in zip(*caches))
    ds, carried = np.empty_like(a), 0
    for t in reversed(range(len(a))):
        ds[t] = (1 - a[t] ** 2) * (da[t] + carried)
        carried = ds[t] @ params.Waa
    dWax = np.einsum("tma,tmx->ax", ds, x)
    dWaa = np.einsum("tma,tmb->ab", ds, a_prev)
    return ds @ params.Wax, carried, RNNParams(dWax, dWaa, ds.sum(axis=(0, 1)))


def recursive(da, caches, params):
    """The steps from the second on first, then the first."""
    if len(caches) > 1:
        later, arriving, sums = recursive(da[1:], caches[1:], params)
        dx_t, da0, grads = rnn_cell_backward(da[0] + arriving, caches[0], params)
        return [dx_t, *later], da0, RNNParams(*(s + g for s, g in zip(sums, grads)))
    dx_t, da0, grads = rnn_cell_backward(da[0], caches[0], params)
    return [dx_t], da0, grads


def loss_by_loss(da, caches, params):
    """The loss of each step by itself, all the way back; then the sum."""
    dx = np.zeros((len(da), *caches[0].x_t.shape))
    da0, grads = 0, RNNParams(0, 0, 0)
    for s in range(len(da)):
        back = da[s]
        for t in range(s, -1, -1):
            dx_t, back, more = rnn_cell_backward(back, caches[t], params)
            dx[t] += dx_t
            grads = RNNParams(*(g + h for g, h in zip(grads, more)))
        da0 = da0 + back
    return dx, da0, grads


def in_float32(da, caches, params):
    caches = [type(c)(*(field.astype(np.float32) for field in c)) for c in caches]
    cast = RNNParams(*(p.astype(np.float32) for p in params))
    return all_steps_at_once(da.astype(np.float32), caches, cast)


def derivative(da, caches, params):
    """Complex steps of the forward pass."""
    return complex_steps(
        lambda *all_of_it: (da * rnn_forward(*all_of_it)[0]).sum(axis=(0, 2)), caches, params
    )


def complex_steps(losses, caches, params, h=1e-20):
    """The derivatives of the examples' losses, from (x, a0, params), by all that they depend on."""
    x, a0 = np.array([cache.x_t for cache in caches]), caches[0].a_prev
    dx, da0 = np.empty(x.shape), np.empty(a0.shape)
    for t, k in np.ndindex(len(x), x.shape[2]):  # each example has its own x: all moved at once
        moved = x.astype(complex)
        moved[t, :, k] += 1j * h
        dx[t, :, k] = losses(moved, a0, params).imag / h
    for k in range(a0.shape[1]):
        moved = a0.astype(complex)
        moved[:, k] += 1j * h
        da0[:, k] = losses(x, moved, params).imag / h
    grads = {
        name: complex_step(
            lambda w, name=name: losses(x, a0, params._replace(**{name: w})).sum(), value
        )
        for name, value in params._asdict().items()
    }
    return dx, da0, RNNParams(**grads)


def shares(da, caches, params):
    """What step t adds to each sum on account of the loss at step s, at [t, s]."""
    T_x = len(da)
    found = {f"grads.{n}": np.zeros((T_x, T_x, *p.shape)) for n, p in params._asdict().items()}
    for s in range(T_x):
        back = da[s]
        for t in range(s, -1, -1):
            _dx_t, back, grads = rnn_cell_backward(back, caches[t], params)
            for name, grad in grads._asdict().items():
                found[f"grads.{name}"][t, s] = grad
    return found


CALL = "dx[t], da_prev, step = rnn_cell_backward(da[t] + da_prev, caches[t], params)\n"


def written_out(*changes):
    """The step of the cell, written into the loop, with pieces of it changed."""
    text = (
        "x_t, a_prev, a = caches[t]\n"
        "        ds = (da[t] + da_prev) * (1 - a**2)\n"
        "        dx[t], da_prev = ds @ params.Wax, ds @ params.Waa\n"
        "        step = ds.T @ x_t, ds.T @ a_prev, ds.sum(axis=0)\n"
    )
    for old, new in changes:
        text = text.replace(old, new)
    return text


EXERCISE = Exercise(
    reference=rnn_backward,
    cases=(
        Case("every size differs", inputs),
        Case("every size differs", inputs),
        Case("two steps", partial(inputs, T_x=2)),
        Case("one step", partial(inputs, T_x=1)),
        Case("one example", partial(inputs, m=1)),
        Case("as many steps as examples", partial(inputs, T_x=4, m=4)),
        Case("a loss at the last step only", many_to_one),
        Case("padded sequences", padded),
        Case("a long sequence", long),
        Case(
            "saturated units, a gradient of millions", partial(inputs, m=6, scale=40, gradient=1e6)
        ),
    ),
    returns=("dx", "da0", "grads"),
    points=5,
    calls=("rnn_cell_backward",),
    hints=(
        "Walk the steps from the last to the first. The state of a step reaches the loss by two "
        "ways: at its own step, which is da[t], and through the next step, which has just been "
        "done. Their gradients are added.",
        "Keep what comes from the next step in da_prev, zeros at first. Call rnn_cell_backward "
        "with da[t] + da_prev; it gives dx[t], the da_prev for the step before, and this step's "
        "part of each weight's gradient, to be added to a running sum.",
        "Before the loop: zeros for dx, for da_prev and for each gradient. Let t run from the last "
        "step down to 0, and for each: the call, then three sums. After the loop, what is left in "
        "da_prev is the gradient of the state before the first step.",
    ),
    misconceptions=(
        Edit(
            "not-carried",
            "da[t] + da_prev",
            "da[t]",
            "The gradient is not carried from step to step: each step hears only of the loss at "
            "its own place, so dx is right at the last step and wrong before. Add the da_prev "
            "that the step after it gave.",
        ),
        Edit(
            "own-loss-ignored",
            "da[t] + da_prev",
            "da_prev",
            "da[t] is never used. What is carried starts at zero, so everything stays zero.",
        ),
        Edit(
            "only-the-last-loss",
            "da[t] + da_prev",
            "da[t] * (t == T_x - 1) + da_prev",
            "Only da at the last step enters. Every step may have a loss of its own: add da[t] at "
            "each.",
        ),
        Edit(
            "carried-twice",
            "da[t] + da_prev",
            "da[t] + 2 * da_prev",
            "What comes from the next step is added twice. Add it once, to da[t].",
        ),
        Edit(
            "carried-gradients-pile-up",
            "        dx[t], da_prev, step = rnn_cell_backward(da[t] + da_prev, caches[t], params)\n",
            "        dx[t], more, step = rnn_cell_backward(da[t] + da_prev, caches[t], params)\n"
            "        da_prev = da_prev + more\n",
            "What is carried is added up over the steps. Each step's da_prev replaces the last: "
            "it has everything from later steps in it already.",
        ),
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
            "The loop stops at step 1. Step 0 has an input and a state too.",
        ),
        Edit(
            "last-step-skipped",
            "reversed(range(T_x))",
            "reversed(range(T_x - 1))",
            "The loop begins one step too early in time: the last step is left out.",
        ),
        Edit(
            "overwritten",
            "total += grad",
            "total[...] = grad",
            "Each step's gradient of the weights overwrites the one before: only the first step's "
            "is left. The weights are shared by all steps, so their gradients are summed: +=.",
        ),
        Edit(
            "dWaa-overwritten",
            "total += grad",
            "total[...] = grad if total is grads.Waa else total + grad",
            "The gradient of Waa is overwritten at each step, and the others are summed. Sum it, "
            "too: +=.",
        ),
        Edit(
            "dWax-overwritten",
            "total += grad",
            "total[...] = grad if total is grads.Wax else total + grad",
            "The gradient of Wax is overwritten at each step, and the others are summed. Sum it, "
            "too: +=.",
        ),
        Edit(
            "dba-overwritten",
            "total += grad",
            "total[...] = grad if total is grads.ba else total + grad",
            "The gradient of ba is overwritten at each step, and the others are summed. Sum it, "
            "too: +=.",
        ),
        Edit(
            "sums-stay-zero",
            "total += grad",
            "total += total",
            "The sums stay zero: each is added to itself. Add this step's gradient.",
        ),
        Edit(
            "averaged-over-time",
            "da0 = da_prev",
            "da0, grads = da_prev, RNNParams(*(grad / T_x for grad in grads))",
            "The weights' gradients are divided by T_x. They should be sums over time; if the "
            "loss is a mean, that is in da already.",
        ),
        Edit(
            "da0-zero",
            "da0 = da_prev",
            "da0 = np.zeros_like(da_prev)",
            "da0 is zero. It should be what is left in da_prev after the first step's turn.",
        ),
        Edit(
            "da0-is-the-first-state's",
            "        dx[t], da_prev, step = rnn_cell_backward(da[t] + da_prev, caches[t], params)\n",
            "        da_next = da[t] + da_prev\n"
            "        dx[t], da_prev, step = rnn_cell_backward(da_next, caches[t], params)\n",
            "This is the gradient of the state after the first step. da0 is that of the state "
            "before it: one more step back, through the first cell.",
            also=(("da0 = da_prev", "da0 = da_next"),),
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
        Edit(
            "dx-turned-round",
            "dx[t], da_prev",
            "dx[T_x - 1 - t], da_prev",
            "dx is stored from the end: dx[0] must belong to the first step.",
        ),
        Edit(
            "dx-piles-up",
            "da0 = da_prev",
            "da0, dx = da_prev, dx[::-1].cumsum(axis=0)[::-1]",
            "dx is summed over the steps. Each step has an input of its own, and so a gradient of "
            "its own; only shared weights are summed.",
        ),
        Edit(
            "last-loss-twice",
            "da_prev = np.zeros_like(da[0])",
            "da_prev = da[-1]",
            "What is carried starts as da[-1], and the first turn of the loop adds da[-1] again: "
            "the last step's loss counts twice. Nothing comes from beyond the last step, so start"
            " from zeros.",
        ),
        Edit(
            "da0-summed",
            "    da_prev = np.zeros_like(da[0])\n",
            "    da_prev = da0 = np.zeros_like(da[0])\n",
            "da0 is summed over all steps. It should be the gradient of the state before the first "
            "step alone: what is left in da_prev after its turn.",
            also=(
                (
                    "        for total, grad in",
                    "        da0 = da0 + da_prev\n        for total, grad in",
                ),
                ("    da0 = da_prev\n", ""),
            ),
        ),
        Edit(
            "da-from-the-first-step",
            "rnn_cell_backward(da[t] + da_prev",
            "rnn_cell_backward(da[T_x - 1 - t] + da_prev",
            "The gradients are taken in the opposite order to the caches: caches[t] belongs to "
            "da[t].",
        ),
        Edit(
            "no-slope",
            CALL,
            written_out((" * (1 - a**2)", "")),
            "The slope of tanh, 1 - a², is left out: the weights act before tanh, so the gradient goes "
            "back through it first.",
        ),
        Edit(
            "square-forgotten",
            CALL,
            written_out(("1 - a**2", "1 - a")),
            "The slope was computed as 1 - a. The derivative of tanh is 1 - a²: the square is missing.",
        ),
        Edit(
            "slope-at-the-state-before",
            CALL,
            written_out(("1 - a**2", "1 - a_prev**2")),
            "The slope was taken at a_prev. It belongs to the step's own tanh, whose value is a.",
        ),
        Edit(
            "carried-past-tanh",
            CALL,
            written_out(("(da[t] + da_prev) * (1 - a**2)", "da[t] * (1 - a**2) + da_prev")),
            "What later steps send back was added behind tanh. It is a gradient of the state, as da[t] "
            "is: add the two first, then go back through tanh.",
        ),
        Edit(
            "Waa-transposed",
            CALL,
            written_out(("ds @ params.Waa", "ds @ params.Waa.T")),
            "Waa was transposed on the way back. Forwards it acts transposed, a_prev @ Waa.T; backwards "
            "it acts as it is. It is square, so nothing complains.",
        ),
        Edit(
            "Waa-left-out",
            CALL,
            written_out(("ds @ params.Waa", "ds")),
            "The gradient is carried back without Waa, through which each state reaches the next: "
            "da_prev should be ds @ params.Waa.",
        ),
        Edit(
            "dWaa-with-the-new-state",
            CALL,
            written_out(("ds.T @ a_prev", "ds.T @ a")),
            "The gradient of Waa was made with the new state, a. Forwards Waa was multiplied by a_prev, "
            "so its gradient is made with a_prev.",
        ),
    ),
    alternatives=(carrying_a_total, all_steps_at_once, recursive, loss_by_loss, in_float32),
    derivative=derivative,
    shares=shares,
)
