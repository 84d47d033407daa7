"""Indices as vectors."""

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import sizes
from solutions.sequences import one_hot

N_V = 11  # none of the sizes that `sizes` draws


def batch(rng, n_v=N_V, **fixed):
    """The first and the last index are in it, and one comes twice in a row."""
    size = sizes(rng, **fixed)
    indices = rng.integers(0, n_v, (size["T_x"], size["m"]))
    indices.flat[:3] = [0, n_v - 1, n_v - 1]
    return {"indices": rng.permuted(indices.ravel()).reshape(indices.shape), "n_v": n_v}


def sentence(rng):
    return {"indices": batch(rng)["indices"].ravel()[:7], "n_v": N_V}


def few_words_of_many(rng):
    """The large indices of a large vocabulary are not among the words of the batch."""
    return {"indices": rng.integers(1, 9, (3, 2)), "n_v": 90}


def in_loops(indices, n_v):
    x = np.zeros((*indices.shape, n_v))
    for place in np.ndindex(indices.shape):
        x[place][indices[place]] = 1.0
    return x


def by_comparing(indices, n_v):
    return (indices[..., None] == np.arange(n_v)).astype(np.float32)


def rows_of_the_identity(indices, n_v):
    """Right, though it builds an n_v × n_v matrix: the text says what that costs."""
    return np.eye(n_v)[indices]


def flat_and_back(indices, n_v):
    flat = np.ravel(indices)
    x = np.zeros((flat.size, n_v), dtype=int)
    x[np.arange(flat.size), flat] = 1
    return x.reshape(*np.shape(indices), n_v).tolist()


SET = "np.put_along_axis(x, indices[..., np.newaxis], 1, axis=-1)"

EXERCISE = Exercise(
    reference=one_hot,
    cases=(
        Case("a batch, every size differs", batch),
        Case("a batch, every size differs", batch),
        Case("one sentence", sentence),
        Case("one index", lambda rng: {"indices": np.array(rng.integers(2, 6)), "n_v": 7}),
        Case("a vocabulary larger than the batch", few_words_of_many),
        Case("as many steps as examples and words", lambda rng: batch(rng, 5, T_x=5, m=5)),
        Case("one step of one example", lambda rng: {"indices": np.array([[2]]), "n_v": 4}),
    ),
    returns=("x",),
    points=2,
    hints=(
        "The result has one axis more than `indices`, n_v long. It is zero everywhere but at one "
        "place for each index.",
        "Two ways: make zeros of shape (*indices.shape, n_v) and set the right places to 1; or "
        "compare every index with every number from 0 to n_v - 1, which broadcasting does if "
        "`indices` gets one more axis at the end.",
        "indices[..., np.newaxis] has shape (..., 1) and np.arange(n_v) has (n_v,). Compared "
        "with ==, they give (..., n_v) of True and False; multiply by 1.0 for numbers.",
    ),
    misconceptions=(
        Edit(
            "counted-from-one",
            "indices[..., np.newaxis]",
            "np.expand_dims(indices - 1, -1)",
            "Each 1 stands one place too early, as if indices were counted from 1. Index 0 became "
            "-1, which NumPy reads as the last place, without a word.",
        ),
        Edit(
            "one-place-too-late",
            "indices[..., np.newaxis]",
            "np.expand_dims((indices + 1) % n_v, -1)",
            "Each 1 stands one place too late. Index k lights up entry k, counted from 0.",
        ),
        Edit(
            "vocabulary-first",
            SET,
            SET + "\n    x = np.moveaxis(x, -1, 0)",
            "The axis of the vocabulary is the first. It should come last, so that x[t] is one "
            "step of all examples, (m, n_v).",
        ),
        Edit(
            "time-and-batch-swapped",
            SET,
            SET + "\n    x = np.swapaxes(x, 0, -2) if x.ndim > 2 else x",
            "Time and batch changed places. The axes of `indices` stay as they are, and the "
            "vocabulary's is added behind them.",
        ),
        Edit(
            "every-step-lights-up-all-words",
            SET,
            "x[..., indices] = 1",
            "x[..., indices] = 1 sets, at every step, the places of all the words of all steps. "
            "Each step should have a single 1, its own: pair each index with its own row.",
        ),
        Edit(
            "whole-rows-set",
            SET,
            "x[indices % len(x) if x.ndim > 1 else ...] = 1",
            "Whole rows became 1: x[indices] chooses along the *first* axis. The index belongs to "
            "the last.",
        ),
        Edit(
            "bag-of-words",
            SET,
            SET + "\n    x = x.sum(axis=0)",
            "The vectors of a sentence were added up: a bag of words, which has lost their order. "
            "Keep one vector for each step.",
        ),
        Edit(
            "flattened",
            SET,
            SET + "\n    x = x.reshape(-1, n_v)",
            "The axes of `indices` were flattened into one. Each of them should stay: "
            "(*indices.shape, n_v).",
        ),
        Edit(
            "index-for-one",
            "indices[..., np.newaxis], 1,",
            "indices[..., np.newaxis], indices[..., np.newaxis],",
            "The index itself was written in place of 1, which makes late words of the vocabulary "
            "louder than early ones.",
        ),
        Edit(
            "thermometer",
            SET,
            "x[:] = np.arange(n_v) <= indices[..., np.newaxis]",
            "Every entry up to the index is 1. Only the index's own should be.",
        ),
        Edit(
            "one-cold",
            SET,
            SET + "\n    x = 1 - x",
            "Zeros and ones changed places.",
        ),
        Edit(
            "index-zero-left-dark",
            SET,
            SET + "\n    x[..., 0] = 0",
            "Index 0 gave a vector of zeros. It is a token like any other (EOS); the mask says "
            "what is padding, and not the index.",
        ),
        Edit(
            "as-wide-as-the-largest-index",
            "np.zeros((*indices.shape, n_v))",
            "np.zeros((*indices.shape, indices.max() + 1))",
            "The vectors are as long as the largest index in these sentences asks for. They "
            "should be n_v long, whatever the sentences hold, or the next batch does not fit the "
            "weights.",
        ),
        Edit(
            "one-entry-too-many",
            "np.zeros((*indices.shape, n_v))",
            "np.zeros((*indices.shape, n_v + 1))",
            "The vectors are n_v + 1 long. Indices run from 0 to n_v - 1, so n_v places suffice.",
        ),
        Edit(
            "indices-as-they-are",
            SET,
            "x = indices[..., np.newaxis] * 1.0",
            "These are the indices themselves, as numbers. A network would take word 4 for "
            "twice word 2; a vector with a single 1 makes no such claim.",
        ),
    ),
    alternatives=(in_loops, by_comparing, rows_of_the_identity, flat_and_back),
)
