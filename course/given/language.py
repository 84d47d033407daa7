"""A language model for the experiments: reads tokens, and predicts at every step the next one.

It is the loop of unit 02 read out at every step, with a faster layer: a gated one, which unit 05
takes apart. Its first product is looked up: a one-hot vector times a matrix is a row of a table.
"""

from typing import NamedTuple

import numpy as np

from course.given import EOS, GRU, UNK, GRUParams, OutputParams

# Beginnings of sentences, right and wrong, of words that are frequent in the speeches. What decides
# stands beside the word that differs, or further back.
NEAR = (
    ("the congress has", "the congress have"),
    ("the world is", "the world are"),
    ("our people are", "our people is"),
    ("these programs are", "these programs is"),
    ("this program is", "this program are"),
    ("we are", "we is"),
    ("i am", "i is"),
    ("they have", "they has"),
    ("it is", "it are"),
    ("he has", "he have"),
    ("the soviet union has", "the soviet union have"),
    ("there are many", "there is many"),
    ("there is a", "there are a"),
    ("i have recommended that the congress", "i has recommended that the congress"),
    ("these two nations are", "these two nations is"),
    ("we must be", "we must is"),
    ("it has been", "it has be"),
    ("it will be", "it will been"),
    ("an important", "a important"),
    ("a strong", "an strong"),
    ("these problems", "this problems"),
    ("each year", "each years"),
    ("our economy was", "our economy were"),
    ("our farmers were", "our farmers was"),
)
FAR = (
    ("the cost of these programs is", "the cost of these programs are"),
    ("the problems of the world are", "the problems of the world is"),
    ("the needs of our people are", "the needs of our people is"),
    ("the nations which are free", "the nations which is free"),
    ("the nation which is free", "the nation which are free"),
    ("all of us are", "all of us is"),
    ("the people of this country are", "the people of this country is"),
    ("the security of the nations is", "the security of the nations are"),
    ("the strength of these nations is", "the strength of these nations are"),
    ("the nations of the world are", "the nations of the world is"),
    ("one of these problems is", "one of these problems are"),
    ("the men who have", "the men who has"),
    ("the programs of the government are", "the programs of the government is"),
)


class LanguageParams(NamedTuple):
    """A table of n_x numbers for each token, a GRU's parameters, and an output layer's."""

    table: np.ndarray
    Wu: np.ndarray
    bu: np.ndarray
    Wr: np.ndarray
    br: np.ndarray
    Wc: np.ndarray
    bc: np.ndarray
    Wya: np.ndarray
    by: np.ndarray

    shapes = {"table": ("n_v", "n_x"), **GRUParams.shapes, "Wya": ("n_v", "n_a"), "by": ("n_v",)}


class Vocabulary:
    """The most frequent tokens of a text, numbered: the end is 0, an unknown token 1.

    Parameters
    ----------
    sentences : sequence of sequence of str
    n_v : int, optional
        Most entries; by default there is room for every token.
    """

    def __init__(self, sentences, n_v=None):
        tokens, counts = np.unique(
            [token for sentence in sentences for token in sentence], return_counts=True
        )
        frequent = tokens[np.argsort(-counts, kind="stable")].tolist()
        self.tokens = [EOS, UNK, *frequent][:n_v]
        self._index = {token: k for k, token in enumerate(self.tokens)}

    def __len__(self):
        return len(self.tokens)

    def __contains__(self, token):
        return token in self._index

    def numbers(self, sentence):
        """The indices of a sentence's tokens, and the end: (T_x,) ndarray of int."""
        return np.array([*(self._index.get(token, 1) for token in sentence), 0])

    def words(self, indices):
        """The tokens that indices stand for: list of str."""
        return [self.tokens[k] for k in indices]


class LanguageModel:
    """A language model over a vocabulary of n_v tokens.

    Parameters
    ----------
    params : LanguageParams
        Changed in place by training.
    """

    def __init__(self, params):
        self.params = params
        self.layer = GRU(GRUParams(*params[1:-2]))
        self.output = OutputParams(params.Wya, params.by)
        self._z = np.empty((0, 0))  # scores of a batch, always in the same place: they are large

    def begin(self, m=1):
        """The state before anything is read: zeros, (m, n_a)."""
        return np.zeros((m, self.layer.widths[0]), self.params.table.dtype)

    def predict(self, x, start=None):
        """Read sequences, and predict the next token at each step.

        Parameters
        ----------
        x : (T_x, m) ndarray of int
        start : (m, n_a) ndarray, optional
            The state that was left before; `begin` if it is left out.

        Returns
        -------
        y_hat : (T_x, m, n_v) ndarray
        state : (m, n_a) ndarray
            What the last step leaves.
        """
        a = self._read(self.params.table[x], start)
        z = a @ self.output.Wya.T + self.output.by
        z -= z.max(axis=-1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=-1, keepdims=True)
        return z, a[-1].copy()

    def step(self, token, state):
        """Read one token, as `generate` asks for it.

        Parameters
        ----------
        token : int
        state : (1, n_a) ndarray

        Returns
        -------
        y_hat : (n_v,) ndarray
        state : (1, n_a) ndarray
        """
        y_hat, state = self.predict(np.array([[token]]), state)
        return y_hat[0, 0].astype(float), state

    def loss_and_gradients(self, x, y, mask=None, start=None, hide=0.0, rng=None):
        """Mean cross-entropy over the real steps of a batch, and its gradient.

        Parameters
        ----------
        x, y : (T_x, m) ndarray of int
            What is read, and what is to be predicted.
        mask : (T_x, m) ndarray of bool, optional
            True at real steps; all of them, if it is left out.
        start : (m, n_a) ndarray, optional
            The state that the batch before has left. No gradient flows back into it.
        hide : float, optional
            Probability with which each number of a token and of a state is hidden from what
            reads it (dropout), so that the text is not learned by heart.
        rng : numpy.random.Generator, optional
            Says which, if any are hidden.

        Returns
        -------
        loss : float
        grads : LanguageParams
        state : (m, n_a) ndarray
        """
        table = self.params.table
        seen_x = _seen((*x.shape, table.shape[1]), hide, rng, table.dtype)
        seen_a = _seen((*x.shape, self.layer.widths[0]), hide, rng, table.dtype)
        a = self._read(table[x] * seen_x, start)
        flat = (a * seen_a).reshape(x.size, -1)
        real = np.ones(x.size, bool) if mask is None else mask.ravel()
        loss, dz = _cross_entropy(self._scores(flat), y.ravel(), real)
        da = (dz @ self.output.Wya).reshape(a.shape) * seen_a
        dx, _dstart, grads = self.layer.backward(da)
        dtable = np.zeros_like(table)
        np.add.at(dtable, x, dx * seen_x)
        return loss, LanguageParams(dtable, *grads, dz.T @ flat, dz.sum(axis=0)), a[-1].copy()

    def _scores(self, a):
        shape = len(a), len(self.output.by)
        if self._z.shape != shape:
            self._z = np.empty(shape, a.dtype)
        np.matmul(a, self.output.Wya.T, out=self._z)
        self._z += self.output.by
        return self._z

    def _read(self, x, start):
        return self.layer.forward(x) if start is None else self.layer.forward(x, start)


def sentences(encoded):
    """Sentences as a batch: what is read, what is to be predicted, and where it is real.

    Parameters
    ----------
    encoded : list of (T_x,) array_like of int
        Indices of each sentence, the end (0) included.

    Returns
    -------
    x, y : (T_x, m) ndarray of int
        `x` begins with the end of the sentence before, and is `y` one step later.
    mask : (T_x, m) ndarray of bool
    """
    lengths = np.array([len(tokens) for tokens in encoded])
    y = np.zeros((lengths.max(), len(encoded)), int)
    for i, tokens in enumerate(encoded):
        y[: len(tokens), i] = tokens
    x = np.zeros_like(y)
    x[1:] = y[:-1]
    return x, y, np.arange(len(y))[:, None] < lengths


def groups(encoded, size=64):
    """Sentences in groups of about equal lengths, so that little is padded.

    Parameters
    ----------
    encoded : list of (T_x,) array_like of int
    size : int, optional
        Sentences in a group.

    Yields
    ------
    list of (T_x,) array_like of int
    """
    by_length = sorted(encoded, key=len)
    for start in range(0, len(by_length), size):
        yield by_length[start : start + size]


def _seen(shape, hide, rng, dtype):
    """Factors that hide some numbers, and make up for it in the others."""
    if not hide:
        return np.array(1, dtype)
    return (rng.random(shape, np.float32) >= hide).astype(dtype) / np.array(1 - hide, dtype)


def _cross_entropy(z, y, real):
    """Mean cross-entropy of the real rows, straight from scores, and its gradient."""
    rows = np.arange(len(y))
    z -= z.max(axis=1, keepdims=True)
    right = z[rows, y]
    np.exp(z, out=z)
    sums = z.sum(axis=1)
    loss = (np.log(sums) - right)[real].mean()
    dz = np.divide(z, sums[:, None], out=z)
    dz[rows, y] -= 1
    dz *= (real / real.sum()).astype(z.dtype)[:, None]
    return float(loss), dz
