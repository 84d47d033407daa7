"""What a model has to be compared with: guesses made by counting."""

import numpy as np


def majority(y_train, y_test):
    """Accuracy of always answering with the most frequent class.

    Parameters
    ----------
    y_train, y_test : (m,) ndarray of int

    Returns
    -------
    float
    """
    return float(np.mean(y_test == np.bincount(y_train).argmax()))


def ngram_accuracy(train, test, n, n_y, smoothing=0.1):
    """Accuracy of naive Bayes on the runs of n letters in a name.

    Parameters
    ----------
    train, test : LabelledNames
    n : int
        1 counts letters and forgets their order; 2 counts pairs, the ends of the name included.
    n_y : int
        Classes.
    smoothing : float, optional
        Added to every count, so that a run never seen is not impossible.

    Returns
    -------
    float
    """
    runs = {run: i for i, run in enumerate(sorted({r for s in train.names for r in _runs(s, n)}))}
    counts = np.full((n_y, len(runs) + 1), smoothing)  # the last column: runs never seen
    for name, label in zip(train.names, train.y, strict=True):
        for run in _runs(name, n):
            counts[label, runs[run]] += 1
    log_p = np.log(counts / counts.sum(axis=1, keepdims=True))
    prior = np.log(np.bincount(train.y, minlength=n_y) + smoothing)
    right = 0
    for name, label in zip(test.names, test.y, strict=True):
        columns = [runs.get(run, len(runs)) for run in _runs(name, n)]
        right += (prior + log_p[:, columns].sum(axis=1)).argmax() == label
    return float(right / len(test.y))


def _runs(name, n):
    if n > 1:
        name = f"^{name}$"
    return [name[i : i + n] for i in range(len(name) - n + 1)]


class NGram:
    """Predictions of the next token, made by counting runs of n tokens.

    Parameters
    ----------
    encoded : list of (T_x,) array_like of int
        Sentences to count in, each with its end (0).
    n : int
        1 forgets everything that was read, 2 knows the last token, 3 the last two.
    n_v : int
        Entries of the vocabulary.
    discount : float, optional
        Taken off every count, and given to what the shorter runs predict (Ney, Essen and Kneser,
        1994), so that a run never seen is not impossible.
    """

    def __init__(self, encoded, n, n_v, discount=0.75):
        self.n, self.n_v, self.discount = n, n_v, discount
        self._counts = [_followers(encoded, length) for length in range(n)]
        self._kept = {}

    def predict(self, x):
        """Predict the next token at each step.

        Parameters
        ----------
        x : (T_x, m) ndarray of int
            What is read; each sequence begins with 0, the end of the one before.

        Returns
        -------
        y_hat : (T_x, m, n_v) ndarray of float32
        """
        y_hat = np.empty((*x.shape, self.n_v), np.float32)
        for i, read in enumerate(x.T.tolist()):
            padded = [0] * max(self.n - 2, 0) + read
            for t in range(len(read)):
                y_hat[t, i] = self._after(tuple(padded[t : t + self.n - 1]))
        return y_hat

    def begin(self):
        """The state before anything is read: no token."""
        return ()

    def step(self, token, state):
        """Read one token, as `generate` asks for it; a state is what has been read, a tuple.

        Returns
        -------
        y_hat : (n_v,) ndarray
        state : tuple of int
        """
        read = (*state, token)
        kept = ([0] * self.n + list(read))[1 - self.n :] if self.n > 1 else ()
        return self._after(tuple(kept)).copy(), read

    def _after(self, run):
        """Probabilities of what follows a run."""
        if run not in self._kept:
            shorter = self._after(run[1:]) if run else np.full(self.n_v, 1 / self.n_v)
            seen = self._counts[len(run)].get(run)
            self._kept[run] = shorter if seen is None else _discounted(seen, shorter, self.discount)
        return self._kept[run]


def _followers(encoded, length):
    """How often each token follows each run of that length."""
    found = {}
    for tokens in encoded:
        padded = [0] * length + [int(token) for token in tokens]
        for t in range(len(tokens)):
            after = found.setdefault(tuple(padded[t : t + length]), {})
            after[padded[t + length]] = after.get(padded[t + length], 0) + 1
    return found


def _discounted(seen, shorter, discount):
    """Counts less a discount, and what was taken off in the proportions of `shorter`."""
    total = sum(seen.values())
    p = shorter * (discount * len(seen) / total)
    for token, count in seen.items():
        p[token] += (count - discount) / total
    return p
