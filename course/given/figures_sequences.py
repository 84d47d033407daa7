"""Drawings of unit 01: a sentence and its labels, one-hot columns, padding, frequencies."""

import numpy as np

from course.given.picture import (
    FAINT,
    INK,
    INPUT,
    INPUT_FILL,
    LINE,
    OUTPUT,
    OUTPUT_FILL,
    STATE,
    STATE_FILL,
    Picture,
    box,
    canvas,
)
from course.given.tokens import EOS, UNK

SENTENCE = ("Harry", "Potter", "and", "Hermione", "Granger", "invented", "a", "new", "spell")
LABELS = (1, 1, 0, 1, 1, 0, 0, 0, 0)
STYLES = ((INPUT, "-"), (OUTPUT, "--"), (STATE, ":"))


def named_entities():
    """A sentence word by word, and which of its words belong to a person's name.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(9.6, 2.1)
    for t, (word, label) in enumerate(zip(SENTENCE, LABELS, strict=True)):
        x = 1.45 * t
        box(ax, x, 0, word, INPUT_FILL, INPUT, width=1.34, size=10)
        fill = OUTPUT_FILL if label else "white"
        box(ax, x, 1.1, str(label), fill, OUTPUT, width=0.5)
        ax.plot([x, x], [0.28, 0.82], color=LINE, linewidth=1)
        ax.text(x, -0.55, _at("x", t + 1), ha="center", va="center", color=INPUT, fontsize=10)
        ax.text(x, 1.65, _at("y", t + 1), ha="center", va="center", color=OUTPUT, fontsize=10)
    ax.set_xlim(-0.8, 1.45 * 8 + 0.8)
    ax.set_ylim(-0.85, 1.95)
    names = ", ".join(word for word, label in zip(SENTENCE, LABELS, strict=True) if label)
    return Picture(
        figure,
        f"""The nine words of a sentence, x<1> to x<9>: {", ".join(SENTENCE)}. Above each stands
        its label, y<1> to y<9>: 1 for {names}, and 0 for the others.""",
    )


def one_hot_columns(tokens, vocabulary):
    """Tokens as columns that are as long as the vocabulary, with a single 1 each.

    Parameters
    ----------
    tokens : sequence of str
        Each of them in the vocabulary.
    vocabulary : sequence of str
        In order of the indices; short enough to draw.

    Returns
    -------
    Picture
    """
    rows, size = list(vocabulary), 0.5
    figure, ax = canvas(1.6 + 0.8 * len(tokens), 0.75 + 0.29 * len(rows))
    for k, entry in enumerate(rows):
        ax.text(-0.75, -size * k, f"{entry}  {k}", ha="right", va="center", color=INK, fontsize=9)
    for t, token in enumerate(tokens):
        x = 1.35 * t
        ax.text(x, 0.95, token, ha="center", va="center", color=INK, fontsize=10)
        ax.text(x, 0.55, str(rows.index(token)), ha="center", va="center", color=FAINT, fontsize=9)
        for k, entry in enumerate(rows):
            here = entry == token
            fill, edge = (INPUT_FILL, INPUT) if here else ("white", LINE)
            box(ax, x, -size * k, str(int(here)), fill, edge, width=0.8, height=0.44, size=9)
    ax.set_xlim(-2.6, 1.35 * (len(tokens) - 1) + 0.7)
    ax.set_ylim(-size * len(rows) + 0.2, 1.25)
    ones = ", ".join(f"“{token}” at {rows.index(token)}" for token in tokens)
    return Picture(
        figure,
        f"""{len(tokens)} columns of {len(rows)} numbers, one a token. Each is 0 but for a single
        1, at the token's index: {ones}.""",
    )


def padded_batch(sentences, vocabulary):
    """Sentences side by side, as indices: what is real, what is unknown, what is padding.

    Parameters
    ----------
    sentences : sequence of sequence of str
        Tokens, without their ends.
    vocabulary : dict of str to int

    Returns
    -------
    Picture
    """
    longest = max(map(len, sentences)) + 1
    figure, ax = canvas(1.2 + 0.92 * longest, 0.5 + 0.78 * len(sentences))
    for row, sentence in enumerate(sentences):
        y = -1.12 * row
        for t, token in enumerate([*sentence, EOS]):
            known = token in vocabulary
            index = vocabulary[token if known else UNK]
            fill, edge = (INPUT_FILL, INPUT) if known else (STATE_FILL, STATE)
            box(ax, 1.3 * t, y, _two_lines(token, index, known), fill, edge, 1.2, 0.86, size=9)
        for t in range(len(sentence) + 1, longest):
            box(ax, 1.3 * t, y, "padding\n0", "white", LINE, 1.2, 0.86, size=9)
        ax.text(-0.8, y, f"example {row}", ha="right", va="center", color=FAINT, fontsize=9)
    for t in range(longest):
        ax.text(1.3 * t, 0.65, f"t = {t}", ha="center", va="center", color=FAINT, fontsize=8.5)
    ax.set_xlim(-2.3, 1.3 * (longest - 1) + 0.7)
    ax.set_ylim(-1.12 * len(sentences) + 0.6, 0.9)
    return Picture(figure, _say_batch(sentences, vocabulary, longest))


def frequencies(counts):
    """How often the tokens of a text come, by rank, and how much of the text they cover.

    Parameters
    ----------
    counts : sequence of int
        Of each token; in any order.

    Returns
    -------
    Picture
    """
    counts = np.sort(np.asarray(counts))[::-1]
    rank = np.arange(1, len(counts) + 1)
    share = counts.cumsum() / counts.sum()
    zipf = (1 / rank).cumsum() / (1 / rank).sum()
    figure, (left, right) = canvas(9.0, 3.0, columns=2, axes_off=False)
    left.loglog(rank, counts, color=STATE, label="measured")
    left.loglog(rank, counts[0] / rank, color=FAINT, linestyle="--", label="most frequent / rank")
    left.set_ylabel("times it comes")
    right.semilogx(rank, 100 * share, color=STATE, label="measured")
    right.semilogx(rank, 100 * zipf, color=FAINT, linestyle="--", label="from 1 / rank")
    right.set_ylabel("covered by the first ranks, %")
    right.set_ylim(0, 100)
    for ax in (left, right):
        ax.set_xlabel("rank of the token")
        ax.legend(frameon=False)
        ax.spines[["top", "right"]].set_visible(False)
    said = ", ".join(f"the first {n} cover {100 * share[n - 1]:.0f} %" for n in _powers(len(share)))
    return Picture(
        figure,
        f"""Left: how often a token comes against its rank, both on logarithmic scales; it
        roughly follows a straight line that falls as 1 / rank, from {counts[0]} times at rank 1
        to {counts[-1]} at rank {len(counts)}. Right: the share of the text that the first ranks
        cover: {said}.""",
    )


def unknown_shares(sizes, shares):
    """The share of unknown tokens against the size of the vocabulary.

    Parameters
    ----------
    sizes : sequence of int
    shares : dict of str to sequence of float
        From the name of a text to its share at each size; three texts at most.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(6.4, 2.9, axes_off=False)
    for (name, values), (color, dashes) in zip(shares.items(), STYLES, strict=False):
        percent = 100 * np.asarray(values)
        ax.plot(sizes, percent, color=color, linestyle=dashes, marker="o", markersize=3, label=name)
    ax.set_xscale("log")
    ax.set_xticks(list(sizes), [f"{n:,}" for n in sizes], fontsize=8)
    ax.minorticks_off()
    ax.set_ylim(0, None)
    ax.set_xlabel("entries of the vocabulary")
    ax.set_ylabel("unknown tokens, %")
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    said = "; ".join(
        f"{name}: from {100 * values[0]:.0f} % at {sizes[0]:,} entries to "
        f"{100 * values[-1]:.1f} % at {sizes[-1]:,}"
        for name, values in shares.items()
    )
    return Picture(figure, f"The share of tokens that become UNK falls. {said}.")


def _at(letter, step):
    return rf"${letter}^{{\langle {step}\rangle}}$"


def _two_lines(token, index, known):
    """A token, cut where it is long, and its index below."""
    token = token if len(token) <= 9 else token[:8] + "…"
    return f"{token}\n{index}" + ("" if known else " UNK")


def _say_batch(sentences, vocabulary, longest):
    rows = []
    for row, sentence in enumerate(sentences):
        words = " ".join(t if t in vocabulary else f"{t} (unknown)" for t in sentence)
        real = len(sentence) + 1
        rows.append(
            f"Example {row}: {words} {EOS}; {real} real steps, {longest - real} of padding."
        )
    return f"A batch of {len(sentences)} sentences, {longest} steps long. " + " ".join(rows)


def _powers(n):
    return [10**k for k in range(1, 6) if 10**k <= n]
