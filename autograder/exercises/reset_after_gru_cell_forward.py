"""One step of a GRU of PyTorch's kind, which resets after the product."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, parameters, sizes
from course.given import ResetAfterGRUCache, ResetAfterGRUParams
from solutions.gru import reset_after_gru_cell_forward


def inputs(rng, scale=1.0, memory=1.0, **fixed):
    size = sizes(rng, **fixed)
    return {
        "x_t": normal(rng, size["m"], size["n_x"]) * scale,
        "c_prev": np.tanh(normal(rng, size["m"], size["n_a"])) * memory,
        "params": parameters(ResetAfterGRUParams, rng, size),
    }


def slammed(rng):
    """All four pairs of gates that are open or shut to the last bit, and a unit in between."""
    case = inputs(rng, n_a=5)
    case["params"].bu[:4] += (800, 800, -800, -800)
    case["params"].br[:4] += (800, -800, 800, -800)
    return case


def as_pytorch_has_it(x_t, c_prev, params):
    """In the words of PyTorch's documentation: r, z, n, and z keeps the old state."""
    h = c_prev.shape[1]
    gi = x_t @ np.vstack([params.Wr, params.Wu, params.Wc])[:, h:].T
    gh = c_prev @ np.vstack([params.Wr, params.Wu, params.Wc])[:, :h].T
    r = 1 / (1 + np.exp(-np.clip(gi[:, :h] + gh[:, :h] + params.br, -600, 600)))
    z = 1 / (1 + np.exp(np.clip(gi[:, h : 2 * h] + gh[:, h : 2 * h] + params.bu, -600, 600)))
    hn = gh[:, 2 * h :] + params.bcc
    n = np.tanh(gi[:, 2 * h :] + params.bc + r * hn)
    return (1 - z) * n + z * c_prev, ResetAfterGRUCache(x_t, c_prev, 1 - z, r, n, hn)


def by_hand(x_t, c_prev, params):
    """Example by example, unit by unit."""
    m, n = c_prev.shape
    u, r, rec, new, c = (np.zeros((m, n)) for _ in range(5))
    for i in range(m):
        seen = np.append(c_prev[i], x_t[i])
        for j in range(n):
            u[i, j] = 0.5 + 0.5 * np.tanh((params.Wu[j] @ seen + params.bu[j]) / 2)
            r[i, j] = 0.5 + 0.5 * np.tanh((params.Wr[j] @ seen + params.br[j]) / 2)
            rec[i, j] = params.Wc[j, :n] @ c_prev[i] + params.bcc[j]
            heard = params.Wc[j, n:] @ x_t[i] + params.bc[j]
            new[i, j] = np.tanh(heard + r[i, j] * rec[i, j])
            c[i, j] = c_prev[i, j] + u[i, j] * (new[i, j] - c_prev[i, j])
    return c, ResetAfterGRUCache(x_t, c_prev, u, r, new, rec)


def with_einsum(x_t, c_prev, params):
    n = c_prev.shape[1]
    z = np.hstack([c_prev, x_t])
    u, r = (
        0.5 * (1 + np.tanh(0.5 * (np.einsum("mk,jk->mj", z, W) + b)))
        for W, b in ((params.Wu, params.bu), (params.Wr, params.br))
    )
    recurrent = np.einsum("mk,jk->mj", c_prev, params.Wc[:, :n]) + params.bcc
    new = np.tanh(np.einsum("mk,jk->mj", x_t, params.Wc[:, n:]) + params.bc + r * recurrent)
    return u * new + (1 - u) * c_prev, ResetAfterGRUCache(x_t, c_prev, u, r, new, recurrent)


def in_float32(x_t, c_prev, params):
    cast = ResetAfterGRUParams(*(w.astype(np.float32) for w in params))
    return with_einsum(x_t.astype(np.float32), c_prev.astype(np.float32), cast)


EXERCISE = Exercise(
    reference=reset_after_gru_cell_forward,
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
    order=("cache.update", "cache.reset", "cache.recurrent", "cache.candidate", "c"),
    points=3,
    hints=(
        "Gates and mixture are as in gru_cell_forward. Only the candidate differs: what it hears "
        "of the memory and what it hears of the input are two sums, and the reset gate multiplies "
        "the first of them.",
        "Cut Wc into its first n_a columns and the others. recurrent is c_prev times the first part "
        "(transposed) plus bcc: that is what the reset gate acts on. The input's part plus bc is "
        "not reset.",
        "candidate is np.tanh of three things added: x_t times the second part, bc, and reset times "
        "recurrent, entry by entry (5.15). Name it recurrent: the last line puts it into the cache "
        "before it is reset.",
    ),
    misconceptions=(
        Edit(
            "reset-before-the-product",
            "recurrent = c_prev @ Wcc.T + p.bcc",
            "recurrent = (reset * c_prev) @ Wcc.T + p.bcc",
            "The memory was reset before the product, as in gru_cell_forward. In this cell the "
            "gate acts on what comes out of the product, bias and all.",
            also=(("reset * recurrent", "recurrent"),),
        ),
        Edit(
            "reset-twice",
            "recurrent = c_prev @ Wcc.T + p.bcc",
            "recurrent = (reset * c_prev) @ Wcc.T + p.bcc",
            "The memory was reset twice, before the product and after it. Here only after.",
        ),
        Edit(
            "bias-not-reset",
            "recurrent = c_prev @ Wcc.T + p.bcc",
            "recurrent = c_prev @ Wcc.T",
            "bcc was added outside the reset gate. It belongs to what the gate closes on: that is "
            "why it is there beside bc.",
            also=(("p.bc + reset * recurrent", "p.bc + p.bcc + reset * recurrent"),),
        ),
        Edit(
            "no-second-bias",
            " + p.bcc",
            "",
            "bcc is left out. The candidate has two biases: bc with the input, bcc with the memory, "
            "inside the reset gate.",
        ),
        Edit(
            "biases-exchanged",
            "c_prev @ Wcc.T + p.bcc",
            "c_prev @ Wcc.T + p.bc",
            "The candidate's two biases are exchanged: bcc is added to the memory's part, which is "
            "reset, bc to the input's.",
            also=(("Wcx.T + p.bc +", "Wcx.T + p.bcc +"),),
        ),
        Edit(
            "no-candidate-bias",
            " + p.bc + reset",
            " + reset",
            "The candidate's bias bc is left out.",
        ),
        Edit(
            "reset-ignored",
            "reset * recurrent",
            "recurrent",
            "The reset gate has no effect: the candidate hears recurrent as it is. Multiply it by "
            "reset.",
        ),
        Edit(
            "whole-sum-reset",
            "np.tanh(x_t @ Wcx.T + p.bc + reset * recurrent)",
            "np.tanh(reset * (x_t @ Wcx.T + p.bc + recurrent))",
            "The reset gate multiplied the whole sum. It should act on the memory's part, "
            "recurrent; the input is always heard.",
        ),
        Edit(
            "input-reset-too",
            "c_prev @ Wcc.T + p.bcc",
            "z @ p.Wc.T + p.bcc",
            "recurrent holds the input's part as well, so that it is reset, too. Cut Wc: its first "
            "n_a columns make recurrent of c_prev, the others act on x_t, outside the gate.",
            also=(("x_t @ Wcx.T + p.bc + reset", "p.bc + reset"),),
        ),
        Edit(
            "cached-after-the-reset",
            "reset * recurrent)",
            "(recurrent := reset * recurrent))",
            "recurrent went into the cache after it was reset. The backward pass needs it as it "
            "was before.",
        ),
        Edit(
            "update-turned-round",
            "update * candidate + (1 - update) * c_prev",
            "(1 - update) * candidate + update * c_prev",
            "The update gate points PyTorch's way, where open means keep. In this course it lets "
            "the candidate in, in this cell too; to_pytorch_gru will turn it round.",
        ),
        Edit(
            "columns-exchanged",
            "p.Wc[:, :n_a], p.Wc[:, n_a:]",
            "p.Wc[:, -n_a:], p.Wc[:, :-n_a]",
            "Wc was cut the other way round. Its first n_a columns act on the memory, the others "
            "on the input.",
        ),
        Edit(
            "input-first-in-the-gates",
            "[c_prev, x_t]",
            "[x_t, c_prev]",
            "In the gates, x_t stands before the memory. The first n_a columns of Wu and Wr belong "
            "to the memory.",
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
            "kept-memory-reset",
            "(1 - update) * c_prev",
            "(1 - update) * reset * c_prev",
            "The memory that is kept was reset, too. The reset gate only decides what the "
            "candidate hears; what is kept is c_prev itself.",
        ),
        Edit(
            "Wcc-transposed",
            "c_prev @ Wcc.T",
            "c_prev @ Wcc",
            "The memory's part of Wc was not transposed. It is square, so nothing complains; but "
            "row i belongs to unit i, and with examples in rows that takes c_prev @ Wcc.T.",
        ),
        Edit(
            "candidate-through-sigmoid",
            "np.tanh(x_t",
            "sigmoid(x_t",
            "The candidate went through a sigmoid. It takes tanh: memory must be able to be "
            "negative.",
        ),
        Edit(
            "candidate-hears-the-update-gate",
            "reset * recurrent",
            "update * recurrent",
            "The update gate was used where the reset gate belongs: in the candidate.",
        ),
        Edit(
            "reset-gate-turned-round",
            "reset * recurrent",
            "(1 - reset) * recurrent",
            "The candidate hears (1 - reset) * recurrent. In spite of its name, an open reset gate "
            "lets the memory through, and a shut one resets it.",
        ),
        Edit(
            "candidate-without-the-input",
            "np.tanh(x_t @ Wcx.T + p.bc",
            "np.tanh(p.bc",
            "The candidate does not hear the input: x_t @ Wcx.T is missing.",
        ),
        Edit(
            "candidate-of-the-recurrent-part-alone",
            "np.tanh(x_t @ Wcx.T + p.bc + reset * recurrent)",
            "np.tanh(reset * recurrent)",
            "The candidate is made of the reset part alone: the input's part, x_t @ Wcx.T + bc, "
            "is missing.",
        ),
        Edit(
            "reset-added",
            "reset * recurrent",
            "reset + recurrent",
            "The reset gate is added to the recurrent part. It scales it: multiply.",
        ),
    ),
    alternatives=(as_pytorch_has_it, by_hand, with_einsum, in_float32),
)
