"""Unit 01: sentences as numbers.

A word is one bit in a vector as long as the vocabulary, as in Elman (1990, "Finding structure in
time"); rare words share one index, as in Bengio et al. (2003, "A neural probabilistic language
model").
"""

import numpy as np

from course.given import EOS, UNK


def build_vocabulary(sentences, max_size):
    """Number the tokens of a text.

    Parameters
    ----------
    sentences : list of list of str
        Tokens, words or characters; the sentences are not ended yet.
    max_size : int
        Largest number of entries, the two special ones counted; at least 2.

    Returns
    -------
    vocabulary : dict of str to int
        Index of each token, in order of the indices: `EOS` is 0, `UNK` is 1, and the most
        frequent tokens of the text follow, the most frequent first. Among equally frequent ones
        the alphabet decides, as Python sorts strings. A token that is spelled like a special
        one is that special one.
    """
    ### BEGIN SOLUTION
    counts = {}
    for sentence in sentences:
        for token in sentence:
            counts[token] = counts.get(token, 0) + 1
    words = sorted(counts.keys() - {EOS, UNK}, key=lambda token: (-counts[token], token))
    tokens = [EOS, UNK, *words][:max_size]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    ### END SOLUTION
    return vocabulary


def encode(tokens, vocabulary):
    """Turn a sentence into indices.

    Parameters
    ----------
    tokens : list of str
        The sentence, without an end.
    vocabulary : dict of str to int
        Index of each token it knows, `EOS` and `UNK` among them, not always at 0 and 1.

    Returns
    -------
    indices : (T_x,) ndarray of int
        One index per token, that of `UNK` where the vocabulary does not know it; then the index
        of `EOS`.
    """
    ### BEGIN SOLUTION
    unknown = vocabulary[UNK]
    known = [vocabulary.get(token, unknown) for token in tokens]
    indices = np.array([*known, vocabulary[EOS]])
    ### END SOLUTION
    return indices


def one_hot(indices, n_v):
    """Turn indices into vectors that a network can read.

    Parameters
    ----------
    indices : (...) ndarray of int
        Any number of axes: one index, (T_x,) of a sentence, (T_x, m) of a batch.
    n_v : int
        Entries of the vocabulary. In real use there are thousands, so better make nothing of
        size n_v × n_v.

    Returns
    -------
    x : (..., n_v) ndarray
        One along the *last* axis where the index says so, zero elsewhere.
    """
    ### BEGIN SOLUTION
    x = np.zeros((*indices.shape, n_v))
    np.put_along_axis(x, indices[..., np.newaxis], 1, axis=-1)
    ### END SOLUTION
    return x


def pad_sequences(sequences):
    """Put sequences of differing lengths side by side in one array.

    Parameters
    ----------
    sequences : list of (T_x,) ndarray of int
        One per example, each of its own length; at least one. A tuple of them does as well.

    Returns
    -------
    indices : (T_x, m) ndarray of int
        Time first, one column per example, as long as the longest; zeros follow the shorter ones.
    mask : (T_x, m) ndarray of bool
        True at real steps, False at the padding.
    """
    ### BEGIN SOLUTION
    lengths = np.array([len(sequence) for sequence in sequences])  # (m,)
    indices = np.zeros((lengths.max(), len(sequences)), dtype=int)
    for i, sequence in enumerate(sequences):
        indices[: len(sequence), i] = sequence
    mask = np.arange(len(indices))[:, np.newaxis] < lengths  # (T_x, m)
    ### END SOLUTION
    return indices, mask


def architectures():
    """Say which of the five architectures each task calls for.

    Each task is one of these five::

        "one to one"                       "many to many, equal lengths"
        "one to many"                      "many to many, other lengths"
        "many to one"

    tomorrow
        The noon temperatures of the last thirty days are read; tomorrow's is to be forecast.
    genes
        A strand of DNA is read; for each of its letters: does it lie in a gene, yes or no?
    pronunciation
        The letters of a word are read; its sounds are written. "Through" has three of them.
    caption
        A photograph, put into one vector by another network; a sentence about it is written.
    digit
        A scan of 28 × 28 pixels, handed over at once, as one vector; which digit is it?
    speaker
        A recording of a sentence is read in 300 slices; which of ten people is speaking?
    next letter
        A text is read; at each of its letters, the network says which letter comes next.

    Returns
    -------
    answers : dict of str to str
        From task to architecture.
    """
    tasks = "tomorrow", "genes", "pronunciation", "caption", "digit", "speaker", "next letter"
    answers = dict.fromkeys(tasks)  # fill in: answers["tomorrow"] = ...
    ### BEGIN SOLUTION
    answers["tomorrow"] = "many to one"
    answers["genes"] = "many to many, equal lengths"
    answers["pronunciation"] = "many to many, other lengths"
    answers["caption"] = "one to many"
    answers["digit"] = "one to one"
    answers["speaker"] = "many to one"
    answers["next letter"] = "many to many, equal lengths"
    ### END SOLUTION
    return answers
