"""What the layers share: the checks of a call, ragged lengths, and what a run leaves behind."""

from math import isfinite

import numpy as np

from course.given.edges import expect, expect_params, expect_range

RUN = ("states", "_lengths", "_x", "_inputs", "_a", "_c", "_steps", "_start")  # what a run leaves


class Layer:
    """Something recurrent that runs over whole sequences.

    Calls are checked here; the subclass computes, in `_run`, `_run_back` and `_caches`. It also
    has `params`, and says in `n_x` how many features it reads, in `n_states` how many states it
    passes on, and in `widths` how many units each of them has.

    Attributes
    ----------
    states : tuple of (T_x, m, n_a) ndarray
        After `forward`: every state over time, the output first. Not to be written to, since
        `backward` reads them. Zero beyond an example's length.
    """

    states = _workspace = None

    def forward(self, x, *start, lengths=None):
        """Run over sequences, and remember what `backward` needs.

        Parameters
        ----------
        x : (T_x, m, n_x) ndarray
        *start : (m, n_a) ndarray
            The states before the first step: zeros if they are left out.
        lengths : (m,) ndarray of int, optional
            Real steps of each example; what follows them is padding, and may hold anything.
            T_x if it is left out.

        Returns
        -------
        a : (T_x, m, n_a) ndarray
            Zero where there is padding.
        """
        sizes = {"n_x": self.n_x}
        expect("x", x, ("T_x", "m", "n_x"), None, sizes)
        if start and len(start) != self.n_states:
            raise TypeError(f"{len(start)} start states; {self.n_states} are expected, or none")
        for i, (state, n_a) in enumerate(zip(start, self.widths, strict=False)):
            expect(f"start[{i}]", state, ("m", "n_a"), None, {"m": sizes["m"], "n_a": n_a})
        if lengths is not None:
            expect("lengths", lengths, ("m",), "int", sizes)
            expect_range("lengths", lengths, sizes)
        for name in RUN:
            vars(self).pop(name, None)  # the old goes before the new comes
        self._lengths = lengths
        self.states = self._run(x, *start)
        return self.states[0]

    @property
    def last(self):
        """The states after each example's last real step: a tuple of (m, n_a) ndarray."""
        self._expect_run()
        if self._lengths is None:
            return tuple(s[-1] for s in self.states)
        return tuple(s[self._lengths - 1, np.arange(s.shape[1])] for s in self.states)

    def backward(self, *dstates):
        """Gradients of a loss, given those with respect to the states over time.

        Parameters
        ----------
        *dstates : (T_x, m, n_a) ndarray
            One for each of `states`; those left out at the end are zero. What stands at padding
            is ignored.

        Returns
        -------
        dx : (T_x, m, n_x) ndarray
        *dstart : (m, n_a) ndarray
        grads : NamedTuple of ndarray
            Of the parameters' type.
        """
        self._expect_run()
        if not 1 <= len(dstates) <= self.n_states:
            raise TypeError(
                f"{len(dstates)} gradients of states; 1 to {self.n_states} are expected"
            )
        T_x, m, _ = self.states[0].shape
        for i, (d, n_a) in enumerate(zip(dstates, self.widths, strict=False)):
            sizes = {"T_x": T_x, "m": m, "n_a": n_a}
            expect(f"dstates[{i}]", d, ("T_x", "m", "n_a"), None, sizes)
        return self._run_back(*dstates)

    def caches(self):
        """The caches of the last forward pass, one per step, as the cell's function makes them."""
        self._expect_run()
        return self._caches()

    def _expect_run(self):
        if self.states is None:
            raise RuntimeError("nothing is remembered of a forward pass: run forward first")

    def __getstate__(self):
        """Of a copy: it has not run. A workspace's views would be arrays of their own in it."""
        left_out = (*RUN, "_workspace")
        return {name: value for name, value in vars(self).items() if name not in left_out}


class Recurrent(Layer):
    """A layer of one cell; the subclass computes, in `_forward`, `_backward` and `_caches`.

    Parameters
    ----------
    params : NamedTuple of ndarray
        Read at each call. Between a backward pass and the next forward pass, an optimiser may
        change the arrays in place, or set `params` to others of the same sizes.
    """

    n_states = 1
    takes = ()  # the types that params may have; if there is none, any with `shapes` will do

    def __init__(self, params):
        self._sizes = {}
        self.params = params
        self.n_x, self.widths = self._sizes["n_x"], (self._sizes["n_a"],) * self.n_states

    @property
    def params(self):
        """The cell's parameters, a NamedTuple of ndarray."""
        return self._params

    @params.setter
    def params(self, params):
        kind = type(params)
        if kind not in self.takes and (self.takes or not hasattr(kind, "shapes")):
            wanted = self.takes[0].__name__ if self.takes else "a NamedTuple with `shapes`"
            raise TypeError(f"params is a {kind.__name__}; {wanted} is expected")
        expect_params("params", params, self.takes[0] if self.takes else kind, self._sizes)
        self._params = params

    def _run(self, x, *start):
        if not all(isfinite(np.vdot(w, w).real) for w in self.params):  # quick, and it may overflow
            expect_params("params", self.params, type(self.params), {})  # looks, and says which
        self._shape = (*x.shape[:2], self.widths[0])
        self._kind = np.result_type(x, *start, *self.params, np.float32)  # never whole numbers
        self._x = self._without_padding(x)
        start = start or (np.zeros(self._shape[1:], self._kind),) * self.n_states
        states = tuple(map(self._without_padding, self._forward(self._x, *start)))
        for state in states:
            state.flags.writeable = False
        return states

    def _run_back(self, *dstates):
        return self._backward(*map(self._without_padding, dstates))

    def _without_padding(self, values):
        if self._lengths is None:
            return values
        padding = np.arange(len(values))[:, None] >= self._lengths
        return np.where(padding[:, :, None], values.dtype.type(0), values)
