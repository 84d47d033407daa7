"""What the layers share: their checks, ragged lengths, and blocks that fit a processor's cache."""

from math import isfinite

import numpy as np

from course.given.edges import expect, expect_params, expect_range

BLOCK = 1048576  # bytes: work on several steps at once stays in a core's own cache


class Layer:
    """A recurrent layer; the subclass computes.

    Parameters
    ----------
    params : NamedTuple of ndarray
        Read at each call, so an optimiser may change the arrays in place.

    Attributes
    ----------
    states : tuple of (T_x, m, n_a) ndarray
        After `forward`: every state over time, the output first. Not to be written to, since
        `backward` reads them. Zero beyond an example's length.
    """

    n_states = 1
    _workspace = None

    def __init__(self, params):
        self.params = params
        self.sizes = {}
        expect_params("params", params, type(params), self.sizes)

    def forward(self, x, *start, lengths=None):
        """Run over sequences, and remember what `backward` needs.

        Parameters
        ----------
        x : (T_x, m, n_x) ndarray
        *start : (m, n_a) ndarray
            The state before the first step: zeros if it is left out.
        lengths : (m,) ndarray of int, optional
            Real steps of each example; what follows them is padding. T_x if it is left out.

        Returns
        -------
        a : (T_x, m, n_a) ndarray
            Zero where there is padding.
        """
        sizes = dict(self.sizes)
        expect("x", x, ("T_x", "m", "n_x"), None, sizes)
        if start and len(start) != self.n_states:
            raise TypeError(f"{len(start)} start states; {self.n_states} are expected, or none")
        for i, s in enumerate(start):
            expect(f"start[{i}]", s, ("m", "n_a"), None, sizes)
        self._padding = padding(lengths, sizes)
        self._kind = np.result_type(x, *start, *self.params)
        if not start:
            start = (np.zeros((sizes["m"], sizes["n_a"]), self._kind),) * self.n_states
        self._x, self._lengths = x, lengths
        self._shape = (sizes["T_x"], sizes["m"], sizes["n_a"])
        if not all(
            isfinite(np.vdot(w, w).real) for w in self.params
        ):  # quicker than to look at each
            expect_params("params", self.params, type(self.params), {})  # looks, and says which
        states = self._forward(x, *start)
        self.states = tuple(_without(self._padding, s) for s in states)
        for s in self.states:
            s.flags.writeable = False
        return self.states[0]

    @property
    def last(self):
        """The state after each example's last real step: a tuple of (m, n_a) ndarray."""
        if self._lengths is None:
            return tuple(s[-1] for s in self.states)
        return tuple(s[self._lengths - 1, np.arange(s.shape[1])] for s in self.states)

    def backward(self, *dstates):
        """Gradients of a loss, given those with respect to the states over time.

        Parameters
        ----------
        *dstates : (T_x, m, n_a) ndarray
            One for each of `states`; those left out at the end are zero.

        Returns
        -------
        dx : (T_x, m, n_x) ndarray
        *dstart : (m, n_a) ndarray
        grads : NamedTuple of ndarray
            Of the parameters' type.
        """
        if not hasattr(self, "states"):
            raise RuntimeError("backward needs what forward remembers: run forward first")
        if not 1 <= len(dstates) <= self.n_states:
            raise TypeError(
                f"{len(dstates)} gradients of states; 1 to {self.n_states} are expected"
            )
        for i, d in enumerate(dstates):
            if d.shape != self._shape:
                raise ValueError(
                    f"dstates[{i}] has shape {d.shape}; (T_x, m, n_a) = {self._shape} is expected"
                )
        return self._backward(*(_without(self._padding, d) for d in dstates))

    def _weights(self, gates):
        """Weights of gates, whole, on the state, and on the input: three lists."""
        n_a, whole = self._shape[2], [getattr(self.params, f"W{gate}") for gate in gates]
        return whole, [W[:, :n_a] for W in whole], [W[:, n_a:] for W in whole]

    def _named(self, gates, dW, **more):
        """Gradients in the parameters' type: `dW` has a gate's weights, and its bias at the end."""
        grads = dict(more)
        for gate, rows in zip(gates, dW, strict=True):
            grads[f"W{gate}"], grads[f"b{gate}"] = rows[:, :-1], rows[:, -1]
        return type(self.params)(**grads)

    def _prepare(self):
        """The workspace for the shape and type of this run: the last one, if they are its own."""
        key = (self._shape, self._kind)
        if self._workspace is None or self._workspace_key != key:
            self._workspace = None  # the old one goes before the new one comes
            self._workspace, self._workspace_key = self.Workspace(*self._shape, self._kind), key
        return self._workspace


def padding(lengths, sizes):
    """Where there is padding: (T_x, m, 1) ndarray of bool, or None if there is none."""
    if lengths is None:
        return None
    expect("lengths", lengths, ("m",), "int", sizes)
    expect_range("lengths", lengths, sizes)
    return (np.arange(sizes["T_x"])[:, None] >= lengths)[:, :, None]


def _without(padding, values):
    return values if padding is None else np.where(padding, values.dtype.type(0), values)


def blocks(T_x, bytes_per_step):
    """Slices of a few steps each, the last first: what backward works on at a time.

    At least one step; as many as fill `BLOCK` bytes if there are so many.
    """
    length = max(1, BLOCK // bytes_per_step)
    for end in range(T_x, 0, -length):
        yield slice(max(0, end - length), end)
