"""Layers made of layers: both directions, several deep, less memory, several threads."""

from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from itertools import pairwise
from math import isqrt

import numpy as np

from course.given.edges import expect
from course.given.layers.base import Layer, Recurrent


class Combined(Layer):
    """Layers run as one: `params`, gradients and caches are tuples, one entry a layer.

    Parameters
    ----------
    *layers : layer
    """

    def __init__(self, *layers):
        if len(set(map(id, layers))) < len(layers):
            raise ValueError("a layer stands here twice; each remembers one run only")
        self.layers = layers

    @property
    def params(self):
        """The layers' parameters, a tuple; a tuple like it may be set."""
        return tuple(layer.params for layer in self.layers)

    @params.setter
    def params(self, params):
        for layer, own in zip(self.layers, params, strict=True):
            layer.params = own

    def _caches(self):
        return tuple(layer.caches() for layer in self.layers)


class Bidirectional(Combined):
    """Two layers over the same sequences, one of them from the end; their states side by side.

    Parameters
    ----------
    forward_layer, backward_layer : layer
        Of the same number of states and inputs. The second reads each example from its last real
        step to its first; its caches are in its own order.

    Notes
    -----
    Where a layer has n_a units, this one has those of both, and a start state is that of both,
    side by side. `last` is where each direction ends: the last real step for the first, step 0
    for the second.
    """

    def __init__(self, forward_layer, backward_layer):
        super().__init__(forward_layer, backward_layer)
        for letter in ("n_states", "n_x"):
            ahead, back = (getattr(layer, letter) for layer in self.layers)
            if ahead != back:
                raise ValueError(f"{letter} is {ahead} and {back}; both ways it must be the same")
        self.n_states, self.n_x = forward_layer.n_states, forward_layer.n_x
        self.widths = tuple(map(sum, zip(*(layer.widths for layer in self.layers), strict=True)))

    def _run(self, x, *start):
        lengths, (ahead, back) = self._lengths, self.layers
        left, right = self._halves(start)
        ahead.forward(x, *left, lengths=lengths)
        back.forward(_reversed(x, lengths), *right, lengths=lengths)
        return _side_by_side(ahead.states, (_reversed(s, lengths) for s in back.states))

    @property
    def last(self):
        """Where each direction ends, side by side: a tuple of (m, n_a) ndarray."""
        self._expect_run()
        ahead, back = self.layers
        return _side_by_side(ahead.last, back.last)

    def _run_back(self, *dstates):
        lengths, (ahead, back) = self._lengths, self.layers
        left, right = self._halves(dstates)
        dx, *dstart, grads = ahead.backward(*left)
        dx_back, *dstart_back, grads_back = back.backward(*(_reversed(d, lengths) for d in right))
        dstart = _side_by_side(dstart, dstart_back)
        return dx + _reversed(dx_back, lengths), *dstart, (grads, grads_back)

    def _halves(self, states):
        """What belongs to the first layer, and what to the second."""
        cut = list(zip(states, self.layers[0].widths, strict=False))
        return [s[..., :n_a] for s, n_a in cut], [s[..., n_a:] for s, n_a in cut]


def _side_by_side(left, right):
    return tuple(np.concatenate(pair, axis=-1) for pair in zip(left, right, strict=True))


def _reversed(x, lengths):
    """Each example's real steps in reverse; its padding stays where it is."""
    if lengths is None:
        return x[::-1]
    steps = np.arange(len(x))[:, None]
    source = np.where(steps < lengths, lengths - 1 - steps, steps)  # (T_x, m)
    return x[source, np.arange(x.shape[1])]


class Stacked(Combined):
    """Layers one upon another: each reads the one below.

    Parameters
    ----------
    *layers : layer
        From the input up. `Dropout` may stand below each of them.

    Notes
    -----
    States are listed from the top layer down, since a layer's first state is its output;
    parameters, gradients of them, and caches from the input up.
    """

    def __init__(self, *layers):
        super().__init__(*layers)
        if not layers or not layers[-1].n_states:
            raise ValueError("a layer with a state is expected at the top")
        self.n_states = sum(layer.n_states for layer in layers)
        with_states = [layer for layer in layers if layer.n_states]
        for below, above in pairwise(with_states):
            if above.n_x != below.widths[0]:
                raise ValueError(
                    f"a layer of n_x = {above.n_x} is to read one of n_a = {below.widths[0]}"
                )
        self.n_x = with_states[0].n_x
        self.widths = tuple(n_a for layer in reversed(layers) for n_a in layer.widths)

    def _run(self, x, *start):
        a = x
        for layer, states in zip(self.layers, self._shares(start), strict=True):
            a = layer.forward(a, *states, lengths=self._lengths)
        return tuple(s for layer in reversed(self.layers) for s in layer.states)

    @property
    def last(self):
        """The states after each example's last real step, from the top layer down."""
        self._expect_run()
        return tuple(s for layer in reversed(self.layers) for s in layer.last)

    def _run_back(self, *dstates):
        da, dstart, grads = None, [], []
        shares = self._shares(dstates)
        for layer, own in zip(reversed(self.layers), reversed(shares), strict=True):
            if da is not None:  # what the layer above hands down
                own = (own[0] + da, *own[1:]) if own else (da,)
            da, *dstart_here, grads_here = layer.backward(*own)
            dstart += dstart_here
            grads.insert(0, grads_here)
        return da, *dstart, tuple(grads)

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

    Attributes
    ----------
    training : bool
        True at first. If it is set to False, nothing is dropped.
    """

    params, states, last, widths, n_states = (), (), (), (), 0

    def __init__(self, rate, rng):
        if not 0 <= rate < 1:
            raise ValueError(f"rate is {rate}; from 0 to below 1 is expected")
        self.rate, self.rng, self.training = rate, rng, True

    def forward(self, x, lengths=None):
        """Drop, if `training` is true; else hand x on. What is padding makes no difference."""
        expect("x", x, ("...",), None, {})
        self._kept = np.ones((), np.result_type(x, np.float32))
        if self.training:
            kept = self.rng.random(x.shape) >= self.rate
            self._kept = (kept / (1 - self.rate)).astype(self._kept.dtype)
        return x * self._kept

    def backward(self, da):
        """Hand the gradient back to what was kept."""
        return da * self._kept, ()

    def caches(self):
        """What each input was multiplied with."""
        return self._kept


class Checkpointed(Recurrent):
    """A layer that remembers its states only, and computes all else again in backward.

    What the layer needs besides for its own backward is there for one piece of the sequences at
    a time, so this memory grows with the square root of T_x instead of T_x, for the time of a
    second forward pass (Chen et al., 2016). The gradients are the same.

    Parameters
    ----------
    layer : RNN, GRU, ResetAfterGRU, LSTM or Unrolled
        To stack such layers, or to run them both ways, make each of them a checkpointed one.
    segments : int, optional
        The most pieces into which T_x is cut; about the square root of T_x if it is left out.
    """

    def __init__(self, layer, segments=None):
        if not isinstance(layer, Recurrent):
            raise TypeError(f"layer is a {type(layer).__name__}; a layer of one cell is expected")
        self.layer, self.segments = layer, segments
        self.n_states, self.n_x, self.widths = layer.n_states, layer.n_x, layer.widths

    params = property(
        lambda self: self.layer.params,
        lambda self, params: setattr(self.layer, "params", params),
        doc="The layer's parameters, a NamedTuple of ndarray.",
    )

    def _forward(self, x, *start):
        T_x = len(x)
        steps = -(-T_x // (self.segments or isqrt(T_x)))  # rounded up
        self._pieces = [slice(t, t + steps) for t in range(0, T_x, steps)]
        self._start = start
        states = tuple(np.empty(self._shape, self._kind) for _ in start)
        for piece in self._pieces:
            self.layer.forward(x[piece], *start)
            for over_time, here in zip(states, self.layer.states, strict=True):
                over_time[piece] = here
            start = self.layer.last
        return states

    def _backward(self, *dstates):
        dx = np.empty(self._x.shape, self._kind)
        carried, total = [], None
        for piece in reversed(self._pieces):
            before = [s[piece.start - 1] for s in self.states] if piece.start else self._start
            self.layer.forward(self._x[piece], *before)
            arriving = [d[piece].astype(self._kind) for d in dstates]
            nothing = np.zeros(self.layer.states[0].shape, self._kind)
            arriving += [nothing.copy() for _ in range(self.n_states - len(dstates))]
            for d, by_later_pieces in zip(arriving, carried, strict=False):
                d[-1] += by_later_pieces
            dx[piece], *carried, grads = self.layer.backward(*arriving)
            total = grads if total is None else _sum(total, grads)
        return dx, *carried, total

    def _caches(self):
        raise RuntimeError("a checkpointed layer keeps no caches; ask the layer it was made of")


class Split(Combined):
    """A batch cut into parts that run at the same time, one thread a layer.

    Parameters
    ----------
    *layers : layer
        Alike, and with the same parameters: ``Split(LSTM(params), LSTM(params))``.

    Notes
    -----
    NumPy lets threads run side by side inside its large operations. It pays for large batches
    and layers; set OPENBLAS_NUM_THREADS=1, so that the threads do not fight for cores. Caches
    are a tuple, one entry a part.
    """

    def __init__(self, *layers):
        super().__init__(*layers)
        own = [[id(w) for w in _arrays(layer.params)] for layer in layers]
        if own.count(own[0]) < len(layers):
            raise ValueError("the parts' layers are to have the same parameters, not only equal")
        self.n_states, self.n_x, self.widths = layers[0].n_states, layers[0].n_x, layers[0].widths

    @property
    def params(self):
        """The parameters of every part."""
        return self.layers[0].params

    @params.setter
    def params(self, params):
        for layer in self.layers:
            layer.params = params

    def _run(self, x, *start):
        m, lengths = x.shape[1], self._lengths
        rows = np.array_split(np.arange(m), min(len(self.layers), m))
        self._parts = [slice(part[0], part[-1] + 1) for part in rows]

        def run(layer, part):
            own = None if lengths is None else lengths[part]
            layer.forward(x[:, part], *(s[part] for s in start), lengths=own)
            return layer.states

        over_time = zip(*self._at_once(run), strict=True)
        return tuple(np.concatenate(states, axis=1) for states in over_time)

    @property
    def last(self):
        """The states after each example's last real step: a tuple of (m, n_a) ndarray."""
        self._expect_run()
        used = (layer.last for layer, _ in zip(self.layers, self._parts, strict=False))
        return tuple(map(np.concatenate, zip(*used, strict=True)))

    def _run_back(self, *dstates):
        def run(layer, part):
            return layer.backward(*(d[:, part] for d in dstates))

        dxs, *dstarts, grads = zip(*self._at_once(run), strict=True)
        return np.concatenate(dxs, axis=1), *map(np.concatenate, dstarts), reduce(_sum, grads)

    def _at_once(self, run):
        """The results of ``run(layer, part)`` for every part, a thread each."""
        with ThreadPoolExecutor(len(self._parts)) as threads:
            return list(threads.map(run, self.layers, self._parts))

    def _caches(self):
        return tuple(layer.caches() for layer, _ in zip(self.layers, self._parts, strict=False))


def _arrays(params):
    """The arrays of parameters, through tuples in tuples."""
    if isinstance(params, np.ndarray):
        return [params]
    return [array for part in params for array in _arrays(part)]


def _sum(a, b):
    """Gradients added, through tuples in tuples."""
    if isinstance(a, np.ndarray):
        return a + b
    parts = [_sum(x, y) for x, y in zip(a, b, strict=True)]
    return type(a)(*parts) if hasattr(a, "_fields") else tuple(parts)
