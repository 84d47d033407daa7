"""Training for the experiments: a model, an optimiser, a loop that shows how it goes.

The fast layers do the work here; what a learner writes is then run with the weights that came
out, and compared.
"""

import html
import time

import numpy as np

from course.given import data
from course.given.progress import Bar
from course.given.types import OutputParams, RNNParams

REDRAW = 0.25  # seconds between two drawings of a running fit
POINTS = 120  # of the live loss curve


class Adam:
    """Adam (Kingma and Ba, 2015): a step for every parameter, in units of its own gradients.

    Parameters
    ----------
    params : NamedTuple of ndarray
        Changed in place by `step`.
    learning_rate : float, optional
    """

    def __init__(self, params, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.params = params
        self.learning_rate = learning_rate
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.steps = 0
        self._means = [np.zeros_like(w) for w in params]
        self._squares = [np.zeros_like(w) for w in params]

    def step(self, grads, scale=1.0):
        """Move the parameters against their gradients.

        Parameters
        ----------
        grads : NamedTuple of ndarray
            Of the parameters' type.
        scale : float, optional
            Factor on the learning rate, for a rate that falls as training goes on.
        """
        self.steps += 1
        rate = self.learning_rate * scale / (1 - self.beta1**self.steps)
        correction = 1 - self.beta2**self.steps
        for w, dw, mean, square in zip(self.params, grads, self._means, self._squares, strict=True):
            mean += (1 - self.beta1) * (dw - mean)
            square += (1 - self.beta2) * (dw**2 - square)
            w -= rate * mean / (np.sqrt(square / correction) + self.epsilon)


class ManyToOne:
    """A recurrent layer whose state after the last real step feeds an output layer.

    Parameters
    ----------
    params : RNNModelParams
        Changed in place by training.
    """

    def __init__(self, params):
        from course.given import RNN

        self.params = params
        self.layer = RNN(RNNParams(params.Wax, params.Waa, params.ba))
        self.output = OutputParams(params.Wya, params.by)

    def scores(self, x, mask):
        """The scores that softmax would turn into probabilities.

        Parameters
        ----------
        x : (T_x, m, n_x) ndarray
        mask : (T_x, m) ndarray of bool

        Returns
        -------
        (m, n_y) ndarray
        """
        return self._forward(x, mask)[0]

    def loss_and_gradients(self, x, mask, y):
        """Mean cross-entropy of a batch, and its gradient.

        Parameters
        ----------
        x : (T_x, m, n_x) ndarray
        mask : (T_x, m) ndarray of bool
        y : (m,) ndarray of int
            The right classes.

        Returns
        -------
        loss : float
        grads : RNNModelParams
        """
        scores, read, ends = self._forward(x, mask)
        loss, dscores = _cross_entropy(scores, y)
        da = ends[:, :, None] * (dscores @ self.output.Wya)
        _dx, _da0, grads = self.layer.backward(da)
        return loss, type(self.params)(*grads, dscores.T @ read, dscores.sum(axis=0))

    def _forward(self, x, mask):
        ends = mask.copy()  # True at each example's last real step only
        ends[:-1] &= ~mask[1:]
        ends = ends.astype(x.dtype)
        a = self.layer.forward(x)
        read = np.einsum("tm,tma->ma", ends, a)
        return read @ self.output.Wya.T + self.output.by, read, ends


def _cross_entropy(scores, y):
    """Mean cross-entropy straight from scores, and its gradient, in one pass."""
    rows = np.arange(len(y))
    scores = scores - scores.max(axis=1)[:, None]
    surprise = np.log(np.exp(scores).sum(axis=1)) - scores[rows, y]
    dscores = np.exp(scores - (surprise + scores[rows, y])[:, None])
    dscores[rows, y] -= 1
    return float(surprise.mean()), dscores / len(y)


def fit(update, steps, label="training"):
    """Run an update so many times, with a progress bar and a loss curve that grows in place.

    Parameters
    ----------
    update : callable
        ``update(step) -> loss``; `step` counts from 0.
    steps : int
    label : str, optional

    Returns
    -------
    losses : (steps,) ndarray

    Notes
    -----
    In a notebook one output is redrawn, four times a second at most; elsewhere a line of text on
    standard error.
    """
    losses = np.empty(steps)
    show = _live_in_notebook(label, steps) or _live_in_terminal(label, steps)
    for step in range(steps):
        losses[step] = update(step)
        show(losses[: step + 1])
    return losses


class needs:  # noqa: N801  # a context manager reads as a function
    """Run a block that uses unfinished functions or missing data without stopping the notebook.

    Parameters
    ----------
    *things : callable or str
        Functions that the learner writes, and names of datasets.

    Examples
    --------
    >>> def rnn_forward(x, a0, params):
    ...     raise NotImplementedError
    >>> with needs(rnn_forward):
    ...     rnn_forward(None, None, None)
    This cell waits for rnn_forward: finish it above, then run this cell again.
    """

    def __init__(self, *things):
        self.datasets = [thing for thing in things if isinstance(thing, str)]
        self.functions = [thing for thing in things if callable(thing)]

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if not isinstance(error, Exception):
            return False  # done, or interrupted by hand
        if data.is_ready(*self.datasets):
            print(self._explain(error, trace))
        return True

    def _explain(self, error, trace):
        name = self._where(trace)
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        if name and isinstance(error, NotImplementedError):
            return f"This cell waits for {name}: finish it above, then run this cell again."
        if name:
            return f"{name} stopped this cell ({said}). Mend it above, then run this cell again."
        if isinstance(error, NameError):
            return f"This cell uses what cells above it make ({said}). Run those first."
        names = ", ".join(function.__name__ for function in self.functions)
        check = f" Are these finished: {names}?" if names else ""
        return f"This cell stopped ({said}).{check}"

    def _where(self, trace):
        """The name of the learner's function that raised; the innermost one, if they are nested."""
        names = {f.__code__: f.__name__ for f in self.functions if hasattr(f, "__code__")}
        found = None
        while trace:
            found = names.get(trace.tb_frame.f_code, found)
            trace = trace.tb_next
        return found


# ---- showing a fit ---------------------------------------------------------------------------


class _Running:
    """A running fit, as HTML with a curve and as a line of text."""

    def __init__(self, label, steps, losses, seconds):
        bar = Bar(steps, label, show=False)
        bar.advance(f"loss {losses[-50:].mean():.3f} ({seconds:.0f} s)", len(losses))
        self.text, self.label, self.steps, self.losses = bar.line(), label, steps, losses

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        done = len(self.losses)
        loss = f"{self.losses[-50:].mean():.3f}"
        return (
            '<div style="max-width:34em">'
            f"<div>{html.escape(self.label)}: step {done} of {self.steps}, loss {loss}</div>"
            f'<progress value="{done}" max="{self.steps}" style="width:100%" '
            f'aria-label="{html.escape(self.label)}"></progress>{self._curve(loss)}</div>'
        )

    def _curve(self, loss):
        pieces = np.array_split(self.losses, min(POINTS, len(self.losses)))
        means = np.array([piece.mean() for piece in pieces])
        width = 440 * len(self.losses) / self.steps
        x = np.linspace(0, width, len(means))
        y = 96 - 90 * means / max(means.max(), 1e-9)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        return (
            '<svg viewBox="0 0 440 100" role="img" style="width:100%" '
            f'aria-label="loss against step: from {means[0]:.2f} to {loss}">'
            '<path d="M0 96H440" stroke="currentColor" stroke-opacity=".4"/>'
            f'<polyline points="{points}" fill="none" stroke="#3b82f6" stroke-width="2"/></svg>'
        )


def _live_in_notebook(label, steps):
    """A function that redraws one output of a notebook, or None where there is no notebook."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return None
    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    start = time.monotonic()
    state = {"drawn": -REDRAW, "handle": None}

    def show(losses):
        now = time.monotonic() - start
        if now - state["drawn"] < REDRAW and len(losses) < steps:
            return
        state["drawn"] = now
        picture = _Running(label, steps, losses, now)
        if state["handle"] is None:
            state["handle"] = display(picture, display_id=True)
        else:
            state["handle"].update(picture)

    return show


def _live_in_terminal(label, steps):
    bar = Bar(steps, label)

    def show(losses):
        bar.advance(f"loss {losses[-50:].mean():.3f}")

    return show
