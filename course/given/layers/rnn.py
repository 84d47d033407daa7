"""A plain recurrent layer, forward and backward over whole sequences.

Whatever does not depend on the step before is done for all steps at once: one matrix product
with the inputs before the loop, one for each gradient of a weight after it.
"""

from itertools import pairwise

import numpy as np

from course.given.layers.base import Recurrent
from course.given.layers.gates import blocks, in_blocks, over_time, width
from course.given.types import RNNCache, RNNModelParams, RNNParams


class RNN(Recurrent):
    """a[t] = tanh(x[t] Wax' + a[t - 1] Waa' + ba), for all t.

    Parameters
    ----------
    params : RNNParams
        Or RNNModelParams, of which only the cell's are used; gradients are RNNParams. Read at
        each call: see `Recurrent`.
    """

    takes = (RNNParams, RNNModelParams)

    def _forward(self, x, a0):
        T_x, m, n_a = self._shape
        states = self._a = over_time(self._shape, a0, self._kind)
        z = states[1:]  # what the inputs contribute is put where a will be
        np.matmul(x.reshape(T_x * m, -1), self.params.Wax.T, out=z.reshape(T_x * m, n_a))
        z += self.params.ba
        multiply, weights, product, target = self._product(self.params.Waa.T)
        for a_prev, a in pairwise(states):
            multiply(a_prev, weights, target)
            np.add(a, product, a)
            np.tanh(a, a)
        return (states[1:],)

    def _backward(self, da):
        T_x, m, n_a = self._shape
        dz = np.empty((T_x, m, n_a), self._kind)
        multiply, weights, carried, target = self._product(self.params.Waa)
        carried[...] = 0
        for block in blocks(T_x, dz[0].nbytes):
            slope = dz[block]  # the slope of tanh is put where dz will be
            np.square(self._a[1:][block], out=slope)
            np.subtract(1, slope, out=slope)
            for da_t, dz_t in zip(da[block][::-1], slope[::-1], strict=True):
                np.add(carried, da_t, carried)
                np.multiply(dz_t, carried, dz_t)
                multiply(dz_t, weights, target)
        flat = dz.reshape(T_x * m, n_a)
        grads = RNNParams(
            flat.T @ self._x.reshape(T_x * m, -1),
            flat.T @ self._a[:-1].reshape(T_x * m, n_a),
            flat.sum(axis=0),
        )
        return (flat @ self.params.Wax).reshape(self._x.shape), carried, grads

    def _product(self, weights):
        """How to multiply a state by weights (n_a, n_a): with what, and where the result goes.

        The result is given twice: as (m, n_a), and as the product is to see it.
        """
        _, m, n_a = self._shape
        result = np.empty((m, n_a), self._kind)
        if m == 1:
            return np.dot, np.array(weights, self._kind, order="C"), result, result
        columns = width(m, n_a, n_a)
        blocks_ = np.array(in_blocks(weights, columns), self._kind, order="C")
        return np.matmul, blocks_, result, in_blocks(result, columns)

    def _caches(self):
        steps = zip(self._x, self._a[:-1], self._a[1:], strict=True)
        return [RNNCache(*step) for step in steps]
