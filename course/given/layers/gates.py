"""Gates of all steps, in the layouts in which matrix products are quick.

Several examples: each gate is a block of its own, (k, m, n_a) a step, and so is each gate's
product with the state. One example: the gates of a step are one row, k * n_a long.
"""

import numpy as np

from course.given.layers.base import Recurrent

try:  # not public; without it the products are merely cut less finely
    from numpy._core._multiarray_umath import __cpu_features__ as features
except ImportError:
    features = {}

# OpenBLAS multiplies without packing what takes at most 10^6 multiplications, where the processor
# has AVX-512: a third quicker. Elsewhere narrow products are a little slower than wide ones.
SMALL, WIDTHS = 10**6, (64, 32) if features.get("AVX512_SKX") else ()
BLOCK = 524288  # bytes: backward works on several steps at once that stay in a core's own cache


def blocks(T_x, bytes_per_step):
    """Slices of a few steps each, the last first: what backward works on at a time.

    At least one step; as many as fill `BLOCK` bytes if there are so many. None is longer than
    the first.
    """
    steps = max(1, BLOCK // bytes_per_step)
    return [slice(max(0, end - steps), end) for end in range(T_x, 0, -steps)]


def over_time(shape, start, kind):
    """Room for a state before and after every step, (T_x + 1, m, n_a); the first is there."""
    T_x, m, n_a = shape
    states = np.empty((T_x + 1, m, n_a), kind)
    states[0] = start
    return states


def backwards(*arrays):
    """What several arrays have for each step, the last step first: made once, since views cost."""
    return list(zip(*(array[::-1] for array in arrays), strict=True))


def width(m, n_from, n_to):
    """Columns of a block of weights, for products of (m, n_from) with (n_from, n_to)."""
    fitting = (w for w in WIDTHS if n_to % w == 0 and m * n_from * w <= SMALL)
    return next(fitting, n_to)


def in_blocks(values, columns):
    """(..., m, n) seen as (..., n / columns, m, columns)."""
    *before, m, n = values.shape
    return values.reshape(*before, m, n // columns, columns).swapaxes(-3, -2)


class Gates:
    """Room for k gates of every step, and their products with states and inputs.

    Some gates, the slice `sigmoids`, get half their arguments, since sigmoid(z) is
    (tanh(z / 2) + 1) / 2.

    Attributes
    ----------
    values : (T_x, k, m, n_a) ndarray
    z : (T_x, k + extra, m, n_a) ndarray
        What the inputs contribute to the arguments; in backward, gradients of the arguments, and
        of as many more things as `extra` says.
    """

    def __init__(self, k, T_x, m, n_a, kind, sigmoids, extra=0):
        self.k, self.T_x, self.m, self.n_a, self.kind = k, T_x, m, n_a, kind
        self.sigmoids, self.one = sigmoids, m == 1
        self.values = np.empty((T_x, k, m, n_a), kind)
        if self.one:
            self.z = np.empty((T_x, k + extra, 1, n_a), kind)
        else:
            self.z = np.empty((k + extra, T_x, m, n_a), kind).swapaxes(0, 1)
        self.width = width(m, n_a, n_a)
        self._each = np.empty((k, m, n_a), kind)
        self.multiply = np.dot if self.one else np.matmul  # dot begins sooner
        self.carry = np.dot if self.one else self._carry

    # ---- forward

    def load(self, weights, biases):
        """Weights by which states, and weights by which ``[x, 1]`` is multiplied.

        Parameters
        ----------
        weights : list of (n_a, n_a + n_x) ndarray
        biases : list of (n_a,) ndarray
        """
        n_a, n_from = self.n_a, weights[0].shape[1]
        if self.one:
            memory = np.empty((n_from + 1, self.k, n_a), self.kind)
            for i, (W, b) in enumerate(zip(weights, biases, strict=True)):
                memory[:-1, i], memory[-1, i] = W.T, b
            memory[:, self.sigmoids] *= 0.5
            rows = memory.reshape(n_from + 1, -1)
            return rows[:n_a], rows[n_a:]
        on_state = self._blocks(self.k)
        on_input = np.empty((self.k, n_from - n_a + 1, n_a), self.kind)
        for state, x, W, b in zip(on_state, on_input, weights, biases, strict=True):
            state[...] = in_blocks(W[:, :n_a].T, self.width)
            x[:-1], x[-1] = W[:, n_a:].T, b
        on_state[self.sigmoids] *= 0.5
        on_input[self.sigmoids] *= 0.5
        return on_state, on_input

    def cut(self, on_state, gates):
        """Those of `load`'s weights on states that belong to some gates."""
        if not self.one:
            return on_state[gates]
        first, last, _ = gates.indices(self.k)
        return on_state[:, first * self.n_a : last * self.n_a].copy()

    def project(self, inputs, on_input):
        """What the inputs of all steps, (T_x * m, n_x + 1), contribute to the arguments."""
        z = self.z[:, : self.k]
        out = z.reshape(self.T_x, -1) if self.one else self.by_gate(slice(self.k))
        np.matmul(inputs, on_input, out=out)

    def products(self, gates=slice(None)):
        """Where a state times its weights goes, step by step."""
        values = self.values[:, gates]
        return values.reshape(self.T_x, 1, -1) if self.one else in_blocks(values, self.width)

    # ---- backward

    def gradients(self, gates=slice(None)):
        """The gradients of arguments, step by step, as `carry` takes them."""
        z = self.z[:, gates]
        return z.reshape(self.T_x, 1, -1) if self.one else z[:, :, None]

    def from_gates(self, weights):
        """Weights (n_a, n_a) on states, one a gate, such that `carry` takes gradients back."""
        if self.one:
            return np.concatenate(weights, dtype=self.kind)
        blocks = self._blocks(len(weights))
        for block, W in zip(blocks, weights, strict=True):
            block[...] = in_blocks(W, self.width)
        return blocks

    def _carry(self, gradients, weights, out):
        """Take one step's gradients through weights, and add up the gates' shares."""
        each = self._each[: len(weights)]
        np.matmul(gradients, weights, out=in_blocks(each, self.width))
        np.add.reduce(each, axis=0, out=out)

    def by_gate(self, gates=slice(None)):
        """The gradients of arguments as (k, T_x * m, n_a)."""
        z = self.z[:, gates].swapaxes(0, 1)
        return z.reshape(len(z), self.T_x * self.m, self.n_a)

    def input_gradients(self, weights):
        """(T_x * m, n_x): through the inputs' weights, summed over gates."""
        if self.one:
            return self.gradients(slice(self.k))[:, 0] @ np.concatenate(weights, dtype=self.kind)
        by_gate = self.by_gate(slice(self.k))
        total = by_gate[0] @ weights[0]
        for dz, W in zip(by_gate[1:], weights[1:], strict=True):
            total += dz @ W
        return total

    def weight_gradients(self, inputs, *products):
        """(k, n_a, n_a + n_x + 1): of each gate's weights on states, on inputs, and of its bias.

        Parameters
        ----------
        inputs : (T_x * m, n_x + 1) ndarray
        *products : (slice, slice, (T_x, m, n_a) ndarray)
            Some gates, where in `z` the gradients of their products with states are, and these
            states.
        """
        n_a, dz = self.n_a, self.by_gate().swapaxes(1, 2)
        dW = np.empty((self.k, n_a, n_a + inputs.shape[1]), self.kind)
        for gates, entries, states in products:
            np.matmul(dz[entries], states.reshape(-1, n_a), out=dW[gates, :, :n_a])
        np.matmul(dz[: self.k], inputs, out=dW[:, :, n_a:])
        return dW

    def _blocks(self, k):
        return np.empty((k, self.n_a // self.width, self.n_a, self.width), self.kind)


class Gated(Recurrent):
    """A layer with a weight and a bias for each gate, whose letters the subclass gives in `GATES`.

    Its `Workspace` is made of T_x, m, n_a and a type of numbers, and has `gates`.
    """

    def _prepare(self, x):
        """Make the workspace ready for this run, the inputs' contributions in it.

        Returns
        -------
        The workspace, and the weights by which its gates multiply states.
        """
        key = (self._shape, self._kind)
        if self._workspace is None or self._workspace_key != key:
            self._workspace = None  # the old one goes before the new one comes
            self._workspace, self._workspace_key = self.Workspace(*self._shape, self._kind), key
        gates = self._workspace.gates
        biases = [getattr(self.params, f"b{gate}") for gate in self.GATES]
        on_state, on_input = gates.load(self._weights(), biases)
        self._inputs = with_ones(x)
        gates.project(self._inputs, on_input)
        return self._workspace, on_state

    def _weights(self, columns=slice(None)):
        return [getattr(self.params, f"W{gate}")[:, columns] for gate in self.GATES]

    def _gradients(self, *products, **more):
        """Of the inputs; and of the parameters, in their type, together with what `more` has."""
        gates, n_a = self._workspace.gates, self._shape[2]
        dx = gates.input_gradients(self._weights(slice(n_a, None))).reshape(self._x.shape)
        dW = gates.weight_gradients(self._inputs, *products)
        for gate, rows in zip(self.GATES, dW, strict=True):
            more[f"W{gate}"], more[f"b{gate}"] = rows[:, :-1], rows[:, -1]
        return dx, type(self.params)(**more)


def with_ones(x):
    """Inputs as rows, with a column of ones that biases weigh: (T_x * m, n_x + 1)."""
    T_x, m, n_x = x.shape
    rows = np.ones((T_x * m, n_x + 1), x.dtype)
    rows[:, :-1] = x.reshape(T_x * m, n_x)
    return rows
