"""Drawings of unit 06: the cell, the two roads back, and what was measured."""

import numpy as np

from course.given.figures_bptt import BACK, COLOURS, DASHES, MARKERS
from course.given.picture import (
    FAINT,
    INK,
    INPUT,
    INPUT_FILL,
    OUTPUT,
    OUTPUT_FILL,
    STATE,
    STATE_FILL,
    Picture,
    arrow,
    box,
    canvas,
)
from course.given.plots import moving_average

WINDOW = 25  # steps over which a loss is averaged
BELT, GATES, READ = 3.4, 1.45, 0.35  # heights of the conveyor, the gates and what they read


def cell():
    """One step of an LSTM: the conveyor above, the gates below it.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(9.4, 4.3)
    _belt(ax)
    _gates(ax)
    _shown(ax)
    ax.set_xlim(-1.2, 11.6)
    ax.set_ylim(-0.95, 4.25)
    return Picture(
        figure,
        """One step. Above, a straight road for the memory, from c<t-1> at the left to c<t> at the
        right: on it the memory is multiplied by the forget gate, and then something is added: the
        update gate times the candidate. Below, the old hidden state a<t-1> and the input x<t> are
        joined, and from both together come four things: forget gate, update gate and output gate,
        each through a sigmoid, and the candidate through tanh. At the right the new memory
        branches off the road, goes through tanh, is multiplied by the output gate and is the new
        hidden state a<t>. No weight matrix and no tanh stands on the road itself.""",
    )


def _belt(ax):
    """The memory's road, with a product and a sum on it."""
    box(ax, -0.5, BELT, r"$c^{\langle t-1\rangle}$", "white", STATE, width=1.1)
    box(ax, 10.8, BELT, r"$c^{\langle t\rangle}$", "white", STATE, width=1.1)
    ax.plot([0.05, 10.25], [BELT, BELT], color=STATE_FILL, linewidth=13, zorder=0)
    for start, end in ((0.05, 1.6), (2.2, 4.3), (4.9, 10.2)):
        arrow(ax, (start, BELT), (end, BELT), STATE)
    for x, sign in ((1.9, "×"), (4.6, "+")):
        box(ax, x, BELT, sign, "white", INK, width=0.6, height=0.6, size=13)
    ax.text(
        7.3, BELT + 0.38, "the conveyor: no matrix, no tanh", color=STATE, fontsize=9, ha="center"
    )


def _gates(ax):
    """Four boxes that read state and input, and where what they say goes."""
    box(ax, -0.5, READ, r"$a^{\langle t-1\rangle}$", "white", STATE, width=1.1)
    box(ax, -0.5, -0.55, r"$x^{\langle t\rangle}$", INPUT_FILL, INPUT, width=1.1)
    ax.plot([0.05, 8.0], [READ, READ], color=INK, linewidth=1.3)
    ax.plot([0.05, 0.6, 0.6], [-0.55, -0.55, READ], color=INPUT, linewidth=1.3)
    ax.text(1.15, READ - 0.3, r"$z = [a, x]$", color=FAINT, fontsize=9, ha="center")
    for x, name, said in (
        (1.9, r"$\sigma$: $\Gamma_f$", "forget"),
        (3.7, r"$\sigma$: $\Gamma_u$", "update"),
        (5.5, r"tanh: $\tilde c$", "candidate"),
        (8.0, r"$\sigma$: $\Gamma_o$", "output"),
    ):
        box(ax, x, GATES, name, OUTPUT_FILL, OUTPUT, width=1.25)
        ax.text(x + 0.08, GATES - 0.47, said, color=FAINT, fontsize=8.5)
        arrow(ax, (x, READ), (x, GATES - 0.28))
    arrow(ax, (1.9, GATES + 0.28), (1.9, BELT - 0.3), OUTPUT)
    box(ax, 4.6, 2.45, "×", "white", INK, width=0.5, height=0.5, size=12)
    arrow(ax, (3.7, GATES + 0.28), (4.42, 2.25), OUTPUT)
    arrow(ax, (5.5, GATES + 0.28), (4.78, 2.25), OUTPUT)
    arrow(ax, (4.6, 2.7), (4.6, BELT - 0.3), OUTPUT)


def _shown(ax):
    """The way from the memory to the hidden state."""
    box(ax, 9.4, 2.45, "tanh", STATE_FILL, STATE, width=0.9)
    arrow(ax, (9.4, BELT), (9.4, 2.73), STATE)
    box(ax, 9.4, GATES, "×", "white", INK, width=0.5, height=0.5, size=12)
    arrow(ax, (9.4, 2.17), (9.4, GATES + 0.25), STATE)
    arrow(ax, (8.63, GATES), (9.15, GATES), OUTPUT)
    box(ax, 10.8, GATES, r"$a^{\langle t\rangle}$", "white", STATE, width=1.1)
    arrow(ax, (9.65, GATES), (10.25, GATES), STATE)


def roads():
    """Three steps of an LSTM and the two roads on which gradients come back.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(9.0, 3.7)
    places = (0.0, 4.0, 8.0)
    for k, x in enumerate(places):
        at = rf"^{{\langle {('t-1', 't', 't+1')[k]}\rangle}}"
        box(ax, x, 2.6, f"$c{at}$", STATE_FILL, STATE, width=1.1)
        box(ax, x, 0.9, f"$a{at}$", "white", STATE, width=1.1)
        arrow(ax, (x - 0.12, 2.3), (x - 0.12, 1.2), STATE)
        arrow(ax, (x + 0.12, 1.2), (x + 0.12, 2.3), BACK, dashed=True)
        ax.text(x + 0.24, 1.72, r"$\odot\,\Gamma_o (1-\tanh^2 c)$", color=BACK, fontsize=8.5)
        arrow(ax, (x, -0.25), (x, 0.6), BACK, dashed=True)
        ax.text(x + 0.1, -0.15, f"$da{at}$: the loss at this step", color=BACK, fontsize=8.5)
    for x in places[:2]:
        arrow(ax, (x + 0.57, 2.7), (x + 3.43, 2.7), STATE)
        arrow(ax, (x + 3.43, 2.5), (x + 0.57, 2.5), BACK, dashed=True)
        ax.text(x + 2.0, 2.84, "the memory", color=STATE, fontsize=8.5, ha="center")
        ax.text(
            x + 2.0, 2.22, r"$\odot\,\Gamma_f$, nothing else", color=BACK, fontsize=8.5, ha="center"
        )
        arrow(ax, (x + 0.57, 1.0), (x + 3.5, 2.28), STATE)
        arrow(ax, (x + 3.72, 2.28), (x + 0.57, 0.8), BACK, dashed=True)
        ax.text(
            x + 2.6,
            0.9,
            "through four gates\nand their weights",
            color=BACK,
            fontsize=8.5,
            ha="center",
        )
    ax.set_xlim(-0.9, 10.6)
    ax.set_ylim(-0.5, 3.2)
    return Picture(
        figure,
        """Three steps, each with its memory c above and its hidden state a below. Forwards, in
        solid arrows: the memory goes to the memory of the next step; each memory is shown in its
        hidden state; each hidden state goes, through the gates, into the next step. Backwards, in
        dashed red arrows, two roads lead from a step to the one before: one from memory to memory,
        on which the gradient is multiplied by the forget gate and nothing else, and one from the
        step to the hidden state before, through four gates and their weights. In each hidden state
        the second road meets what the loss at that step asks; in each memory the first road meets
        what comes from its hidden state, times the output gate and the slope of tanh. Where roads
        meet, gradients are added.""",
    )


def races(losses, guessing):
    """Losses of several networks against the step, on a logarithmic scale.

    Parameters
    ----------
    losses : dict of str to (steps,) array_like
    guessing : float
        What always giving the same answer costs.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(7.4, 3.2, axes_off=False)
    said = []
    for k, (label, values) in enumerate(losses.items()):
        smooth = moving_average(values, WINDOW)
        start = len(values) - len(smooth)
        ax.semilogy(
            np.arange(start, len(values)), smooth, color=COLOURS[k % 5], linestyle=DASHES[k % 5],
            linewidth=1.5, label=label,
        )  # fmt: skip
        below = np.flatnonzero(smooth < guessing / 10)
        when = f"first below a tenth of guessing at step {start + below[0]}" if len(below) else ""
        said.append(f"{label}: {smooth[-1]:.2g} at the end" + (f", {when}" if when else ""))
    ax.axhline(guessing, color=FAINT, linewidth=0.8)
    ax.text(0, guessing * 1.12, "always answering 1", color=FAINT, fontsize=8.5)
    ax.set_xlabel("step")
    ax.set_ylabel("mean squared error")
    ax.legend(frameon=False, fontsize=9, bbox_to_anchor=(1.0, 1.0), loc="upper left")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return Picture(
        figure,
        f"Mean squared error against the step, average of {WINDOW}; always answering 1 costs "
        f"{guessing:.3f}. {'; '.join(said)}.",
    )


def belts(words, curves):
    """One unit's memory after each word, for several ways to set its gates.

    Parameters
    ----------
    words : sequence of str
        T_x of them.
    curves : dict of str to (T_x,) array_like

    Returns
    -------
    Picture
    """
    figure, ax = canvas(7.4, 2.6, axes_off=False)
    for k, (label, c) in enumerate(curves.items()):
        ax.plot(
            range(len(words)), c, color=COLOURS[k % 5], linestyle=DASHES[k % 5],
            marker=MARKERS[k % 5], markersize=4, label=label,
        )  # fmt: skip
    ax.axhline(0, color=FAINT, linewidth=0.8)
    ax.set_xticks(range(len(words)), words)
    ax.set_ylabel("memory")
    ax.legend(frameon=False, fontsize=9, bbox_to_anchor=(1.0, 1.0), loc="upper left")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    said = "; ".join(
        f"{label}: " + ", ".join(f"{value:+.2f}" for value in c) for label, c in curves.items()
    )
    return Picture(figure, f"One unit's memory after each of “{' '.join(words)}”. {said}.")


def traces(difference, marks):
    """What one number leaves in the memories, one row a unit, and where the marks were.

    Parameters
    ----------
    difference : (T_x, n_a) array_like
        Memories with the number less those without it.
    marks : (T_x,) array_like
        1 where a number was marked, else 0.

    Returns
    -------
    Picture
    """
    difference, at = np.asarray(difference, dtype=float), np.flatnonzero(marks)
    order = np.argsort(-np.abs(difference[-1]), kind="stable")
    figure, ax = canvas(7.4, 3.4, axes_off=False)
    top = float(np.abs(difference).max()) or 1.0
    shown = difference[:, order].T
    image = ax.imshow(shown, cmap="RdBu", vmin=-top, vmax=top, aspect="auto")
    figure.colorbar(image, ax=ax, label="difference of the memory")
    for t in at:
        ax.annotate(
            "mark", xy=(t, -0.5), xytext=(t, -3.4), ha="center", fontsize=9, color=INK,
            arrowprops={"arrowstyle": "-|>", "color": INK}, annotation_clip=False,
        )  # fmt: skip
    ax.set_xlabel("step")
    ax.set_ylabel("units")
    ax.set_yticks([])
    sizes = np.linalg.norm(difference, axis=1)
    steps = " and ".join(map(str, at))
    said = ", ".join(f"{sizes[t]:.2f} at step {t}" for t in sorted({*at, len(sizes) - 1}))
    return Picture(
        figure,
        f"What the number changes in the memories of {difference.shape[1]} units over "
        f"{len(difference)} steps, with marks at steps {steps}. Size of the difference: {said}.",
    )
