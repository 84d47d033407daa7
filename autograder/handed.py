"""What exercises hand to a learner's function as arguments: functions, and layers.

None of them is an answer to any exercise, so they may be seen by anybody. A case names them by a
spec, see `specs`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from course.given.types import RNNParams

MOST_STEPS = 5000  # several times what a right way of writing takes in any case


def weighted_sum(weights: np.ndarray, w: np.ndarray) -> float:
    """A function whose slope is the same everywhere."""
    return float((weights * w).sum())


def waves(weights: np.ndarray, w: np.ndarray) -> float:
    """A function whose slope is another at every place."""
    return float((np.sin(w) * weights + np.exp(weights * w / 4)).sum())


def valley(weights: np.ndarray, bottom: np.ndarray, w: np.ndarray) -> float:
    """A function that is nearly flat near its bottom, where its slope changes fast."""
    return float(5000 * (weights * (w - bottom)).sum() ** 2)


def markov_step(table: np.ndarray, token: int, state: int) -> tuple[np.ndarray, int]:
    """A language model that knows the last token, and whether an even number was read before it.

    Parameters
    ----------
    table : (2, n_v, n_v) ndarray
        Probabilities of the next token, by state and token.
    token, state : int
    """
    return table[state % 2, token].copy(), state + 1


def patient_step(
    table: np.ndarray, taken: np.ndarray, token: int, state: int
) -> tuple[np.ndarray, int]:
    """`markov_step` for a while, so that a loop that never ends is told so and ends.

    Parameters
    ----------
    table : (2, n_v, n_v) ndarray
    taken : (1,) ndarray of int
        How many steps were taken; counted on.
    token, state : int

    Raises
    ------
    RuntimeError
        After `MOST_STEPS` steps.
    """
    taken += 1
    if taken[0] > MOST_STEPS:
        raise RuntimeError(f"step was called {MOST_STEPS} times: does the loop come to an end?")
    return markov_step(table, token, state)


def squared_shares(W: np.ndarray, b: np.ndarray, a: np.ndarray) -> np.ndarray:
    """Predictions of states, (..., n_a) to (..., n_v): shares of squares, and no softmax."""
    squares = (a @ W.T + b) ** 2
    return squares / squares.sum(axis=-1, keepdims=True)


def forked_step(
    table: np.ndarray, taken: np.ndarray, token: int, state: int
) -> tuple[np.ndarray, int]:
    """A decoder's step whose state is a number that depends on all that was read.

    Parameters
    ----------
    table : (n, n_v) ndarray
        Probabilities of the next token in each of n states.
    taken : (1,) ndarray of int
        How many steps were taken; counted on.
    token, state : int

    Raises
    ------
    RuntimeError
        After `MOST_STEPS` steps.
    """
    taken += 1
    if taken[0] > MOST_STEPS:
        raise RuntimeError(f"step was called {MOST_STEPS} times: does the loop come to an end?")
    state = (3 * state + int(token) + 1) % len(table)
    return table[state].copy(), state


FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        weighted_sum,
        waves,
        valley,
        markov_step,
        patient_step,
        squared_shares,
        forked_step,
    )
}


# ------------------------------------------------------------------ layers


class SineLayer:
    """A recurrent layer of a cell that no unit teaches, with the methods of the course's layers.

    Of one state, a = sin(x Wax' + a_prev Waa' + ba). Of two, that sine is added to half of a
    memory c, and a = sin(c).

    Parameters
    ----------
    params : RNNParams
    n_states : {1, 2}, optional
    """

    def __init__(self, params: RNNParams, n_states: int = 1) -> None:
        self.params, self.n_states = params, n_states
        n_a, self.n_x = params.Wax.shape
        self.widths = (n_a,) * n_states
        self.states: tuple[np.ndarray, ...] | None = None

    def __repr__(self) -> str:
        n_a = self.widths[0]
        return f"<a layer of {n_a} units that reads {self.n_x} features; {self.n_states} state(s)>"

    def forward(
        self, x: np.ndarray, *start: np.ndarray, lengths: np.ndarray | None = None
    ) -> np.ndarray:
        """Run over sequences (T_x, m, n_x), and remember the run; the output is zero at padding."""
        T_x, m, _ = np.shape(x)
        if start and len(start) != self.n_states:
            raise TypeError(f"{len(start)} start states; {self.n_states} are expected, or none")
        for i, (own, n_a) in enumerate(zip(start, self.widths, strict=False)):
            if np.shape(own) != (m, n_a):
                raise ValueError(f"start[{i}] has shape {np.shape(own)}; {(m, n_a)} is expected")
        self._real = _real(T_x, m, lengths)
        self._x = np.where(self._real, x, 0)
        state = start or tuple(np.zeros((m, n_a)) for n_a in self.widths)
        self._start, self._z = state, []
        steps = []
        for x_t in self._x:
            self._z.append(x_t @ self.params.Wax.T + state[0] @ self.params.Waa.T + self.params.ba)
            c = np.sin(self._z[-1]) + (state[1] / 2 if self.n_states == 2 else 0)
            state = (np.sin(c), c) if self.n_states == 2 else (c,)
            steps.append(state)
        self.states = tuple(np.where(self._real, np.array(s), 0) for s in zip(*steps, strict=True))
        return self.states[0].copy()

    @property
    def last(self) -> tuple[np.ndarray, ...]:
        """The states after each example's last real step: a tuple of (m, n_a) arrays."""
        over_time = self._run()
        ends = self._real[:, :, 0].sum(axis=0) - 1
        return tuple(s[ends, np.arange(len(ends))] for s in over_time)

    def backward(self, *dstates: np.ndarray) -> tuple[Any, ...]:
        """Gradients of the input, of the start states and of the parameters.

        `dstates` are those of `states`, (T_x, m, n_a); padding in them is ignored.
        """
        over_time = self._run()
        before = np.concatenate([self._start[0][np.newaxis], over_time[0][:-1]])
        arriving = [np.where(self._real, d, 0) for d in dstates]
        da, dc = (np.zeros(over_time[0].shape[1:]) for _ in range(2))
        dz = np.zeros(over_time[0].shape)
        for t in reversed(range(len(dz))):
            da = da + arriving[0][t]
            if self.n_states == 2:
                dc = dc + da * np.cos(over_time[1][t]) + (arriving[1][t] if arriving[1:] else 0)
            dz[t] = (dc if self.n_states == 2 else da) * np.cos(self._z[t])
            da, dc = dz[t] @ self.params.Waa, dc / 2
        grads = RNNParams(
            np.einsum("tma,tmx->ax", dz, self._x),
            np.einsum("tma,tmb->ab", dz, before),
            dz.sum(axis=(0, 1)),
        )
        return dz @ self.params.Wax, *(da, dc)[: self.n_states], grads

    def _run(self) -> tuple[np.ndarray, ...]:
        if self.states is None:
            raise RuntimeError("nothing is remembered of a forward pass: run forward first")
        return self.states


def _real(T_x: int, m: int, lengths: np.ndarray | None) -> np.ndarray:
    """Where there is no padding: (T_x, m, 1) of bool."""
    ends = np.full(m, T_x) if lengths is None else np.asarray(lengths)
    return (np.arange(T_x)[:, np.newaxis] < ends)[:, :, np.newaxis]


class GainParams(NamedTuple):
    """The parameters of a `LeakyLayer`, and their gradients."""

    gain: np.ndarray


class LeakyLayer:
    """A recurrent layer that is no answer to any exercise; it reads inputs of any width.

    Each unit keeps half of what the unit across from it held, and adds its gain times a wave of
    the input. With two states, an output is also carried on.

    Parameters
    ----------
    n_states : int
        1, or 2 for a layer that passes on an output and a memory, as an LSTM does.
    gain : (n_a,) ndarray
    """

    def __init__(self, n_states: int, gain: np.ndarray):
        self.n_states, self.gain = n_states, gain
        self._run: tuple[np.ndarray, ...] | None = None

    def forward(self, x: np.ndarray, *start: np.ndarray) -> np.ndarray:
        """Run over sequences from these states on, zeros if there are none."""
        shape = (x.shape[1], len(self.gain))
        if start and len(start) != self.n_states:
            raise TypeError(f"{len(start)} start states; {self.n_states} are expected, or none")
        for i, state in enumerate(start):
            if np.shape(state) != shape:
                raise ValueError(
                    f"start[{i}] has shape {np.shape(state)}, expected (m, n_a) = {shape}"
                )
        weighed = x @ np.cos(np.arange(x.shape[2]))  # (T_x, m): every input weighs differently
        outputs = []
        both = self.n_states - 1
        a, c = (start[0], start[-1]) if start else (np.zeros(shape), np.zeros(shape))
        for w_t in weighed:
            c = c[:, ::-1] / 2 + both * a / 4 + np.sin(w_t)[:, np.newaxis] * self.gain
            a = c / self.n_states + both * a / 4
            outputs.append(a)
        self._run = x, weighed
        return np.array(outputs)

    def backward(self, da: np.ndarray, dc: Any = None) -> tuple[Any, ...]:
        """Gradients of the input, the start states and the gain."""
        if self._run is None:
            raise RuntimeError("nothing is remembered of a forward pass: run forward first")
        x, weighed = self._run
        shape = (*weighed.shape, len(self.gain))
        if np.shape(da) != shape:
            raise ValueError(f"da has shape {np.shape(da)}, expected (T_x, m, n_a) = {shape}")
        both = self.n_states - 1
        into = np.empty(shape)  # of what is added to the memory
        back_a = back_c = np.zeros(shape[1:])
        for t in reversed(range(len(da))):
            own_a = da[t] + back_a
            into[t] = back_c + own_a / self.n_states + (0 if dc is None else dc[t])
            back_a, back_c = both * (own_a + into[t]) / 4, into[t, :, ::-1] / 2
        dweighed = np.cos(weighed) * (into @ self.gain)
        dx = dweighed[:, :, np.newaxis] * np.cos(np.arange(x.shape[2]))
        dgain = np.einsum("tma,tm->a", into, np.sin(weighed))
        return dx, *((back_a, back_c) if both else (back_c,)), GainParams(dgain)


class FilterLayer:
    """A layer without states or parameters, as dropout is: each unit has a factor of its own.

    Parameters
    ----------
    factor : (n_a,) ndarray
    """

    def __init__(self, factor: np.ndarray):
        self.factor = factor

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Multiply each unit with its factor."""
        return x * self.factor

    def backward(self, da: np.ndarray) -> tuple[Any, ...]:
        """The gradient of the input; there are no parameters."""
        return da * self.factor, ()
