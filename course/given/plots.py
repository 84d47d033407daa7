"""Plots of what was measured: a loss, a confusion matrix, a prediction."""

import numpy as np

from course.given.picture import FAINT, INK, LINE, STATE, Picture, canvas


def loss_curve(losses, window=50):
    """The training loss, step by step, and its moving average.

    Parameters
    ----------
    losses : (steps,) array_like
    window : int, optional
        Steps averaged.

    Returns
    -------
    Picture
    """
    losses = np.asarray(losses, dtype=float)
    smooth = moving_average(losses, window)
    figure, ax = canvas(6.0, 2.6, axes_off=False)
    ax.plot(losses, color=LINE, linewidth=0.8, label="each batch")
    start = len(losses) - len(smooth)
    ax.plot(np.arange(start, len(losses)), smooth, color=STATE, label=f"average of {window}")
    ax.set_xlabel("step")
    ax.set_ylabel("loss")
    ax.set_ylim(0, None)
    ax.legend(frameon=False)
    _plain(ax)
    return Picture(
        figure,
        f"The loss falls from {losses[0]:.2f} at the first step to an average of "
        f"{smooth[-1]:.2f} over the last {min(window, len(losses))} of {len(losses)}.",
    )


def confusion(y, predicted, labels):
    """How often each class was taken for each other one.

    Parameters
    ----------
    y, predicted : (m,) array_like of int
        Right and predicted classes.
    labels : sequence of str
        n_y names.

    Returns
    -------
    Picture
        Rows are the right classes; a cell is the share of its row, in per cent.
    """
    n_y = len(labels)
    counts = np.zeros((n_y, n_y))
    np.add.at(counts, (np.asarray(y), np.asarray(predicted)), 1)
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, ax = canvas(5.6, 4.6, axes_off=False)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=100)
    for i in range(n_y):
        for j in range(n_y):
            ink = "white" if share[i, j] > 55 else INK if share[i, j] >= 0.5 else LINE
            ax.text(j, i, f"{share[i, j]:.0f}", ha="center", va="center", color=ink, fontsize=9)
    ax.set_xticks(range(n_y), labels, rotation=40, ha="right")
    ax.set_yticks(range(n_y), labels)
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    ax.tick_params(length=0)
    _plain(ax, spines=())
    right = ", ".join(f"{label} {share[i, i]:.0f} %" for i, label in enumerate(labels))
    off = share - np.diag(np.diag(share))
    worst = [np.unravel_index(k, off.shape) for k in np.argsort(-off, axis=None)[:3]]
    mixed = ", ".join(f"{labels[i]} taken for {labels[j]} {off[i, j]:.0f} %" for i, j in worst)
    return Picture(figure, f"Right: {right}. Most frequent confusions: {mixed}.")


def probabilities(y_hat, labels, title=""):
    """One prediction as bars, the most probable class first.

    Parameters
    ----------
    y_hat : (n_y,) array_like
    labels : sequence of str
        n_y names.
    title : str, optional

    Returns
    -------
    Picture
    """
    y_hat = np.asarray(y_hat, dtype=float)
    order = np.argsort(-y_hat, kind="stable")
    figure, ax = canvas(5.0, 0.7 + 0.27 * len(labels), axes_off=False)
    ax.barh(range(len(order)), y_hat[order], color=STATE, height=0.65)
    for row, k in enumerate(order):
        ax.text(y_hat[k] + 0.01, row, f"{100 * y_hat[k]:.1f} %", va="center", fontsize=9, color=INK)
    ax.set_yticks(range(len(order)), [labels[k] for k in order])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.13)
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.set_title(title, fontsize=10, color=INK, loc="left")
    _plain(ax, spines=("left",))
    bars = ", ".join(f"{labels[k]} {100 * y_hat[k]:.1f} %" for k in order)
    return Picture(figure, f"{title}: {bars}." if title else f"{bars}.")


def moving_average(values, window):
    """Averages of `window` values in a row (of all of them, when there are fewer)."""
    values = np.asarray(values, dtype=float)
    window = min(window, len(values))
    sums = np.cumsum(np.concatenate([[0.0], values]))
    return (sums[window:] - sums[:-window]) / window


def _plain(ax, spines=("left", "bottom")):
    for side, spine in ax.spines.items():
        spine.set_visible(side in spines)
        spine.set_color(FAINT)
