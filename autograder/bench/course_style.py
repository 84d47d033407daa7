"""A training step in the common style of introductory courses, to compare with.

Features come first and time last, (n_x, m, T_x), so a column is an example. Every step multiplies
by each gate's matrix, scores the classes and has a softmax of its own; backward, every step makes
the gradients of all weights, which a dictionary adds up. Each gradient is written out by itself,
as its formula is printed, so tanh(c) and [a; x] are computed as often as formulas name them. All
of it is float64. The GRU resets before the product.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def softmax(z: np.ndarray) -> np.ndarray:
    e_z = np.exp(z - np.max(z, axis=0))
    return e_z / e_z.sum(axis=0)


def rnn_cell_forward(x_t: np.ndarray, a_prev: np.ndarray, parameters: Arrays) -> Any:
    Wax, Waa, ba = parameters["Wax"], parameters["Waa"], parameters["ba"]
    Wya, by = parameters["Wya"], parameters["by"]
    a = np.tanh(np.dot(Wax, x_t) + np.dot(Waa, a_prev) + ba)
    y_hat_t = softmax(np.dot(Wya, a) + by)
    return a, y_hat_t, (x_t, a_prev, a, parameters)


def rnn_cell_backward(dz_y: np.ndarray, da: np.ndarray, cache: Any) -> tuple[Any, Arrays]:
    x_t, a_prev, a, parameters = cache
    gradients = {"Wya": np.dot(dz_y, a.T), "by": np.sum(dz_y, axis=1, keepdims=True)}
    da = np.dot(parameters["Wya"].T, dz_y) + da
    ds = (1 - a**2) * da
    gradients["x_t"] = np.dot(parameters["Wax"].T, ds)
    gradients["Wax"] = np.dot(ds, x_t.T)
    gradients["Waa"] = np.dot(ds, a_prev.T)
    gradients["ba"] = np.sum(ds, axis=1, keepdims=True)
    return (np.dot(parameters["Waa"].T, ds),), gradients


def gru_cell_forward(x_t: np.ndarray, c_prev: np.ndarray, parameters: Arrays) -> Any:
    Wu, bu = parameters["Wu"], parameters["bu"]
    Wr, br = parameters["Wr"], parameters["br"]
    Wc, bc = parameters["Wc"], parameters["bc"]
    Wya, by = parameters["Wya"], parameters["by"]
    concat = np.concatenate((c_prev, x_t), axis=0)
    update = sigmoid(np.dot(Wu, concat) + bu)
    reset = sigmoid(np.dot(Wr, concat) + br)
    concat_reset = np.concatenate((reset * c_prev, x_t), axis=0)
    candidate = np.tanh(np.dot(Wc, concat_reset) + bc)
    c = update * candidate + (1 - update) * c_prev
    y_hat_t = softmax(np.dot(Wya, c) + by)
    return c, y_hat_t, (x_t, c_prev, update, reset, candidate, c, parameters)


def gru_cell_backward(dz_y: np.ndarray, dc: np.ndarray, cache: Any) -> tuple[Any, Arrays]:
    x_t, c_prev, update, reset, candidate, c, parameters = cache
    Wu, Wr, Wc = parameters["Wu"], parameters["Wr"], parameters["Wc"]
    n_a = c.shape[0]
    gradients = {"Wya": np.dot(dz_y, c.T), "by": np.sum(dz_y, axis=1, keepdims=True)}
    dc = np.dot(parameters["Wya"].T, dz_y) + dc
    ds_u = dc * (candidate - c_prev) * update * (1 - update)
    ds_c = dc * update * (1 - candidate**2)
    ds_r = np.dot(Wc[:, :n_a].T, ds_c) * c_prev * reset * (1 - reset)
    gradients["Wu"] = np.dot(ds_u, np.concatenate((c_prev, x_t), axis=0).T)
    gradients["Wr"] = np.dot(ds_r, np.concatenate((c_prev, x_t), axis=0).T)
    gradients["Wc"] = np.dot(ds_c, np.concatenate((reset * c_prev, x_t), axis=0).T)
    gradients["bu"] = np.sum(ds_u, axis=1, keepdims=True)
    gradients["br"] = np.sum(ds_r, axis=1, keepdims=True)
    gradients["bc"] = np.sum(ds_c, axis=1, keepdims=True)
    dc_prev = np.dot(Wu[:, :n_a].T, ds_u) + np.dot(Wr[:, :n_a].T, ds_r)
    dc_prev += np.dot(Wc[:, :n_a].T, ds_c) * reset + dc * (1 - update)
    dx_t = np.dot(Wu[:, n_a:].T, ds_u) + np.dot(Wr[:, n_a:].T, ds_r)
    gradients["x_t"] = dx_t + np.dot(Wc[:, n_a:].T, ds_c)
    return (dc_prev,), gradients


def lstm_cell_forward(
    x_t: np.ndarray, a_prev: np.ndarray, c_prev: np.ndarray, parameters: Arrays
) -> Any:
    Wf, bf = parameters["Wf"], parameters["bf"]
    Wu, bu = parameters["Wu"], parameters["bu"]
    Wc, bc = parameters["Wc"], parameters["bc"]
    Wo, bo = parameters["Wo"], parameters["bo"]
    Wya, by = parameters["Wya"], parameters["by"]
    concat = np.concatenate((a_prev, x_t), axis=0)
    forget = sigmoid(np.dot(Wf, concat) + bf)
    update = sigmoid(np.dot(Wu, concat) + bu)
    candidate = np.tanh(np.dot(Wc, concat) + bc)
    output = sigmoid(np.dot(Wo, concat) + bo)
    c = forget * c_prev + update * candidate
    a = output * np.tanh(c)
    y_hat_t = softmax(np.dot(Wya, a) + by)
    cache = (x_t, a_prev, c_prev, forget, update, candidate, output, c, a, parameters)
    return a, c, y_hat_t, cache


def lstm_cell_backward(
    dz_y: np.ndarray, da: np.ndarray, dc: np.ndarray, cache: Any
) -> tuple[Any, Arrays]:
    x_t, a_prev, c_prev, forget, update, candidate, output, c, a, parameters = cache
    gradients = {"Wya": np.dot(dz_y, a.T), "by": np.sum(dz_y, axis=1, keepdims=True)}
    da = np.dot(parameters["Wya"].T, dz_y) + da
    ds_o = da * np.tanh(c) * output * (1 - output)
    ds_c = (dc + output * (1 - np.tanh(c) ** 2) * da) * update * (1 - candidate**2)
    ds_u = (dc + output * (1 - np.tanh(c) ** 2) * da) * candidate * update * (1 - update)
    ds_f = (dc + output * (1 - np.tanh(c) ** 2) * da) * c_prev * forget * (1 - forget)
    dc_prev = (dc + output * (1 - np.tanh(c) ** 2) * da) * forget
    da_prev, dx_t = np.zeros(a_prev.shape), np.zeros(x_t.shape)
    for gate, ds in (("f", ds_f), ("u", ds_u), ("c", ds_c), ("o", ds_o)):
        da_prev += np.dot(parameters["W" + gate][:, : len(a)].T, ds)
        dx_t += np.dot(parameters["W" + gate][:, len(a) :].T, ds)
        gradients["W" + gate] = np.dot(ds, np.concatenate((a_prev, x_t), axis=0).T)
        gradients["b" + gate] = np.sum(ds, axis=1, keepdims=True)
    return (da_prev, dc_prev), {**gradients, "x_t": dx_t}


class Cell(NamedTuple):
    """The two functions of a cell, and how many arrays its state is."""

    forward: Callable[..., Any]
    backward: Callable[..., tuple[Any, Arrays]]
    n_states: int


CELLS = {
    "RNN": Cell(rnn_cell_forward, rnn_cell_backward, 1),
    "GRU, reset before": Cell(gru_cell_forward, gru_cell_backward, 1),
    "LSTM": Cell(lstm_cell_forward, lstm_cell_backward, 2),
}


def forward(cell: Cell, x: np.ndarray, parameters: Arrays) -> tuple[np.ndarray, list[Any]]:
    """Predictions (n_y, m, T_x) for sequences (n_x, m, T_x), and a cache of every step."""
    _, m, T_x = x.shape
    n_y, n_a = parameters["Wya"].shape
    states = [np.zeros((n_a, m, T_x)) for _ in range(cell.n_states)]
    y_hat = np.zeros((n_y, m, T_x))
    state, caches = [np.zeros((n_a, m))] * cell.n_states, []
    for t in range(T_x):
        *state, y_hat[:, :, t], cache = cell.forward(x[:, :, t], *state, parameters)
        for over_time, now in zip(states, state, strict=True):
            over_time[:, :, t] = now
        caches.append(cache)
    return y_hat, caches


def loss_of(y_hat: np.ndarray, y: np.ndarray) -> float:
    """Mean cross-entropy; y is (m, T_x)."""
    m, T_x = y.shape
    loss = 0.0
    for t in range(T_x):
        loss -= float(np.sum(np.log(y_hat[y[:, t], np.arange(m), t])))
    return loss / (m * T_x)


def backward(cell: Cell, y_hat: np.ndarray, y: np.ndarray, caches: list[Any]) -> Arrays:
    """Gradients of the loss, of all parameters and of x, by name."""
    m, T_x = y.shape
    x_t, state, parameters = caches[0][0], caches[0][1], caches[0][-1]
    gradients = {name: np.zeros(w.shape) for name, w in parameters.items()}
    dx = np.zeros((*x_t.shape, T_x))
    dstate: Any = [np.zeros(state.shape)] * cell.n_states
    for t in reversed(range(T_x)):
        dz_y = np.copy(y_hat[:, :, t])
        dz_y[y[:, t], np.arange(m)] -= 1
        dstate, step = cell.backward(dz_y / (m * T_x), *dstate, caches[t])
        dx[:, :, t] = step["x_t"]
        for name in gradients:
            gradients[name] += step[name]
    gradients["x"] = dx
    return gradients
