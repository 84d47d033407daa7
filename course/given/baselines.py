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
