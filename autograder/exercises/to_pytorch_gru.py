"""A GRU's parameters in PyTorch's words."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import parameters, sizes
from course.given import ResetAfterGRUParams
from solutions.gru import to_pytorch_gru


def inputs(rng, scale=1.0, **fixed):
    return {"params": parameters(ResetAfterGRUParams, rng, sizes(rng, **fixed), scale)}


def cell_by_cell(params):
    """Empty arrays, filled block by block."""
    n, k = params.Wu.shape
    w_ih, w_hh = np.empty((3 * n, k - n)), np.empty((3 * n, n))
    b_ih, b_hh = np.zeros(3 * n), np.zeros(3 * n)
    gates = ((1, params.Wr, params.br), (-1, params.Wu, params.bu), (1, params.Wc, params.bc))
    for i, (sign, W, b) in enumerate(gates):
        rows = slice(i * n, (i + 1) * n)
        w_hh[rows], w_ih[rows] = np.split(sign * W, [n], axis=1)
        b_ih[rows] = sign * b
    b_hh[2 * n :] = params.bcc
    return {"bias_hh_l0": b_hh, "bias_ih_l0": b_ih, "weight_hh_l0": w_hh, "weight_ih_l0": w_ih}


def with_lists(params):
    """Row by row, in lists of Python numbers."""
    n = len(params.bc)
    rows = [*params.Wr.tolist(), *[[-w for w in row] for row in params.Wu], *params.Wc.tolist()]
    return {
        "weight_ih_l0": [row[n:] for row in rows],
        "weight_hh_l0": [row[:n] for row in rows],
        "bias_ih_l0": [*params.br, *[-b for b in params.bu], *params.bc],
        "bias_hh_l0": [0.0] * (2 * n) + list(params.bcc),
    }


def turned_first(params):
    """The update gate turned round first; the rest in float32."""
    turned = params._replace(Wu=np.negative(params.Wu), bu=np.negative(params.bu))
    w = ResetAfterGRUParams(*(array.astype(np.float32) for array in turned))
    n_a = w.bu.shape[0]
    stacked = np.vstack((w.Wr, w.Wu, w.Wc))
    nothing = np.zeros(2 * n_a, dtype=np.float32)
    return {
        "weight_ih_l0": stacked[:, n_a:].copy(),
        "weight_hh_l0": stacked[:, :n_a].copy(),
        "bias_ih_l0": np.hstack((w.br, w.bu, w.bc)),
        "bias_hh_l0": np.hstack((nothing, w.bcc)),
    }


EXERCISE = Exercise(
    reference=to_pytorch_gru,
    cases=(
        Case("every size differs", inputs),
        Case("every size differs", inputs),
        Case("more inputs than units", partial(inputs, n_x=7, n_a=2)),
        Case("as many inputs as units", partial(inputs, n_x=4, n_a=4)),
        Case("one unit", partial(inputs, n_a=1)),
        Case("one of everything", partial(inputs, n_x=1, n_a=1)),
        Case("large weights", partial(inputs, scale=1e4)),
    ),
    returns=("state",),
    points=3,
    hints=(
        "Nothing is computed here but signs: rows are stacked and columns are cut. Our matrices "
        "hold memory and input side by side; PyTorch's hold the three gates one below the other.",
        "Stack Wr, Wu and Wc, in that order, along axis 0; the first n_a columns are weight_hh_l0, "
        "the others weight_ih_l0. One of the three needs its sign turned, weights and bias, since "
        "one minus a sigmoid is the sigmoid of minus its argument.",
        "W stacks p.Wr, minus p.Wu, and p.Wc; b likewise from br, minus bu, and bc, and b is "
        "bias_ih_l0. bias_hh_l0 is zero for the first two gates, and bcc for the candidate, whose "
        "second bias PyTorch keeps inside the reset gate.",
    ),
    misconceptions=(
        Edit(
            "update-gate-not-turned",
            "-p.Wu",
            "p.Wu",
            "The update gate was not turned round. PyTorch's z keeps the old memory when it is "
            "open, ours lets the new one in: z = 1 - update, so weights and bias change sign.",
            also=(("-p.bu", "p.bu"),),
        ),
        Edit(
            "bias-not-turned",
            "-p.bu",
            "p.bu",
            "The update gate's weights were turned round and its bias was not. The whole argument "
            "of the sigmoid changes sign.",
        ),
        Edit(
            "weights-not-turned",
            "-p.Wu",
            "p.Wu",
            "The update gate's bias was turned round and its weights were not. The whole argument "
            "of the sigmoid changes sign.",
        ),
        Edit(
            "one-minus-the-weights",
            "-p.Wu",
            "1 - p.Wu",
            "The update gate's weights and bias were taken from 1. It is the gate itself that is "
            "taken from 1; inside the sigmoid that is a change of sign.",
            also=(("-p.bu", "1 - p.bu"),),
        ),
        Edit(
            "everything-turned",
            "[p.Wr, -p.Wu, p.Wc]",
            "[-p.Wr, -p.Wu, p.Wc]",
            "The reset gate was turned round as well. Only the update gate points the other way "
            "in PyTorch.",
            also=(("[p.br, -p.bu, p.bc]", "[-p.br, -p.bu, p.bc]"),),
        ),
        Edit(
            "update-before-reset",
            "[p.Wr, -p.Wu, p.Wc]",
            "[-p.Wu, p.Wr, p.Wc]",
            "The gates stand in the order update, reset, candidate. PyTorch's order is reset, "
            "update, candidate.",
            also=(("[p.br, -p.bu, p.bc]", "[-p.bu, p.br, p.bc]"),),
        ),
        Edit(
            "biases-in-another-order",
            "[p.br, -p.bu, p.bc]",
            "[-p.bu, p.br, p.bc]",
            "The biases stand in another order than the weights: reset, update, candidate, here "
            "too.",
        ),
        Edit(
            "input-and-state-exchanged",
            '"weight_ih_l0": W[:, n_a:]',
            '"weight_ih_l0": W[:, :n_a]',
            "The columns of memory and input are exchanged: ih is input to hidden, the columns "
            "from n_a on; hh is hidden to hidden, the first n_a.",
            also=(('"weight_hh_l0": W[:, :n_a]', '"weight_hh_l0": W[:, n_a:]'),),
        ),
        Edit(
            "cut-from-the-other-end",
            '"weight_ih_l0": W[:, n_a:]',
            '"weight_ih_l0": W[:, :-n_a]',
            "The columns were cut as if the input stood first. Ours act on [c_prev, x_t]: the "
            "first n_a columns belong to the memory.",
            also=(('"weight_hh_l0": W[:, :n_a]', '"weight_hh_l0": W[:, -n_a:]'),),
        ),
        Edit(
            "second-bias-left-out",
            "[zero, zero, p.bcc]",
            "[zero, zero, zero]",
            "bcc is left out. It is the candidate's part of bias_hh_l0.",
        ),
        Edit(
            "second-bias-in-the-wrong-gate",
            "[zero, zero, p.bcc]",
            "[p.bcc, zero, zero]",
            "bcc stands in the reset gate's place. It belongs to the candidate, the last third.",
        ),
        Edit(
            "candidate-biases-exchanged",
            "-p.bu, p.bc]",
            "-p.bu, p.bcc]",
            "The candidate's biases are exchanged: bcc, which the reset gate closes on, goes with "
            "the hidden state, into bias_hh_l0; bc goes with the input.",
            also=(("[zero, zero, p.bcc]", "[zero, zero, p.bc]"),),
        ),
        Edit(
            "second-bias-merged",
            "-p.bu, p.bc]",
            "-p.bu, p.bc + p.bcc]",
            "bc and bcc were added up. For the gates only the sum of PyTorch's two biases matters; "
            "in the candidate one of them is reset and the other is not.",
            also=(("[zero, zero, p.bcc]", "[zero, zero, zero]"),),
        ),
        Edit(
            "biases-doubled",
            "[zero, zero, p.bcc]",
            "[p.br, -p.bu, p.bcc]",
            "The gates' biases stand in both vectors, so PyTorch adds them twice. Put them into "
            "bias_ih_l0, and zeros into bias_hh_l0.",
        ),
        Edit(
            "biases-halved",
            "[p.br, -p.bu, p.bc]",
            "[p.br / 2, -p.bu / 2, p.bc]",
            "Half of each gate's bias in either vector: PyTorch would compute the same, since it "
            "adds them. But one place is asked for, so that two people's files agree: bias_ih_l0.",
            also=(("[zero, zero, p.bcc]", "[p.br / 2, -p.bu / 2, p.bcc]"),),
        ),
        Edit(
            "biases-with-the-state",
            "[p.br, -p.bu, p.bc]",
            "[0 * p.br, 0 * p.bu, p.bc]",
            "The gates' biases stand in bias_hh_l0. PyTorch would compute the same, since it adds "
            "the two; but one place is asked for, so that two people's files agree: bias_ih_l0.",
            also=(("[zero, zero, p.bcc]", "[p.br, -p.bu, p.bcc]"),),
        ),
        Edit(
            "transposed",
            '"weight_ih_l0": W[:, n_a:]',
            '"weight_ih_l0": W[:, n_a:].T',
            "The weights are transposed. PyTorch keeps them as we do, (to, from): one row for each "
            "unit of each gate.",
            also=(('"weight_hh_l0": W[:, :n_a]', '"weight_hh_l0": W[:, :n_a].T'),),
        ),
        Edit(
            "side-by-side",
            "np.concatenate([p.Wr, -p.Wu, p.Wc])",
            "np.concatenate([p.Wr[:, None], -p.Wu[:, None], p.Wc[:, None]], axis=1)"
            ".reshape(3 * n_a, -1)",
            "The gates' rows are interleaved, unit by unit. PyTorch has all rows of the reset gate "
            "first, then the update gate's, then the candidate's.",
        ),
    ),
    alternatives=(cell_by_cell, with_lists, turned_first),
)
