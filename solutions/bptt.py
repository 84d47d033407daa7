"""Unit 03: backpropagation through time.

A network unrolled in time is trained like a deep one whose layers share their weights: Rumelhart,
Hinton and Williams (1986, "Learning internal representations by error propagation"), Werbos (1990,
"Backpropagation through time: what it does and how to do it"). Truncation is the BPTT(h; h) of
Williams and Peng (1990, "An efficient gradient-based algorithm for on-line training of recurrent
network trajectories"). Clipping by value is Mikolov's (2012, "Statistical language models based
on neural networks"), by norm that of Pascanu, Mikolov and Bengio (2013, "On the difficulty of
training recurrent neural networks"). The step of the numerical gradient is that of Dennis and
Schnabel (1983, "Numerical methods for unconstrained optimization and nonlinear equations").

In the backward functions, ``ds`` is the gradient with respect to the sum that goes into tanh, and
``dz`` the one with respect to the scores that go into softmax.
"""

import numpy as np

from course.given import OutputParams, RNNParams


def cross_entropy(y_hat, y, mask):
    """Measure how much a prediction is surprised by the right classes.

    Parameters
    ----------
    y_hat : (T_x, m, n_y) ndarray
        Predicted probabilities.
    y : (T_x, m) ndarray of int
        The right classes.
    mask : (T_x, m) ndarray of bool
        True at real steps, of which there is at least one. At the others `y_hat` and `y` may
        hold anything.

    Returns
    -------
    loss : float
        Minus the natural logarithm of what the right class was given, averaged over all real
        steps: infinity, without a warning, where that was nothing.
    """
    ### BEGIN SOLUTION
    right = y_hat[mask, y[mask]]  # one probability per real step
    with np.errstate(divide="ignore"):  # log(0) is -inf, and meant
        loss = -np.log(right).mean()
    ### END SOLUTION
    return loss


def output_backward(y_hat, y, mask, a, params):
    """Take the gradient of `cross_entropy` back through softmax and the output layer.

    Parameters
    ----------
    y_hat : (T_x, m, n_y) ndarray
        What `output_forward` made of `a`.
    y : (T_x, m) ndarray of int
        The right classes.
    mask : (T_x, m) ndarray of bool
        True at real steps, of which there is at least one. At the others `y_hat`, `y` and `a`
        may hold anything.
    a : (T_x, m, n_a) ndarray
        Hidden states.
    params : OutputParams

    Returns
    -------
    da : (T_x, m, n_a) ndarray
        Gradient with respect to the hidden states, as far as each reaches the loss at its own
        step; zero at the padding.
    grads : OutputParams
        Gradients with respect to the parameters, summed over examples and steps.
    """
    ### BEGIN SOLUTION
    dz = y_hat[mask]  # (real steps, n_y), a copy
    dz[np.arange(len(dz)), y[mask]] -= 1
    dz /= len(dz)  # the loss is a mean

    da = np.zeros(a.shape, dtype=np.result_type(dz, params.Wya))
    da[mask] = dz @ params.Wya
    grads = OutputParams(Wya=dz.T @ a[mask], by=dz.sum(axis=0))
    ### END SOLUTION
    return da, grads


def rnn_cell_backward(da, cache, params):
    """Take a gradient back through one step of a recurrent cell.

    Parameters
    ----------
    da : (m, n_a) ndarray
        Gradient of the loss with respect to this step's hidden state.
    cache : RNNCache
        What `rnn_cell_forward` left.
    params : RNNParams

    Returns
    -------
    dx_t : (m, n_x) ndarray
        Gradient with respect to the input at this step.
    da_prev : (m, n_a) ndarray
        Gradient with respect to the hidden state before this step.
    grads : RNNParams
        Gradients with respect to the parameters, summed over the examples.
    """
    x_t, a_prev, a = cache
    ### BEGIN SOLUTION
    ds = da * (1 - a**2)
    dx_t = ds @ params.Wax
    da_prev = ds @ params.Waa
    grads = RNNParams(Wax=ds.T @ x_t, Waa=ds.T @ a_prev, ba=ds.sum(axis=0))
    ### END SOLUTION
    return dx_t, da_prev, grads


def rnn_backward(da, caches, params):
    """Take gradients back through a whole run of a recurrent cell.

    Parameters
    ----------
    da : (T_x, m, n_a) ndarray
        Gradient of the loss with respect to the hidden state after each step, as far as it
        reaches the loss at that step: what arrives through later steps is found here.
    caches : list of RNNCache
        What `rnn_forward` left, in order of time.
    params : RNNParams

    Returns
    -------
    dx : (T_x, m, n_x) ndarray
        Gradient with respect to the input at each step.
    da0 : (m, n_a) ndarray
        Gradient with respect to the hidden state before the first step.
    grads : RNNParams
        Gradients with respect to the parameters, summed over examples and steps.
    """
    ### BEGIN SOLUTION
    T_x = len(da)
    dtype = np.result_type(da, caches[0].a)
    dx = np.zeros((T_x, *caches[0].x_t.shape), dtype)
    grads = RNNParams(*(np.zeros(w.shape, dtype) for w in (params.Wax, params.Waa, params.ba)))
    da_prev = np.zeros_like(da[0])
    for t in reversed(range(T_x)):
        dx[t], da_prev, step = rnn_cell_backward(da[t] + da_prev, caches[t], params)
        for total, grad in zip(grads, step, strict=True):
            total += grad
    da0 = da_prev
    ### END SOLUTION
    return dx, da0, grads


def numerical_gradient(f, w):
    """Find a gradient without any calculus: move every entry a little and look.

    Parameters
    ----------
    f : callable
        From an array shaped like `w`, in float64, to a number.
    w : (...) ndarray
        Where to look, in any type of float. Entries may be large: 1e8 is as good a place as 1.

    Returns
    -------
    gradient : (...) ndarray
        The derivative of f with respect to each entry of `w`, in float64, from the values of f
        on either side of it.
    """
    ### BEGIN SOLUTION
    # A step h costs h² by the curve's bend and rounding / h by the difference: the sum is least
    # near the cube root of rounding. Entries beyond 1 are rounded, and so moved, in proportion.
    step = np.cbrt(np.finfo(float).eps) * np.maximum(1, np.abs(w, dtype=float))
    gradient = np.zeros(w.shape)
    for i in np.ndindex(w.shape):
        above, below = w.astype(float), w.astype(float)
        above[i] += step[i]
        below[i] -= step[i]
        apart = above[i] - below[i]  # two steps, as they were rounded
        gradient[i] = (f(above) - f(below)) / apart
    ### END SOLUTION
    return gradient


def clip_by_value(grads, limit):
    """Cut every entry of a gradient that is too large.

    Parameters
    ----------
    grads : NamedTuple of ndarray
        Gradients, of any type of parameters.
    limit : float
        The largest size, of either sign, that an entry keeps.

    Returns
    -------
    clipped : NamedTuple of ndarray
        New arrays, in the type of `grads`.
    """
    ### BEGIN SOLUTION
    clipped = type(grads)(*(np.clip(grad, -limit, limit).astype(grad.dtype) for grad in grads))
    ### END SOLUTION
    return clipped


def clip_by_norm(grads, limit):
    """Shorten a gradient that is too long, and keep its direction.

    Parameters
    ----------
    grads : NamedTuple of ndarray
        Gradients, of any type of parameters.
    limit : float
        The largest norm that the gradient keeps, above zero: the Euclidean norm of all arrays
        together.

    Returns
    -------
    clipped : NamedTuple of ndarray
        New arrays, in the type of `grads`; equal to those in `grads` where their norm is within
        the limit. Gradients may be large: the square of an entry may overflow.
    """
    ### BEGIN SOLUTION
    largest = max(np.abs(grad).max() for grad in grads) or 1  # divided by it, no square overflows
    norm = largest * np.sqrt(sum(((grad / largest) ** 2).sum(dtype=float) for grad in grads))
    scale = limit / max(norm, limit)  # 1 within the limit
    clipped = type(grads)(*((grad * scale).astype(grad.dtype) for grad in grads))
    ### END SOLUTION
    return clipped


def truncated_bptt(da, caches, params, length):
    """Take gradients back through a run of a recurrent cell, a limited number of steps at a time.

    The steps are cut into consecutive chunks, counted from the first step, and no gradient
    crosses the border between two chunks. The hidden state did cross it, going forward.

    Parameters
    ----------
    da : (T_x, m, n_a) ndarray
        Gradient of the loss with respect to the hidden state after each step, as far as it
        reaches the loss at that step.
    caches : list of RNNCache
        What `rnn_forward` left, in order of time.
    params : RNNParams
    length : int
        Steps in a chunk; the last chunk may be shorter.

    Returns
    -------
    dx : (T_x, m, n_x) ndarray
        Gradient with respect to the input at each step, as far as its own chunk feels it.
    da0 : (m, n_a) ndarray
        Gradient with respect to the hidden state before the first step, from the first chunk.
    grads : RNNParams
        Gradients with respect to the parameters, summed over examples and steps.
    """
    ### BEGIN SOLUTION
    T_x = len(da)
    dtype = np.result_type(da, caches[0].a)
    dx = np.zeros((T_x, *caches[0].x_t.shape), dtype)
    grads = RNNParams(*(np.zeros(w.shape, dtype) for w in (params.Wax, params.Waa, params.ba)))
    for start in reversed(range(0, T_x, length)):  # the first chunk comes last, and leaves da0
        chunk = slice(start, start + length)
        dx[chunk], da0, part = rnn_backward(da[chunk], caches[chunk], params)
        for total, grad in zip(grads, part, strict=True):
            total += grad
    ### END SOLUTION
    return dx, da0, grads
