"""PyTorch's recurrent layers compute what ours do: forward, last states, and every gradient."""

import numpy as np
import pytest

from course.given import Bidirectional, Stacked
from course.tests.proofs_layers import KINDS, LENGTHS, SIZES, cast, sequences
from solutions.gru import to_pytorch_gru
from solutions.lstm import to_pytorch_lstm
from solutions.tests.proofs import close, normal

torch = pytest.importorskip("torch", reason="PyTorch is not installed: this comparison is skipped")

N_X, N_A = SIZES["n_x"], SIZES["n_a"]


def to_pytorch_rnn(params):
    return {
        "weight_ih_l0": params.Wax,
        "weight_hh_l0": params.Waa,
        "bias_ih_l0": params.ba,
        "bias_hh_l0": np.zeros_like(params.ba),
    }


NAMES = {
    "RNN": (torch.nn.RNN, to_pytorch_rnn),
    "ResetAfterGRU": (torch.nn.GRU, to_pytorch_gru),
    "LSTM": (torch.nn.LSTM, to_pytorch_lstm),
}


class Ours:
    """One layer or two, one way or both, and what is true of them in PyTorch's words.

    PyTorch has its states in one array, (depth * ways, m, n_a), the lowest layer first; ours are
    listed from the top layer down, both ways side by side.
    """

    def __init__(self, name, depth, ways, dtype):
        kind, self.to_pytorch = KINDS[name], NAMES[name][1]
        self.depth, self.ways, self.n_states = depth, ways, kind.n_states
        cells = []
        for i in range(depth):
            n_x = N_X if i == 0 else N_A * ways
            cells += [kind.draw([i, way], n_x=n_x, n_a=N_A, dtype=dtype) for way in range(ways)]
        layers = [kind.layer(params) for params in cells]
        if ways == 2:
            layers = [Bidirectional(*layers[i : i + 2]) for i in range(0, len(layers), 2)]
        self.layer = Stacked(*layers) if depth == 2 else layers[0]
        self.cells = cells

    def state_dict(self, cells):
        """Parameters, or gradients of them, by PyTorch's names."""
        state = {}
        for i, params in enumerate(cells):
            depth, way = divmod(i, self.ways)
            for name, array in self.to_pytorch(params).items():
                state[name.replace("l0", f"l{depth}") + "_reverse" * way] = array
        return state

    def cells_of(self, grads):
        """Gradients of our layers, one entry a cell, from the input up."""
        deep = grads if self.depth == 2 else (grads,)
        return [cell for layer in deep for cell in (layer if self.ways == 2 else (layer,))]

    def states(self, theirs):
        """PyTorch's states, one array for a, one for c, as ours are listed."""
        own = []
        for depth in reversed(range(self.depth)):
            here = slice(depth * self.ways, (depth + 1) * self.ways)
            own += [np.concatenate(list(state[here]), axis=-1) for state in theirs]
        return own

    def dstates(self, da, dlast, lengths):
        """Gradients over time, for those of the output and of PyTorch's last states."""
        over_time = []
        for d in self.states(dlast):
            over = np.zeros((len(da), *d.shape), d.dtype)
            over[lengths - 1, np.arange(len(d)), :N_A] += d[:, :N_A]
            over[0, :, N_A:] += d[:, N_A:]  # where the second way ends
            over_time.append(over)
        over_time[0] += da
        return over_time


def run_theirs(name, ours, x, start, da, dlast, lengths, packed):
    """Output, last states; gradients of x and of start states; and the module."""
    dtype = {np.float32: torch.float32, np.float64: torch.float64}[x.dtype.type]
    module = NAMES[name][0](
        N_X, N_A, num_layers=ours.depth, bidirectional=ours.ways == 2, dtype=dtype
    )
    state = ours.state_dict(ours.cells)
    module.load_state_dict({key: torch.tensor(w) for key, w in state.items()})
    tx, *tstart = (torch.tensor(array, requires_grad=True) for array in (x, *start))
    hidden = tuple(tstart) if name == "LSTM" else tstart[0]
    if packed:
        pack = torch.nn.utils.rnn.pack_padded_sequence
        out, last = module(pack(tx, torch.tensor(lengths), enforce_sorted=False), hidden)
        out, _ = torch.nn.utils.rnn.pad_packed_sequence(out, total_length=len(x))
    else:
        out, last = module(tx, hidden)
    last = last if name == "LSTM" else (last,)
    loss = (out * torch.tensor(da)).sum()
    loss += sum((s * torch.tensor(d)).sum() for s, d in zip(last, dlast, strict=True))
    loss.backward()
    last = [s.detach().numpy() for s in last]
    return out.detach().numpy(), last, tx.grad.numpy(), [s.grad.numpy() for s in tstart], module


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("depth", [1, 2], ids="{} deep".format)
@pytest.mark.parametrize("ways", [1, 2], ids=["one way", "both ways"])
@pytest.mark.parametrize("packed", [False, True], ids=["whole", "packed"])
@pytest.mark.parametrize(
    ("dtype", "rtol"),
    [(np.float64, 1e-12), (np.float32, 2e-5)],  # of the largest entry
    ids=["float64", "float32"],
)
def test_pytorch_computes_the_same(name, depth, ways, packed, dtype, rtol):
    ours = Ours(name, depth, ways, dtype)
    x, *_ = sequences(dtype=dtype, **SIZES)
    T_x, m, _ = x.shape
    shape = (depth * ways, m, N_A)
    start, dlast = ([normal([seed, i], *shape) for i in range(ours.n_states)] for seed in (4, 5))
    da = normal(6, T_x, m, N_A * ways)
    start, dlast, da = cast([start, dlast, da], dtype)
    lengths = LENGTHS if packed else np.full(m, T_x)

    out, last, dx, dstart, module = run_theirs(name, ours, x, start, da, dlast, lengths, packed)

    a = ours.layer.forward(x, *ours.states(start), lengths=lengths if packed else None)
    our_dx, *our_dstart, grads = ours.layer.backward(*ours.dstates(da, dlast, lengths))
    close(a, out, rtol)
    close(our_dx, dx, rtol)
    for mine, theirs in zip(ours.layer.last, ours.states(last), strict=True):
        close(mine, theirs, rtol)
    for mine, theirs in zip(our_dstart, ours.states(dstart), strict=True):
        close(mine, theirs, rtol)
    theirs = dict(module.named_parameters())
    for key, grad in ours.state_dict(ours.cells_of(grads)).items():
        # their second bias is ours of the candidate only, in the GRU, and else not there
        own = slice(2 * N_A, None) if "bias_hh" in key else slice(None)
        if "bias_hh" not in key or name == "ResetAfterGRU":
            close(grad[own], theirs[key].grad.numpy()[own], rtol)
    assert {array.dtype for array in (a, our_dx, *our_dstart)} == {np.dtype(dtype)}
