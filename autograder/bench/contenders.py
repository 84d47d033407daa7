"""One training step of a recurrent model, in every way that the benchmark compares.

The step is the same for all: run the layer from zero states, score n_x classes at every step,
mean cross-entropy, and the gradients of every parameter and of the inputs. No optimiser.
"""

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from course.given import (
    GRU,
    LSTM,
    RNN,
    GRUParams,
    LSTMParams,
    ResetAfterGRU,
    ResetAfterGRUParams,
    RNNParams,
    Split,
    draw,
)

try:
    import torch
except ImportError:  # the comparisons with it are then left out, and the report says so
    torch: ModuleType | None = None  # type: ignore[no-redef]


class Size(NamedTuple):
    """Time steps, examples, input features (and classes), hidden units."""

    T: int
    m: int
    n_x: int
    n_a: int


LAYERS = {
    "RNN": (RNN, RNNParams),
    "GRU": (ResetAfterGRU, ResetAfterGRUParams),
    "GRU, reset before": (GRU, GRUParams),
    "LSTM": (LSTM, LSTMParams),
}
GATES = {"RNN": 1, "GRU": 3, "GRU, reset before": 3, "LSTM": 4}


class Task:
    """Inputs, targets and weights that all contenders share.

    Parameters
    ----------
    kind : str
        A key of `LAYERS`.
    size : Size
    """

    def __init__(self, kind: str, size: Size, dtype: Any = np.float32) -> None:
        rng = np.random.default_rng(0)
        self.kind, self.size, self.dtype = kind, size, dtype
        self.layer, self.type = LAYERS[kind]
        self.params = draw(self.type, rng, dtype, n_x=size.n_x, n_a=size.n_a)
        self.x = rng.standard_normal((size.T, size.m, size.n_x)).astype(dtype)
        self.y = rng.integers(size.n_x, size=size.T * size.m)
        bound = 1 / np.sqrt(size.n_a)
        self.Wy = rng.uniform(-bound, bound, (size.n_x, size.n_a)).astype(dtype)
        self.by = np.zeros(size.n_x, dtype)

    def head(self, a: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
        """Loss, its gradient with respect to every state, and those of the output layer."""
        flat = a.reshape(-1, self.size.n_a)
        scores = flat @ self.Wy.T
        scores += self.by
        scores -= scores.max(axis=1, keepdims=True)
        rows = np.arange(len(scores))
        right = scores[rows, self.y]
        np.exp(scores, out=scores)
        totals = scores.sum(axis=1, keepdims=True)
        loss = float((np.log(totals[:, 0]) - right).mean())
        scores /= totals * len(rows)
        scores[rows, self.y] -= 1 / len(rows)
        return loss, (scores @ self.Wy).reshape(a.shape), scores.T @ flat, scores.sum(axis=0)


def fast(task: Task, parts: int = 1) -> Any:
    """The course's layer, the batch in so many parts."""
    layer: Any = task.layer(task.params)
    if parts > 1:
        layer = Split(*(task.layer(task.params) for _ in range(parts)))

    def step() -> float:
        loss, da, *_ = task.head(layer.forward(task.x))
        layer.backward(da)
        return loss

    return step


def framework(task: Task) -> Any:
    """PyTorch's own layer."""
    module = {"RNN": torch.nn.RNN, "GRU": torch.nn.GRU, "LSTM": torch.nn.LSTM}[task.kind]
    layer = module(task.size.n_x, task.size.n_a)
    return _torch_step(task, lambda x: layer(x)[0], layer)


def framework_cells(task: Task) -> Any:
    """PyTorch's cell in a Python loop."""
    module = {"RNN": torch.nn.RNNCell, "GRU": torch.nn.GRUCell, "LSTM": torch.nn.LSTMCell}
    cell = module[task.kind](task.size.n_x, task.size.n_a)

    def run(x: Any) -> Any:
        state, outputs = None, []
        for x_t in x:
            state = cell(x_t, state)
            outputs.append(state[0] if task.kind == "LSTM" else state)
        return torch.stack(outputs)

    return _torch_step(task, run, cell)


def _torch_step(task: Task, run: Any, module: Any) -> Any:
    x = torch.from_numpy(task.x).requires_grad_()
    y = torch.from_numpy(task.y)
    head = torch.nn.Linear(task.size.n_a, task.size.n_x)
    parameters = [x, *module.parameters(), *head.parameters()]

    def step() -> float:
        for parameter in parameters:
            parameter.grad = None
        scores = head(run(x)).reshape(-1, task.size.n_x)
        loss = torch.nn.functional.cross_entropy(scores, y)
        loss.backward()
        return loss.item()

    return step


def floor(task: Task) -> Any:
    """Nothing but the matrix products that the step cannot do without."""
    T, m, n_x, n_a = task.size
    rows, width, kind = T * m, GATES[task.kind] * n_a, task.dtype
    x = task.x.reshape(rows, n_x)
    a, dz = np.ones((T, m, n_a), kind), np.ones((T, m, width), kind)
    Wx, Wa = np.ones((width, n_x), kind), np.ones((width, n_a), kind)
    WaT = np.ascontiguousarray(Wa.T)
    z, da, scores = np.empty((rows, width), kind), np.empty((rows, n_a), kind), np.empty_like(x)
    product, carried = np.empty((m, width), kind), np.empty((m, n_a), kind)
    dWx, dWa, dWy, dx = (
        np.empty_like(Wx),
        np.empty_like(Wa),
        np.empty_like(task.Wy),
        np.empty_like(x),
    )

    def step() -> None:
        flat, dflat = a.reshape(rows, n_a), dz.reshape(rows, width)
        np.matmul(x, Wx.T, out=z)
        for a_t in a:
            np.matmul(a_t, WaT, out=product)
        np.matmul(flat, task.Wy.T, out=scores)
        np.matmul(scores, task.Wy, out=da)
        np.matmul(scores.T, flat, out=dWy)
        for dz_t in dz:
            np.matmul(dz_t, Wa, out=carried)
        np.matmul(dflat.T, x, out=dWx)
        np.matmul(dflat.T, flat, out=dWa)
        np.matmul(dflat, Wx, out=dx)

    return step
