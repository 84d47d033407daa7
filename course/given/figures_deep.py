"""Drawings of unit 08: stacks of layers, where dropout goes, and what arrives at the bottom."""

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

ACROSS, UP = 1.75, 1.15  # from one step to the next, and from one layer to the next
DROP = "#b91c1c"  # 5.9 : 1 on the ground, and always drawn dashed
COLOURS = (STATE, INPUT, OUTPUT, INK)
DASHES = ("-", "--", "-.", ":")
MARKERS = "os^D"


def deep():
    """Three recurrent layers over three steps, and a network with a hidden layer on top.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(8.6, 4.6)
    _grid(ax, layers=3, steps=3)
    for t in range(3):
        x, top = t * ACROSS, 3 * UP
        at = rf"^{{\langle {t + 1}\rangle}}"
        box(ax, x, top + UP, f"$h{at}$", "white", OUTPUT)
        box(ax, x, top + 2 * UP, rf"$\hat{{y}}{at}$", OUTPUT_FILL, OUTPUT)
        for low in (top, top + UP):
            arrow(ax, (x, low + 0.28), (x, low + UP - 0.28), OUTPUT)
    right = 3 * ACROSS - 0.5
    _name_weights(ax, right)
    ax.set_xlim(-2.6, right + 3.6)
    ax.set_ylim(-0.5, 5 * UP + 0.5)
    return Picture(
        figure,
        """Three recurrent layers, one above the other, over three steps. At the bottom are the
        inputs x<1> to x<3>. Each input goes up into layer 1 of its own step, each state of layer 1
        up into layer 2 of the same step, and so on to layer 3. In every layer an arrow leads from
        each state to the next step's, beginning with the layer's own start state. On each state of
        layer 3 stand a hidden layer h and the forecast y-hat. All arrows up in one row have the
        same weights, and so have all arrows to the right.""",
    )


def _name_weights(ax, right):
    """What each row of arrows multiplies with: at the right upwards, at the left along time."""
    for y, says in (
        (0.5 * UP, r"$W_{ax}^{[1]}$ reads the input"),
        (1.5 * UP, r"$W_{ax}^{[2]}$ reads layer 1, same step"),
        (2.5 * UP, r"$W_{ax}^{[3]}$ reads layer 2, same step"),
        (3.5 * UP, r"$W_{ha}$: the hidden layer of the output"),
        (4.5 * UP, r"$W_{yh}$: the forecast"),
    ):
        ax.text(right, y, says, va="center", color=FAINT, fontsize=10)
    ax.text(-ACROSS, 4 * UP, "in every row:\none $W_{aa}^{[l]}$\nfor all steps", ha="center",
            va="center", color=STATE, fontsize=9.5)  # fmt: skip


def dropout_places():
    """A stack with dropout on the arrows that lead up, and none on those that lead on.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(8.2, 3.4)
    _grid(ax, layers=2, steps=3, dropped=True)
    for t in range(3):
        x = t * ACROSS
        box(ax, x, 3 * UP, rf"$\hat{{y}}^{{\langle {t + 1}\rangle}}$", OUTPUT_FILL, OUTPUT)
        _dropped(ax, x, 2 * UP)
    right = 3 * ACROSS - 0.5
    arrow(ax, (right, 2.6 * UP), (right + 0.9, 2.6 * UP), DROP, dashed=True)
    ax.text(right + 1.0, 2.6 * UP, "dropout: a new draw\nfor every entry", va="center",
            color=DROP, fontsize=10)  # fmt: skip
    arrow(ax, (right, 1.5 * UP), (right + 0.9, 1.5 * UP), STATE)
    ax.text(right + 1.0, 1.5 * UP, "no dropout: memory", va="center", color=STATE, fontsize=10)
    ax.set_xlim(-2.4, right + 3.6)
    ax.set_ylim(-0.5, 3 * UP + 0.5)
    return Picture(
        figure,
        """Two recurrent layers over three steps. The arrows from layer 1 up to layer 2, and from
        layer 2 up to the forecasts, are dashed and red: dropout acts on them, with new numbers for
        every entry. The arrows from the inputs are plain, and so are those from each state to the
        next step's: on them there is no dropout, since a memory would have to pass it at every
        step.""",
    )


def _grid(ax, layers, steps, dropped=False):
    """Inputs and states of a stack with its arrows, layer 1 at a height of UP."""
    for t in range(steps):
        x = t * ACROSS
        box(ax, x, 0, rf"$x^{{\langle {t + 1}\rangle}}$", INPUT_FILL, INPUT)
        arrow(ax, (x, 0.28), (x, UP - 0.28), INPUT)
        for layer in range(1, layers + 1):
            y = layer * UP
            label = rf"$a^{{[{layer}]\langle {t + 1}\rangle}}$"
            box(ax, x, y, label, STATE_FILL, STATE, width=1.05)
            arrow(ax, (x - ACROSS + 0.52, y), (x - 0.52, y), STATE)
            if layer < layers and dropped:
                _dropped(ax, x, y)
            elif layer < layers:
                arrow(ax, (x, y + 0.28), (x, y + UP - 0.28), STATE)
    for layer in range(1, layers + 1):
        label = rf"$a^{{[{layer}]\langle 0\rangle}}$"
        box(ax, -ACROSS, layer * UP, label, "white", STATE, width=1.05)


def _dropped(ax, x, y):
    arrow(ax, (x, y + 0.28), (x, y + UP - 0.28), DROP, dashed=True)


def downwards(curves):
    """Sizes of gradients at the last step, layer by layer from the top down.

    Parameters
    ----------
    curves : dict of str to (L,) array_like
        From label to norms, the top layer's first.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(6.6, 3.0, axes_off=False)
    for k, (label, values) in enumerate(curves.items()):
        ax.semilogy(np.arange(len(values)), values, DASHES[k % 4], color=COLOURS[k % 4],
                    marker=MARKERS[k % 4], markersize=5, label=label)  # fmt: skip
    ax.set_xlabel("layers below the top")
    ax.set_ylabel("norm")
    ax.legend(frameon=False, fontsize=9, bbox_to_anchor=(1.0, 1.0), loc="upper left")
    _plain(ax)
    said = "; ".join(
        f"{label}: " + ", ".join(f"{value:.1e}" for value in values)
        for label, values in curves.items()
    )
    return Picture(
        figure,
        f"""Norm of the gradient at the last step against the number of layers below the top, on a
        logarithmic scale, where straight lines fall by the same factor in every layer. {said}.""",
    )


def field(norms):
    """Sizes of gradients over layers and steps, as a map.

    Parameters
    ----------
    norms : (L, T_x) ndarray
        The upper layers first.

    Returns
    -------
    Picture
    """
    L, T_x = norms.shape
    powers = np.log10(np.maximum(norms, 1e-12))
    figure, ax = canvas(8.2, 0.9 + 0.5 * L, axes_off=False)
    ax.imshow(powers, cmap="Blues", aspect="auto")
    middle = (powers.min() + powers.max()) / 2
    for row, t in np.ndindex(L, T_x):
        ink = "white" if powers[row, t] > middle else INK
        said = f"{powers[row, t]:.1f}".replace("-", "−")
        ax.text(t, row, said, ha="center", va="center", color=ink, fontsize=8)
    names = [f"layer {L - row}" for row in range(L)]
    ax.set_yticks(range(L), names)
    ax.set_xticks(range(T_x), [f"{t + 1}" for t in range(T_x)], fontsize=8)
    ax.set_xlabel("step")
    ax.set_title("power of ten of the gradient's size", fontsize=10, color=INK, loc="left")
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    said = "; ".join(
        f"{name}: {row[-1]:.1e} at the last step, {row[T_x // 2]:.1e} at step {T_x // 2 + 1}, "
        f"{row[0]:.1e} at the first"
        for name, row in zip(names, norms, strict=True)
    )
    return Picture(figure, f"Sizes of gradients, a row a layer and a column a step. {said}.")


def forecasts(dates, truth, forecast, usual, start, days):
    """A stretch of days: what it was, what was forecast the evening before, what is usual.

    Parameters
    ----------
    dates : (N,) ndarray of datetime64
    truth, usual : (N,) ndarray
        In degrees, of each day.
    forecast : (N,) ndarray
        In degrees, made on each day for the next.
    start, days : int
        The first day that is shown, and how many.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(8.2, 3.0, axes_off=False)
    shown = slice(start, start + days)
    made = forecast[start - 1 : start + days - 1]
    ax.plot(dates[shown], truth[shown], color=INK, marker="o", markersize=3, label="it was")
    ax.plot(dates[shown], made, color=STATE, linestyle="--", label="forecast the day before")
    ax.plot(dates[shown], usual[shown], color=FAINT, linestyle=":", label="usual")
    ax.set_ylabel("highest temperature, °C")
    ax.legend(frameon=False, fontsize=9, ncols=3)
    ax.tick_params(axis="x", rotation=20)
    _plain(ax)
    errors = np.abs(made - truth[shown])
    worst = int(errors.argmax())
    return Picture(
        figure,
        f"""Highest temperatures of {days} days from {dates[start]}, the forecasts made on the days
        before, and what is usual. The forecasts lie between the day before and the usual; they are
        {errors.mean():.1f} degrees off on average, and {errors[worst]:.1f} at worst, on
        {dates[start + worst]}, when it was {truth[start + worst]:.1f} and {made[worst]:.1f} were
        forecast.""",
    )


def order(layers, steps, rounds):
    """Which cells of a stack may be computed in which round.

    Parameters
    ----------
    layers, steps : int
    rounds : (layers, steps) ndarray of int
        The round of each cell, the lowest layer first, counted from 1.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(1.6 + 0.75 * steps, 0.9 + 0.62 * layers)
    for layer, t in np.ndindex(layers, steps):
        box(ax, t, layer, str(rounds[layer, t]), STATE_FILL, STATE, width=0.7, height=0.6)
        if t:
            arrow(ax, (t - 0.65, layer), (t - 0.35, layer), STATE)
        if layer:
            arrow(ax, (t, layer - 0.7), (t, layer - 0.3), STATE)
        else:
            ax.text(t, -0.75, f"$x^{{\\langle {t + 1}\\rangle}}$", ha="center", color=INPUT)
    for layer in range(layers):
        ax.text(-0.6, layer, f"layer {layer + 1}", ha="right", va="center", color=FAINT, fontsize=9)
    ax.set_xlim(-1.7, steps - 0.5)
    ax.set_ylim(-1.0, layers - 0.5)
    rows = "; ".join(
        f"layer {layer + 1}: {', '.join(map(str, rounds[layer]))}" for layer in range(layers)
    )
    return Picture(
        figure,
        f"""{layers} layers over {steps} steps. Each cell reads the one below it and the one to its
        left. The number in a cell is the earliest round in which it can be computed, if all cells
        of a round are computed at once. {rows}.""",
    )


def _plain(ax):
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(FAINT)
