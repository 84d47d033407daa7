"""Fast GRU layers, forward and backward over whole sequences: reset before, and reset after.

The reset gate acts on the state before the candidate's matrix product (the lectures' GRU) or on
the product (PyTorch's). A sigmoid is a tanh of half its argument.
"""

import numpy as np

from course.given.layers.gates import Gated, Gates, backwards, blocks, over_time
from course.given.types import GRUCache, GRUParams, ResetAfterGRUCache, ResetAfterGRUParams

CANDIDATE, SIGMOIDS = slice(1), slice(1, 3)  # among the gates: candidate, update, reset
PRODUCT = slice(3, 4)  # of the state with the candidate's weights, where PyTorch's GRU resets it


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

        self.blocks = blocks(T_x, values[0].nbytes)
        self.kept = np.empty_like(self.seen[self.blocks[0]])  # 1 - update
        dz_c, dz_ur = gates.gradients(CANDIDATE), gates.gradients(SIGMOIDS)
        self.back = []
        for b in self.blocks:
            parts = (self.kept[: len(z[b])], values[b, 2], z[b, 2], z[b, :2], dz_c[b], dz_ur[b])
            self.back.append(backwards(*parts))


class GRU(Gated):
    """The GRU that resets before: candidate = tanh([reset * c_prev, x] Wc' + bc).

    Parameters
    ----------
    params : GRUParams
        Read at each call: see `Recurrent`.
    """

    takes = (GRUParams,)
    GATES = "cur"  # the two sigmoids stand together
    Workspace = _ResetBefore

    def _forward(self, x, c0):
        work, weights = self._prepare(x)
        for_ur, for_candidate = (work.gates.cut(weights, g) for g in (SIGMOIDS, CANDIDATE))
        self._c = over_time(self._shape, c0, self._kind)
        add, multiply, tanh = np.add, np.multiply, np.tanh
        to_products, half = work.gates.multiply, np.array(0.5, self._kind)
        # the last argument of each is where its result goes
        for step, c_prev, c in zip(work.steps, self._c[:-1], self._c[1:], strict=True):
            z, z_candidate, products, product, sigmoids, candidate, update, reset, seen = step
            to_products(c_prev, for_ur, products)
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
        gates, carry, through = work.gates, work.gates.carry, work.through
        on_state = self._weights(slice(self._shape[2]))
        for_candidate, for_ur = (gates.from_gates(on_state[g]) for g in (CANDIDATE, SIGMOIDS))
        carried = np.zeros(self._shape[1:], self._kind)
        for block, steps in zip(work.blocks, work.back, strict=True):
            self._fill_slopes(block)
            for step, dc_t in zip(steps, dc[block][::-1], strict=True):
                kept, reset, dz_r, dz_cu, dz_candidate, dz_ur = step
                add(carried, dc_t, carried)
                multiply(dz_cu, carried, dz_cu)
                carry(dz_candidate, for_candidate, through)
                multiply(dz_r, through, dz_r)
                multiply(through, reset, through)
                multiply(carried, kept, carried)
                add(carried, through, carried)
                carry(dz_ur, for_ur, through)
                add(carried, through, carried)
        dx, grads = self._gradients(
            (CANDIDATE, CANDIDATE, work.seen), (SIGMOIDS, SIGMOIDS, self._c[:-1])
        )
        return dx, carried, grads

    def _fill_slopes(self, block):
        """Put into `z` what turns gradients into those of the gates' arguments; fill `kept`."""
        work = self._workspace
        values, slopes = work.gates.values[block], work.gates.z[block]
        _slopes(values, self._c[:-1][block], slopes, work.kept[: len(values)])
        np.subtract(1, values[:, 2], out=slopes[:, 2])
        slopes[:, 2] *= work.seen[block]

    def _caches(self):
        values = self._workspace.gates.values.copy()  # the next run writes there
        steps = zip(self._x, self._c[:-1], values, strict=True)
        return [GRUCache(x_t, c_prev, u, r, c) for x_t, c_prev, (c, u, r) in steps]


class _ResetAfter:
    """Arrays that runs of one shape share, and each step's views of them, made once.

    Gradients have one entry more than gates: that of the state's product with the candidate's
    weights. Inputs have to do with the first three entries, states with the last three.
    """

    def __init__(self, T_x, m, n_a, kind):
        gates = self.gates = Gates(3, T_x, m, n_a, kind, SIGMOIDS, extra=1)
        values, z = gates.values, gates.z
        self.recurrent, self.through = np.empty((T_x, m, n_a), kind), np.empty((m, n_a), kind)
        parts = (z[:, SIGMOIDS], z[:, 0], gates.products(), values[:, SIGMOIDS])
        self.steps = list(zip(*parts, *values.swapaxes(0, 1), self.recurrent, strict=True))

        self.blocks = blocks(T_x, z[0].nbytes)
        self.kept = np.empty_like(self.recurrent[self.blocks[0]])  # 1 - update
        dz = gates.gradients(slice(1, 4))
        self.back = [backwards(self.kept[: len(z[b])], z[b], dz[b]) for b in self.blocks]


class ResetAfterGRU(Gated):
    """PyTorch's GRU: candidate = tanh(x Wcx' + bc + reset * (c_prev Wcc' + bcc)).

    Parameters
    ----------
    params : ResetAfterGRUParams
        Read at each call: see `Recurrent`.
    """

    takes = (ResetAfterGRUParams,)
    GATES = "cur"
    Workspace = _ResetAfter

    def _forward(self, x, c0):
        work, weights = self._prepare(x)
        self._c = over_time(self._shape, c0, self._kind)
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
        gates, carry, through = work.gates, work.gates.carry, work.through
        candidate, *sigmoids = self._weights(slice(self._shape[2]))
        weights = gates.from_gates([*sigmoids, candidate])
        carried = np.zeros(self._shape[1:], self._kind)
        for block, steps in zip(work.blocks, work.back, strict=True):
            self._fill_slopes(block)
            for (kept, dz, dz_states), dc_t in zip(steps, dc[block][::-1], strict=True):
                add(carried, dc_t, carried)
                multiply(dz, carried, dz)
                carry(dz_states, weights, through)
                multiply(carried, kept, carried)
                add(carried, through, carried)
        dbcc = gates.by_gate()[3].sum(axis=0)
        before = self._c[:-1]
        dx, grads = self._gradients(
            (CANDIDATE, PRODUCT, before), (SIGMOIDS, SIGMOIDS, before), bcc=dbcc
        )
        return dx, carried, grads

    def _fill_slopes(self, block):
        """Put into `z` what turns gradients of c into those of every entry; fill `kept`."""
        work = self._workspace
        values, slopes = work.gates.values[block], work.gates.z[block]
        _slopes(values, self._c[:-1][block], slopes, work.kept[: len(values)])
        np.multiply(slopes[:, 0], values[:, 2], out=slopes[:, 3])
        np.subtract(1, values[:, 2], out=slopes[:, 2])
        slopes[:, 2] *= slopes[:, 3]
        slopes[:, 2] *= work.recurrent[block]

    def _caches(self):
        work = self._workspace
        values, recurrent = work.gates.values.copy(), work.recurrent.copy()
        steps = zip(self._x, self._c[:-1], values, recurrent, strict=True)
        return [
            ResetAfterGRUCache(x_t, c_prev, u, r, c, rec) for x_t, c_prev, (c, u, r), rec in steps
        ]


def _slopes(values, c_prev, slopes, kept):
    """What turns a gradient of c into those of the candidate's and the update gate's arguments."""
    candidate, update = values[:, 0], values[:, 1]
    of_candidate, of_update = slopes[:, 0], slopes[:, 1]
    np.subtract(1, update, out=kept)
    np.subtract(candidate, c_prev, out=of_update)
    of_update *= update
    of_update *= kept
    np.multiply(candidate, candidate, out=of_candidate)
    np.subtract(1, of_candidate, out=of_candidate)
    of_candidate *= update
