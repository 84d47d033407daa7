"""A plain recurrent layer, forward and backward over whole sequences.

Whatever does not depend on the step before is done for all steps at once: one matrix product
with the inputs before the loop, one for each gradient of a weight after it.
"""

import numpy as np

from course.given.types import RNNCache


class RNN:
    """a[t] = tanh(x[t] Wax' + a[t - 1] Waa' + ba), for all t.

    Parameters
    ----------
    params : RNNParams
        Read at each call, so an optimiser may change them in place.
    """

    def __init__(self, params):
        self.params = params

    def forward(self, x, a0=None):
        """Run over sequences, and remember what `backward` needs.

        Parameters
        ----------
        x : (T_x, m, n_x) ndarray
        a0 : (m, n_a) ndarray, optional
            Zeros if it is left out.

        Returns
        -------
        a : (T_x, m, n_a) ndarray
        """
        Wax, Waa, ba = self.params
        _check(x, a0, Wax)
        T_x, m, n_x = x.shape
        start = np.zeros(1, dtype=x.dtype) if a0 is None else a0
        kind = np.result_type(x, start, *self.params)
        states = np.empty((T_x + 1, m, len(ba)), dtype=kind)
        states[0] = start
        projected = (x.reshape(T_x * m, n_x) @ Wax.T + ba).reshape(T_x, m, -1)
        for t in range(T_x):
            np.tanh(projected[t] + states[t] @ Waa.T, out=states[t + 1])
        self._x, self._states = x, states
        return states[1:]

    def backward(self, da):
        """Gradients, given those of a loss with respect to every state.

        Parameters
        ----------
        da : (T_x, m, n_a) ndarray

        Returns
        -------
        dx : (T_x, m, n_x) ndarray
        da0 : (m, n_a) ndarray
        grads : RNNParams
        """
        Wax, Waa, _ = self.params
        T_x, m, n_a = da.shape
        dz = np.empty_like(self._states[1:])
        carried = np.zeros_like(self._states[0])
        for t in reversed(range(T_x)):
            dz[t] = (da[t] + carried) * (1 - self._states[t + 1] ** 2)
            carried = dz[t] @ Waa
        flat = dz.reshape(T_x * m, n_a)
        grads = type(self.params)(
            flat.T @ self._x.reshape(T_x * m, -1),
            flat.T @ self._states[:-1].reshape(T_x * m, n_a),
            flat.sum(axis=0),
        )
        return (flat @ Wax).reshape(self._x.shape), carried, grads

    def caches(self):
        """The caches of the last forward pass, one per step, as `rnn_forward` returns them.

        Returns
        -------
        list of RNNCache
        """
        return [
            RNNCache(*step)
            for step in zip(self._x, self._states[:-1], self._states[1:], strict=True)
        ]


def _check(x, a0, Wax):
    n_a, n_x = Wax.shape
    if x.ndim != 3 or x.shape[2] != n_x or not len(x):
        raise ValueError(f"x has shape {x.shape}; (T_x, m, n_x) with n_x = {n_x} is expected")
    if a0 is not None and a0.shape != (x.shape[1], n_a):
        raise ValueError(f"a0 has shape {a0.shape}; (m, n_a) = {(x.shape[1], n_a)} is expected")
