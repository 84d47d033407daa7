"""Gates of all steps, in the layouts in which matrix products are quick.

Several examples: each gate is a block of its own, (k, m, n_a) a step, and so is each gate's
product with the state. One example: the gates of a step are one row, k * n_a long.
"""

import numpy as np

try:  # not public; without it the products are merely cut less finely
    from numpy._core._multiarray_umath import __cpu_features__ as features
except ImportError:
    features = {}

# OpenBLAS multiplies without packing what takes at most 10^6 multiplications, where the processor
# has AVX-512: a third quicker. Elsewhere narrow products are a little slower than wide ones.
SMALL, WIDTHS = 10**6, (64, 32) if features.get("AVX512_SKX") else ()


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
        if self.one and z.shape == self.z.shape:
            np.matmul(inputs, on_input, out=z.reshape(self.T_x, -1))
        elif self.one:
            z[...] = (inputs @ on_input).reshape(z.shape)
        else:
            np.matmul(inputs, on_input, out=self.by_gate(slice(self.k)))

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

    def weight_gradients(self, states, inputs, entries=slice(None)):
        """(k, n_a, n_a + n_x + 1): of each gate's weights on states, on inputs, and of its bias.

        Parameters
        ----------
        states : (T_x, m, n_a) ndarray, or list of them
            What the gates' weights saw; a list if each saw something else.
        inputs : (T_x * m, n_x + 1) ndarray
        entries : list of int, optional
            Where in `z` the gradients of the products with states are, if not at the gates' places.
        """
        n_a, dz = self.n_a, self.by_gate().swapaxes(1, 2)
        dW = np.empty((self.k, n_a, n_a + inputs.shape[1]), self.kind)
        if isinstance(states, list):
            for d, state, out in zip(dz[entries], states, dW, strict=True):
                np.matmul(d, state.reshape(-1, n_a), out=out[:, :n_a])
        else:
            np.matmul(dz[entries], states.reshape(-1, n_a), out=dW[:, :, :n_a])
        np.matmul(dz[: self.k], inputs, out=dW[:, :, n_a:])
        return dW

    def _blocks(self, k):
        return np.empty((k, self.n_a // self.width, self.n_a, self.width), self.kind)


def with_ones(x):
    """Inputs as rows, with a column of ones that biases weigh: (T_x * m, n_x + 1)."""
    T_x, m, n_x = x.shape
    rows = np.ones((T_x * m, n_x + 1), x.dtype)
    rows[:, :-1] = x.reshape(T_x * m, n_x)
    return rows
