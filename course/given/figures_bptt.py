"""Drawings of unit 03: where gradients flow, how they shrink, and what clipping does to them."""

import numpy as np

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

BACK = "#b91c1c"  # gradients: 5.9 : 1 on the ground, and always drawn dashed
COLOURS = (STATE, INPUT, OUTPUT, BACK, INK)
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
MARKERS = "os^Dv"


def flow():
    """A network unrolled over three steps with its losses, and the way back of the gradient.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(8.6, 4.4)
    _start(ax)
    for t, x in enumerate((2.3, 5.2, 8.1), start=1):
        _step(ax, x, t, last=t == 3)
    ax.text(5.2, 5.0, "L", fontsize=15, ha="center", va="center", color=INK)
    ax.text(5.45, 5.0, "= mean of all losses", fontsize=10, va="center", color=FAINT)
    ax.set_xlim(-0.7, 9.6)
    ax.set_ylim(-0.6, 5.3)
    return Picture(
        figure,
        """Three steps of a network. Forwards, in solid arrows: each input x goes up to the sum s,
        the sum through tanh to the state a, the state up to the prediction y-hat and its loss,
        and the state to the right, to the next sum. Backwards, in dashed red arrows, every arrow is
        turned round: from each loss down to its state, from the state through tanh to ds, from ds
        down to the input and left to the state before. Two dashed arrows meet at every state but
        the last: one from its own loss, one from the next step. There the gradients are added.""",
    )


def _start(ax):
    box(ax, 0.0, 1.2, r"$a^{\langle 0\rangle}$", "white", STATE)
    arrow(ax, (0.42, 1.28), (1.82, 1.28), STATE)
    arrow(ax, (1.82, 1.08), (0.42, 1.08), BACK, dashed=True)


def _step(ax, x, t, last):
    """One step: input, sum, state, loss, and the arrows both ways."""
    at = rf"^{{\langle {t}\rangle}}"
    box(ax, x, -0.2, f"$x{at}$", INPUT_FILL, INPUT)
    box(ax, x, 1.2, f"$s{at}$", "white", INK)
    box(ax, x, 2.5, f"$a{at}$", STATE_FILL, STATE)
    box(ax, x, 3.8, rf"$\hat{{y}}{at},\ L{at}$", OUTPUT_FILL, OUTPUT, width=1.5)
    for low, high, color in ((0.1, 0.9, INPUT), (1.5, 2.2, STATE), (2.8, 3.5, OUTPUT)):
        arrow(ax, (x - 0.12, low), (x - 0.12, high), color)
        arrow(ax, (x + 0.12, high), (x + 0.12, low), BACK, dashed=True)
    arrow(ax, (x, 4.1), (5.2 + (x - 5.2) / 9, 4.8), OUTPUT)
    ax.text(x + 0.22, 1.68, r"$\odot\,(1-a^2)$", color=BACK, fontsize=9, va="center")
    if not last:
        arrow(ax, (x + 0.42, 2.5), (x + 2.5, 1.42), STATE)
        arrow(ax, (x + 2.43, 1.22), (x + 0.42, 2.28), BACK, dashed=True)
        ax.text(x + 1.72, 2.0, r"$W_{aa}$", color=STATE, fontsize=10)
        ax.text(x + 1.35, 1.35, r"$W_{aa}^{\top}$", color=BACK, fontsize=10)


def clipping(limit=1.0):
    """One gradient of two entries, clipped by value and by norm.

    Parameters
    ----------
    limit : float, optional

    Returns
    -------
    Picture
    """
    gradient = np.array([3.0, 0.8])
    by_value = np.clip(gradient, -limit, limit)
    by_norm = gradient * min(1, limit / np.linalg.norm(gradient))
    figure, ax = canvas(7.0, 2.6)
    ax.add_patch(_square(limit))
    ax.add_patch(_circle(limit))
    arrow(ax, (0, 0), gradient, INK)
    arrow(ax, (0, 0), by_value, BACK, dashed=True)
    arrow(ax, (0, 0), by_norm, STATE)
    ax.text(3.05, 0.85, "the gradient (3.0, 0.8)", color=INK, fontsize=9)
    ax.text(1.05, 0.92, "by value (1.0, 0.8): turned", color=BACK, fontsize=9)
    ax.text(1.05, -0.25, "by norm: shorter, not turned", color=STATE, fontsize=9)
    ax.set_xlim(-1.3, 4.9)
    ax.set_ylim(-1.15, 1.35)
    return Picture(
        figure,
        f"""A gradient of two entries, 3.0 and 0.8, as an arrow. Clipped by value at {limit:g} it is
        {by_value[0]:.2f} and {by_value[1]:.2f}: it ends at the edge of a square, and points
        {_degrees(by_value) - _degrees(gradient):.0f} degrees away from where it pointed. Clipped by
        norm it is {by_norm[0]:.2f} and {by_norm[1]:.2f}: it ends on a circle of radius {limit:g},
        in the same direction.""",
    )


def _degrees(vector):
    return float(np.degrees(np.arctan2(vector[1], vector[0])))


def _square(limit):
    from matplotlib.patches import Rectangle

    return Rectangle(
        (-limit, -limit), 2 * limit, 2 * limit, fill=False, edgecolor=BACK, linestyle="--"
    )


def _circle(limit):
    from matplotlib.patches import Circle

    return Circle((0, 0), limit, fill=False, edgecolor=STATE)


def norms(curves, title="steps back"):
    """Sizes of gradients against the number of steps that they went back, on a logarithmic scale.

    Parameters
    ----------
    curves : dict of str to array_like
        From label to norms, nearest step first.
    title : str, optional
        Of the axis below.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(6.6, 3.2, axes_off=False)
    for k, (label, values) in enumerate(curves.items()):
        values = np.maximum(np.asarray(values, dtype=float), 1e-300)
        ax.semilogy(
            np.arange(1, len(values) + 1), values, linestyle=DASHES[k % 5],
            color=COLOURS[k % 5], marker=MARKERS[k % 5], markevery=max(1, len(values) // 8),
            markersize=4, label=label,
        )  # fmt: skip
    ax.axhline(1, color=FAINT, linewidth=0.8)
    ax.set_xlabel(title)
    ax.set_ylabel("norm")
    ax.legend(frameon=False, fontsize=9, bbox_to_anchor=(1.0, 1.0), loc="upper left")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    said = "; ".join(
        f"{label}: {values[0]:.2g} at 1, {values[-1]:.2g} at {len(values)}"
        for label, values in curves.items()
    )
    return Picture(figure, f"Norms against {title}. {said}.")


def accuracies(gaps, curves, chance):
    """Accuracy on the echo task against the gap.

    Parameters
    ----------
    gaps : sequence of int
    curves : dict of str to sequence of float
        From label to one accuracy a gap.
    chance : float
        What guessing gets.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(6.6, 2.9, axes_off=False)
    for k, (label, values) in enumerate(curves.items()):
        ax.plot(
            gaps, 100 * np.asarray(values), color=COLOURS[k % 5], linestyle=DASHES[k % 5],
            marker=MARKERS[k % 5], label=label,
        )  # fmt: skip
    ax.axhline(100 * chance, color=FAINT, linewidth=0.8)
    ax.text(gaps[0], 100 * chance + 2, "guessing", color=FAINT, fontsize=9)
    ax.set_xticks(list(gaps))
    ax.set_ylim(0, 105)
    ax.set_xlabel("steps between a symbol and its echo, k")
    ax.set_ylabel("right answers, %")
    ax.legend(frameon=False, fontsize=9, bbox_to_anchor=(1.0, 1.0), loc="upper left")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    said = "; ".join(
        f"{label}: " + ", ".join(f"{100 * v:.0f} % at k = {k}" for k, v in zip(gaps, values))  # noqa: B905  # of one length
        for label, values in curves.items()
    )
    return Picture(figure, f"Right answers against k; guessing gets {100 * chance:.0f} %. {said}.")
