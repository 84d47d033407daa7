"""Drawings of unit 04: what is read and predicted, streams of a text, training and writing."""

import numpy as np

from course.given.figures import HALF, UP
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

WIDE = 1.75  # from one step to the next


def teacher_forcing(words=("the", "cat", "was", "full")):
    """Above, training: the text itself is read. Below, writing: what was drawn is read.

    Parameters
    ----------
    words : sequence of str

    Returns
    -------
    Picture
    """
    figure, ax = canvas(9.2, 5.6)
    high = 4.1
    ax.text(-1.0, high + 3.25, "training: the text is read, right or wrong", color=INK, fontsize=11)
    ax.text(-1.0, 3.05, "writing: what was drawn is read", color=INK, fontsize=11)
    for t, (read, said) in enumerate(zip(["<EOS>", *words], [*words, "<EOS>"], strict=True)):
        for y, drawn in ((high, False), (0.0, True)):
            _step(ax, t * WIDE, y, read, said, drawn)
        if t:
            _feed_back(ax, (t - 1) * WIDE)
    ax.set_xlim(-1.1, len(words) * WIDE + 1.1)
    ax.set_ylim(-0.5, high + 3.6)
    text = ", ".join(words)
    return Picture(
        figure,
        f"""Two unrolled language models. Above, training: the inputs are <EOS>,
        {text}; the prediction of each step is compared with {text}, <EOS>, which is the same text
        one step earlier. Whatever the model predicts, the next input is the text's own word. Below,
        writing: only the first input, <EOS>, is given. A word is drawn from each prediction, and a
        dashed arrow leads from it to the next step's input.""",
    )


def _step(ax, x, y, read, said, drawn):
    box(ax, x, y, read, INPUT_FILL, INPUT, width=1.15)
    box(ax, x, y + UP, "", STATE_FILL, STATE)
    box(ax, x, y + 2 * UP, r"$\hat{y}$", OUTPUT_FILL, OUTPUT)
    arrow(ax, (x, y + HALF), (x, y + UP - HALF), INPUT)
    arrow(ax, (x, y + UP + HALF), (x, y + 2 * UP - HALF), OUTPUT)
    arrow(ax, (x - WIDE + 0.4 if x else x - 0.95, y + UP), (x - 0.4, y + UP), STATE)
    label = f"drawn: {said}" if drawn else f"compared with\n{said}"
    ax.text(x, y + 2 * UP + 0.36, label, ha="center", va="bottom", color=FAINT, fontsize=9)


def _feed_back(ax, x):
    right = x + WIDE / 2
    xs, ys = [x + 0.4, right, right, right + 0.1], [2 * UP, 2 * UP, 0.0, 0.0]
    ax.plot(xs, ys, color=OUTPUT, linewidth=1.1, linestyle=(0, (3, 2)))
    arrow(ax, (right + 0.05, 0.0), (x + WIDE - 0.58, 0.0), OUTPUT)


def streams(text="abcdefghijklm", m=2, T_x=3):
    """A text cut into m stretches, and the stretches into batches.

    Parameters
    ----------
    text : str
        Of characters; m * T_x * n_batches of them are read, and one more is predicted.
    m, T_x : int

    Returns
    -------
    Picture
    """
    n_batches = (len(text) - 1) // (m * T_x)
    stretch = n_batches * T_x
    figure, ax = canvas(9.0, 3.4)
    fills = [(INPUT_FILL, INPUT), (STATE_FILL, STATE), (OUTPUT_FILL, OUTPUT)]
    for place, letter in enumerate(text):
        fill, edge = fills[place // stretch % 3] if place < m * stretch else ("white", FAINT)
        box(ax, 0.72 * place, 3.4, letter, fill, edge, width=0.62)
    ax.text(-0.35, 4.0, "the text", color=INK, fontsize=10.5)
    for b in range(n_batches):
        left = 4.4 * b
        ax.text(left - 0.35, 2.35, f"x[{b}]", color=INK, fontsize=10.5)
        ax.text(left + 1.75, 2.35, f"y[{b}]", color=INK, fontsize=10.5)
        for t in range(T_x):
            for i in range(m):
                place = i * stretch + b * T_x + t
                fill, edge = fills[i % 3]
                at = left + 0.72 * i, 1.8 - 0.66 * t
                box(ax, *at, text[place], fill, edge, width=0.62)
                box(ax, at[0] + 2.1, at[1], text[place + 1], "white", edge, width=0.62)
    ax.set_xlim(-0.8, max(0.72 * len(text), 4.4 * n_batches))
    ax.set_ylim(1.9 - 0.66 * T_x, 4.3)
    rows = "; ".join(f"example {i} reads {text[i * stretch : (i + 1) * stretch]}" for i in range(m))
    return Picture(
        figure,
        f"""The text {text} is cut into {m} stretches of {stretch} characters: {rows}. Each stretch
        is cut into {n_batches} batches of {T_x} steps. In a batch time runs downwards and the
        examples stand side by side. Beside each batch x stands y, which holds the character that
        follows each in the text. {text[m * stretch :]!r} is only predicted or left over.""",
    )


def temperatures(y_hat, tokens, heats=(0.3, 1.0, 3.0), most=10):
    """One prediction at several temperatures, side by side.

    Parameters
    ----------
    y_hat : (n_v,) ndarray
        Probabilities at temperature 1; those above 0 are shown.
    tokens : sequence of str
    heats : sequence of float, optional
        The coldest first.
    most : int, optional
        Tokens that are shown, the most probable ones.

    Returns
    -------
    Picture
    """
    order = np.argsort(-y_hat, kind="stable")[: min(most, np.count_nonzero(y_hat))]
    figure, axes = canvas(8.6, 0.9 + 0.24 * len(order), columns=len(heats), axes_off=False)
    said, widest = [], 0.0
    for ax, heat in zip(np.atleast_1d(axes), heats, strict=True):
        weights = (y_hat / y_hat.max()) ** (1 / heat)
        p = weights / weights.sum()
        some = p[p > 0]
        widest = widest or 1.25 * p.max()  # the first, which is the coldest, sets the scale
        perplexity = np.exp(-(some * np.log(some)).sum())
        ax.barh(range(len(order)), p[order], color=STATE, height=0.65)
        for row, k in enumerate(order):
            ax.text(p[k], row, f" {100 * p[k]:.0f} %", va="center", fontsize=8.5, color=INK)
        ax.set_yticks(range(len(order)), [tokens[k] for k in order])
        ax.invert_yaxis()
        ax.set_xlim(0, widest)
        ax.set_xticks([])
        ax.tick_params(length=0)
        ax.set_title(
            f"temperature {heat:g}: perplexity {perplexity:.1f}",
            fontsize=9.5,
            color=INK,
            loc="left",
        )
        for spine in ax.spines.values():
            spine.set_visible(False)
        bars = ", ".join(f"{tokens[k]} {100 * p[k]:.0f} %" for k in order)
        said.append(
            f"At temperature {heat:g} the next token has perplexity {perplexity:.1f}: {bars}."
        )
    return Picture(figure, " ".join(said))
