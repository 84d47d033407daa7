"""Entities found against entities there are: whole spans, of the right kind."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from solutions.birnn import span_f1

KINDS = 3


def sentence(rng, T_x):
    """Tags of one sentence: entities of one to three words, often side by side."""
    tags = []
    while len(tags) < T_x:
        if rng.random() < 0.45:
            tags += [0] * int(rng.integers(1, 3))
        else:
            kind = int(rng.integers(KINDS))
            tags += [2 * kind + 1] + [2 * kind + 2] * int(rng.integers(3))
    return tags[:T_x]


def mended(rng, tags):
    """A prediction that is mostly right: some tags are drawn anew, an I may lose its B."""
    noise = rng.random(tags.shape) < 0.25
    return np.where(noise, rng.integers(0, 2 * KINDS + 1, tags.shape), tags)


def inputs(rng, T_x=9, m=5):
    true = np.array([sentence(rng, T_x) for _ in range(m)]).T
    return {"predicted": mended(rng, true), "true": true}


def padded(rng):
    case = inputs(rng, T_x=8, m=5)
    real = np.arange(8)[:, np.newaxis] < rng.permutation([8, 3, 5, 2, 6])
    return {name: np.where(real, tags, 0) for name, tags in case.items()}


def written(predicted, true):
    """Sentences as rows of digits, one letter a word; as a batch, time first."""
    batches = ([list(map(int, row)) for row in rows.split()] for rows in (predicted, true))
    made = dict(zip(("predicted", "true"), (np.array(rows).T for rows in batches)))
    return lambda rng: made


def in_words(predicted, true):
    """Tags as letters of a string, and its pieces cut by hand."""
    sets = []
    for tags in (predicted, true):
        pieces = set()
        for i in range(tags.shape[1]):
            begun = None
            row = [int(tag) for tag in tags[:, i]] + [0]
            for t in range(len(row)):
                inside = row[t] > 0 and row[t] % 2 == 0
                goes_on = inside and begun is not None and begun[1] == row[t] // 2
                if not goes_on:
                    if begun is not None:
                        pieces.add((i, *begun, t - 1))
                    begun = (t, (row[t] + 1) // 2) if row[t] else None
        sets.append(pieces)
    right = sum(piece in sets[1] for piece in sets[0])
    if not sets[0] and not sets[1]:
        return 1
    if right == 0:
        return 0
    precision, recall = right / len(sets[0]), right / len(sets[1])
    return 2 * precision * recall / (precision + recall)


def by_borders(predicted, true):
    """Arrays all the way: where an entity begins, where it ends, and of which kind it is."""

    def entities(tags):
        tags = np.vstack([np.zeros_like(tags[:1]), tags, np.zeros_like(tags[:1])]).T.ravel()
        kind, inside = (tags + 1) // 2, (tags > 0) & (tags % 2 == 0)
        goes_on = inside[1:] & (kind[1:] == kind[:-1])
        begins = np.flatnonzero((tags[1:] > 0) & ~goes_on) + 1
        ends = np.flatnonzero((tags[:-1] > 0) & ~goes_on)
        return {(a, b, kind[a]) for a, b in zip(begins.tolist(), ends.tolist())}

    one, two = entities(predicted), entities(true)
    count = len(one) + len(two)
    return np.float64(2 * len(one.intersection(two)) / count) if count else 1.0


def looking_ahead(predicted, true):
    """From each beginning on, as far as it goes; matched as they are found."""

    def spans(row):
        t = 0
        while t < len(row):
            if row[t] == 0:
                t += 1
                continue
            inside = row[t] + row[t] % 2
            end = t + 1
            while end < len(row) and row[end] == inside:
                end += 1
            yield t, end, inside
            t = end

    right = made = there = 0
    for mine, theirs in zip(np.transpose(predicted), np.transpose(true)):
        mine, theirs = list(spans(mine)), list(spans(theirs))
        right += sum(span in theirs for span in mine)
        made, there = made + len(mine), there + len(theirs)
    errors = (made - right) + (there - right)
    return np.float32(right / (right + errors / 2)) if made or there else 1.0


F1 = "f1 = 2 * len(found & wanted) / total if total else 1.0"
SPANS = "found, wanted = spans(predicted), spans(true)"
ADD = "found.add((example, start, t, kind))"
CLOSES = "tag != 2 * kind + 2"
OPENS = "if kind is None and tag > 0"

EXERCISE = Exercise(
    reference=span_f1,
    cases=(
        Case("five sentences", inputs),
        Case("four longer ones", partial(inputs, T_x=14, m=4)),
        Case("padded sentences", padded),
        Case("more sentences than words", partial(inputs, T_x=4, m=9)),
        Case("as many sentences as words", partial(inputs, T_x=6, m=6)),
        Case("entities side by side", written("012120 340110", "012110 340120")),
        Case("entities that the sentence ends with", written("0012 1212", "0012 1211")),
        Case(
            "an I that begins, an I of another kind",
            written("02200 01420 00222 40120", "01200 01340 00122 30120"),
        ),
        Case("right bounds, wrong kinds", written("01203400 12001200", "03401200 12001200")),
        Case("the same words of other sentences", written("12000 00000", "00000 12000")),
        Case("one sentence with most entities", written("1111101 0120000", "1111111 0340000")),
        Case("some found, too few", written("012000 000000", "012034 012012")),
        Case("too many found", written("012034 012012", "012000 000000")),
        Case("nothing is right", written("01200 12000", "00120 00120")),
        Case("no entities, none predicted", written("0000 0000", "0000 0000")),
        Case("entities, none predicted", written("0000 0000", "0120 0000")),
        Case("no entities, some predicted", written("0120 0000", "0000 0000")),
        Case("all right", written("0120 3401", "0120 3401")),
        Case("one word", written("1 2 0 3", "1 1 1 1")),
        Case("an I after an O", written("10200 01202", "12000 01202")),
        Case("an I after another sentence's end", written("0012 2000", "0012 1000")),
    ),
    returns=("f1",),
    points=4,
    hints=(
        "First turn tags into entities: for each sentence a set of (sentence, first word, last word, "
        "kind). Then everything is a matter of sets: those in both are right.",
        "Go through a sentence with one entity open or none. An open entity of kind k goes on "
        "only at tag 2k + 2; anything else closes it. If none is open then, and the tag is not O, "
        "one opens, be the tag B or I. At the end of the sentence close what is open.",
        "With F entities found, W there and R right, precision is R / F and recall R / W; their "
        "harmonic mean is 2R / (F + W), which needs no special case but F + W = 0. "
        "(tag - 1) // 2 is the kind of a tag.",
    ),
    misconceptions=(
        Edit(
            "words-are-counted",
            SPANS,
            "found, wanted = (\n"
            "        {(t, i, (tags[t, i] - 1) // 2) for t, i in np.argwhere(tags > 0)}\n"
            "        for tags in (predicted, true)\n"
            "    )",
            "This counts words. An entity of three words of which two are found is not found: count "
            "whole entities.",
        ),
        Edit(
            "words-with-their-tags-are-counted",
            SPANS,
            "found, wanted = (\n"
            "        {(t, i, tags[t, i]) for t, i in np.argwhere(tags > 0)}\n"
            "        for tags in (predicted, true)\n"
            "    )",
            "This counts words with the right tag. An entity of three words of which two are found "
            "is not found: count whole entities.",
        ),
        Edit(
            "tags-are-counted",
            F1,
            "f1 = (predicted == true).mean()",
            "This is the share of words with the right tag. Most words are outside of all entities, "
            "so who finds nothing at all scores well.",
        ),
        Edit(
            "kind-ignored",
            ADD,
            "found.add((example, start, t))",
            "The kind makes no difference: a person taken for a place counts as right.",
        ),
        Edit(
            "end-ignored",
            ADD,
            "found.add((example, start, kind))",
            "The last word of an entity makes no difference: it is enough to begin in the right "
            "place. Both bounds must be right.",
        ),
        Edit(
            "beginning-ignored",
            ADD,
            "found.add((example, t, kind))",
            "The first word of an entity makes no difference: it is enough to end in the right "
            "place. Both bounds must be right.",
        ),
        Edit(
            "sentence-ignored",
            ADD,
            "found.add((start, t, kind))",
            "An entity is known by its place alone, not by its sentence. The same words of another "
            "sentence are another entity.",
        ),
        Edit(
            "last-one-never-closed",
            "[*sentence, 0]",
            "sentence",
            "An entity that reaches the last word is lost: nothing comes after it to close it.",
        ),
        Edit(
            "inside-cannot-begin",
            OPENS,
            "if kind is None and tag % 2 == 1",
            "An I that does not continue an entity was passed over. Here it begins one, so that a "
            "predicted tag is never ignored.",
        ),
        Edit(
            "a-new-B-goes-on",
            CLOSES,
            "(tag == 0 or (tag - 1) // 2 != kind)",
            "A B of the same kind was taken for the open entity's next word. B always begins a new "
            "one: that is what it is for.",
        ),
        Edit(
            "any-I-goes-on",
            CLOSES,
            "(tag == 0 or tag % 2 == 1)",
            "An I of any kind continues the open entity. Only an I of its own kind should.",
        ),
        Edit(
            "a-B-closes-and-is-lost",
            "            if kind is None and tag > 0",
            "            elif kind is None and tag > 0",
            "The word that closes an entity cannot open the next: of two entities side by side the "
            "second is lost. Ask about opening after you have closed.",
        ),
        Edit(
            "precision",
            F1,
            "f1 = len(found & wanted) / len(found) if found else float(not wanted)",
            "This is precision: who finds one entity and is right about it scores 1. Recall counts, "
            "too.",
        ),
        Edit(
            "recall",
            F1,
            "f1 = len(found & wanted) / len(wanted) if wanted else float(not found)",
            "This is recall: who finds everything and much else scores 1. Precision counts, too.",
        ),
        Edit(
            "arithmetic-mean",
            F1,
            "right = len(found & wanted)\n"
            "    f1 = (right / len(found) + right / len(wanted)) / 2 if found and wanted else float(not total)",
            "This is the arithmetic mean of precision and recall. F1 is the harmonic mean, which is "
            "low when either is.",
        ),
        Edit(
            "half",
            F1,
            "f1 = len(found & wanted) / total if total else 1.0",
            "This is half of it: at best it gives 0.5. The harmonic mean of P and R is "
            "2 P R / (P + R).",
        ),
        Edit(
            "shared-of-all",
            F1,
            "f1 = len(found & wanted) / len(found | wanted) if total else 1.0",
            "This is what both have in common, divided by all that either has (Jaccard's index). F1 "
            "divides twice the common ones by the sum of both.",
        ),
        Edit(
            "mean-over-sentences",
            F1,
            "each = []\n"
            "    for i in range(true.shape[1]):\n"
            "        f, w = ({s for s in some if s[0] == i} for some in (found, wanted))\n"
            "        each.append(2 * len(f & w) / (len(f) + len(w)) if f or w else 1.0)\n"
            "    f1 = float(np.mean(each))",
            "This is the mean of the sentences' own scores. Count the entities of all sentences "
            "together, so that each entity weighs the same.",
        ),
        Edit(
            "mean-over-kinds",
            F1,
            "each = []\n"
            "    for k in {s[3] for s in found | wanted}:\n"
            "        f, w = ({s for s in some if s[3] == k} for some in (found, wanted))\n"
            "        each.append(2 * len(f & w) / (len(f) + len(w)))\n"
            "    f1 = float(np.mean(each)) if each else 1.0",
            "This is the mean of the kinds' own scores. Count the entities of all kinds together.",
        ),
        Edit(
            "nothing-to-find-scores-zero",
            "else 1.0",
            "else 0.0",
            "Where there are no entities and none was predicted, the score is 1: nothing was missed "
            "and nothing was made up.",
        ),
        Edit(
            "time-and-batch-swapped",
            "enumerate(tags.T)",
            "enumerate(tags)",
            "This reads across the batch: a row of tags is one step of all sentences. A sentence is "
            "a column.",
        ),
        Edit(
            "an-O-closes-nothing",
            "for t, tag in enumerate([*sentence, 0]):",
            "for t, tag in [*((t, v) for t, v in enumerate(sentence) if v), (0, 0)]:",
            "An I after an O was taken for the next word of the entity before the O. The O closes"
            " that entity, and the I begins another.",
            also=(
                ("found.add((example, start, t, kind))", "found.add((example, start, last, kind))"),
                (
                    "start, kind = t, (tag - 1) // 2\n",
                    "start, kind = t, (tag - 1) // 2\n                last = t\n",
                ),
            ),
        ),
        Edit(
            "sentences-run-together",
            "for example, sentence in enumerate(tags.T):",
            "for example, sentence in [(0, tags.T.ravel())]:",
            "An I at the beginning of a sentence went on with the entity at the end of the "
            "sentence before. Begin each sentence with no entity open.",
        ),
        Edit(
            "kind-is-half-of-the-tag",
            "(tag - 1) // 2",
            "tag // 2",
            "tag // 2 puts the B and the I of one kind into two kinds. Tags are counted from 1 "
            "after O: (tag - 1) // 2 is the same for both.",
        ),
        Edit(
            "an-O-begins-one",
            "kind is None and tag > 0",
            "kind is None",
            "An O begins an entity, too. Outside of entities nothing is open.",
        ),
        Edit(
            "none-is-ever-closed",
            "kind is not None and tag != 2 * kind + 2",
            "False",
            "No entity is ever closed, so none is found. What is not the I of its kind closes it.",
        ),
    ),
    alternatives=(in_words, by_borders, looking_ahead),
)
