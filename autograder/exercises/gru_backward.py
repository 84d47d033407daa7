"""A GRU over whole sequences, backwards."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, padding_mask, parameters, sizes
from course.given import GRUParams
from solutions.gru import gru_backward, gru_cell_backward, gru_forward
from solutions.tests.proofs import complex_step


def inputs(rng, scale=1.0, gradient=1.0, **fixed):
    """Every other example's inputs are scaled."""
    size = sizes(rng, **fixed)
    params = parameters(GRUParams, rng, size)
    x = normal(rng, size["T_x"], size["m"], size["n_x"])
    x[:, ::2] *= scale
    c, caches = gru_forward(x, np.tanh(normal(rng, size["m"], size["n_a"])), params)
    return {"dc": normal(rng, *c.shape) * gradient, "caches": caches, "params": params}


def long(rng):
    return inputs(rng, T_x=12, m=3, n_x=2, n_a=4)


def padded(rng):
    """No gradient at the padding, as an output layer leaves it."""
    case = inputs(rng, T_x=6, m=4)
    case["dc"][~padding_mask(rng, 6, 4)] = 0
    return case


def many_to_one(rng):
    case = inputs(rng, T_x=5)
    case["dc"][:-1] = 0
    return case


def carrying_a_total(dc, caches, params):
    """Step by step from the end, the total gradient of the memory in one variable."""
    dx, sums = [], [0 for _ in params]
    total = dc[-1]
    for t in range(len(caches) - 1, -1, -1):
        dx_t, before, grads = gru_cell_backward(total, caches[t], params)
        dx.insert(0, dx_t)
        sums = [s + g for s, g in zip(sums, grads)]
        total = before + dc[t - 1]
    return np.array(dx), before, GRUParams(*sums)


def all_steps_at_once(dc, caches, params):
    """Only the memory's gradient in a loop; the weights' as products over all steps."""
    x, old, u, r, new = (np.array(part) for part in zip(*caches))
    n = old.shape[2]
    d_u, d_r, d_new = np.empty_like(u), np.empty_like(u), np.empty_like(u)
    carried = np.zeros_like(old[0])
    for t in range(len(x))[::-1]:
        whole = carried + dc[t]
        d_u[t] = whole * (new[t] - old[t]) * u[t] * (1 - u[t])
        d_new[t] = whole * u[t] * (1 - new[t] ** 2)
        back = d_new[t] @ params.Wc[:, :n]
        d_r[t] = back * old[t] * r[t] * (1 - r[t])
        carried = whole * (1 - u[t]) + back * r[t]
        carried = carried + d_u[t] @ params.Wu[:, :n] + d_r[t] @ params.Wr[:, :n]
    seen, cut = np.concatenate([old, x], axis=2), np.concatenate([r * old, x], axis=2)
    pairs = ((d_u, seen), (d_r, seen), (d_new, cut))
    grads = [g for d, z in pairs for g in (np.einsum("tmj,tmk->jk", d, z), d.sum(axis=(0, 1)))]
    dx = d_u @ params.Wu[:, n:] + d_r @ params.Wr[:, n:] + d_new @ params.Wc[:, n:]
    return dx, carried, GRUParams(*grads)


def recursive(dc, caches, params):
    """The steps from the second on first, then the first."""
    if len(caches) > 1:
        later, arriving, sums = recursive(dc[1:], caches[1:], params)
        dx_t, dc0, grads = gru_cell_backward(dc[0] + arriving, caches[0], params)
        return [dx_t, *later], dc0, GRUParams(*(s + g for s, g in zip(sums, grads)))
    dx_t, dc0, grads = gru_cell_backward(dc[0], caches[0], params)
    return [dx_t], dc0, grads


def in_float32(dc, caches, params):
    caches = [type(c)(*(part.astype(np.float32) for part in c)) for c in caches]
    cast = GRUParams(*(w.astype(np.float32) for w in params))
    return all_steps_at_once(dc.astype(np.float32), caches, cast)


def derivative(dc, caches, params):
    """Complex steps of the forward pass."""
    return complex_steps(
        lambda *all_of_it: (dc * gru_forward(*all_of_it)[0]).sum(axis=(0, 2)), caches, params
    )


def complex_steps(losses, caches, params, h=1e-20):
    """The derivatives of the examples' losses, from (x, c0, params), by all that they depend on."""
    x, c0 = np.array([cache.x_t for cache in caches]), caches[0].c_prev
    dx, dc0 = np.empty(x.shape), np.empty(c0.shape)
    for t, k in np.ndindex(len(x), x.shape[2]):  # each example has its own x: all moved at once
        moved = x.astype(complex)
        moved[t, :, k] += 1j * h
        dx[t, :, k] = losses(moved, c0, params).imag / h
    for k in range(c0.shape[1]):
        moved = c0.astype(complex)
        moved[:, k] += 1j * h
        dc0[:, k] = losses(x, moved, params).imag / h
    grads = {
        name: complex_step(
            lambda w, name=name: losses(x, c0, params._replace(**{name: w})).sum(), value
        )
        for name, value in params._asdict().items()
    }
    return dx, dc0, GRUParams(**grads)


def shares(dc, caches, params):
    """What step t adds to each sum on account of the loss at step s, at [t, s]."""
    T_x = len(dc)
    found = {f"grads.{n}": np.zeros((T_x, T_x, *p.shape)) for n, p in params._asdict().items()}
    for s in range(T_x):
        back = dc[s]
        for t in range(s, -1, -1):
            _dx_t, back, grads = gru_cell_backward(back, caches[t], params)
            for name, grad in grads._asdict().items():
                found[f"grads.{name}"][t, s] = grad
    return found


EXERCISE = Exercise(
    reference=gru_backward,
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
            "gates without slope, a gradient of millions",
            partial(inputs, m=6, scale=40, gradient=1e6),
        ),
    ),
    returns=("dx", "dc0", "grads"),
    points=4,
    calls=("gru_cell_backward",),
    hints=(
        "Walk the steps from the last to the first. The memory of a step reaches the loss by two "
        "ways: at its own step, which is dc[t], and through the next step, which has just been "
        "done. Their gradients are added.",
        "Keep what comes from the next step in dc_prev, zeros at first. Call gru_cell_backward "
        "with dc[t] + dc_prev; it gives dx[t], the dc_prev for the step before, and this step's "
        "part of each of the six gradients, to be added to running sums.",
        "Before the loop: zeros for dx, for dc_prev and for each of the six. Let t run from the "
        "last step down to 0, and for each: the call, then six sums, in a loop over zip(grads, "
        "step). After the loop, what is left in dc_prev is the gradient of the memory before the "
        "first step.",
    ),
    misconceptions=(
        Edit(
            "not-carried",
            "dc[t] + dc_prev",
            "dc[t]",
            "The gradient is not carried from step to step: each step hears only of the loss at "
            "its own place, so dx is right at the last step and wrong before. Add the dc_prev "
            "that the step after it gave.",
        ),
        Edit(
            "own-loss-ignored",
            "dc[t] + dc_prev",
            "dc_prev",
            "dc[t] is never used. What is carried starts at zero, so everything stays zero.",
        ),
        Edit(
            "only-the-last-loss",
            "dc[t] + dc_prev",
            "dc[t] * (t == T_x - 1) + dc_prev",
            "Only dc at the last step enters. Every step may have a loss of its own: add dc[t] at "
            "each.",
        ),
        Edit(
            "carried-twice",
            "dc[t] + dc_prev",
            "dc[t] + 2 * dc_prev",
            "What comes from the next step is added twice. Add it once, to dc[t].",
        ),
        Edit(
            "kept-share-added-again",
            "        dx[t], dc_prev, step = gru_cell_backward(dc[t] + dc_prev, caches[t], params)\n",
            "        whole = dc[t] + dc_prev\n"
            "        dx[t], dc_prev, step = gru_cell_backward(whole, caches[t], params)\n"
            "        dc_prev = dc_prev + whole * (1 - caches[t].update)\n",
            "The direct path, (1 - update) times the gradient, is added once more between the "
            "steps. gru_cell_backward has it in its dc_prev already.",
        ),
        Edit(
            "carried-gradients-pile-up",
            "        dx[t], dc_prev, step = gru_cell_backward(dc[t] + dc_prev, caches[t], params)\n",
            "        dx[t], more, step = gru_cell_backward(dc[t] + dc_prev, caches[t], params)\n"
            "        dc_prev = dc_prev + more\n",
            "What is carried is added up over the steps. Each step's dc_prev replaces the last: "
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
            "The loop stops at step 1. Step 0 has an input and a memory too.",
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
        *(
            Edit(
                f"d{name}-overwritten",
                "total += grad",
                f"total[...] = grad if total is grads.{name} else total + grad",
                f"The gradient of {name} is overwritten at each step, and the others are summed. "
                "Sum it, too: +=.",
            )
            for name in GRUParams._fields
        ),
        Edit(
            "sums-stay-zero",
            "total += grad",
            "total += total",
            "The sums stay zero: each is added to itself. Add this step's gradient.",
        ),
        Edit(
            "averaged-over-time",
            "dc0 = dc_prev",
            "dc0, grads = dc_prev, GRUParams(*(grad / T_x for grad in grads))",
            "The weights' gradients are divided by T_x. They should be sums over time; if the "
            "loss is a mean, that is in dc already.",
        ),
        Edit(
            "dc0-zero",
            "dc0 = dc_prev",
            "dc0 = np.zeros_like(dc_prev)",
            "dc0 is zero. It should be what is left in dc_prev after the first step's turn.",
        ),
        Edit(
            "dc0-is-the-first-memory's",
            "        dx[t], dc_prev, step = gru_cell_backward(dc[t] + dc_prev, caches[t], params)\n",
            "        whole = dc[t] + dc_prev\n"
            "        dx[t], dc_prev, step = gru_cell_backward(whole, caches[t], params)\n",
            "This is the gradient of the memory after the first step. dc0 is that of the memory "
            "before it: one more step back, through the first cell.",
            also=(("dc0 = dc_prev", "dc0 = whole"),),
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
            "The caches are taken in the opposite order to the gradients: dc[t] belongs to "
            "caches[t].",
        ),
        Edit(
            "dx-turned-round",
            "dx[t], dc_prev",
            "dx[T_x - 1 - t], dc_prev",
            "dx is stored from the end: dx[0] must belong to the first step.",
        ),
        Edit(
            "dx-piles-up",
            "dc0 = dc_prev",
            "dc0, dx = dc_prev, dx[::-1].cumsum(axis=0)[::-1]",
            "dx is summed over the steps. Each step has an input of its own, and so a gradient of "
            "its own; only shared weights are summed.",
        ),
        Edit(
            "last-loss-twice",
            "dc_prev = np.zeros_like(dc[0])",
            "dc_prev = dc[-1]",
            "What is carried starts as dc[-1], and the first turn of the loop adds dc[-1] again: "
            "the last step's loss counts twice. Nothing comes from beyond the last step, so start"
            " from zeros.",
        ),
    ),
    alternatives=(carrying_a_total, all_steps_at_once, recursive, in_float32),
    derivative=derivative,
    shares=shares,
)
