"""Layers made of layers: both directions, several deep, less memory, several threads."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from math import isqrt

import numpy as np

from course.given.layers.base import Layer


class Bidirectional:
    """Two layers over the same sequences, one of them from the end; their states side by side.

    Parameters
    ----------
    forward_layer, backward_layer : layer
        Of the same number of states. The second reads each example from its last real step to
        its first.

    Notes
    -----
    Where a layer has n_a units, this one has those of both. `last` is where each direction ends:
    the last real step for the first, step 0 for the second.
    """

    def __init__(self, forward_layer, backward_layer):
        self.layers = forward_layer, backward_layer
        self.params = forward_layer.params, backward_layer.params
        self.n_states = forward_layer.n_states
        widths = [layer.sizes["n_a"] for layer in self.layers]
        self.sizes = {**forward_layer.sizes, "n_a": sum(widths)}
        self._width = widths[0]

    def forward(self, x, *start, lengths=None):
        """Run both ways; see `Layer.forward`. A start state is that of both, side by side."""
        ahead, back = self.layers
        self._lengths = lengths
        starts = list(zip(*(self._halves(s) for s in start), strict=True)) or [(), ()]
        ahead.forward(x, *starts[0], lengths=lengths)
        back.forward(_reversed(x, lengths), *starts[1], lengths=lengths)
        behind = (_reversed(s, lengths) for s in back.states)
        self.states = _side_by_side(ahead.states, behind)
        return self.states[0]

    @property
    def last(self):
        """Where each direction ends, side by side."""
        ahead, back = self.layers
        return _side_by_side(ahead.last, back.last)

    def backward(self, *dstates):
        """Gradients of both; see `Layer.backward`. ``grads`` is a pair."""
        ahead, back = self.layers
        halves = [self._halves(d) for d in dstates]
        dx, *dstart, grads = ahead.backward(*(d for d, _ in halves))
        behind = (_reversed(d, self._lengths) for _, d in halves)
        dx_back, *dstart_back, grads_back = back.backward(*behind)
        dx = dx + _reversed(dx_back, self._lengths)
        return dx, *_side_by_side(dstart, dstart_back), (grads, grads_back)

    def caches(self):
        """The caches of both layers; the second's are in its own order, from the end."""
        return tuple(layer.caches() for layer in self.layers)

    def _halves(self, values):
        return values[..., : self._width], values[..., self._width :]


def _side_by_side(left, right):
    return tuple(np.concatenate(pair, axis=-1) for pair in zip(left, right, strict=True))


def _reversed(x, lengths):
    """Each example's real steps in reverse; its padding stays where it is."""
    if lengths is None:
        return x[::-1]
    steps = np.arange(len(x))[:, None]
    source = np.where(steps < lengths, lengths - 1 - steps, steps)  # (T_x, m)
    return x[source, np.arange(x.shape[1])]


class Stacked:
    """Layers one upon another: each reads the one below.

    Parameters
    ----------
    *layers : layer
        From the input up. `Dropout` may stand between them.

    Notes
    -----
    States are listed from the top layer down, since a layer's first state is its output.
    """

    def __init__(self, *layers):
        self.layers = layers
        self.params = tuple(layer.params for layer in layers)
        self.n_states = sum(layer.n_states for layer in layers)

    def forward(self, x, *start, lengths=None):
        """Run upwards; see `Layer.forward`."""
        if start and len(start) != self.n_states:
            raise TypeError(f"{len(start)} start states; {self.n_states} are expected, or none")
        a = x
        for layer, states in zip(self.layers, self._shares(start), strict=True):
            a = layer.forward(a, *states, lengths=lengths)
        self.states = tuple(s for layer in reversed(self.layers) for s in layer.states)
        return a

    @property
    def last(self):
        """The states after each example's last real step, from the top layer down."""
        return tuple(s for layer in reversed(self.layers) for s in layer.last)

    def backward(self, *dstates):
        """Gradients of all; see `Layer.backward`. ``grads`` is a tuple, from the input up."""
        da, dstart, grads = None, [], []
        shares = self._shares(dstates)
        for layer, given in zip(reversed(self.layers), reversed(shares), strict=True):
            own = list(given) or [0]
            own[0] = own[0] if da is None else own[0] + da
            da, *dstart_here, grads_here = layer.backward(*own)
            dstart += dstart_here
            grads.insert(0, grads_here)
        return da, *dstart, tuple(grads)

    def caches(self):
        """The caches of every layer, from the input up."""
        return tuple(layer.caches() for layer in self.layers)

    def _shares(self, states):
        """Each layer's own part of a list of states that begins with the top layer's."""
        shares, taken = [], 0
        for layer in reversed(self.layers):
            shares.insert(0, states[taken : taken + layer.n_states])
            taken += layer.n_states
        return shares


class Dropout:
    """Set a random part of the inputs to zero while training, and raise the rest to make up.

    Parameters
    ----------
    rate : float
        The part that is dropped, from 0 to below 1.
    rng : numpy.random.Generator
    """

    params, states, last, n_states = (), (), (), 0

    def __init__(self, rate, rng):
        if not 0 <= rate < 1:
            raise ValueError(f"rate is {rate}; from 0 to below 1 is expected")
        self.rate, self.rng, self.training = rate, rng, True

    def forward(self, x, lengths=None):
        """Drop, if `training` is true; else hand x on."""
        self._kept = np.ones((), x.dtype)
        if self.training:
            kept = self.rng.random(x.shape) >= self.rate
            self._kept = (kept / (1 - self.rate)).astype(x.dtype)
        return x * self._kept

    def backward(self, da):
        """Hand the gradient back to what was kept."""
        return da * self._kept, ()

    def caches(self):
        """Which inputs were kept, and by what they were raised."""
        return self._kept


class Checkpointed(Layer):
    """A layer that remembers only some of its states, and computes the rest again in backward.

    Memory grows with the square root of T_x instead of T_x, for the time of a second forward
    pass (Chen et al., 2016). The gradients are the same.

    Parameters
    ----------
    layer : layer
        One that runs in one direction.
    segments : int, optional
        Pieces into which T_x is cut; about the square root of T_x if it is left out.

    Notes
    -----
    `states` holds the output only; `last` is whole.
    """

    def __init__(self, layer, segments=None):
        super().__init__(layer.params)
        self.layer, self.segments, self.n_states = layer, segments, layer.n_states

    def _forward(self, x, *start):
        T_x = len(x)
        bounds = np.linspace(0, T_x, min(self.segments or isqrt(T_x), T_x) + 1).astype(int)
        self._pieces = [slice(*pair) for pair in pairwise(bounds)]
        self._starts, state = [], start
        a = np.empty(self._shape, self._kind)
        ends = np.full(x.shape[1], T_x) if self._lengths is None else self._lengths
        self._last = [np.empty(s.shape, self._kind) for s in start]
        for piece in self._pieces:
            self._starts.append(state)
            a[piece] = self.layer.forward(x[piece], *state)
            state = tuple(s.copy() for s in self.layer.last)
            here = np.flatnonzero((ends > piece.start) & (ends <= piece.stop))
            for last, over_time in zip(self._last, self.layer.states, strict=True):
                last[here] = over_time[ends[here] - 1 - piece.start, here]
        return (a,)

    @property
    def last(self):
        """The state after each example's last real step."""
        return tuple(self._last)

    def _backward(self, *dstates):
        dx = np.empty(self._x.shape, self._kind)
        carried, total = [], None
        for piece, start in zip(reversed(self._pieces), reversed(self._starts), strict=True):
            self.layer.forward(self._x[piece], *start)
            dx[piece], *carried, grads = self.layer.backward(
                *self._arriving(dstates, piece, carried)
            )
            total = grads if total is None else _sum(total, grads)
        return dx, *carried, total

    def _arriving(self, dstates, piece, carried):
        """Gradients of a piece's states; its last step also has what later pieces carry back."""
        shape = (piece.stop - piece.start, *self._shape[1:])
        arriving = [d[piece].copy() for d in dstates]
        arriving += [np.zeros(shape, self._kind) for _ in range(self.n_states - len(dstates))]
        for d, extra in zip(arriving, carried, strict=False):
            d[-1] += extra
        return arriving

    def caches(self):
        """Not kept: that is what this layer is for."""
        raise RuntimeError("a checkpointed layer keeps no caches; ask the layer it was made of")


class Split:
    """A batch cut into parts that run at the same time, one thread a layer.

    Parameters
    ----------
    *layers : layer
        Alike, and with the same parameters: ``Split(LSTM(params), LSTM(params))``.

    Notes
    -----
    NumPy lets threads run side by side inside its large operations. It pays for large batches
    and layers; set OPENBLAS_NUM_THREADS=1, so that the threads do not fight for cores.
    """

    def __init__(self, *layers):
        self.layers, self.params, self.n_states = layers, layers[0].params, layers[0].n_states
        self._pool = ThreadPoolExecutor(len(layers))

    def forward(self, x, *start, lengths=None):
        """Run all parts; see `Layer.forward`."""
        self._rows = np.array_split(np.arange(x.shape[1]), min(len(self.layers), x.shape[1]))

        def run(layer, rows):
            part = slice(rows[0], rows[-1] + 1)
            own = None if lengths is None else lengths[part]
            layer.forward(np.ascontiguousarray(x[:, part]), *(s[part] for s in start), lengths=own)

        list(self._pool.map(run, self.layers, self._rows))
        used = self.layers[: len(self._rows)]
        self.states = tuple(
            np.concatenate(parts, axis=1) for parts in zip(*(u.states for u in used), strict=True)
        )
        return self.states[0]

    @property
    def last(self):
        """The state after each example's last real step."""
        used = (layer.last for layer in self.layers[: len(self._rows)])
        return tuple(np.concatenate(parts) for parts in zip(*used, strict=True))

    def backward(self, *dstates):
        """Gradients, those of the parameters summed over the parts; see `Layer.backward`."""

        def run(layer, rows):
            part = slice(rows[0], rows[-1] + 1)
            return layer.backward(*(d[:, part] for d in dstates))

        dxs, *dstarts, grads = zip(*self._pool.map(run, self.layers, self._rows), strict=True)
        total = grads[0]
        for more in grads[1:]:
            total = _sum(total, more)
        return np.concatenate(dxs, axis=1), *map(np.concatenate, dstarts), total

    def caches(self):
        """The caches of every part."""
        return tuple(layer.caches() for layer in self.layers[: len(self._rows)])


def _sum(a, b):
    """Gradients added, through tuples in tuples."""
    if isinstance(a, np.ndarray):
        return a + b
    parts = [_sum(x, y) for x, y in zip(a, b, strict=True)]
    return type(a)(*parts) if hasattr(a, "_fields") else tuple(parts)
