"""A layer of any cell, by a plain loop over its steps."""

import numpy as np

from course.given.layers.base import Recurrent


class Unrolled(Recurrent):
    """Run a cell's own functions step by step: slow, clear, and open to any cell.

    Parameters
    ----------
    cell_forward : callable
        ``cell_forward(x_t, *state, params) -> (*state, cache)``; the first state is the output.
    cell_backward : callable or None
        ``cell_backward(*dstate, cache, params) -> (dx_t, *dstate_prev, grads)``. None if only
        `forward` is wanted.
    params : NamedTuple of ndarray
        With `shapes`, as the types of `course.given.types` have.
    n_states : int, optional
        Arrays that the cell passes on: 1 for a GRU, 2 for an LSTM.

    Examples
    --------
    >>> from course.given import RNNCache, RNNParams, draw
    >>> def cell(x_t, a_prev, params):
    ...     a = (a_prev + x_t @ params.Wax.T) / 2  # a leaky sum
    ...     return a, RNNCache(x_t, a_prev, a)
    >>> layer = Unrolled(cell, None, draw(RNNParams, np.random.default_rng(0), n_x=3, n_a=5))
    >>> layer.forward(np.ones((7, 2, 3))).shape
    (7, 2, 5)
    """

    def __init__(self, cell_forward, cell_backward, params, n_states=1):
        self.cell_forward, self.cell_backward = cell_forward, cell_backward
        self.n_states = n_states
        super().__init__(params)

    def _forward(self, x, *start):
        states = tuple(np.empty(self._shape, self._kind) for _ in start)
        self._steps, state = [], start
        for t, x_t in enumerate(x):
            *state, cache = self.cell_forward(x_t, *state, self.params)
            self._steps.append(cache)
            for over_time, now in zip(states, state, strict=True):
                over_time[t] = now
        return states

    def _backward(self, *dstates):
        if self.cell_backward is None:
            raise RuntimeError("this layer has no cell_backward: give one to Unrolled")
        dx = np.empty(self._x.shape, self._kind)
        total = [np.zeros(w.shape, self._kind) for w in self.params]
        carried = [np.zeros(self._shape[1:], self._kind) for _ in self.states]
        for t in reversed(range(len(dx))):
            arriving = [d[t] for d in dstates] + [0] * (self.n_states - len(dstates))
            dstate = [c + d for c, d in zip(carried, arriving, strict=True)]
            dx[t], *carried, grads = self.cell_backward(*dstate, self._steps[t], self.params)
            for sum_, grad in zip(total, grads, strict=True):
                sum_ += grad
        return dx, *carried, type(self.params)(*total)

    def _caches(self):
        return list(self._steps)
