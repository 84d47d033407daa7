"""A tagger for the experiments: it reads a sentence from one end, from the other, or from both.

Words are looked up in a table, layers of GRU cells read them, and an output layer makes scores of
the layers' outputs. With two layers, each has half of the units.
"""

import numpy as np

from course.given import GRU, GRUParams, OutputParams, draw

WAYS = {"forward": (1,), "backward": (-1,), "both": (1, -1)}


class Tagger:
    """A network that gives every word a tag.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the parameters.
    way : {"forward", "backward", "both"}
    n_v, n_x, n_a, n_y : int
        Words, numbers that stand for a word, units of all layers together, tags.
    dtype : dtype, optional

    Attributes
    ----------
    table : (n_v, n_x) ndarray
    layers : tuple of GRU
        In the order of `way`: the forward layer first.
    output : OutputParams
    params : tuple of ndarray
        All of them, changed in place by training.
    """

    def __init__(self, rng, way, n_v, n_x, n_a, n_y, dtype=np.float32):
        self.ways = WAYS[way]
        units = n_a // len(self.ways)
        self.table = rng.normal(size=(n_v, n_x)).astype(dtype) / np.sqrt(n_x).astype(dtype)
        self.layers = tuple(GRU(draw(GRUParams, rng, dtype, n_x=n_x, n_a=units)) for _ in self.ways)
        self.output = draw(OutputParams, rng, dtype, n_a=units * len(self.ways), n_y=n_y)

    @property
    def params(self):
        """All parameters, as a flat tuple."""
        own = [w for layer in self.layers for w in layer.params]
        return (self.table, *own, *self.output)

    def states(self, x, lengths):
        """What the layers make of sentences: (T_x, m, n_a) ndarray.

        Parameters
        ----------
        x : (T_x, m) ndarray of int
        lengths : (m,) ndarray of int
        """
        return self._read(self.table[x], lengths)

    def predict(self, x, lengths):
        """Probabilities of the tags at each step.

        Parameters
        ----------
        x : (T_x, m) ndarray of int
        lengths : (m,) ndarray of int

        Returns
        -------
        y_hat : (T_x, m, n_y) ndarray
        """
        return _softmax(self.states(x, lengths) @ self.output.Wya.T + self.output.by)

    def loss_and_gradients(self, x, y, lengths, hide=0.0, rng=None):
        """Mean cross-entropy over the real steps of a batch, and its gradient.

        Parameters
        ----------
        x, y : (T_x, m) ndarray of int
            Words and right tags.
        lengths : (m,) ndarray of int
        hide : float, optional
            Probability with which each number of a word and of a state is hidden from what reads
            it (dropout).
        rng : numpy.random.Generator, optional
            Says which, if any are hidden.

        Returns
        -------
        loss : float
        grads : tuple of ndarray
            As `params`.
        """
        real = np.arange(len(x))[:, None] < lengths
        seen_x = _seen((*x.shape, self.table.shape[1]), hide, rng, self.table.dtype)
        a = self._read(self.table[x] * seen_x, lengths)
        seen_a = _seen(a.shape, hide, rng, a.dtype)
        y_hat = _softmax((a * seen_a) @ self.output.Wya.T + self.output.by)
        t, i = np.nonzero(real)
        loss = -np.log(y_hat[t, i, y[t, i]]).mean()
        dz = y_hat * (real / real.sum()).astype(a.dtype)[:, :, None]
        dz[t, i, y[t, i]] -= a.dtype.type(1 / len(t))
        dx, grads = self._back((dz @ self.output.Wya) * seen_a, lengths)
        dtable = np.zeros_like(self.table)
        np.add.at(dtable, x[real], (dx * seen_x)[real])
        dWya = np.einsum("tmy,tma->ya", dz, a * seen_a)
        return float(loss), (dtable, *grads, dWya, dz.sum(axis=(0, 1)))

    def _read(self, x, lengths):
        halves = []
        for turn, layer in zip(self.ways, self.layers, strict=True):
            halves.append(_turned(layer.forward(_turned(x, lengths, turn), lengths=lengths),
                                  lengths, turn))  # fmt: skip
        return np.concatenate(halves, axis=-1)

    def _back(self, da, lengths):
        dx, grads = 0, []
        parts = np.split(da, len(self.ways), axis=-1)
        for turn, layer, part in zip(self.ways, self.layers, parts, strict=True):
            own, _dstart, own_grads = layer.backward(_turned(part, lengths, turn))
            dx = dx + _turned(own, lengths, turn)
            grads += own_grads
        return dx, grads


def decide(tagger, x, lengths):
    """How far each direction speaks for the tag that was chosen, and against the next best one.

    Parameters
    ----------
    tagger : Tagger
        Of both directions.
    x : (T_x, m) ndarray of int
    lengths : (m,) ndarray of int

    Returns
    -------
    chosen, rival : (T_x, m) ndarray of int
        The tags of the highest and of the second highest score.
    parts : (T_x, m, 3) ndarray
        What the forward half, the backward half and the bias add to the difference of their scores.
    """
    a, (Wya, by) = tagger.states(x, lengths), tagger.output
    half = a.shape[-1] // 2
    z = np.stack(
        [a[..., :half] @ Wya[:, :half].T, a[..., half:] @ Wya[:, half:].T,
         np.broadcast_to(by, (*x.shape, len(by)))], axis=-1,
    )  # fmt: skip
    order = np.argsort(-z.sum(axis=-1), axis=-1, kind="stable")
    chosen, rival = order[..., 0], order[..., 1]
    pick = [np.take_along_axis(z, k[..., None, None], axis=2)[:, :, 0] for k in (chosen, rival)]
    return chosen, rival, pick[0] - pick[1]


def _turned(x, lengths, turn):
    """Sentences as they are, or each one's real steps from the last to the first."""
    if turn == 1:
        return x
    t = np.arange(len(x))[:, None]
    return x[np.where(t < lengths, lengths - 1 - t, t), np.arange(x.shape[1])]


def _softmax(z):
    z = np.exp(z - z.max(axis=-1, keepdims=True))
    z /= z.sum(axis=-1, keepdims=True)
    return z


def _seen(shape, hide, rng, dtype):
    """Factors that hide some numbers, and make up for it in the others."""
    if not hide:
        return np.array(1, dtype)
    return (rng.random(shape, np.float32) >= hide).astype(dtype) / np.array(1 - hide, dtype)
