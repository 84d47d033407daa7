"""Unit 02: a recurrent network, forward.

The cell is Elman's (1990, "Finding structure in time"), with the output layer apart.
"""

import numpy as np

from course.given import RNNCache


def softmax(z):
    """Turn scores into probabilities.

    Parameters
    ----------
    z : (..., n_y) ndarray
        Scores, one per class along the *last* axis: (m, n_y) for one step, (T_x, m, n_y) for
        whole sequences. They may be large: 1000 is as good a score as 1.

    Returns
    -------
    y_hat : (..., n_y) ndarray
        Probabilities; those of one example sum to 1.
    """
    ### BEGIN SOLUTION
    exponentials = np.exp(z - z.max(axis=-1, keepdims=True))  # the largest becomes exp(0)
    y_hat = exponentials / exponentials.sum(axis=-1, keepdims=True)
    ### END SOLUTION
    return y_hat


def rnn_cell_forward(x_t, a_prev, params):
    """Advance a recurrent cell by one time step.

    Parameters
    ----------
    x_t : (m, n_x) ndarray
        Input at this step, one row per example.
    a_prev : (m, n_a) ndarray
        Hidden state left by the previous step.
    params : RNNParams
        ``Wax`` (n_a, n_x), ``Waa`` (n_a, n_a), ``ba`` (n_a,).

    Returns
    -------
    a : (m, n_a) ndarray
        Hidden state after this step.
    cache : RNNCache
        What `rnn_cell_backward` will need.
    """
    ### BEGIN SOLUTION
    a = np.tanh(x_t @ params.Wax.T + a_prev @ params.Waa.T + params.ba)
    ### END SOLUTION
    return a, RNNCache(x_t, a_prev, a)


def output_forward(a, params):
    """Predict a class from a hidden state.

    Parameters
    ----------
    a : (..., n_a) ndarray
        Hidden states: (m, n_a) of one step, or (T_x, m, n_a) of whole sequences.
    params : OutputParams
        ``Wya`` (n_y, n_a), ``by`` (n_y,).

    Returns
    -------
    y_hat : (..., n_y) ndarray
        Probabilities of the classes.
    """
    ### BEGIN SOLUTION
    y_hat = softmax(a @ params.Wya.T + params.by)
    ### END SOLUTION
    return y_hat


def rnn_forward(x, a0, params):
    """Run a recurrent cell over whole sequences.

    Parameters
    ----------
    x : (T_x, m, n_x) ndarray
        Sequences; ``x[t]`` is one step of all examples.
    a0 : (m, n_a) ndarray
        Hidden state before the first step.
    params : RNNParams

    Returns
    -------
    a : (T_x, m, n_a) ndarray
        Hidden states; ``a[t]`` is the one after step t.
    caches : list of RNNCache
        What `rnn_cell_forward` left at each step, in order of time.
    """
    ### BEGIN SOLUTION
    T_x = len(x)
    a = np.zeros((T_x, *a0.shape), dtype=np.result_type(x, a0, *params))
    caches = []
    a_prev = a0
    for t in range(T_x):
        a[t], cache = rnn_cell_forward(x[t], a_prev, params)
        caches.append(cache)
        a_prev = a[t]
    ### END SOLUTION
    return a, caches


def last_states(a, mask):
    """Pick the state after each example's last real step.

    Parameters
    ----------
    a : (T_x, m, n_a) ndarray
        Hidden states over time.
    mask : (T_x, m) ndarray of bool
        True at real steps, False at the padding that follows them. Every example has at least
        one real step.

    Returns
    -------
    a_last : (m, n_a) ndarray
        One state per example.
    """
    ### BEGIN SOLUTION
    last = mask.sum(axis=0) - 1  # (m,)
    a_last = a[last, np.arange(len(last))]
    ### END SOLUTION
    return a_last


def rnn_generate(x_1, a0, params, T_y):
    """Unroll one input into a sequence: each prediction is the next step's input.

    Parameters
    ----------
    x_1 : (m, n_y) ndarray
        Input at the first step; as long as a prediction, since predictions follow it.
    a0 : (m, n_a) ndarray
        Hidden state before the first step.
    params : RNNModelParams
        Parameters of the cell and of the output layer.
    T_y : int
        Number of steps.

    Returns
    -------
    y_hat : (T_y, m, n_y) ndarray
        Predicted probabilities, step by step.
    """
    ### BEGIN SOLUTION
    y_hat = []
    x_t, a = x_1, a0
    for _ in range(T_y):
        a, _cache = rnn_cell_forward(x_t, a, params)
        x_t = output_forward(a, params)
        y_hat.append(x_t)
    y_hat = np.stack(y_hat)
    ### END SOLUTION
    return y_hat
