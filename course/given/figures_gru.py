"""Drawings of unit 05: the cell, what arrives through its gates, and what it has learned."""

import numpy as np

from course.given.figures_bptt import COLOURS, DASHES, MARKERS, norms
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

__all__ = ["accuracies", "cell", "gates", "norms"]


def cell():
    """One step of the full GRU: the straight way of the memory, and the way round it.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(8.4, 3.9)
    box(ax, 0.2, 3.4, r"$c^{\langle t-1\rangle}$", STATE_FILL, STATE, width=1.0)
    box(ax, 9.6, 3.4, r"$c^{\langle t\rangle}$", STATE_FILL, STATE, width=1.0)
    box(ax, 5.2, -0.3, r"$x^{\langle t\rangle}$", INPUT_FILL, INPUT)
    _kept_way(ax)
    _gates(ax)
    _candidate(ax)
    ax.set_xlim(-0.6, 10.5)
    ax.set_ylim(-0.8, 4.2)
    return Picture(
        figure,
        """One step of a GRU. At the top the old memory goes straight to the new one: multiplied by
        one minus the update gate, then added to the candidate's share; no matrix and no tanh stand
        on this way. Below, three boxes. The update gate and the reset gate each see the old memory
        and the input, and go through a sigmoid. The reset gate multiplies the old memory on its way
        down to the candidate, which sees that and the input, and goes through tanh. The candidate
        is multiplied by the update gate and added to what was kept.""",
    )


def _kept_way(ax):
    """From the old memory to the new one, straight."""
    _times(ax, 5.2, 3.4)
    _times(ax, 8.0, 3.4, "+")
    arrow(ax, (0.72, 3.4), (5.0, 3.4), STATE)
    arrow(ax, (5.4, 3.4), (7.8, 3.4), STATE)
    arrow(ax, (8.2, 3.4), (9.08, 3.4), STATE)
    ax.text(2.9, 3.62, "kept: no matrix, no tanh", color=STATE, fontsize=9, ha="center")


def _gates(ax):
    """The two gates, and where they act."""
    box(ax, 2.9, 1.3, r"$\Gamma_r$  reset", OUTPUT_FILL, OUTPUT, width=1.5)
    box(ax, 5.2, 1.9, r"$\Gamma_u$  update", OUTPUT_FILL, OUTPUT, width=1.6)
    _times(ax, 4.6, 0.75)
    arrow(ax, (3.3, 1.0), (4.42, 0.79), OUTPUT)
    arrow(ax, (5.2, 2.2), (5.2, 3.2), OUTPUT)
    ax.text(5.3, 2.72, r"$1 - \Gamma_u$", color=OUTPUT, fontsize=10)
    arrow(ax, (6.0, 1.9), (7.8, 1.9), OUTPUT)
    ax.text(6.6, 2.05, r"$\Gamma_u$", color=OUTPUT, fontsize=10)
    for start, end in (((1.2, 3.4), (2.5, 1.6)), ((1.2, 3.4), (4.4, 2.05))):
        arrow(ax, start, end, STATE)
    arrow(ax, (4.85, -0.15), (3.1, 1.0), INPUT)
    arrow(ax, (5.25, 0.0), (5.25, 1.6), INPUT)


def _candidate(ax):
    """What is proposed, and how it gets in."""
    box(ax, 8.0, 0.75, r"$\tilde{c}$  tanh", "white", INK, width=1.3)
    _times(ax, 8.0, 1.9)
    arrow(ax, (1.2, 3.4), (1.9, 0.75), STATE)
    arrow(ax, (1.9, 0.75), (4.4, 0.75), STATE)
    arrow(ax, (4.8, 0.75), (7.33, 0.75), STATE)
    arrow(ax, (5.62, -0.2), (7.4, 0.52), INPUT)
    arrow(ax, (8.0, 1.05), (8.0, 1.7), INK)
    arrow(ax, (8.0, 2.1), (8.0, 3.2), INK)


def _times(ax, x, y, sign=r"$\times$"):
    from matplotlib.patches import Circle

    ax.add_patch(Circle((x, y), 0.2, facecolor="white", edgecolor=INK, linewidth=1.2, zorder=3))
    ax.text(x, y, sign, ha="center", va="center", color=INK, fontsize=11, zorder=4)


def accuracies(gaps, curves, seen):
    """Right verbs against the words between subject and verb.

    Parameters
    ----------
    gaps : sequence of int
    curves : dict of str to sequence of float
        From label to one accuracy a gap.
    seen : (int, int)
        The shortest and the longest gap in training.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(6.8, 2.9, axes_off=False)
    for k, (label, values) in enumerate(curves.items()):
        ax.plot(
            gaps, 100 * np.asarray(values), color=COLOURS[k % 5], linestyle=DASHES[k % 5],
            marker=MARKERS[k % 5], label=label,
        )  # fmt: skip
    ax.axhline(50, color=FAINT, linewidth=0.8)
    ax.axvspan(*seen, ymax=0.06, color=LINE)
    ax.text(np.mean(seen), 9, "in training", color=FAINT, fontsize=9, ha="center")
    ax.text(gaps[0], 43, "guessing", color=FAINT, fontsize=9)
    ax.set_xticks(list(gaps))
    ax.set_ylim(0, 105)
    ax.set_xlabel("words between subject and verb")
    ax.set_ylabel("right verbs, %")
    ax.legend(frameon=False, fontsize=9, bbox_to_anchor=(1.0, 1.0), loc="upper left")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    said = "; ".join(
        f"{label}: "
        + ", ".join(f"{100 * v:.0f} % at {k}" for k, v in zip(gaps, values, strict=True))
        for label, values in curves.items()
    )
    return Picture(
        figure,
        f"Right verbs against words in between; {seen[0]} to {seen[1]} in "
        f"training; guessing gets 50 %. {said}.",
    )


def gates(words, update, reset, plural):
    """Each unit's gates at each word, and what would be said if the verb came next.

    Parameters
    ----------
    words : sequence of str
    update, reset : (T_x, n_a) ndarray
    plural : (T_x,) ndarray
        Probability of were after each word.

    Returns
    -------
    Picture
    """
    figure, axes = canvas(8.4, 3.8, rows=3, axes_off=False)
    for ax, values, label in zip(axes, (update, reset), ("update", "reset"), strict=False):
        ax.imshow(values.T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (t, unit), value in np.ndenumerate(values):
            ink = "white" if value > 0.6 else INK
            ax.text(t, unit, f"{value:.1f}", ha="center", va="center", fontsize=8, color=ink)
        ax.set_ylabel(f"{label}\nunits", fontsize=9)
        ax.set_xticks([])
        ax.set_yticks([])
    axes[2].plot(plural, color=STATE, marker="o")
    axes[2].axhline(0.5, color=FAINT, linewidth=0.8)
    axes[2].set_ylim(-0.05, 1.05)
    axes[2].set_xlim(-0.5, len(words) - 0.5)
    axes[2].set_ylabel("P(were)", fontsize=9)
    axes[2].set_xticks(range(len(words)), words, rotation=40, ha="right", fontsize=9)
    widest = int(update.max(axis=1).argmax())
    said = ", ".join(f"{word} {100 * p:.0f} %" for word, p in zip(words, plural, strict=True))
    return Picture(
        figure,
        f"Gates over a sentence. An update gate opens widest at “{words[widest]}”, to "
        f"{update.max():.2f}. Were, if the verb came after each word: {said}.",
    )
