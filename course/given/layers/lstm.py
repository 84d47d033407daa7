"""A fast LSTM layer, forward and backward over whole sequences.

The four gates come of one matrix product a step and are kept gate by gate, each a contiguous
block. A sigmoid is a tanh of half its argument, so one tanh serves all four.
"""

from itertools import repeat

import numpy as np

from course.given.layers.gates import Gated, Gates, backwards, blocks, over_time
from course.given.types import LSTMCache, LSTMParams


class _Workspace:
    """Arrays that runs of one shape share, and each step's views of them, made once."""

    def __init__(self, T_x, m, n_a, kind):
        gates = self.gates = Gates(4, T_x, m, n_a, kind, sigmoids=slice(3))
        values, z = gates.values, gates.z
        self.tanh_c, self.through = np.empty((T_x, m, n_a), kind), np.empty((m, n_a), kind)
        parts = (z, gates.products(), values, values[:, :3], *values.swapaxes(0, 1), self.tanh_c)
        self.steps = list(zip(*parts, strict=True))

        self.blocks = blocks(T_x, values[0].nbytes)
        self.to_memory = np.empty_like(self.tanh_c[self.blocks[0]])
        dz = gates.gradients()
        self.back = [
            backwards(self.to_memory[: len(z[b])], values[b, 1], z[b, 0], z[b, 1:], dz[b])
            for b in self.blocks
        ]


class LSTM(Gated):
    """c[t] = forget * c[t - 1] + update * candidate, a[t] = output * tanh(c[t]), for all t.

    Parameters
    ----------
    params : LSTMParams
        Read at each call: see `Recurrent`.
    """

    n_states = 2
    takes = (LSTMParams,)
    GATES = "ofuc"  # the three sigmoids stand together, and so do the three that make the memory
    Workspace = _Workspace

    def _forward(self, x, a0, c0):
        work, weights = self._prepare(x)
        a, c = self._a, self._c = [over_time(self._shape, s, self._kind) for s in (a0, c0)]
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
        carry, through = work.gates.carry, work.through
        weights = work.gates.from_gates(self._weights(slice(self._shape[2])))
        carried_a, carried_c = np.zeros((2, *self._shape[1:]), self._kind)
        for block, steps in zip(work.blocks, work.back, strict=True):
            self._fill_slopes(block)
            dcs = repeat(None) if dc is None else dc[block][::-1]
            for (to_memory, forget, dz_o, dz_fuc, dz), da_t, dc_t in zip(
                steps, da[block][::-1], dcs, strict=False
            ):
                add(carried_a, da_t, carried_a)
                if dc_t is not None:
                    add(carried_c, dc_t, carried_c)
                multiply(carried_a, to_memory, through)
                add(carried_c, through, carried_c)
                multiply(dz_o, carried_a, dz_o)
                multiply(dz_fuc, carried_c, dz_fuc)
                multiply(carried_c, forget, carried_c)
                carry(dz, weights, carried_a)
        dx, grads = self._gradients((slice(4), slice(4), self._a[:-1]))
        return dx, carried_a, carried_c, grads

    def _fill_slopes(self, block):
        """Put into `z` what turns gradients of a (for o) and of c (for f, u, c) into those of the
        gates' arguments, and into `to_memory` what turns a gradient of a into one of c.
        """
        work = self._workspace
        gates, tanh_c = work.gates.values[block], work.tanh_c[block]
        slopes, to_memory = work.gates.z[block], work.to_memory[: len(gates)]
        output, _forget, update, candidate = gates.swapaxes(0, 1)
        np.subtract(1, gates[:, :3], out=slopes[:, :3])
        slopes[:, :3] *= gates[:, :3]
        slopes[:, 0] *= tanh_c
        slopes[:, 1] *= self._c[:-1][block]
        slopes[:, 2] *= candidate
        for tanh, gate, slope in ((candidate, update, slopes[:, 3]), (tanh_c, output, to_memory)):
            np.multiply(tanh, tanh, out=slope)
            np.subtract(1, slope, out=slope)
            slope *= gate

    def _caches(self):
        gates = self._workspace.gates.values.copy()  # the next run writes there
        steps = zip(self._a[:-1], self._x, gates, self._c[:-1], self._c[1:], strict=True)
        return [
            LSTMCache(np.concatenate([a_prev, x_t], axis=1), f, u, candidate, o, c_prev, c)
            for a_prev, x_t, (o, f, u, candidate), c_prev, c in steps
        ]
