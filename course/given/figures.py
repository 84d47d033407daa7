"""The course's drawings: networks, shapes and paddings, made by code."""

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

UP = 1.05  # from one row of boxes to the next
HALF = 0.28  # half the height of a box


def unrolled():
    """A recurrent network as a loop, and the same network unrolled over four steps.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(9.0, 2.9)
    _column(ax, 0.0, "t")
    _loop(ax, 0.0)
    ax.text(1.75, UP, "=", fontsize=20, ha="center", va="center", color=INK)
    box(ax, 2.75, UP, r"$a^{\langle 0\rangle}$", "white", STATE)
    places = {"1": 4.3, "2": 5.85, "3": 7.4, "T_x": 9.6}
    for step, x in places.items():
        _column(ax, x, step)
        start = x - 0.95 if step == "T_x" else x - 1.15
        arrow(ax, (start, UP), (x - 0.4, UP), STATE)
        ax.text(x - 0.72, UP + 0.14, r"$W_{aa}$", color=STATE, fontsize=10, ha="center")
    arrow(ax, (7.8, UP), (8.2, UP), STATE)
    ax.text(8.43, UP, "···", fontsize=14, ha="center", va="center", color=INK)
    ax.set_xlim(-0.6, 10.1)
    ax.set_ylim(-0.4, 2.5)
    return Picture(
        figure,
        """Left: one cell with an arrow from its state a back to itself. Right: the same cell drawn
        once a step, from 1 to T_x. At each step the input x feeds the state a through Wax, the
        state of the step before feeds it through Waa, and the state feeds the prediction y-hat
        through Wya. The three matrices are the same at every step. The first state is a<0>.""",
    )


def architectures():
    """The five ways to join inputs and outputs to the steps of a recurrent network.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(9.6, 2.9)
    kinds = [
        ("one to one", 1, [0], [0], False, "a picture\n→ its class"),
        ("one to many", 3, [0], [0, 1, 2], True, "a genre\n→ a tune"),
        ("many to one", 3, [0, 1, 2], [2], False, "a name\n→ its language"),
        ("many to many,\n$T_x = T_y$", 3, [0, 1, 2], [0, 1, 2], False, "words\n→ tags"),
        ("many to many,\n$T_x \\neq T_y$", 5, [0, 1], [2, 3, 4], True, "French\n→ English"),
    ]
    x = 0.0
    for title, steps, inputs, outputs, feeds_back, example in kinds:
        for t in range(steps):
            _small_step(ax, x + t, t in inputs, t in outputs, first=t == 0)
            if feeds_back and t in outputs and t + 1 < steps:
                _feed_back(ax, x + t)
        middle = x + (steps - 1) / 2
        ax.text(middle, 2.95, title, ha="center", va="center", color=INK, fontsize=10.5)
        ax.text(middle, -0.75, example, ha="center", va="center", color=FAINT, fontsize=9.5)
        x += steps + (0.9 if steps == 1 else 0.6)
    ax.set_xlim(-0.9, x - 0.8)
    ax.set_ylim(-1.15, 3.35)
    return Picture(
        figure,
        """Five networks; inputs below, states in the middle, outputs above. One to one: one input,
        one state, one output. One to many: an input at the first step only, an output at each of
        three steps, each output fed back as the next step's input. Many to one: three inputs, one
        output at the last step. Many to many of equal lengths: an input and an output at every
        step. Many to many of different lengths: two steps read two inputs, then three steps write
        three outputs, each fed back.""",
    )


def cell():
    """One step of a recurrent cell and its output layer, with the shapes of everything.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(8.6, 2.9)
    box(ax, 0.0, 1.1, r"$a^{\langle t-1\rangle}$", "white", STATE, width=1.0)
    ax.text(0.0, 0.66, "(m, n_a)", ha="center", color=FAINT, fontsize=9)
    box(ax, 2.4, -0.2, r"$x^{\langle t\rangle}$", INPUT_FILL, INPUT, width=1.0)
    ax.text(3.0, -0.2, "(m, n_x)", va="center", color=FAINT, fontsize=9)
    box(ax, 2.4, 1.1, "+", "white", INK, width=0.6)
    box(ax, 4.3, 1.1, "tanh", STATE_FILL, STATE, width=1.0)
    box(ax, 6.6, 1.1, r"$a^{\langle t\rangle}$", "white", STATE, width=1.0)
    ax.text(6.6, 0.66, "(m, n_a)", ha="center", color=FAINT, fontsize=9)
    box(ax, 5.45, 2.3, "softmax", OUTPUT_FILL, OUTPUT, width=1.2)
    box(ax, 7.6, 2.3, r"$\hat{y}^{\langle t\rangle}$", "white", OUTPUT, width=1.0)
    ax.text(8.2, 2.3, "(m, n_y)", va="center", color=FAINT, fontsize=9)
    arrow(ax, (0.5, 1.1), (2.1, 1.1), STATE)
    ax.text(1.3, 1.26, r"$W_{aa}$", color=STATE, ha="center", fontsize=11)
    ax.text(1.3, 0.88, "(n_a, n_a)", color=FAINT, ha="center", fontsize=8)
    arrow(ax, (2.4, 0.08), (2.4, 0.82), INPUT)
    ax.text(2.28, 0.48, r"$W_{ax}$", color=INPUT, ha="right", va="center", fontsize=11)
    ax.text(2.5, 0.48, "(n_a, n_x)", color=FAINT, va="center", fontsize=8)
    ax.text(2.4, 1.68, r"$b_a$", color=INK, ha="center", fontsize=11)
    arrow(ax, (2.4, 1.62), (2.4, 1.38))
    arrow(ax, (2.7, 1.1), (3.8, 1.1))
    arrow(ax, (4.8, 1.1), (6.1, 1.1), STATE)
    ax.plot([5.45, 5.45], [1.1, 1.2], color=OUTPUT, linewidth=1.3)
    arrow(ax, (5.45, 1.1), (5.45, 2.02), OUTPUT)
    ax.text(5.35, 1.6, r"$W_{ya},\ b_y$", color=OUTPUT, ha="right", va="center", fontsize=11)
    ax.text(5.55, 1.6, "(n_y, n_a)", color=FAINT, va="center", fontsize=8)
    arrow(ax, (6.05, 2.3), (7.1, 2.3), OUTPUT)
    arrow(ax, (7.1, 1.1), (8.6, 1.1), STATE)
    ax.text(8.65, 1.1, "to step $t+1$", color=STATE, va="center", fontsize=9)
    ax.set_xlim(-0.6, 9.7)
    ax.set_ylim(-0.6, 2.75)
    return Picture(
        figure,
        """One step. The previous state a<t-1>, of shape (m, n_a), goes through Waa; the input
        x<t>, of shape (m, n_x), goes through Wax; the two and the bias ba are added and go
        through tanh. The result is the new state a<t>, of shape (m, n_a). It goes two ways: on to
        step t+1, and through Wya, by and softmax to the prediction y-hat<t>, of shape
        (m, n_y).""",
    )


def padding(words):
    """Words of different lengths as one padded batch, with the last real step of each marked.

    Parameters
    ----------
    words : sequence of str

    Returns
    -------
    Picture
    """
    longest = max(map(len, words))
    figure, ax = canvas(1.1 + 0.62 * longest, 0.75 + 0.5 * len(words))
    for row, word in enumerate(words):
        y = -row
        for t in range(longest):
            real, last = t < len(word), t == len(word) - 1
            fill = STATE_FILL if last else INPUT_FILL if real else "white"
            edge = STATE if last else INPUT if real else LINE
            box(ax, t, y, word[t] if real else "0", fill, edge, width=0.86, height=0.78)
        ax.text(-0.75, y, f"example {row}", ha="right", va="center", color=FAINT, fontsize=9)
        ax.text(
            longest - 0.3, y, f"last: t = {len(word) - 1}", va="center", color=STATE, fontsize=9
        )
    for t in range(longest):
        ax.text(t, 0.62, f"t = {t}", ha="center", va="center", color=FAINT, fontsize=8.5)
    ax.set_xlim(-2.1, longest + 1.0)
    ax.set_ylim(-len(words) + 0.45, 0.85)
    lasts = ", ".join(f"“{word}” at t = {len(word) - 1}" for word in words)
    return Picture(
        figure,
        f"""A table with one row an example and {longest} columns, the time steps. Each row holds a
        word's letters and then zeros. The last real step is marked: {lasts}.""",
    )


def states_of_word(word, a):
    """The states of a network that reads a word, all steps side by side.

    Parameters
    ----------
    word : str
        T_x characters.
    a : (T_x, n_a) ndarray
        The state after each.

    Returns
    -------
    Picture
    """
    figure, ax = canvas(1.2 + 1.15 * len(word), 2.6)
    n_a = a.shape[1]
    for t, letter in enumerate(word):
        x = 1.5 * t
        box(ax, x, 0, letter, INPUT_FILL, INPUT, width=0.7, size=13)
        box(ax, x, 1.3, "", STATE_FILL, STATE, width=1.0, height=1.2)
        arrow(ax, (x, HALF), (x, 0.7), INPUT)
        if t:
            arrow(ax, (x - 1.0, 1.3), (x - 0.5, 1.3), STATE)
        for unit in range(n_a):
            _signed_bar(ax, x, 1.3 + 0.8 * (0.5 - (unit + 0.5) / n_a), a[t, unit])
        ax.text(x, 2.1, rf"$a^{{\langle {t + 1}\rangle}}$", ha="center", color=STATE, fontsize=11)
    ax.set_xlim(-0.8, 1.5 * (len(word) - 1) + 0.8)
    ax.set_ylim(-0.4, 2.45)
    values = "; ".join(
        f"after “{letter}” " + ", ".join(f"{v:+.2f}" for v in row)
        for letter, row in zip(word, np.asarray(a), strict=True)
    )
    return Picture(figure, f"A network reads “{word}” letter by letter. Its state is: {values}.")


def _signed_bar(ax, x, y, value):
    ax.plot([x, x + 0.42 * value], [y, y], color=STATE, linewidth=6, solid_capstyle="butt")
    ax.plot([x, x], [y - 0.13, y + 0.13], color=INK, linewidth=1)


def _column(ax, x, step):
    """An input, a state and a prediction above one another, joined by named weights."""
    at = rf"^{{\langle {step}\rangle}}"
    box(ax, x, 0, f"$x{at}$", INPUT_FILL, INPUT)
    box(ax, x, UP, f"$a{at}$", STATE_FILL, STATE)
    box(ax, x, 2 * UP, rf"$\hat{{y}}{at}$", OUTPUT_FILL, OUTPUT)
    arrow(ax, (x, HALF), (x, UP - HALF), INPUT)
    arrow(ax, (x, UP + HALF), (x, 2 * UP - HALF), OUTPUT)
    ax.text(x + 0.08, UP / 2, r"$W_{ax}$", color=INPUT, fontsize=10, va="center")
    ax.text(x + 0.08, 1.5 * UP, r"$W_{ya}$", color=OUTPUT, fontsize=10, va="center")


def _loop(ax, x):
    """An arrow from a state round to itself."""
    angle = np.linspace(0.85 * np.pi, -0.75 * np.pi, 60)
    ax.plot(x + 0.68 + 0.3 * np.cos(angle), UP + 0.2 * np.sin(angle), color=STATE, linewidth=1.3)
    arrow(ax, (x + 0.55, UP - 0.17), (x + 0.4, UP - 0.1), STATE)
    ax.text(x + 1.04, UP, r"$W_{aa}$", color=STATE, fontsize=10, va="center")


def _small_step(ax, x, has_input, has_output, first):
    """One step of a small network: its state, and its input and output where it has them."""
    box(ax, x, UP, "", STATE_FILL, STATE, width=0.62)
    if not first:
        arrow(ax, (x - 0.69, UP), (x - 0.31, UP), STATE)
    if has_input:
        box(ax, x, 0, "", INPUT_FILL, INPUT, width=0.5, height=0.4)
        arrow(ax, (x, 0.2), (x, UP - HALF), INPUT)
    if has_output:
        box(ax, x, 2 * UP, "", OUTPUT_FILL, OUTPUT, width=0.5, height=0.4)
        arrow(ax, (x, UP + HALF), (x, 2 * UP - 0.2), OUTPUT)


def _feed_back(ax, x):
    """A dashed arrow from the output of one small step to the state of the next."""
    ax.plot(
        [x + 0.25, x + 0.5, x + 0.5, x + 1, x + 1],
        [2 * UP, 2 * UP, 0.35, 0.35, 0.5],
        color=OUTPUT,
        linewidth=1.1,
        linestyle=(0, (3, 2)),
    )
    arrow(ax, (x + 1, 0.45), (x + 1, UP - HALF), OUTPUT)
