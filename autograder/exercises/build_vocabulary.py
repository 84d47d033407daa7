"""A text's tokens, numbered by how often they come."""

from collections import Counter
from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from course.given import EOS, UNK
from solutions.sequences import build_vocabulary

# Capitals and lower case, so that a function that folds them is found out.
WORDS = ("Bears", "Teddy", "a", "bears", "spell", "teddy", "the", "was", "with", "you")


def text(rng, words=WORDS):
    """Sentences in which words come 6, 5, 5, 3, 3, 2, 2, 1, 1, 1 times, one thrice in a row."""
    words = rng.permutation(words).tolist()
    times = (6, 5, 5, 3, 3, 2, 2, 1, 1, 1)
    tokens = [word for word, n in zip(words, times) for _ in range(n)]
    tokens = rng.permutation(tokens).tolist() + [words[3]] * 3
    cuts = sorted(rng.choice(np.arange(4, len(tokens) - 3), 3, replace=False).tolist())
    return [tokens[i:j] for i, j in zip([0, *cuts], [*cuts, len(tokens)])]


def inputs(rng, max_size, words=WORDS):
    return {"sentences": text(rng, words), "max_size": max_size}


def cut_through_a_tie(rng):
    """Five equally frequent words and room for three; the frequent ones come late in the text."""
    tied = rng.permutation(["and", "Bears", "new", "was", "zoo"]).tolist()
    return {"sentences": [tied, ["spell", "a"], ["a", "spell", "a"]], "max_size": 7}


def words_that_look_special(rng):
    sentences = text(rng)
    for sentence in sentences:
        sentence += [UNK, EOS]
    return {"sentences": [[UNK, UNK, UNK], *sentences], "max_size": 8}


def characters(rng):
    names = rng.permutation(["teddy", "hermione", "harry", "granger", "potter"])
    return {"sentences": [list(name) for name in names.tolist()], "max_size": 9}


def with_a_counter(sentences, max_size):
    counts = Counter(token for sentence in sentences for token in sentence)
    del counts[EOS], counts[UNK]
    vocabulary = {EOS: 0, UNK: 1}
    for token, _ in sorted(sorted(counts.items()), key=lambda item: item[1], reverse=True):
        if len(vocabulary) < max_size:
            vocabulary[token] = len(vocabulary)
    return vocabulary


def with_numpy(sentences, max_size):
    """np.unique sorts; a stable sort by frequency keeps the alphabet among equals."""
    tokens = [token for sentence in sentences for token in sentence if token not in (EOS, UNK)]
    words, counts = np.unique(np.array(tokens, dtype=str), return_counts=True)
    words = words[np.argsort(-counts, kind="stable")][: max_size - 2]
    vocabulary = dict(zip(words, np.arange(2, len(words) + 2)))
    vocabulary.update({EOS: 0, UNK: 1})
    return vocabulary


def one_after_another(sentences, max_size):
    """The most frequent of those that are left, again and again."""
    tokens = [token for sentence in sentences for token in sentence]
    kept = [EOS, UNK]
    while len(kept) < max_size:
        left = sorted(set(tokens) - set(kept))
        if not left:
            break
        kept.append(max(left, key=tokens.count))  # max gives the first of equals
    return {token: kept.index(token) for token in kept}


BY_FREQUENCY = "sorted(counts.keys() - {EOS, UNK}, key=lambda token: (-counts[token], token))"
UNSORTED = "token for token in counts if token not in (EOS, UNK)"

EXERCISE = Exercise(
    reference=build_vocabulary,
    cases=(
        Case("room for the seven most frequent words", partial(inputs, max_size=9)),
        Case("room for the seven most frequent words", partial(inputs, max_size=9)),
        Case("more room than words", partial(inputs, max_size=40)),
        Case("equally frequent words, and room for some", cut_through_a_tie),
        Case("words spelled like the special tokens", words_that_look_special),
        Case("characters", characters),
        Case("room for the special tokens alone", partial(inputs, max_size=2)),
        Case("one sentence", lambda rng: {"sentences": text(rng)[:1], "max_size": 4}),
    ),
    returns=("vocabulary",),
    points=3,
    hints=(
        "Three steps: count every token of every sentence; put the tokens in order, the most "
        "frequent first; number them, with EOS and UNK in front.",
        "A dict can count: counts.get(token, 0) is what was counted so far. To sort by two "
        "things, give sorted a key that is a tuple; a minus sign turns one of them round. Leave "
        "EOS and UNK out of the sorting: they have their places.",
        "key=lambda token: (-counts[token], token) puts frequent tokens first and equals in "
        "order of the alphabet. The tokens kept are [EOS, UNK, *words][:max_size], and enumerate "
        "gives each its index.",
    ),
    misconceptions=(
        Edit(
            "specials-not-counted",
            "[EOS, UNK, *words][:max_size]",
            "[EOS, UNK, *words[:max_size]]",
            "max_size words were kept, and EOS and UNK on top. The two count as entries, so that "
            "there is room for max_size - 2 words.",
        ),
        Edit(
            "specials-last",
            "[EOS, UNK, *words][:max_size]",
            "[*words[: max_size - 2], EOS, UNK]",
            "EOS and UNK stand at the end, where their indices depend on the text. They should "
            "come first: 0 and 1, whatever the text is.",
        ),
        Edit(
            "no-specials",
            "[EOS, UNK, *words][:max_size]",
            "words[:max_size]",
            "EOS and UNK are missing. Without UNK there is no index for a word that this text "
            "did not hold.",
        ),
        Edit(
            "unk-before-eos",
            "[EOS, UNK, *words]",
            "[UNK, EOS, *words]",
            "EOS and UNK have changed places: EOS should be 0, and UNK 1.",
        ),
        Edit(
            "counted-from-one",
            "enumerate(tokens)",
            "enumerate(tokens, 1)",
            "The indices begin with 1. They are places in a vector, and these begin with 0.",
        ),
        Edit(
            "alphabet-instead-of-frequency",
            BY_FREQUENCY,
            "sorted(counts.keys() - {EOS, UNK})",
            "The words are in alphabetical order, so what is cut off is the end of the alphabet "
            "and not what is rare.",
        ),
        Edit(
            "rarest-first",
            "(-counts[token], token)",
            "(counts[token], token)",
            "The rarest words come first, and the most frequent ones are cut off.",
        ),
        Edit(
            "order-of-the-text",
            BY_FREQUENCY,
            f"[{UNSORTED}]",
            "The words are numbered in the order in which the text brings them. The most "
            "frequent ones should come first.",
        ),
        Edit(
            "ties-as-they-come",
            BY_FREQUENCY,
            f"sorted(({UNSORTED}), key=lambda token: -counts[token])",
            "Equally frequent words stay in the order in which the text brought them (as they do "
            "with Counter.most_common). The alphabet should decide, so that the order of the "
            "sentences does not matter.",
        ),
        Edit(
            "ties-backwards",
            "key=lambda token: (-counts[token], token))",
            "key=lambda token: (counts[token], token), reverse=True)",
            "reverse=True turned the alphabet round as well as the frequencies. Negate the "
            "frequency instead.",
        ),
        Edit(
            "sentences-counted",
            "for token in sentence:",
            "for token in set(sentence):",
            "This counts in how many sentences a token comes. A token that comes three times in "
            "one sentence should count three times.",
        ),
        Edit(
            "specials-sorted-too",
            "counts.keys() - {EOS, UNK}",
            "counts",
            "A token of the text that is spelled like EOS or UNK was numbered once more, which "
            "gave the special one a second index. Leave them out of the sorting.",
        ),
        Edit(
            "last-sentence-only",
            "for sentence in sentences:",
            "for sentence in sentences:\n        counts = {}",
            "The counts begin anew with every sentence, so only the last one counts. Make the "
            "empty dict before the loop.",
        ),
        Edit(
            "folded",
            "for token in sentence:",
            "for token in map(str.lower, sentence):",
            "The tokens were turned into lower case. Count them as they are: whether Teddy and "
            "teddy are one word was decided by whoever made the tokens.",
        ),
        Edit(
            "turned-round",
            "{token: index for",
            "{index: token for",
            "This dict leads from index to token. A vocabulary leads from token to index.",
        ),
        Edit(
            "counts-for-indices",
            "{token: index for index, token in enumerate(tokens)}",
            "{token: counts.get(token, 0) for token in tokens}",
            "The values are the counts. A vocabulary gives each token its own index.",
        ),
        Edit(
            "words-that-come-once-left-out",
            "tokens = [EOS, UNK, *words]",
            "tokens = [EOS, UNK, *(word for word in words if counts[word] > 1)]",
            "Words that come only once were left out. max_size alone says what is left out.",
        ),
        Edit(
            "max-size-ignored",
            "[:max_size]",
            "",
            "max_size is not used: every word was kept.",
        ),
        Edit(
            "one-too-many",
            "[:max_size]",
            "[: max_size + 1]",
            "There is one entry too many. A slice [:n] already holds n of them.",
        ),
        Edit(
            "one-too-few",
            "[:max_size]",
            "[: max_size - 1]",
            "There is one entry too few. max_size is how many there may be, not the last index.",
        ),
        Edit(
            "room-lost-to-specials",
            BY_FREQUENCY,
            "[\n        token\n        for token in sorted(counts, key=lambda token: (-counts[token], token))[: max_size - 2]\n        if token not in (EOS, UNK)\n    ]",
            "EOS and UNK were left out after the most frequent tokens had been picked, so the "
            "room that they took there stays empty. Leave them out first, then pick.",
        ),
        Edit(
            "folded-words",
            "counts[token] = counts.get(token, 0) + 1",
            "token = token if token in (EOS, UNK) else token.lower()\n            counts[token] = counts.get(token, 0) + 1",
            "The words were turned into lower case. The tokens are counted as they are: whoever "
            "made them has decided about capitals.",
        ),
        Edit(
            "numbered-in-alphabetical-order",
            "tokens = [EOS, UNK, *words][:max_size]",
            "tokens = [EOS, UNK, *sorted(words[: max_size - 2])]",
            "The right tokens, numbered in order of the alphabet. The most frequent should come "
            "first; the alphabet decides among equals only.",
        ),
    ),
    alternatives=(with_a_counter, with_numpy, one_after_another),
)
