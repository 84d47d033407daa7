"""One training step of a recurrent model, in every way that the benchmark compares.

The step is the same for all: run the layer from zero states, score n_x classes at every step,
mean cross-entropy, and the gradients of every parameter and of the inputs. No optimiser.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograder.bench import course_style
from course.given import (
    GRU,
    LSTM,
    RNN,
    Checkpointed,
    GRUParams,
    LSTMParams,
    OutputParams,
    ResetAfterGRU,
    ResetAfterGRUParams,
    RNNParams,
    Split,
    draw,
)
from solutions import bptt, gru, lstm, rnn

try:
    import torch
except ImportError:  # the comparisons with it are then left out, and the report says so
    torch = None

Arrays = dict[str, np.ndarray]


class Size(NamedTuple):
    """Time steps, examples, input features (and classes), hidden units."""

    T_x: int
    m: int
    n_x: int
    n_a: int


class Kind(NamedTuple):
    """A recurrent layer: the fast one, its parameters, the clear functions, its gates."""

    layer: Any
    params: Any
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    gates: int


BEFORE = "GRU, reset before"
KINDS = {
    "RNN": Kind(RNN, RNNParams, rnn.rnn_forward, bptt.rnn_backward, 1),
    "GRU": Kind(
        ResetAfterGRU,
        ResetAfterGRUParams,
        gru.reset_after_gru_forward,
        gru.reset_after_gru_backward,
        3,
    ),
    BEFORE: Kind(GRU, GRUParams, gru.gru_forward, gru.gru_backward, 3),
    "LSTM": Kind(LSTM, LSTMParams, lstm.lstm_forward, lstm.lstm_backward, 4),
}


class Task:
    """Inputs, targets and weights that all contenders share.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    size : Size
    dtype : dtype, optional
    """

    def __init__(self, kind: str, size: Size, dtype: Any = np.float32) -> None:
        T_x, m, n_x, n_a = size
        rng = np.random.default_rng(0)
        self.kind, self.size, self.dtype = kind, size, np.dtype(dtype)
        self.x = rng.standard_normal((T_x, m, n_x)).astype(dtype)
        self.y = rng.integers(n_x, size=(T_x, m))
        self.params = self._drawn(KINDS[kind].params, rng, n_x=n_x, n_a=n_a)
        self.output = self._drawn(OutputParams, rng, n_y=n_x, n_a=n_a)

    def _drawn(self, kind: Any, rng: np.random.Generator, **sizes: int) -> Any:
        """Random parameters, the biases too: else nobody would miss one that is forgotten."""
        params = draw(kind, rng, self.dtype, **sizes)
        return kind(*(w + rng.uniform(-0.1, 0.1, w.shape).astype(self.dtype) for w in params))

    def layer(self) -> Any:
        """The course's fast layer."""
        return KINDS[self.kind].layer(self.params)


class Contender:
    """A way of computing the step of a task: `step` is timed, the rest is not."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def ready(self) -> None:
        """Set what is global, before a block of steps."""

    def step(self) -> float:
        """The loss; gradients are computed and kept."""
        raise NotImplementedError

    def gradients(self) -> Arrays:
        """The last step's, of x and of every parameter, in the course's shapes."""
        raise NotImplementedError


class Layered(Contender):
    """A layer of the course, and an output layer done as it does things: all steps at once."""

    def __init__(self, task: Task, layer: Any = None) -> None:
        super().__init__(task)
        self.layer = task.layer() if layer is None else layer
        self.y = task.y.reshape(-1)

    def step(self) -> float:
        loss, da, self.output_grads = self._head(self.layer.forward(self.task.x))
        self.dx, *_, self.grads = self.layer.backward(da)
        return loss

    def _head(self, a: np.ndarray) -> tuple[float, np.ndarray, Any]:
        """Loss, its gradient with respect to every state, and those of the output layer."""
        Wya, by = self.task.output
        flat = a.reshape(-1, a.shape[-1])
        scores = flat @ Wya.T
        scores += by
        scores -= scores.max(axis=1, keepdims=True)
        rows = np.arange(len(scores))
        right = scores[rows, self.y]
        np.exp(scores, out=scores)
        totals = scores.sum(axis=1, keepdims=True)
        loss = float((np.log(totals[:, 0]) - right).mean())
        scores /= totals * len(rows)
        scores[rows, self.y] -= 1 / len(rows)
        grads = OutputParams(Wya=scores.T @ flat, by=scores.sum(axis=0))
        return loss, (scores @ Wya).reshape(a.shape), grads

    def gradients(self) -> Arrays:
        return {"x": self.dx, **self.grads._asdict(), **self.output_grads._asdict()}


class Clear(Contender):
    """The graded functions of `solutions`, from the layer to the loss."""

    def step(self) -> float:
        task, kind = self.task, KINDS[self.task.kind]
        mask = np.ones(task.y.shape, bool)
        n_states = 2 if task.kind == "LSTM" else 1
        start = np.zeros((task.size.m, task.size.n_a), task.dtype)
        a, *more, caches = kind.forward(task.x, *[start] * n_states, task.params)
        y_hat = rnn.output_forward(a, task.output)
        loss = bptt.cross_entropy(y_hat, task.y, mask)
        da, self.output_grads = bptt.output_backward(y_hat, task.y, mask, a, task.output)
        dmore = [np.zeros_like(states) for states in more]
        self.dx, *_, self.grads = kind.backward(da, *dmore, caches, task.params)
        return float(loss)

    def gradients(self) -> Arrays:
        return {"x": self.dx, **self.grads._asdict(), **self.output_grads._asdict()}


class CourseStyle(Contender):
    """See `course_style`."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.cell = course_style.CELLS[task.kind]
        weights = {**task.params._asdict(), **task.output._asdict()}
        self.shapes = {name: w.shape for name, w in weights.items()}
        self.parameters = {
            name: (w if w.ndim == 2 else w[:, None]).astype(float) for name, w in weights.items()
        }
        self.x = np.ascontiguousarray(task.x.transpose(2, 1, 0), float)
        self.y = np.ascontiguousarray(task.y.T)

    def step(self) -> float:
        y_hat, caches = course_style.forward(self.cell, self.x, self.parameters)
        loss = course_style.loss_of(y_hat, self.y)
        self.found = course_style.backward(self.cell, y_hat, self.y, caches)
        return loss

    def gradients(self) -> Arrays:
        found = {name: self.found[name].reshape(shape) for name, shape in self.shapes.items()}
        return {"x": self.found["x"].transpose(2, 1, 0), **found}


class Framework(Contender):
    """PyTorch's own layer, with so many threads."""

    suffix = "_l0"  # PyTorch's name for a parameter of the first layer

    def __init__(self, task: Task, threads: int = 1) -> None:
        super().__init__(task)
        self.threads = threads
        self.x = torch.from_numpy(task.x).requires_grad_()
        self.y = torch.from_numpy(task.y.reshape(-1))
        self.module = self._module()(task.size.n_x, task.size.n_a).to(self.x.dtype)
        self.head = torch.nn.Linear(task.size.n_a, task.size.n_x).to(self.x.dtype)
        named = {name.removesuffix("_l0"): w for name, w in _to_pytorch(task).items()}
        self._load(self.module, {f"{name}{self.suffix}": w for name, w in named.items()})
        self._load(self.head, {"weight": task.output.Wya, "bias": task.output.by})
        self.leaves = [self.x, *self.module.parameters(), *self.head.parameters()]

    def _module(self) -> Any:
        return getattr(torch.nn, self.task.kind)

    @staticmethod
    def _load(module: Any, state: Arrays) -> None:
        module.load_state_dict({name: torch.tensor(w) for name, w in state.items()})

    def ready(self) -> None:
        torch.set_num_threads(self.threads)

    def _run(self) -> Any:
        return self.module(self.x)[0]

    def step(self) -> float:
        for leaf in self.leaves:
            leaf.grad = None
        scores = self.head(self._run()).reshape(-1, self.task.size.n_x)
        loss = torch.nn.functional.cross_entropy(scores, self.y)
        loss.backward()
        return float(loss.item())

    def gradients(self) -> Arrays:
        grads = {
            name.removesuffix(self.suffix): w.grad.numpy()
            for name, w in self.module.named_parameters()
        }
        return {
            "x": self.x.grad.numpy(),
            **_from_pytorch(self.task.kind, grads),
            "Wya": self.head.weight.grad.numpy(),
            "by": self.head.bias.grad.numpy(),
        }


class FrameworkCells(Framework):
    """PyTorch's cell in a Python loop."""

    suffix = ""

    def _module(self) -> Any:
        return getattr(torch.nn, f"{self.task.kind}Cell")

    def _run(self) -> Any:
        state, outputs = None, []
        for x_t in self.x:
            state = self.module(x_t, state)
            outputs.append(state[0] if self.task.kind == "LSTM" else state)
        return torch.stack(outputs)


def _to_pytorch(task: Task) -> Arrays:
    p = task.params
    if task.kind == "RNN":
        biases = {"bias_ih": p.ba, "bias_hh": np.zeros_like(p.ba)}
        return {"weight_ih": p.Wax, "weight_hh": p.Waa, **biases}
    translate = gru.to_pytorch_gru if task.kind == "GRU" else lstm.to_pytorch_lstm
    translated: Arrays = translate(p)
    return translated


def _from_pytorch(kind: str, grads: Arrays) -> Arrays:
    """Gradients in the course's shapes; PyTorch's gates stand one below the other."""
    on_x, on_state, bias = grads["weight_ih"], grads["weight_hh"], grads["bias_ih"]
    if kind == "RNN":
        return {"Wax": on_x, "Waa": on_state, "ba": bias}
    gates = "ruc" if kind == "GRU" else "ufco"
    W = np.split(np.concatenate([on_state, on_x], axis=1), len(gates))
    named = {f"W{gate}": rows for gate, rows in zip(gates, W, strict=True)}
    named |= {f"b{gate}": b for gate, b in zip(gates, np.split(bias, len(gates)), strict=True)}
    if kind == "GRU":  # its update gate points the other way, and its candidate has two biases
        named |= {"Wu": -named["Wu"], "bu": -named["bu"], "bcc": np.split(grads["bias_hh"], 3)[2]}
    return named


class Products(Contender):
    """Nothing but the matrix products that the step cannot do without: a floor, not a step."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        T_x, m, n_x, n_a = task.size
        rows, width = T_x * m, KINDS[task.kind].gates * n_a

        def ones(*shape: int) -> np.ndarray:
            return np.ones(shape, task.dtype)

        self.x, self.a, self.dz = ones(rows, n_x), ones(T_x, m, n_a), ones(T_x, m, width)
        self.Wx, self.Wa, self.Wy = ones(width, n_x), ones(width, n_a), ones(n_x, n_a)
        self.WaT = np.ascontiguousarray(self.Wa.T)
        self.z, self.da, self.scores = ones(rows, width), ones(rows, n_a), ones(rows, n_x)
        self.product, self.carried = ones(m, width), ones(m, n_a)
        self.dx, self.dW = ones(rows, n_x), [ones(*W.shape) for W in (self.Wx, self.Wa, self.Wy)]

    def step(self) -> float:
        a, dz = (states.reshape(-1, states.shape[-1]) for states in (self.a, self.dz))
        dWx, dWa, dWy = self.dW
        np.matmul(self.x, self.Wx.T, out=self.z)
        for a_t in self.a:
            np.matmul(a_t, self.WaT, out=self.product)
        np.matmul(a, self.Wy.T, out=self.scores)
        np.matmul(self.scores, self.Wy, out=self.da)
        np.matmul(self.scores.T, a, out=dWy)
        for dz_t in self.dz:
            np.matmul(dz_t, self.Wa, out=self.carried)
        np.matmul(dz.T, self.x, out=dWx)
        np.matmul(dz.T, a, out=dWa)
        np.matmul(dz, self.Wx, out=self.dx)
        return 0.0


FAST, CLEAR, STYLE, PRODUCTS = "fast layer", "clear functions", "course style", "products alone"
PYTORCH, CELLS = "PyTorch", "PyTorch, cell by cell"
FAST_BEFORE, CLEAR_BEFORE = f"{FAST}, reset before", f"{CLEAR}, reset before"
FAST_TWO, PYTORCH_TWO = f"{FAST}, two threads", f"{PYTORCH}, two threads"
CHECKPOINTED = f"{FAST}, checkpointed"


def contenders(kind: str, size: Size, dtype: Any = np.float32) -> dict[str, Contender]:
    """All that compute on one thread. GRUs reset after; those that do not, say so, but for the
    course style, which knows no other than the one that resets before.
    """
    task = Task(kind, size, dtype)
    before = Task(BEFORE, size, dtype) if kind == "GRU" else task
    found: dict[str, Contender] = {FAST: Layered(task), CLEAR: Clear(task)}
    if kind == "GRU":
        found |= {FAST_BEFORE: Layered(before), CLEAR_BEFORE: Clear(before)}
    if torch is not None:
        found |= {PYTORCH: Framework(task), CELLS: FrameworkCells(task)}
    return found | {STYLE: CourseStyle(before), PRODUCTS: Products(task)}


def on_two_threads(kind: str, size: Size, dtype: Any = np.float32) -> dict[str, Contender]:
    """Two threads against one; the course's layer gives half of the batch to each."""
    task = Task(kind, size, dtype)
    found: dict[str, Contender] = {FAST: Layered(task)}
    if size.m > 1:
        found[FAST_TWO] = Layered(task, Split(task.layer(), task.layer()))
    if torch is not None:
        found |= {PYTORCH: Framework(task), PYTORCH_TWO: Framework(task, threads=2)}
    return found


def with_checkpoints(kind: str, size: Size, dtype: Any = np.float32) -> dict[str, Contender]:
    """The fast layer, and the one that computes most of its states a second time."""
    task = Task(kind, size, dtype)
    return {FAST: Layered(task), CHECKPOINTED: Layered(task, Checkpointed(task.layer()))}


# One example and several have layouts of their own; 128 units come in blocks of columns, and 70
# steps in more than one block of time. Two threads are slow where others want the processors.
LAYOUTS = (Size(7, 1, 3, 5), Size(70, 4, 3, 128))
CHECKED = {contenders: LAYOUTS, with_checkpoints: LAYOUTS, on_two_threads: (Size(7, 3, 3, 5),)}
TOLERANCE = 1e-10  # of the largest entry; rounding is about 1e-15, and sums have up to 280 terms


def check(kind: str) -> None:
    """Raise an error if any contender of a kind differs from the clear functions (float64)."""
    for make, sizes in CHECKED.items():
        for size in sizes:
            for name, contender in make(kind, size, np.float64).items():
                if name != PRODUCTS:
                    agree(f"{kind}, {name}", contender)


def agree(name: str, contender: Contender) -> None:
    """Raise an error if a contender differs from the clear functions, on its own task."""
    contender.ready()
    clear = Clear(contender.task)
    expected = {"loss": np.array(clear.step()), **clear.gradients()}
    found = {"loss": np.array(contender.step()), **contender.gradients()}
    if found.keys() != expected.keys():
        raise ValueError(f"{name}: has {sorted(found)}; {sorted(expected)} are expected")
    for what, value in expected.items():
        if found[what].shape != value.shape:
            raise ValueError(f"{name}: {what} is {found[what].shape}; {value.shape} is expected")
        error = np.abs(found[what] - value).max() / np.abs(value).max()
        if not error <= TOLERANCE:  # NaN is no agreement
            raise ValueError(f"{name}: {what} differs from the clear functions' by {error:.1g}")
