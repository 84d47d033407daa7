"""The echo task: say again what was said k steps ago. A measure of how far a network remembers."""

from typing import NamedTuple

import numpy as np

from course.given.types import OutputParams, RNNModelParams, RNNParams, draw


class Echo(NamedTuple):
    """A batch: x (T_x, m, n_x) one-hot, y (T_x, m) classes, mask (T_x, m) True where y is due."""

    x: np.ndarray
    y: np.ndarray
    mask: np.ndarray


def echo(rng, k, T_x=40, m=32, n_y=4, dtype=float):
    """Draw sequences of symbols; at each step the right answer is the symbol of k steps ago.

    Parameters
    ----------
    rng : Generator
    k : int
        0 asks for the symbol that has just been read.
    T_x, m, n_y : int, optional
        Steps, examples, symbols.
    dtype : dtype, optional
        Of x.

    Returns
    -------
    Echo
        ``y[t]`` is the symbol of ``x[t - k]``. The first k steps have no answer: there the mask
        is False.
    """
    symbols = rng.integers(0, n_y, (T_x, m))
    y = np.zeros_like(symbols)
    y[k:] = symbols[: T_x - k]
    mask = np.zeros((T_x, m), dtype=bool)
    mask[k:] = True
    return Echo(np.eye(n_y, dtype=dtype)[symbols], y, mask)


class Echoer:
    """A recurrent network that predicts at every step, and its gradient, whole or truncated.

    Parameters
    ----------
    params : RNNModelParams
        Changed in place by training.
    length : int, optional
        Steps of a chunk, over which gradients go back; all steps, if it is left out.
    """

    def __init__(self, params, length=None):
        from course.given import RNN

        self.params, self.length = params, length
        self.layer = RNN(RNNParams(params.Wax, params.Waa, params.ba))
        self.output = OutputParams(params.Wya, params.by)

    def loss_and_gradients(self, batch):
        """Mean cross-entropy of a batch, and its gradient.

        Parameters
        ----------
        batch : Echo

        Returns
        -------
        loss : float
        grads : RNNModelParams
        """
        T_x, m, _n_x = batch.x.shape
        state = np.zeros((m, len(self.params.ba)), batch.x.dtype)
        loss, real = 0.0, batch.mask.sum()
        total = [np.zeros_like(w) for w in self.params]
        for start in range(0, T_x, self.length or T_x):
            chunk = slice(start, start + (self.length or T_x))
            a = self.layer.forward(batch.x[chunk], state)
            part, dz = self._surprise(a, batch.y[chunk], batch.mask[chunk], real)
            _dx, _da0, grads = self.layer.backward(dz @ self.output.Wya)
            flat = dz.reshape(-1, dz.shape[-1])
            output = (flat.T @ a.reshape(len(flat), -1), flat.sum(axis=0))
            for w, dw in zip(total, (*grads, *output), strict=True):
                w += dw
            loss, state = loss + part, a[-1].copy()
        return loss, type(self.params)(*total)

    def accuracy(self, batch):
        """The share of answers that are right.

        Parameters
        ----------
        batch : Echo

        Returns
        -------
        float
        """
        a = self.layer.forward(batch.x)
        scores = a @ self.output.Wya.T + self.output.by
        return float((scores.argmax(axis=2) == batch.y)[batch.mask].mean())

    def _surprise(self, a, y, mask, real):
        log_p = _log_probabilities(a @ self.output.Wya.T + self.output.by)
        picked = np.take_along_axis(log_p, y[..., None], axis=-1)[..., 0]
        dz = np.exp(log_p)
        np.put_along_axis(dz, y[..., None], np.exp(picked)[..., None] - 1, axis=-1)
        dz *= mask[..., None] / dz.dtype.type(real)
        return float(-(picked * mask).sum() / real), dz


def predict(a, params):
    """What an output layer makes of states; the function of unit 02, for those who come here first.

    Parameters
    ----------
    a : (..., n_a) ndarray
    params : OutputParams
        Or RNNModelParams.

    Returns
    -------
    (..., n_y) ndarray
        Probabilities.
    """
    return np.exp(_log_probabilities(a @ params.Wya.T + params.by))


def _log_probabilities(z):
    shifted = z - z.max(axis=-1)[..., None]
    return shifted - np.log(np.exp(shifted).sum(axis=-1))[..., None]


def fresh(seed, n_a=48, n_y=4, radius=None, dtype=np.float32):
    """Parameters to start from.

    Parameters
    ----------
    seed : int
    n_a, n_y : int, optional
    radius : float, optional
        Spectral radius that Waa is scaled to; as it was drawn, if it is left out.
    dtype : dtype, optional

    Returns
    -------
    RNNModelParams
    """
    params = draw(RNNModelParams, np.random.default_rng(seed), dtype, n_x=n_y, n_a=n_a, n_y=n_y)
    if radius is None:
        return params
    return params._replace(Waa=params.Waa * dtype(radius / spectral_radius(params.Waa)))


def spectral_radius(matrix):
    """The size of the largest eigenvalue.

    Parameters
    ----------
    matrix : (n_a, n_a) ndarray

    Returns
    -------
    float
    """
    return float(np.abs(np.linalg.eigvals(matrix)).max())
