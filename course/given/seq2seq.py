"""The model of unit 09, an encoder, a decoder and an output layer; what it is compared with."""

import numpy as np

from course.given.layers import LSTM
from course.given.types import LSTMParams, OutputParams, draw


class Seq2Seq:
    """An LSTM that reads, an LSTM that writes, and an output layer.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the weights.
    n_x, n_v, n_a : int
        Numbers in an input vector, tokens to write, units of either layer.
    dtype : dtype, optional

    Attributes
    ----------
    encoder, decoder : LSTM
        Layers, as the graded functions take them.
    params : tuple of ndarray
        All parameters; trained in place.
    """

    def __init__(self, rng, n_x, n_v, n_a, dtype=np.float32):
        encoder = draw(LSTMParams, rng, dtype, n_x=n_x, n_a=n_a)
        decoder = draw(LSTMParams, rng, dtype, n_x=n_v, n_a=n_a)
        for params in (encoder, decoder):
            params.bf[:] = 1  # begin by keeping the memory
        self._use(encoder, decoder, draw(OutputParams, rng, dtype, n_a=n_a, n_y=n_v))

    def _use(self, encoder, decoder, output):
        self.encoder, self.decoder, self.output_params = LSTM(encoder), LSTM(decoder), output
        self._writer = LSTM(decoder)
        self.params = (*encoder, *decoder, *output)

    def in_float64(self):
        """A copy in double precision, to compare with."""
        copy = object.__new__(type(self))
        parts = (self.encoder.params, self.decoder.params, self.output_params)
        copy._use(*(type(part)(*(w.astype(float) for w in part)) for part in parts))
        return copy

    def output(self, a):
        """Predictions (..., n_v) of the decoder's outputs (..., n_a)."""
        z = a @ self.output_params.Wya.T + self.output_params.by
        z = np.exp(z - z.max(axis=-1, keepdims=True))
        return z / z.sum(axis=-1, keepdims=True)

    def step(self, token, state):
        """Read one token of one sequence, as `greedy_decode` asks for it.

        Parameters
        ----------
        token : int
        state : tuple of (1, n_a) ndarray

        Returns
        -------
        y_hat : (n_v,) ndarray
        state : tuple of (1, n_a) ndarray
        """
        x = np.zeros((1, 1, len(self.output_params.by)), state[0].dtype)
        x[0, 0, token] = 1
        a = self._writer.forward(x, *state)
        return self.output(a)[0, 0].astype(float), self._writer.last

    def loss_and_gradients(self, x, lengths, y, mask, hide=0.0, rng=None):
        """Mean cross-entropy of the right tokens, taught, and its gradient.

        Parameters
        ----------
        x : (T_x, m, n_x) ndarray
        lengths : (m,) ndarray of int
        y : (T_y, m) ndarray of int
            The end (0) included.
        mask : (T_y, m) ndarray of bool
        hide : float, optional
            Probability with which each number is hidden from the output layer (dropout).
        rng : numpy.random.Generator, optional

        Returns
        -------
        loss : float
        grads : tuple of ndarray
            One for each of `params`.
        """
        self.encoder.forward(x, lengths=lengths)
        read = np.zeros((*y.shape, len(self.output_params.by)), x.dtype)
        read[0, :, 0] = 1
        np.put_along_axis(read[1:], y[:-1, :, None], 1, axis=2)
        a = self.decoder.forward(read, *self.encoder.last)
        seen = _seen(a.shape, hide, rng, a.dtype)
        y_hat = self.output(a * seen)
        right = np.take_along_axis(y_hat, y[:, :, None], axis=2)[:, :, 0]
        loss = -np.log(right[mask], dtype=float).mean()
        dz = y_hat
        np.put_along_axis(dz, y[:, :, None], right[:, :, None] - 1, axis=2)
        dz *= (mask / mask.sum()).astype(dz.dtype)[:, :, None]
        return float(loss), self._gradients(dz, a * seen, seen, lengths)

    def _gradients(self, dz, a, seen, lengths):
        """Back through the output layer, the decoder and the encoder."""
        d_output = np.einsum("tmy,tma->ya", dz, a, optimize=True), dz.sum(axis=(0, 1))
        _dx, *dstate, d_decoder = self.decoder.backward((dz @ self.output_params.Wya) * seen)
        T_x, m, n_a = self.encoder.states[0].shape
        over_time = np.zeros((2, T_x, m, n_a), dz.dtype)
        over_time[:, lengths - 1, np.arange(m)] = dstate
        *_dx, d_encoder = self.encoder.backward(*over_time)
        return (*d_encoder, *d_decoder, *d_output)


def _seen(shape, hide, rng, dtype):
    if not hide:
        return np.array(1, dtype)
    return (rng.random(shape, np.float32) >= hide).astype(dtype) / np.array(1 - hide, dtype)


def pronunciation_batch(pairs, letters, phonemes, dtype=np.float32):
    """Words and their sounds as arrays.

    Parameters
    ----------
    pairs : sequence of (str, tuple of str)
    letters, phonemes : dict
        From letter and from phoneme to index; 0 is the end of a pronunciation.

    Returns
    -------
    x : (T_x, m, n_x) ndarray
        Words, a letter a step.
    lengths : (m,) ndarray of int
    y : (T_y, m) ndarray of int
        Sounds, the end included.
    mask : (T_y, m) ndarray of bool
    """
    lengths = np.array([len(word) for word, _ in pairs])
    sounds = np.array([len(said) + 1 for _, said in pairs])
    x = np.zeros((lengths.max(), len(pairs), len(letters)), dtype)
    y = np.zeros((sounds.max(), len(pairs)), int)
    for i, (word, said) in enumerate(pairs):
        x[np.arange(len(word)), i, [letters[c] for c in word]] = 1
        y[: len(said), i] = [phonemes[p] for p in said]
    return x, lengths, y, np.arange(len(y))[:, None] < sounds


def edit_distance(one, other):
    """How many tokens must be put in, left out or changed to make one sequence the other.

    Parameters
    ----------
    one, other : sequence

    Returns
    -------
    int
    """
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def scores(written, right):
    """Two scores of many sequences.

    Parameters
    ----------
    written, right : sequence of sequences

    Returns
    -------
    exact : float
        The share that is right from beginning to end.
    errors : float
        Edit distances together, over the lengths of the right ones together.
    """
    pairs = [(tuple(w), tuple(r)) for w, r in zip(written, right, strict=True)]
    exact = np.mean([w == r for w, r in pairs])
    errors = sum(edit_distance(w, r) for w, r in pairs) / sum(len(r) for _, r in pairs)
    return float(exact), float(errors)


class LetterByLetter:
    """A rule without memory: a letter sounds as it mostly does between these two neighbours.

    Every letter gives none, one or two sounds. Which ones are whose, is found by aligning words
    with their sounds again and again (hard expectation-maximisation).

    Parameters
    ----------
    pairs : sequence of (str, tuple of str)
    neighbours : bool, optional
        Whether the letters beside it count; without them each letter always sounds the same.
    """

    def __init__(self, pairs, neighbours=True):
        self._costs, self._tables = {}, [{}, {}, {}]
        for some in (pairs[::6], pairs[::6], pairs):
            aligned = [(word, self._align(word, said)) for word, said in some]
            self._costs = {letter: _costs(mine) for letter, mine in _count(aligned, 2).items()}
        for context in (2,) if not neighbours else (0, 1, 2):
            self._tables[context] = _count(aligned, context)

    def __call__(self, word):
        """The sounds of a word, a tuple."""
        said = []
        for i in range(len(word)):
            found = (self._tables[n].get(_around(word, i, n)) for n in range(3))
            mine = next((table for table in found if table), {(): 1})
            said += max(mine, key=mine.get)
        return tuple(said)

    def _align(self, word, said):
        """The cheapest way of sharing out the sounds among the letters, a tuple for each."""
        best = {0: (0.0, ())}
        for i, letter in enumerate(word):
            after = {}
            for j, (cost, parts) in best.items():
                for k in range(j, min(j + 2, len(said)) + 1):
                    more = cost + self._cost(letter, said[j:k], i / len(word), j / len(said))
                    if k not in after or more < after[k][0]:
                        after[k] = more, (*parts, said[j:k])
            best = after
        return best[len(said)][1] if len(said) in best else ()

    def _cost(self, letter, sounds, place, heard):
        if not self._costs:  # at first: one sound each, as much in step as may be
            return abs(len(sounds) - 1) + abs(place - heard)
        return self._costs.get(letter, {}).get(sounds, 12.0)


def _around(word, i, cut):
    """A letter with its neighbours: both (cut 0), the next one (1), or none (2)."""
    padded = f"^{word}$"
    return (padded[i : i + 3], padded[i + 1 : i + 3], word[i])[cut]


def _count(aligned, cut):
    """How often each letter, in its context, has which sounds."""
    counts = {}
    for word, parts in aligned:
        for i, sounds in enumerate(parts):
            mine = counts.setdefault(_around(word, i, cut), {})
            mine[sounds] = mine.get(sounds, 0) + 1
    return counts


def _costs(counts):
    total = sum(counts.values())
    return {sounds: -np.log(n / total) for sounds, n in counts.items()}


# ---- a decoder small enough to be looked through -----------------------------------------------

JANE = ("<EOS>", "jane", "is", "going", "visiting", "visits", "to", "visit", "see", "africa", "in")
_FOLLOWS = {
    "<EOS>": {"jane": 1.0},
    "jane": {"is": 0.85, "visits": 0.15},
    "is": {"going": 0.5, "visiting": 0.4, "in": 0.1},
    "going": {"to": 0.95, "<EOS>": 0.05},
    "to": {"visit": 0.4, "see": 0.35, "africa": 0.25},
    "visiting": {"africa": 0.9, "<EOS>": 0.1},
    "visits": {"africa": 0.9, "<EOS>": 0.1},
    "visit": {"africa": 0.9, "<EOS>": 0.1},
    "see": {"africa": 0.9, "<EOS>": 0.1},
    "in": {"africa": 0.9, "<EOS>": 0.1},
    "africa": {"<EOS>": 1.0},
}


def jane_step(token, state):
    """A step of a decoder that was given by hand; what comes next depends on the last token only.

    Parameters
    ----------
    token : int
        Of `JANE`.
    state : None

    Returns
    -------
    y_hat : (n_v,) ndarray
    state : None
    """
    y_hat = np.zeros(len(JANE))
    for word, p in _FOLLOWS[JANE[token]].items():
        y_hat[JANE.index(word)] = p
    return y_hat, state
