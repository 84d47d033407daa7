"""Fast GRU layers, forward and backward over whole sequences: reset before, and reset after.

The reset gate acts on the state before the candidate's matrix product (the lectures' GRU) or on
the product (PyTorch's). A sigmoid is a tanh of half its argument.
"""

import numpy as np

from course.given.layers.base import Layer, blocks
from course.given.layers.gates import Gates, with_ones
from course.given.types import GRUCache, ResetAfterGRUCache

GATES = "cur"  # candidate, update, reset; the two sigmoids stand together
CANDIDATE, SIGMOIDS = slice(1), slice(1, 3)


class _ResetBefore:
    """Arrays that runs of one shape share, and each step's views of them, made once."""

    def __init__(self, T_x, m, n_a, kind):
        gates = self.gates = Gates(3, T_x, m, n_a, kind, SIGMOIDS)
        values, z = gates.values, gates.z
        self.seen = np.empty((T_x, m, n_a), kind)  # reset * c_prev
        self.through = np.empty((m, n_a), kind)
        parts = (z[:, SIGMOIDS], z[:, 0], gates.products(SIGMOIDS), gates.products(CANDIDATE))
        parts += (values[:, SIGMOIDS], *values.swapaxes(0, 1), self.seen)
        self.steps = list(zip(*parts, strict=True))

        self.blocks = list(blocks(T_x, values[0].nbytes))
        longest = max(block.stop - block.start for block in self.blocks)
        self.slopes = np.empty((longest, 4, m, n_a), kind)
        self.back = []
        for block in self.blocks:
            slopes = self.slopes[: block.stop - block.start]
            parts = (slopes[:, 3], slopes[:, 2], slopes[:, :2], values[block, 2])
            parts += (z[block, 2], z[block, :2], gates.gradients(SIGMOIDS)[block])
            parts += (gates.gradients(CANDIDATE)[block],)
            self.back.append(list(zip(*(part[::-1] for part in parts), strict=True)))


class GRU(Layer):
    """The GRU that resets before: candidate = tanh([reset * c_prev, x] Wc' + bc).

    Parameters
    ----------
    params : GRUParams
        Read at each call, so an optimiser may change the arrays in place.
    """

    Workspace = _ResetBefore

    def _forward(self, x, c0):
        work = self._prepare()
        weights = _load(self, work.gates, x)
        for_sigmoids, for_candidate = (work.gates.cut(weights, g) for g in (SIGMOIDS, CANDIDATE))
        self._c = _states(self._shape, c0, self._kind)
        add, multiply, tanh = np.add, np.multiply, np.tanh
        to_products, half = work.gates.multiply, np.array(0.5, self._kind)
        # the last argument of each is where its result goes
        for step, c_prev, c in zip(work.steps, self._c[:-1], self._c[1:], strict=True):
            z, z_candidate, products, product, sigmoids, candidate, update, reset, seen = step
            to_products(c_prev, for_sigmoids, products)
            add(sigmoids, z, sigmoids)
            tanh(sigmoids, sigmoids)
            multiply(sigmoids, half, sigmoids)
            add(sigmoids, half, sigmoids)
            multiply(reset, c_prev, seen)
            to_products(seen, for_candidate, product)
            add(candidate, z_candidate, candidate)
            tanh(candidate, candidate)
            np.subtract(candidate, c_prev, c)
            multiply(c, update, c)
            add(c, c_prev, c)
        return (self._c[1:],)

    def _backward(self, dc):
        work, add, multiply = self._workspace, np.add, np.multiply
        _, on_state, on_input = self._weights(GATES)
        gates, carry, through = work.gates, work.gates.carry, work.through
        for_candidate, for_sigmoids = (gates.from_gates(on_state[g]) for g in (CANDIDATE, SIGMOIDS))
        carried = np.zeros(self._shape[1:], self._kind)
        for block, steps in zip(work.blocks, work.back, strict=True):
            self._fill_slopes(block)
            for step, dc_t in zip(steps, dc[block][::-1], strict=True):
                kept, slope_r, slope_cu, reset, dz_r, dz_cu, dz_sigmoids, dz_candidate = step
                add(carried, dc_t, carried)
                multiply(slope_cu, carried, dz_cu)
                carry(dz_candidate, for_candidate, through)
                multiply(slope_r, through, dz_r)
                multiply(through, reset, through)
                multiply(carried, kept, carried)
                add(carried, through, carried)
                carry(dz_sigmoids, for_sigmoids, through)
                add(carried, through, carried)
        before = self._c[:-1]
        dW = gates.weight_gradients([work.seen, before, before], self._inputs)
        dx = gates.input_gradients(on_input).reshape(self._x.shape)
        return dx, carried, self._named(GATES, dW)

    def _fill_slopes(self, block):
        """What turns gradients into those of the gates' arguments; and, last, 1 - update."""
        work = self._workspace
        values, slopes = work.gates.values[block], work.slopes[: block.stop - block.start]
        _slopes(values, self._c[:-1][block], slopes[:, 0], slopes[:, 1], slopes[:, 3])
        np.subtract(1, values[:, 2], out=slopes[:, 2])
        slopes[:, 2] *= work.seen[block]

    def caches(self):
        """The caches of the last forward pass, one per step, as `gru_forward` returns them.

        Returns
        -------
        list of GRUCache
        """
        values = self._workspace.gates.values.copy()  # the next run writes there
        steps = zip(self._x, self._c[:-1], values, strict=True)
        return [GRUCache(x_t, c_prev, u, r, c) for x_t, c_prev, (c, u, r) in steps]


class _ResetAfter:
    """Arrays that runs of one shape share, and each step's views of them, made once.

    Gradients have one entry more than gates: that of the state's product with the candidate's
    weights. Inputs have to do with the first three entries, states with the last three.
    """

    states = slice(1, 4)

    def __init__(self, T_x, m, n_a, kind):
        gates = self.gates = Gates(3, T_x, m, n_a, kind, SIGMOIDS, extra=1)
        values, z = gates.values, gates.z
        self.recurrent, self.through = np.empty((T_x, m, n_a), kind), np.empty((m, n_a), kind)
        parts = (z[:, SIGMOIDS], z[:, 0], gates.products(), values[:, SIGMOIDS])
        self.steps = list(zip(*parts, *values.swapaxes(0, 1), self.recurrent, strict=True))

        self.blocks = list(blocks(T_x, z[0].nbytes))
        longest = max(block.stop - block.start for block in self.blocks)
        self.slopes = np.empty((longest, 5, m, n_a), kind)
        self.back = []
        for block in self.blocks:
            slopes = self.slopes[: block.stop - block.start]
            parts = (slopes[:, 4], slopes[:, :4], z[block], gates.gradients(self.states)[block])
            self.back.append(list(zip(*(part[::-1] for part in parts), strict=True)))


class ResetAfterGRU(Layer):
    """PyTorch's GRU: candidate = tanh(x Wcx' + bc + reset * (c_prev Wcc' + bcc)).

    Parameters
    ----------
    params : ResetAfterGRUParams
        Read at each call, so an optimiser may change the arrays in place.
    """

    Workspace = _ResetAfter

    def _forward(self, x, c0):
        work = self._prepare()
        weights = _load(self, work.gates, x)
        self._c = _states(self._shape, c0, self._kind)
        add, multiply, tanh = np.add, np.multiply, np.tanh
        to_products, half = work.gates.multiply, np.array(0.5, self._kind)
        # the last argument of each is where its result goes
        for step, c_prev, c in zip(work.steps, self._c[:-1], self._c[1:], strict=True):
            z, z_candidate, products, sigmoids, candidate, update, reset, recurrent = step
            to_products(c_prev, weights, products)
            add(candidate, self.params.bcc, recurrent)
            add(sigmoids, z, sigmoids)
            tanh(sigmoids, sigmoids)
            multiply(sigmoids, half, sigmoids)
            add(sigmoids, half, sigmoids)
            multiply(reset, recurrent, candidate)
            add(candidate, z_candidate, candidate)
            tanh(candidate, candidate)
            np.subtract(candidate, c_prev, c)
            multiply(c, update, c)
            add(c, c_prev, c)
        return (self._c[1:],)

    def _backward(self, dc):
        work, add, multiply = self._workspace, np.add, np.multiply
        _, (W_candidate, *W_sigmoids), on_input = self._weights(GATES)
        gates, carry, through = work.gates, work.gates.carry, work.through
        weights = gates.from_gates([*W_sigmoids, W_candidate])
        carried = np.zeros(self._shape[1:], self._kind)
        for block, steps in zip(work.blocks, work.back, strict=True):
            self._fill_slopes(block)
            for (kept, slopes, dz, dz_states), dc_t in zip(steps, dc[block][::-1], strict=True):
                add(carried, dc_t, carried)
                multiply(slopes, carried, dz)
                carry(dz_states, weights, through)
                multiply(carried, kept, carried)
                add(carried, through, carried)
        dW = gates.weight_gradients([self._c[:-1]] * 3, self._inputs, entries=[3, 1, 2])
        dx = gates.input_gradients(on_input).reshape(self._x.shape)
        dbcc = gates.by_gate()[3].sum(axis=0)
        return dx, carried, self._named(GATES, dW, bcc=dbcc)

    def _fill_slopes(self, block):
        """What turns gradients of c into those of every entry; and, last, 1 - update."""
        work = self._workspace
        values, slopes = work.gates.values[block], work.slopes[: block.stop - block.start]
        of_candidate, of_update, of_reset, of_product, kept = slopes.swapaxes(0, 1)
        _slopes(values, self._c[:-1][block], of_candidate, of_update, kept)
        np.multiply(of_candidate, values[:, 2], out=of_product)
        np.subtract(1, values[:, 2], out=of_reset)
        of_reset *= of_product
        of_reset *= work.recurrent[block]

    def caches(self):
        """The caches of the last forward pass, as `reset_after_gru_forward` returns them.

        Returns
        -------
        list of ResetAfterGRUCache
        """
        work = self._workspace
        values, recurrent = work.gates.values.copy(), work.recurrent.copy()
        steps = zip(self._x, self._c[:-1], values, recurrent, strict=True)
        return [
            ResetAfterGRUCache(x_t, c_prev, u, r, c, rec) for x_t, c_prev, (c, u, r), rec in steps
        ]


def _load(layer, gates, x):
    """Weights on states; what the inputs contribute is put into the gates' `z` on the way."""
    biases = [getattr(layer.params, f"b{gate}") for gate in GATES]
    weights, on_input = gates.load(layer._weights(GATES)[0], biases)
    layer._inputs = with_ones(x)
    gates.project(layer._inputs, on_input)
    return weights


def _states(shape, c0, kind):
    T_x, m, n_a = shape
    c = np.empty((T_x + 1, m, n_a), kind)
    c[0] = c0
    return c


def _slopes(values, c_prev, of_candidate, of_update, kept):
    """What turns a gradient of c into those of two arguments; and 1 - update."""
    candidate, update = values[:, 0], values[:, 1]
    np.subtract(1, update, out=kept)
    np.subtract(candidate, c_prev, out=of_update)
    of_update *= update
    of_update *= kept
    np.multiply(candidate, candidate, out=of_candidate)
    np.subtract(1, of_candidate, out=of_candidate)
    of_candidate *= update
