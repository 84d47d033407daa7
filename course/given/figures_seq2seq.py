"""Drawings of unit 09: encoder and decoder, a beam as a tree, scores by length, attention."""

import numpy as np

from course.given.figures import HALF, UP
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
    arrow,
    box,
    canvas,
)

WIDE = 1.35  # from one step to the next
END = "<EOS>"


def encoder_decoder(word="cat", sounds=("K", "AE", "T"), taught=False):
    """An encoder that reads a word, and a decoder that writes its sounds.

    Parameters
    ----------
    word : str
    sounds : sequence of str
    taught : bool, optional
        Whether the decoder reads the right sounds; else it reads its own.

    Returns
    -------
    Picture
    """
    n = len(word)
    figure, ax = canvas(1.05 * (n + len(sounds)) + 3.2, 3.4)
    for t, letter in enumerate(word):
        _step(ax, t * WIDE, letter, None, first=t == 0)
    start = (n + 0.75) * WIDE
    ax.plot([start - 0.55 * WIDE] * 2, [-0.5, 3.0], color=LINE, linestyle=(0, (4, 3)))
    for t, (read, said) in enumerate(zip([END, *sounds], [*sounds, END], strict=True)):
        _step(ax, start + t * WIDE, read, said, first=False, gap=1.75 * WIDE if t == 0 else WIDE)
        if t and not taught:
            _feed_back(ax, start + (t - 1) * WIDE)
    ax.text((n - 1) / 2 * WIDE, 2.75, "encoder", ha="center", color=INK, fontsize=11)
    ax.text(start + len(sounds) / 2 * WIDE, 3.0, "decoder", ha="center", color=INK, fontsize=11)
    ax.text(start - 0.88 * WIDE, UP + 0.2, "state", ha="center", color=STATE, fontsize=9)
    ax.set_xlim(-0.8, start + len(sounds) * WIDE + 0.8)
    ax.set_ylim(-0.6, 3.3)
    reads = "the right sounds, one step late" if taught else "its own prediction of the step before"
    return Picture(
        figure,
        f"""Left, an encoder: {n} steps read the letters {", ".join(word)}; it predicts nothing. Its
        last state is handed over to the decoder at the right, as the state before its first step.
        The decoder reads {END} first and then {reads}; step by step it predicts
        {", ".join(sounds)} and {END}.""",
    )


def _step(ax, x, read, said, first, gap=WIDE):
    box(ax, x, 0, read, INPUT_FILL, INPUT, width=0.95 if len(read) > 2 else 0.7, size=10)
    box(ax, x, UP, "", STATE_FILL, STATE, width=0.7)
    arrow(ax, (x, HALF), (x, UP - HALF), INPUT)
    if not first:
        arrow(ax, (x - gap + 0.35, UP), (x - 0.35, UP), STATE)
    if said is not None:
        box(ax, x, 2 * UP, said, OUTPUT_FILL, OUTPUT, width=0.95 if len(said) > 2 else 0.7, size=10)
        arrow(ax, (x, UP + HALF), (x, 2 * UP - HALF), OUTPUT)


def _feed_back(ax, x):
    middle = x + WIDE / 2
    xs, ys = [x + 0.36, middle, middle, middle + 0.05], [2 * UP, 2 * UP, 0.0, 0.0]
    ax.plot(xs, ys, color=OUTPUT, linewidth=1.1, linestyle=(0, (3, 2)))
    arrow(ax, (middle, 0.0), (x + WIDE - 0.48, 0.0), OUTPUT)


def beam_tree(levels, tokens):
    """A beam search as a tree, grown from left to right.

    Parameters
    ----------
    levels : list of list of Branch
        As `widgets_seq2seq.grow` makes them, step by step.
    tokens : sequence of str
        What each index stands for.

    Returns
    -------
    Picture
    """
    height = max(len(level) for level in levels)
    figure, ax = canvas(1.9 * len(levels) + 1.6, 0.52 * height + 0.9, axes_off=False)
    ax.axis("off")
    places = {(): (0.0, 0.0)}
    box_of = {"bbox": {"boxstyle": "round,pad=0.25", "facecolor": STATE_FILL, "edgecolor": STATE}}
    ax.text(0, 0, "begin", ha="center", va="center", fontsize=9, color=INK, **box_of)
    for t, level in enumerate(levels, start=1):
        for row, branch in enumerate(level):
            x, y = 2.0 * t, (len(level) - 1) / 2 - row
            places[branch.tokens] = x, y
            _branch(ax, places[branch.tokens[:-1]], (x, y), branch, tokens)
    ax.set_xlim(-0.6, 2.0 * len(levels) + 0.9)
    ax.set_ylim(-height / 2 - 0.3, height / 2 + 0.3)
    kept = [b for level in levels for b in level if b.kept]
    said = "; ".join(f"{_spell(b.tokens, tokens)} {b.log_p:.2f}" for b in kept)
    return Picture(
        figure,
        f"""A beam search as a tree, from left to right, with the log-probability of each
        hypothesis. Kept were: {said}. The others, drawn faintly, were dropped. Green: ended.""",
    )


def _branch(ax, start, end, branch, tokens):
    ended = tokens[branch.tokens[-1]] == END
    fill, edge = (OUTPUT_FILL, OUTPUT) if ended else (STATE_FILL, STATE)
    if not branch.kept:
        fill, edge = "white", LINE
    color = INK if branch.kept else FAINT
    ax.plot(
        [start[0] + 0.35, end[0] - 0.35], [start[1], end[1]], color=edge, linewidth=1.2, zorder=0
    )
    label = f"{tokens[branch.tokens[-1]]}  {branch.log_p:.2f}".replace("-", "−")
    style = {"boxstyle": "round,pad=0.22", "facecolor": fill, "edgecolor": edge}
    ax.text(*end, label, ha="center", va="center", fontsize=8.5, color=color, bbox=style)


def _spell(indices, tokens):
    return "“" + " ".join(tokens[k] for k in indices) + "”"


def by_length(lengths, right, label="right from beginning to end"):
    """The share of right answers by the length of what was read.

    Parameters
    ----------
    lengths : (m,) array_like of int
    right : (m,) array_like of bool

    Returns
    -------
    Picture
    """
    lengths, right = np.asarray(lengths), np.asarray(right)
    kinds = sorted(set(lengths.tolist()))
    shares = [float(right[lengths == n].mean()) for n in kinds]
    figure, ax = canvas(5.2, 2.4, axes_off=False)
    ax.bar([str(n) for n in kinds], [100 * share for share in shares], color=STATE, width=0.6)
    for place, share in enumerate(shares):
        ax.text(place, 100 * share + 2, f"{100 * share:.0f} %", ha="center", fontsize=9, color=INK)
    ax.set_ylim(0, 108)
    ax.set_xlabel("letters of the word", color=INK)
    ax.set_ylabel("per cent", color=INK)
    ax.set_title(label, loc="left", fontsize=10, color=INK)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    said = ", ".join(f"{n} letters {100 * s:.0f} %" for n, s in zip(kinds, shares, strict=True))
    return Picture(figure, f"Share of words {label}, by their length: {said}.")


def attention(word="cat", sound="AE"):
    """A decoder's step that looks at every state of the encoder.

    Parameters
    ----------
    word : str
    sound : str
        What the step predicts.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(7.4, 3.9)
    middle = (len(word) - 1) * WIDE / 2
    weights = np.exp(-2.5 * (np.arange(len(word)) - len(word) // 2) ** 2.0)
    weights /= weights.sum()
    for t, (letter, weight) in enumerate(zip(word, weights, strict=True)):
        _step(ax, t * WIDE, letter, None, first=t == 0)
        ends = [t * WIDE, middle], [UP + HALF, 2.45]
        ax.plot(*ends, color=STATE, linewidth=0.8 + 4 * weight)
        ax.text(t * WIDE - 0.12, UP + 0.62, f"{weight:.2f}", ha="right", fontsize=9, color=INK)
    box(ax, middle, 2.7, "weighted sum", "white", STATE, width=1.9, height=0.5)
    x = (len(word) + 1.2) * WIDE
    box(ax, x, UP, "", STATE_FILL, STATE, width=0.7)
    box(ax, x, 2.7, sound, OUTPUT_FILL, OUTPUT, width=0.7)
    arrow(ax, (x, UP + HALF), (x, 2.45), OUTPUT)
    arrow(ax, (middle + 0.95, 2.6), (x - 0.35, UP + 0.2), STATE)
    arrow(ax, (x - 1.3, UP), (x - 0.35, UP), STATE)
    ax.text(x, UP - 0.5, "a step of\nthe decoder", ha="center", va="top", fontsize=9, color=FAINT)
    ax.set_xlim(-0.9, x + 0.9)
    ax.set_ylim(-0.6, 3.2)
    parts = ", ".join(f"{w:.2f} of {c}" for c, w in zip(word, weights, strict=True))
    return Picture(
        figure,
        f"""Attention. The encoder has a state for each letter of “{word}”. A step of the decoder
        takes a weighted sum of all of them, here {parts}, beside its own state of the step
        before, and predicts {sound}. The weights are made anew at every step; these are
        made up.""",
    )
