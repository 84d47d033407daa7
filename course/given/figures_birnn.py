"""Drawings of unit 07: two layers on one sentence, sentences turned round, and who was right."""

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
    arrow,
    box,
    canvas,
)

BACKWARD, BACKWARD_FILL = "#86198f", "#fae8ff"  # 7.9 : 1 on the ground
WAYS = ("forward", "backward", "both")
LOOKS = {  # of each way: its colour, and a hatch or a mark that tells it without colour
    "forward": (STATE, "//", "o"),
    "backward": (BACKWARD, "\\\\", "s"),
    "both": (OUTPUT, "", "^"),
}


def both_ways(words=("he", "said", "teddy", "bears")):
    """A sentence that one layer reads from the beginning and one from the end.

    Parameters
    ----------
    words : sequence of str, optional

    Returns
    -------
    Picture
    """
    figure, ax = canvas(1.2 + 1.75 * len(words), 4.6)
    for t, word in enumerate(words):
        _step(ax, 2.0 * t, t + 1, word, t > 0, t < len(words) - 1)
    end = 2.0 * (len(words) - 1)
    ax.text(-1.5, 1.45, "forward", color=STATE, fontsize=10, ha="center", va="center")
    ax.text(end + 1.5, 2.75, "backward", color=BACKWARD, fontsize=10, ha="center", va="center")
    ax.set_xlim(-2.1, end + 2.2)
    ax.set_ylim(-0.5, 4.9)
    return Picture(
        figure,
        f"""The words {", ".join(words)} side by side. Each goes up into two states. The forward
        states, one row, are joined by arrows from left to right: each knows its own word and all
        before it. The backward states, a row above, are joined by arrows from right to left: each
        knows its own word and all after it. Both states of a word, and nothing else, go up into
        its prediction.""",
    )


def _step(ax, x, step, word, has_past, has_future):
    """A word, its two states, its prediction, and the arrows into the states."""
    at = rf"^{{\langle {step}\rangle}}"
    left, right = x - 0.42, x + 0.42
    box(ax, x, 0, word, INPUT_FILL, INPUT, width=1.15)
    box(ax, left, 1.45, rf"$\overrightarrow{{a}}{at}$", STATE_FILL, STATE)
    box(ax, right, 2.75, rf"$\overleftarrow{{a}}{at}$", BACKWARD_FILL, BACKWARD)
    box(ax, x, 4.3, rf"$\hat{{y}}{at}$", OUTPUT_FILL, OUTPUT)
    arrow(ax, (left, 0.28), (left, 1.17), INPUT)
    arrow(ax, (right, 0.28), (right, 2.47), INPUT)
    arrow(ax, (left, 1.73), (left + 0.25, 4.02), OUTPUT)
    arrow(ax, (right, 3.03), (right - 0.22, 4.02), OUTPUT)
    if has_past:
        arrow(ax, (left - 1.6, 1.45), (left - 0.4, 1.45), STATE)
    if has_future:
        arrow(ax, (right + 1.6, 2.75), (right + 0.4, 2.75), BACKWARD)


def turned_round(sentences):
    """Padded sentences, all their steps turned round, and each within its own length.

    Parameters
    ----------
    sentences : sequence of str
        Words with spaces between.

    Returns
    -------
    Picture
    """
    rows = [sentence.split() for sentence in sentences]
    longest = max(map(len, rows))
    padded = [[*row, *["0"] * (longest - len(row))] for row in rows]
    ways = {
        "as they are": padded,
        "x[::-1]": [row[::-1] for row in padded],
        "within their lengths": [
            [*row[::-1], *["0"] * (longest - len(row))] for row in rows
        ],
    }  # fmt: skip
    figure, axes = canvas(11.4, 0.5 + 0.45 * len(rows), columns=3)
    for ax, (title, table) in zip(axes, ways.items(), strict=True):
        for i, row in enumerate(table):
            for t, word in enumerate(row):
                real = word != "0"
                fill, edge = (INPUT_FILL, INPUT) if real else ("white", LINE)
                box(ax, 1.5 * t, -i, word, fill, edge, width=1.4, height=0.8, size=9)
        ax.set_title(title, fontsize=10, color=INK)
        ax.set_xlim(-0.85, 1.5 * longest - 0.6)
        ax.set_ylim(-len(rows) + 0.4, 0.6)
    said = "; ".join(f"“{' '.join(row)}”" for row in rows)
    return Picture(
        figure,
        f"""Three tables, one row a sentence: {said}. In the first, zeros follow the shorter
        sentences. In the second, all steps are turned round, and the zeros come first. In the
        third, each sentence is turned round within its own length: its last word comes first, and
        the zeros stay behind.""",
    )


def scores(f1):
    """How well each way of reading finds entities, for several kinds of sentences.

    Parameters
    ----------
    f1 : dict of str to dict of str to float
        From a kind of sentences to the span F1 of each way.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(6.8, 3.0, axes_off=False)
    for k, way in enumerate(WAYS):
        color, hatch, _mark = LOOKS[way]
        at = np.arange(len(f1)) + 0.27 * (k - 1)
        values = [100 * ways[way] for ways in f1.values()]
        fill = "white" if hatch else color
        ax.bar(at, values, 0.25, color=fill, edgecolor=color, hatch=hatch, label=way)
        for x, value in zip(at, values, strict=True):
            ax.text(x, value + 2, f"{value:.0f}", ha="center", fontsize=9, color=INK)
    ax.set_xticks(range(len(f1)), list(f1))
    ax.set_ylabel("span F1, %")
    ax.set_ylim(0, 112)
    _plain(ax)
    said = "; ".join(
        f"{kind}: " + ", ".join(f"{way} {100 * ways[way]:.1f} %" for way in WAYS)
        for kind, ways in f1.items()
    )
    return Picture(figure, f"Span F1. {said}.")


def waiting(f1, title="words that it waits for"):
    """Span F1 against the number of words that may be read beyond the one to be tagged.

    Parameters
    ----------
    f1 : dict of str to sequence of float
        From label to the scores with 0, 1, 2, ... further words.
    title : str, optional
        Of the axis below.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(6.4, 2.9, axes_off=False)
    looks = (LOOKS["both"], LOOKS["forward"], LOOKS["backward"])
    for (label, values), (color, _hatch, mark) in zip(f1.items(), looks, strict=False):
        ax.plot(range(len(values)), 100 * np.asarray(values), color=color, marker=mark, label=label)
    ax.set_xticks(range(max(map(len, f1.values()))))
    ax.set_xlabel(title)
    ax.set_ylabel("span F1, %")
    ax.set_ylim(0, 105)
    _plain(ax)
    said = "; ".join(
        f"{label}: " + ", ".join(f"{100 * v:.0f} % with {d}" for d, v in enumerate(values))
        for label, values in f1.items()
    )
    return Picture(figure, f"Span F1 against {title}. {said}.")


def shares(words, tags, parts):
    """How far each direction spoke for the tag of every word, and against the next best one.

    Parameters
    ----------
    words, tags : sequence of str
        T_x of each.
    parts : (T_x, 3) ndarray
        What the forward half, the backward half and the bias add to the chosen tag's lead.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(1.5 + 0.95 * len(words), 3.0, axes_off=False)
    for k, way in enumerate(WAYS[:2]):
        color, hatch, _mark = LOOKS[way]
        ax.bar(np.arange(len(words)) + 0.36 * (k - 0.5), parts[:, k], 0.34, color="white",
               edgecolor=color, hatch=hatch, label=way)  # fmt: skip
    ax.axhline(0, color=FAINT, linewidth=0.8)
    ticks = [f"{word}\n{tag}" for word, tag in zip(words, tags, strict=True)]
    ax.set_xticks(range(len(words)), ticks, fontsize=8.5)
    ax.set_ylabel("lead over the next best tag")
    _plain(ax)
    said = "; ".join(
        f"“{word}” is {tag}, forward {ahead:+.1f}, backward {back:+.1f}"
        for word, tag, (ahead, back, _) in zip(words, tags, parts, strict=True)
    )
    return Picture(figure, f"What each direction adds to the lead of the chosen tag: {said}.")


def _plain(ax):
    ax.legend(frameon=False, fontsize=9, bbox_to_anchor=(1.0, 1.0), loc="upper left")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
