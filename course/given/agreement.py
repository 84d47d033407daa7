"""Grammatical number over a distance: the cat, which …, was; the cats, which …, were.

Sentences are made from templates of our own. Before the subject stands an opening, between subject
and verb a relative clause of as many words as are asked for, and in both stand other nouns, of
either number. Whoever listens to the first noun, or to the last, guesses; what tells the subject
is the word that follows it, which.
"""

from typing import NamedTuple

import numpy as np

from course.given.echo import spectral_radius
from course.given.types import GRUParams, OutputParams, RNNParams, draw

NOUNS = (
    ("cat", "cats"), ("dog", "dogs"), ("mouse", "mice"), ("child", "children"),
    ("bird", "birds"), ("woman", "women"), ("fox", "foxes"), ("goose", "geese"),
    ("horse", "horses"), ("man", "men"),
)  # fmt: skip
ADJECTIVES = ("old", "small", "hungry", "brown", "lazy", "quick")
ADVERBS = ("already", "often", "never", "quietly")
VERBS = ("saw", "fed", "chased", "found", "liked", "heard")
PREPOSITIONS = ("near", "behind", "beside", "with", "without")
VERB_FORMS = ("was", "were")
SHORTEST = 4  # words between subject and verb, at the least: which saw the dog

SINGULARS, PLURALS = zip(*NOUNS, strict=True)
KINDS = {
    "the": ("the",), "which": ("which",), "that": ("that",), "one": SINGULARS, "many": PLURALS,
    "noun": (*SINGULARS, *PLURALS), "adjective": ADJECTIVES, "adverb": ADVERBS, "verb": VERBS,
    "preposition": PREPOSITIONS,
}  # fmt: skip
WORDS = tuple(word for kind, words in KINDS.items() if kind != "noun" for word in words)
INDEX = {word: k for k, word in enumerate(WORDS)}
INDICES = {kind: np.array([INDEX[word] for word in words]) for kind, words in KINDS.items()}


class Agreement(NamedTuple):
    """A batch: x (T_x, m, n_x) one-hot words before the verb, y (m,): 0 for was, 1 for were."""

    x: np.ndarray
    y: np.ndarray


def agreement(rng, gap, m=32, dtype=float):
    """Draw sentences with so many words between subject and verb, up to the verb.

    Parameters
    ----------
    rng : Generator
    gap : int
        At least 4.
    m : int, optional
        Sentences; every other one has a subject in the plural. All are of one form, drawn at
        random: their words differ, and the number of every noun.
    dtype : dtype, optional
        Of x.

    Returns
    -------
    Agreement
    """
    y = np.arange(m) % 2
    indices = np.array([_words(rng, slot, y) for slot in _form(rng, gap)])
    return Agreement(np.eye(len(WORDS), dtype=dtype)[indices], y)


def spelled(x):
    """The words of one sentence.

    Parameters
    ----------
    x : (T_x, n_x) ndarray
        One-hot.

    Returns
    -------
    list of str
    """
    return [WORDS[k] for k in x.argmax(axis=1)]


def encoded(words):
    """The opposite of `spelled`, as a batch of one: (T_x, 1, n_x) one-hot."""
    return np.eye(len(WORDS))[[INDEX[word] for word in words]][:, None]


class Reader:
    """A recurrent layer that reads a sentence, and chooses the verb by its last state.

    Parameters
    ----------
    layer : Recurrent
        Of one state, such as `RNN` or `GRU`. Its parameters are changed in place by training.
    output : OutputParams
    """

    def __init__(self, layer, output):
        self.layer, self.output = layer, output
        self.params = (*layer.params, *output)

    @property
    def size(self):
        """How many numbers it has learned."""
        return sum(w.size for w in self.params)

    def loss_and_gradients(self, batch, limit=1.0):
        """Mean cross-entropy of a batch, and its gradient, clipped by norm.

        Parameters
        ----------
        batch : Agreement
        limit : float, optional

        Returns
        -------
        loss : float
        grads : list of ndarray
            In the order of `params`.
        """
        states = self.layer.forward(batch.x)
        last, rows = states[-1], np.arange(len(batch.y))
        y_hat = self.predict(last)
        loss = float(-np.log(np.maximum(y_hat[rows, batch.y], 1e-30)).mean())
        y_hat[rows, batch.y] -= 1
        dscores = y_hat / states.dtype.type(len(rows))
        d = np.zeros_like(states)
        d[-1] = dscores @ self.output.Wya
        grads = [*self.layer.backward(d)[2], dscores.T @ last, dscores.sum(axis=0)]
        norm = np.sqrt(sum(float(np.vdot(g, g)) for g in grads))
        return loss, [g * g.dtype.type(limit / max(norm, limit)) for g in grads]

    def predict(self, states):
        """Probabilities of was and of were, (..., 2), after any of the words."""
        scores = states @ self.output.Wya.T + self.output.by
        p = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return p / p.sum(axis=-1, keepdims=True)

    def accuracy(self, gap, seed=9, forms=20, m=50):
        """The share of right verbs, on sentences of many forms with one gap."""
        rng = np.random.default_rng(seed)
        right = []
        for _ in range(forms):
            batch = agreement(rng, gap, m, self.output.by.dtype)
            chosen = self.predict(self.layer.forward(batch.x)[-1]).argmax(axis=1)
            right.append((chosen == batch.y).mean())
        return float(np.mean(right))


def by_counting(gap, seed=9, forms=20, m=50):
    """What somebody gets who says were if most nouns of the sentence are plural; a baseline.

    Where there are as many of either kind, they guess, and get half.
    """
    rng = np.random.default_rng(seed)
    weights = np.zeros(len(WORDS))
    weights[INDICES["many"]], weights[INDICES["one"]] = 1, -1
    right = []
    for _ in range(forms):
        batch = agreement(rng, gap, m)
        more = (batch.x @ weights).sum(axis=0)
        right.append(np.where(more == 0, 0.5, (more > 0) == batch.y).mean())
    return float(np.mean(right))


def plain(seed, n_a, radius=None):
    """A `Reader` with a plain recurrent layer, to be trained.

    Parameters
    ----------
    seed, n_a : int
    radius : float, optional
        Spectral radius that Waa is scaled to; as it was drawn, if it is left out.
    """
    from course.given import RNN

    rng = np.random.default_rng(seed)
    params = draw(RNNParams, rng, np.float32, n_x=len(WORDS), n_a=n_a)
    if radius is not None:
        params = params._replace(Waa=params.Waa * np.float32(radius / spectral_radius(params.Waa)))
    return Reader(RNN(params), draw(OutputParams, rng, np.float32, n_a=n_a, n_y=2))


def gated(seed, n_a, update_bias=0.0):
    """A `Reader` with a GRU, to be trained.

    Parameters
    ----------
    seed, n_a : int
    update_bias : float, optional
        What bu starts from.
    """
    from course.given import GRU

    rng = np.random.default_rng(seed)
    params = draw(GRUParams, rng, np.float32, n_x=len(WORDS), n_a=n_a)
    params.bu[:] = update_bias
    return Reader(GRU(params), draw(OutputParams, rng, np.float32, n_a=n_a, n_y=2))


def _words(rng, slot, y):
    if slot == "subject":
        pair = rng.integers(len(NOUNS), size=len(y))
        return np.where(y, INDICES["many"][pair], INDICES["one"][pair])
    return rng.choice(INDICES[slot], size=len(y))


def _form(rng, gap):
    """The kinds of words of a sentence, up to its verb."""
    opening = [slot for n in _pick(rng, ((), (3,), (4,), (3, 4), (4, 3))) for slot in _phrase(n)]
    first = _pick(rng, [n for n in (4, 5, 6) if _fits(gap - n)])
    clause = ["which", *["adverb"] * (first > 4), "verb", *_thing(first == 6)]
    while len(clause) < gap:
        n = _pick(rng, [n for n in (3, 4, 5) if _fits(gap - len(clause) - n)])
        relative = n == 5 or (n == 4 and rng.random() < 0.5)
        clause += ["that", *_thing(n == 5), "verb"] if relative else _phrase(n)
    return [*opening, "the", "subject", *clause]


def _fits(left):
    """Whether phrases of 3, 4 and 5 words fill so many places."""
    return left == 0 or left >= 3


def _pick(rng, choices):
    return choices[rng.integers(len(choices))]


def _phrase(n):
    return ["preposition", *_thing(n == 4)]


def _thing(described):
    return ["the", "adjective", "noun"] if described else ["the", "noun"]
