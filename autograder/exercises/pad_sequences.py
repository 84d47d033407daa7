"""Sequences of differing lengths in one array, and where they end."""

from itertools import zip_longest

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from solutions.sequences import pad_sequences


def sequences(rng, *lengths):
    """Indices from 2 on, then EOS, which is 0: as `encode` leaves them."""
    return {"sequences": tuple(np.append(rng.integers(2, 30, n - 1), 0) for n in lengths)}


def ragged(rng):
    """The longest is neither first nor last, and the lengths are in no order."""
    return sequences(rng, *rng.permutation([4, 7, 2]).tolist()[:2], 8, 6, 3)


def zeros_within(rng):
    """Index 0 in the middle of a sequence."""
    case = sequences(rng, 6, 3, 8, 5)
    for row in case["sequences"]:
        row[1] = 0
    return case


def without_an_end(rng):
    """Not ended by 0: what is cut off or marked too short cannot hide behind it."""
    rows = [rng.integers(2, 30, n) for n in (5, 2, 7)]
    return {"sequences": tuple(rows)}


def in_loops(sequences):
    T_x = max(len(sequence) for sequence in sequences)
    indices = [[0] * len(sequences) for _ in range(T_x)]
    mask = [[False] * len(sequences) for _ in range(T_x)]
    for i, sequence in enumerate(sequences):
        for t, index in enumerate(sequence):
            indices[t][i], mask[t][i] = int(index), True
    return indices, mask


def with_zip(sequences):
    steps = list(zip_longest(*sequences, fillvalue=-1))
    indices = np.array(steps)
    mask = indices >= 0
    return np.where(mask, indices, 0), mask


def with_pad(sequences):
    longest = max(map(len, sequences))
    rows = [np.pad(sequence, (0, longest - len(sequence))) for sequence in sequences]
    ones = [np.pad(np.ones(len(s), dtype=int), (0, longest - len(s))) for s in sequences]
    return np.stack(rows, axis=1).astype(np.int32), np.stack(ones, axis=1)


def through_the_mask(sequences):
    """The mask first; then all indices go, in order, where it is True."""
    lengths = np.array([len(sequence) for sequence in sequences])
    mask = np.arange(lengths.max()) < lengths[:, None]
    indices = np.zeros(mask.shape, dtype=int)
    indices[mask] = np.concatenate(sequences)
    return indices.T, mask.T


MASK = "mask = np.arange(len(indices))[:, np.newaxis] < lengths"
ROW = "indices[: len(sequence), i] = sequence"

EXERCISE = Exercise(
    reference=pad_sequences,
    cases=(
        Case("five sentences, every length differs", ragged),
        Case("five sentences, every length differs", ragged),
        Case("index 0 within the sentences", zeros_within),
        Case("sequences that no EOS ends", without_an_end),
        Case("no padding", lambda rng: sequences(rng, 4, 4, 4)),
        Case("as many sentences as steps", lambda rng: sequences(rng, 3, 4, 2, 1)),
        Case("one sentence", lambda rng: sequences(rng, 5)),
        Case("one step", lambda rng: {"sequences": (np.array([9]), np.array([0]))}),
    ),
    returns=("indices", "mask"),
    points=3,
    hints=(
        "Find the longest length first, and make an array of zeros that has room for it: time "
        "first, one column for each sequence. Then write each sequence into its column, from the "
        "top.",
        "indices[:n, i] = sequence fills the first n steps of column i. For the mask ask of each "
        "place: is its step smaller than the length of its sequence? Do not look for zeros: 0 is "
        "EOS, a real token.",
        "With lengths of shape (m,), np.arange(T_x)[:, np.newaxis] < lengths compares every step "
        "with every length and is (T_x, m).",
    ),
    misconceptions=(
        Edit(
            "mask-from-zeros",
            MASK,
            "mask = indices != 0",
            "The mask is True where the index is not 0. But 0 is the index of EOS, a real token, "
            "so the end of every sentence counts as padding. Make the mask from the lengths.",
        ),
        Edit(
            "batch-first",
            MASK,
            MASK + "\n    indices, mask = indices.T, mask.T",
            "These are (m, T_x), one row for each sequence. Here time comes first: one column "
            "for each sequence.",
        ),
        Edit(
            "padded-in-front",
            ROW,
            "indices[len(indices) - len(sequence) :, i] = sequence",
            "The zeros stand before the shorter sentences. They should follow them, so that "
            "every sentence begins at step 0.",
            also=((MASK, "mask = np.arange(len(indices))[::-1, np.newaxis] < lengths"),),
        ),
        Edit(
            "mask-the-other-way-round",
            "< lengths",
            ">= lengths",
            "The mask is True at the padding. Here True means a real step (some libraries have "
            "it the other way round).",
        ),
        Edit(
            "mask-one-step-too-long",
            "< lengths",
            "<= lengths",
            "The mask goes one step too far: with n real steps, the last is step n - 1, so it is "
            "t < n.",
        ),
        Edit(
            "mask-leaves-the-end-out",
            "< lengths",
            "< np.subtract(lengths, 1)",
            "The mask leaves out the last real step of every sentence.",
        ),
        Edit(
            "mask-all-true",
            "[:, np.newaxis] < lengths",
            "[:, np.newaxis] < len(indices) + 0 * lengths",
            "The mask is True everywhere, so nobody can tell padding from words.",
        ),
        Edit(
            "mask-of-the-last-step-alone",
            "< lengths",
            "== lengths - 1",
            "The mask is True at the last real step alone. It should be True at all of them.",
        ),
        Edit(
            "cut-to-the-shortest",
            ROW,
            "indices[: lengths.min(), i] = sequence[: lengths.min()]",
            "All sentences were cut to the length of the shortest. Padding is there to keep "
            "every word.",
            also=((MASK, "indices = indices[: lengths.min()]\n    " + MASK),),
        ),
        Edit(
            "padded-with-unk",
            "np.zeros((lengths.max(), len(sequences)), dtype=int)",
            "np.ones((lengths.max(), len(sequences)), dtype=int)",
            "The padding is 1, which is UNK. Zeros are asked for.",
        ),
        Edit(
            "padded-with-minus-one",
            "np.zeros((lengths.max(), len(sequences)), dtype=int)",
            "-np.ones((lengths.max(), len(sequences)), dtype=int)",
            "The padding is -1. As an index that is the last word of the vocabulary; zeros are "
            "asked for, and the mask says that they mean nothing.",
        ),
        Edit(
            "last-token-repeated",
            ROW,
            "indices[:, i] = sequence[-1]\n        " + ROW,
            "The shorter sentences were filled up with their last token. Zeros are asked for.",
        ),
        Edit(
            "started-again",
            ROW,
            "indices[:, i] = np.resize(sequence, len(indices))",
            "The shorter sentences begin anew where they end. Zeros are asked for.",
        ),
        Edit(
            "one-step-too-long",
            "lengths.max()",
            "lengths.max() + 1",
            "There is one step of padding after the longest sentence, too.",
        ),
        Edit(
            "sorted-by-length",
            "lengths = np.array(",
            "sequences = sorted(sequences, key=len, reverse=True)\n    lengths = np.array(",
            "The sentences were sorted by length. They should keep their order, or they no "
            "longer stand beside their labels.",
        ),
        Edit(
            "sentences-backwards",
            ROW,
            "indices[: len(sequence), i] = sequence[::-1]",
            "The sentences are written backwards.",
        ),
        Edit(
            "last-token-lost",
            ROW,
            "indices[: len(sequence) - 1, i] = sequence[:-1]",
            "The last token of each sentence is missing.",
        ),
        Edit(
            "written-one-step-late",
            ROW,
            "indices[1 : len(sequence), i] = sequence[:-1]",
            "Each sentence begins one step late and loses its last token. The first token "
            "belongs at step 0.",
        ),
        Edit(
            "indices-padded-in-front",
            "indices[: len(sequence), i] = sequence",
            "indices[len(indices) - len(sequence) :, i] = sequence",
            "The zeros stand before the shorter sentences, and the mask is made for zeros that "
            "follow them, as they should: every sentence begins at step 0.",
        ),
    ),
    alternatives=(in_loops, with_zip, with_pad, through_the_mask),
)
