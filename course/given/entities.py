"""Sentences with names in them, of which one half is decided by what follows and one by what came
before. The patterns are ours; first names and surnames are real, and those of the test are not
among those of the training.
"""

from typing import NamedTuple

import numpy as np

from course.given import data

KINDS = ("person", "place")
TAGS = ("O", "B-person", "I-person", "B-place", "I-place")

# Names that are words: with the word that makes a thing of them.
THINGS = {
    "teddy": "bears", "rose": "petals", "olive": "oil", "ginger": "biscuits", "pearl": "necklaces",
    "ruby": "rings", "holly": "bushes", "lily": "pads", "daisy": "chains", "amber": "beads",
    "robin": "nests", "penny": "stamps", "grant": "applications", "bill": "payments",
    "art": "museums", "gene": "therapies", "hazel": "twigs", "iris": "bulbs", "jasmine": "teas",
    "violet": "inks", "may": "flowers", "june": "weddings", "april": "showers",
    "summer": "holidays", "dawn": "choruses", "hunter": "boots", "mason": "jars", "king": "beds",
    "jack": "knives", "frank": "answers", "rich": "desserts", "sandy": "beaches",
    "misty": "mornings", "melody": "lines", "star": "signs", "crystal": "glasses",
    "clay": "pots", "forest": "fires", "rusty": "nails", "sunny": "days", "joy": "rides",
    "hope": "chests", "faith": "healers", "grace": "notes", "ray": "guns", "chance": "meetings",
    "chase": "scenes", "cash": "prizes", "ivy": "hedges", "pansy": "seeds",
}  # fmt: skip
PLACES = (
    "jordan", "georgia", "virginia", "victoria", "charlotte", "austin", "lincoln", "jackson",
    "madison", "houston", "paris", "sydney", "florence", "chelsea", "carolina", "israel", "kenya",
    "india", "china", "dakota", "savannah", "brooklyn", "cheyenne", "geneva", "adelaide", "vienna",
    "london", "dallas", "devon", "kent", "chester", "denver", "orlando", "troy", "marion",
    "eugene", "helena", "lorraine", "milan", "valencia", "regina", "abilene", "odessa", "asia",
    "america", "tyler", "montana", "clifton", "preston", "clayton",
)  # fmt: skip

OPENINGS = (
    "he said :", "she said :", "the paper says that", "we heard that", "everybody knows that",
    "i was told that", "it is true that", "they wrote that", "do you think that", "",
    "nobody believes that", "my aunt thinks that", "yesterday i read that",
)  # fmt: skip
OF_PERSONS = (
    "was a great president", "plays the violin", "has two brothers", "wrote a long letter",
    "lost the keys", "is my neighbour", "was asked to sing", "laughed at the joke",
    "married a doctor", "works at the bank", "knows the answer", "said nothing", "came late",
    "has learned to swim", "will be forty in march", "forgot the tickets",
)  # fmt: skip
OF_PLACES = (
    "lies on a wide river", "has a famous harbour", "was flooded last spring",
    "is far from the sea", "exports wheat and wine", "has two universities",
    "is full of tourists", "gets little rain", "has a new airport", "borders on the desert",
    "was founded by monks", "is known for its markets", "elects a new parliament",
    "votes on sunday", "has narrow streets", "is a long drive away",
)  # fmt: skip
OF_THINGS = (
    "are on sale", "cost too much", "are everywhere this year", "were all she wanted",
    "can be ordered here", "are not for children", "are hard to find", "have become popular",
    "were sold out", "need no advertising", "came back into fashion", "are what we need",
)  # fmt: skip

BEFORE_PERSONS = (
    "my friend", "our neighbour", "mr", "mrs", "doctor", "president", "we wrote a letter to",
    "we invited", "he danced with", "her brother", "i voted for", "this is a song by",
    "have you met", "she went to school with",
)  # fmt: skip
BEFORE_PLACES = (
    "they moved to", "this is the road to", "we spent a week in", "she is the mayor of",
    "i bought a map of", "we took the train from", "she grew up in", "i miss the weather in",
    "there is a museum in", "he lives north of", "our plane landed in",
)  # fmt: skip
BEFORE_WORDS = (
    "he cannot spell", "the crossword wants the word", "the password was", "the poem rhymes with",
    "the font is called", "the first word is",
)  # fmt: skip
ENDINGS = (".", "again .", "last week .", "as you know .", "in the end .", "after lunch .", "too .")


class Tagged(NamedTuple):
    """A sentence: its words, and the index in `TAGS` of each one's tag."""

    words: tuple[str, ...]
    tags: tuple[int, ...]


class Sentences(NamedTuple):
    """Sentences to learn from, and two kinds to be tested with.

    ``future``: what follows a name decides; ``past``: what came before it does.
    """

    train: tuple[Tagged, ...]
    future: tuple[Tagged, ...]
    past: tuple[Tagged, ...]


def load_sentences(seed=0, train=3000, test=400):
    """Sentences of both kinds, half and half; no sentence of the tests is in the training.

    Parameters
    ----------
    seed : int, optional
    train : int, optional
        Sentences to learn from.
    test : int, optional
        Sentences of each kind to be tested with.

    Returns
    -------
    Sentences

    Raises
    ------
    DataMissing
        When ``names`` or ``names_by_language`` has not been prepared.
    """
    first, last = data.load_names(), data.load_names_by_language()
    rng = np.random.default_rng(seed)
    seen = {"known": True, "first": first.train, "last": last.train.names}
    new = {"known": False, "first": first.test, "last": last.test.names}
    learned = [(_future, _past)[i % 2](rng, **seen) for i in range(train)]
    tests = (_unread(rng, kind, new, set(learned), test) for kind in (_future, _past))
    return Sentences(tuple(learned), *tests)


def encode(sentences, vocabulary):
    """Sentences as a batch.

    Parameters
    ----------
    sentences : sequence of Tagged
    vocabulary : course.given.language.Vocabulary

    Returns
    -------
    x, y : (T_x, m) ndarray of int
        Words and tags; 0 at padding.
    lengths : (m,) ndarray of int
    """
    lengths = np.array([len(words) for words, _ in sentences])
    x = np.zeros((lengths.max(), len(sentences)), dtype=int)
    y = np.zeros_like(x)
    for i, (words, tags) in enumerate(sentences):
        x[: len(words), i] = vocabulary.numbers(words)[:-1]  # a sentence ends where it ends
        y[: len(words), i] = tags
    return x, y, lengths


def _unread(rng, kind, names, seen, count):
    """Sentences that are not among those seen, each once."""
    found = {}
    while len(found) < count:
        sentence = kind(rng, **names)
        if sentence not in seen:
            found.setdefault(sentence)
    return tuple(found)


def _future(rng, known, first, last):
    """An opening that says nothing, a name that may be two things, and what tells them apart."""
    thing, own = rng.random() < 0.5, rng.random() < 0.5
    word = _pick(rng, _shared(THINGS if thing else PLACES, known))
    opening = _pick(rng, OPENINGS)
    if not own and thing:
        return _tagged((opening, None), (f"{word} {THINGS[word]} {_pick(rng, OF_THINGS)} .", None))
    if not own:
        return _tagged((opening, None), (word, "place"), (_pick(rng, OF_PLACES) + " .", None))
    name = f"{word} {data.fold(_pick(rng, last))}" if rng.random() < 0.5 else word
    return _tagged((opening, None), (name, "person"), (_pick(rng, OF_PERSONS) + " .", None))


def _past(rng, known, first, last):
    """What tells it, a name that may be two things, and an ending that says nothing."""
    word = _pick(rng, _shared(PLACES if rng.random() < 0.7 else THINGS, known))
    person = _pick(rng, BEFORE_PERSONS), _pick(rng, (word, word, _pick(rng, first))), "person"
    place = _pick(rng, BEFORE_PLACES), word, "place"
    neither = _pick(rng, BEFORE_WORDS), word, None
    others = (place, neither) if word in PLACES else (neither,)
    before, name, kind = person if rng.random() < 0.5 else others[rng.integers(len(others))]
    return _tagged((before, None), (name, kind), (_pick(rng, ENDINGS), None))


def _shared(words, known):
    """Names that are met in training: five of six. The test has all."""
    words = list(words)
    return [word for k, word in enumerate(words) if k % 6 != 5] if known else words


def _pick(rng, choice):
    return choice[int(rng.integers(len(choice)))]


def _tagged(*parts):
    """A sentence of parts, each with the kind of entity that it is."""
    words, tags = [], []
    for text, kind in parts:
        own = text.split()
        words += own
        begin = 0 if kind is None else 2 * KINDS.index(kind) + 1
        tags += [begin + (kind is not None and k > 0) for k in range(len(own))]
    return Tagged(tuple(words), tuple(tags))
