"""A sentence as indices."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from course.given import EOS, UNK
from solutions.sequences import encode

KNOWN = ("a", "and", "invented", "new", "potter", "spell", "the", "was")
UNKNOWN = ("Hermione", "New", "granger", "zoo")  # "New": with a capital it is another token


def vocabulary_of(rng, words=KNOWN):
    return {token: i for i, token in enumerate([EOS, UNK, *rng.permutation(words).tolist()])}


def inputs(rng, known=5, unknown=2):
    """The last token is known, and some known one comes twice."""
    first = rng.choice(KNOWN, known, replace=False).tolist()
    strange = rng.choice(UNKNOWN, unknown, replace=False).tolist()
    middle = rng.permutation([*first[:2], *strange]).tolist()
    return {"tokens": [*first[1:], *middle, first[0]], "vocabulary": vocabulary_of(rng)}


def capitals(rng):
    return {**inputs(rng), "tokens": ["New", "spell", "New", "new", "A", "potter"]}


def special_elsewhere(rng):
    """A vocabulary of another make: its special tokens lie in the middle, a word of ours is 0."""
    case = inputs(rng)
    first = case["tokens"][0]
    tokens = [first, *(token for token in rng.permutation(KNOWN).tolist() if token != first)]
    tokens = [*tokens[:3], UNK, *tokens[3:6], EOS, *tokens[6:]]
    return {**case, "vocabulary": {token: i for i, token in enumerate(tokens)}}


def characters(rng):
    letters = {token: i for i, token in enumerate([EOS, UNK, *"abdefhilmnoprst"])}
    return {"tokens": list(rng.choice(["teddy", "granger", "zoo"])), "vocabulary": letters}


def in_a_loop(tokens, vocabulary):
    indices = []
    for token in tokens:
        if token in vocabulary:
            indices.append(vocabulary[token])
        else:
            indices.append(vocabulary[UNK])
    indices.append(vocabulary[EOS])
    return indices


def with_try(tokens, vocabulary):
    indices = np.empty(len(tokens) + 1, dtype=np.int32)
    for t, token in enumerate([*tokens, EOS]):
        try:
            indices[t] = vocabulary[token]
        except KeyError:
            indices[t] = vocabulary[UNK]
    return indices


def by_searching(tokens, vocabulary):
    """The vocabulary as two arrays, and a look at every entry."""
    words, numbers = np.array(list(vocabulary)), np.array(list(vocabulary.values()))
    rows = [numbers[words == (t if t in words else UNK)] for t in [*tokens, EOS]]
    return np.concatenate(rows).astype(float)


EXERCISE = Exercise(
    reference=encode,
    cases=(
        Case("known and unknown words", inputs),
        Case("known and unknown words", inputs),
        Case("every word is known", partial(inputs, unknown=0)),
        Case("capitals", capitals),
        Case("a vocabulary with its special tokens elsewhere", special_elsewhere),
        Case("characters", characters),
        Case("one word, unknown", lambda rng: {**inputs(rng), "tokens": ["Hermione"]}),
        Case("a sentence without words", lambda rng: {**inputs(rng), "tokens": []}),
    ),
    returns=("indices",),
    points=2,
    hints=(
        "Look each token up. One that the vocabulary does not know gets the index of UNK, and "
        "after the last token comes the index of EOS.",
        "A dict's method get takes a second argument: what to give when the key is missing. The "
        "indices of UNK and of EOS stand in the vocabulary, too.",
        "[vocabulary.get(token, vocabulary[UNK]) for token in tokens] are the words; put "
        "vocabulary[EOS] behind them and make an array of it all.",
    ),
    misconceptions=(
        Edit(
            "no-end",
            "[*known, vocabulary[EOS]]",
            "known",
            "The index of EOS is missing at the end. Without it nothing says that the sentence is "
            "over, and a network that writes never learns to stop.",
        ),
        Edit(
            "end-first",
            "[*known, vocabulary[EOS]]",
            "[vocabulary[EOS], *known]",
            "EOS stands at the start. It belongs at the end.",
        ),
        Edit(
            "end-on-both-sides",
            "[*known, vocabulary[EOS]]",
            "[vocabulary[EOS], *known, vocabulary[EOS]]",
            "EOS stands at the start, too. In this course it only ends a sentence.",
        ),
        Edit(
            "end-twice",
            "[*known, vocabulary[EOS]]",
            "[*known, vocabulary[EOS], vocabulary[EOS]]",
            "EOS stands twice at the end. One is enough.",
        ),
        Edit(
            "end-in-place-of-the-last-word",
            "[*known, vocabulary[EOS]]",
            "[*known[:-1], vocabulary[EOS]]",
            "EOS took the place of the last word. It should come after it, so that there is one "
            "index more than there are tokens.",
        ),
        Edit(
            "unk-for-the-end",
            "[*known, vocabulary[EOS]]",
            "[*known, unknown]",
            "The sentence ends with UNK. UNK is a word that is not known; the end is EOS.",
        ),
        Edit(
            "unknown-becomes-minus-one",
            "vocabulary[UNK]",
            "-1",
            "Unknown words became -1. As an index, -1 means the last entry, so every unknown word "
            "would be taken for the last word of the vocabulary. UNK has an index of its own.",
        ),
        Edit(
            "unknown-becomes-the-end",
            "vocabulary[UNK]",
            "vocabulary[EOS]",
            "Unknown words became EOS, which ends the sentence in the middle. They should become "
            "UNK.",
        ),
        Edit(
            "unknown-left-out",
            "[vocabulary.get(token, unknown) for token in tokens]",
            "[vocabulary[token] for token in tokens if token in vocabulary]",
            "Unknown words were left out. The sentence must keep its length, or labels and words "
            "no longer stand side by side.",
        ),
        Edit(
            "unknown-not-caught",
            "vocabulary.get(token, unknown)",
            "vocabulary[token]",
            "A word that is not in the vocabulary stops it with a KeyError. Use UNK's index there.",
        ),
        Edit(
            "unknown-gets-a-new-index",
            "vocabulary[UNK]",
            "len(vocabulary)",
            "Unknown words got an index that no entry has, beyond the last. A one-hot vector has "
            "no place for it. UNK has an index of its own.",
        ),
        Edit(
            "stops-at-the-unknown",
            "indices = np.array(",
            "known = known[: (known.index(unknown) if unknown in known else None)]\n    "
            "indices = np.array(",
            "The sentence was cut off at its first unknown word.",
        ),
        Edit(
            "folded",
            "vocabulary.get(token, unknown)",
            "vocabulary.get(token.lower(), unknown)",
            "The tokens were turned into lower case. Look them up as they are: whoever made them "
            "has decided about capitals, for the vocabulary and for the sentence alike.",
        ),
        Edit(
            "special-indices-by-heart",
            "vocabulary[UNK]",
            "1",
            "The indices 0 and 1 were taken for granted for EOS and UNK. Ask the vocabulary: one "
            "made elsewhere has them elsewhere.",
            also=(("vocabulary[EOS]", "0"),),
        ),
        Edit(
            "each-word-once",
            "for token in tokens]",
            "for token in dict.fromkeys(tokens)]",
            "A word that comes twice got one index only. Every token of the sentence gets one.",
        ),
        Edit(
            "sorted",
            "[*known, vocabulary[EOS]]",
            "[*sorted(known), vocabulary[EOS]]",
            "The indices were sorted. A sentence is a sequence: its order is what we are here for.",
        ),
        Edit(
            "backwards",
            "[*known, vocabulary[EOS]]",
            "[*known[::-1], vocabulary[EOS]]",
            "The words are in the reverse order.",
        ),
        Edit(
            "unknown-added",
            "vocabulary.get(token, unknown)",
            "vocabulary.setdefault(token, len(vocabulary))",
            "Unknown words were added to the vocabulary, with indices of their own. It is "
            "finished when a text is encoded: the network has as many inputs as it has entries. "
            "Unknown words should get the index of UNK.",
        ),
        Edit(
            "vectors-for-indices",
            "np.array([*known, vocabulary[EOS]])",
            "np.eye(len(vocabulary))[[*known, vocabulary[EOS]]]",
            "These are one-hot vectors. The indices are asked for, one number for each token; "
            "one_hot comes next.",
        ),
        Edit(
            "zero-for-missing",
            "vocabulary.get(token, unknown)",
            "(vocabulary.get(token) or unknown)",
            "A token whose index is 0 was taken for an unknown one: 0 counts as False, so `or` "
            "and `if index` go on past it. Give the default to get, or ask whether it is None.",
        ),
    ),
    alternatives=(in_a_loop, with_try, by_searching),
)
