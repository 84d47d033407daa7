"""A fast LSTM layer, forward and backward over whole sequences.

The four gates come of one matrix product a step and are kept gate by gate, each a contiguous
block. A sigmoid is a tanh of half its argument, so one tanh serves all four.
"""

from itertools import repeat

import numpy as np

from course.given.layers.base import Layer, blocks
from course.given.layers.gates import Gates, with_ones
from course.given.types import LSTMCache

GATES = "ofuc"  # the three sigmoids stand together, and so do the three that make the memory


class _Workspace:
    """Arrays that runs of one shape share, and each step's views of them, made once."""

    def __init__(self, T_x, m, n_a, kind):
        self.gates = Gates(4, T_x, m, n_a, kind, sigmoids=slice(3))
        self.tanh_c, self.through = np.empty((T_x, m, n_a), kind), np.empty((m, n_a), kind)
        values = self.gates.values
        forward = (self.gates.z, self.gates.products(), values, values[:, :3])
        self.steps = list(zip(*forward, *values.swapaxes(0, 1), self.tanh_c, strict=True))

        self.blocks = list(blocks(T_x, values[0].nbytes))
        longest = max(block.stop - block.start for block in self.blocks)
        self.slopes = np.empty((longest, 5, m, n_a), kind)
        self.back = [self._back(block) for block in self.blocks]

    def _back(self, block):
        slopes, dz = self.slopes[: block.stop - block.start], self.gates.z[block]
        parts = (slopes[:, 4], slopes[:, 0], slopes[:, 1:4], self.gates.values[block, 1])
        parts += (dz[:, 0], dz[:, 1:], self.gates.gradients()[block])
        return list(zip(*(part[::-1] for part in parts), strict=True))


class LSTM(Layer):
    """c[t] = forget * c[t - 1] + update * candidate, a[t] = output * tanh(c[t]), for all t.

    Parameters
    ----------
    params : LSTMParams
        Read at each call, so an optimiser may change the arrays in place.
    """

    n_states = 2
    Workspace = _Workspace

    def _forward(self, x, a0, c0):
        T_x, m, n_a = self._shape
        work = self._prepare()
        biases = [getattr(self.params, f"b{gate}") for gate in GATES]
        weights, on_input = work.gates.load(self._weights(GATES)[0], biases)
        self._inputs = with_ones(x)
        work.gates.project(self._inputs, on_input)
        a, c = self._a, self._c = np.empty((2, T_x + 1, m, n_a), self._kind)
        a[0], c[0] = a0, c0
        add, multiply, tanh = np.add, np.multiply, np.tanh
        to_products, written = work.gates.multiply, work.through
        half = np.array(0.5, self._kind)  # a number would be made an array at every use
        # the last argument of each is where its result goes
        for step, a_prev, a_t, c_prev, c_t in zip(
            work.steps, a[:-1], a[1:], c[:-1], c[1:], strict=True
        ):
            z, products, gates, sigmoids, output, forget, update, candidate, tanh_c = step
            to_products(a_prev, weights, products)
            add(gates, z, gates)
            tanh(gates, gates)
            multiply(sigmoids, half, sigmoids)
            add(sigmoids, half, sigmoids)
            multiply(update, candidate, written)
            multiply(forget, c_prev, c_t)
            add(c_t, written, c_t)
            tanh(c_t, tanh_c)
            multiply(output, tanh_c, a_t)
        return a[1:], c[1:]

    def _backward(self, da, dc=None):
        work, add, multiply = self._workspace, np.add, np.multiply
        _, on_state, on_input = self._weights(GATES)
        weights, carry = work.gates.from_gates(on_state), work.gates.carry
        carried_a, carried_c = np.zeros((2, *self._shape[1:]), self._kind)
        through = work.through
        for block, steps in zip(work.blocks, work.back, strict=True):
            self._fill_slopes(block)
            dcs = repeat(None) if dc is None else dc[block][::-1]
            for (to_memory, slope_o, slope_c, forget, dz_o, dz_c, dz), da_t, dc_t in zip(
                steps, da[block][::-1], dcs, strict=False
            ):
                add(carried_a, da_t, carried_a)
                if dc_t is not None:
                    add(carried_c, dc_t, carried_c)
                multiply(carried_a, to_memory, through)
                add(carried_c, through, carried_c)
                multiply(slope_o, carried_a, dz_o)
                multiply(slope_c, carried_c, dz_c)
                multiply(carried_c, forget, carried_c)
                carry(dz, weights, carried_a)
        dW = work.gates.weight_gradients(self._a[:-1], self._inputs)
        dx = work.gates.input_gradients(on_input).reshape(self._x.shape)
        return dx, carried_a, carried_c, self._named(GATES, dW)

    def _fill_slopes(self, block):
        """What turns gradients of a (for o) and c (for f, u, c) into those of the gates' arguments,
        and, last, what turns the gradient of a into one of c.
        """
        work = self._workspace
        gates, tanh_c = work.gates.values[block], work.tanh_c[block]
        slopes = work.slopes[: len(gates)]
        output, _forget, update, candidate = gates.swapaxes(0, 1)
        np.subtract(1, gates[:, :3], out=slopes[:, :3])
        slopes[:, :3] *= gates[:, :3]
        slopes[:, 0] *= tanh_c
        slopes[:, 1] *= self._c[:-1][block]
        slopes[:, 2] *= candidate
        np.multiply(candidate, candidate, slopes[:, 3])
        np.multiply(tanh_c, tanh_c, slopes[:, 4])
        np.subtract(1, slopes[:, 3:], out=slopes[:, 3:])
        slopes[:, 3] *= update
        slopes[:, 4] *= output

    def caches(self):
        """The caches of the last forward pass, one per step, as `lstm_forward` returns them.

        Returns
        -------
        list of LSTMCache
        """
        gates = self._workspace.gates.values.copy()  # the next run writes there
        steps = zip(self._a[:-1], self._x, gates, self._c[:-1], self._c[1:], strict=True)
        return [
            LSTMCache(np.concatenate([a_prev, x_t], axis=1), f, u, candidate, o, c_prev, c)
            for a_prev, x_t, (o, f, u, candidate), c_prev, c in steps
        ]
