"""Unit 08: deep recurrent networks: layers upon layers, dropout between, a network on top.

Layers are stacked as by Graves, Mohamed and Hinton (2013, "Speech recognition with deep
recurrent neural networks"). The network on each output is the deep output of Pascanu et al.
(2014, "How to construct deep recurrent neural networks"). Dropout is that of Srivastava et al.
(2014, "Dropout: a simple way to prevent neural networks from overfitting"), inverted: what is
kept is raised while training, so that nothing is to be done afterwards.

In `deep_output_backward`, ``ds_h`` is the gradient with respect to the sum that goes into the
hidden layer's tanh.
"""

import numpy as np

from course.given import DeepOutputCache, DeepOutputParams


def deep_rnn_forward(x, a0s, layers):
    """Run recurrent layers over whole sequences, one upon another.

    Parameters
    ----------
    x : (T_x, m, n_x) ndarray
        Sequences, which the lowest layer reads.
    a0s : list of tuple of (m, n_a) ndarray
        For each layer, from the bottom up, the states before its first step: one in a tuple for
        an RNN or a GRU, hidden state and memory for an LSTM. An empty tuple stands for zeros.
    layers : list of layer
        From the bottom up, of any cells and sizes. ``layer.forward(sequences, *states)`` runs
        a layer from these states on, and returns its output.

    Returns
    -------
    outputs : list of (T_x, m, n_a) ndarray
        Each layer's output, from the bottom up; n_a is the layer's own.
    """
    ### BEGIN SOLUTION
    outputs = []
    a = x
    for layer, start in zip(layers, a0s, strict=True):
        a = layer.forward(a, *start)
        outputs.append(a)
    ### END SOLUTION
    return outputs


def deep_rnn_backward(das, layers):
    """Take gradients back through a stack of recurrent layers.

    Parameters
    ----------
    das : list of (T_x, m, n_a) ndarray
        For each layer, from the bottom up, the gradient of the loss with respect to its output,
        as far as it does not pass through the layer above: that part is found here. Mostly all
        but the last are zero, since a loss sees the top layer.
    layers : list of layer
        The layers that `deep_rnn_forward` ran, which remember its run: ``layer.backward(...)``
        takes the gradient of a layer's output and returns that of its input, those of its
        start states, and those of its parameters.

    Returns
    -------
    dx : (T_x, m, n_x) ndarray
        Gradient with respect to the input at each step.
    da0s : list of tuple of (m, n_a) ndarray
        Gradients with respect to each layer's states before its first step, from the bottom up.
    grads : list of NamedTuple of ndarray
        Gradients with respect to each layer's parameters, from the bottom up.
    """
    ### BEGIN SOLUTION
    da0s, grads = [], []
    dx = 0  # of what the layer above reads; nothing stands upon the top layer
    for layer, da in zip(reversed(layers), reversed(das), strict=True):
        dx, *da0, layer_grads = layer.backward(da + dx)
        da0s.insert(0, tuple(da0))
        grads.insert(0, layer_grads)
    ### END SOLUTION
    return dx, da0s, grads


def dropout_forward(a, rate, rng):
    """Drop a random part of the entries while training, and raise the others to make up for it.

    Parameters
    ----------
    a : (..., n_a) ndarray
        Outputs of a layer: (m, n_a) of one step, or (T_x, m, n_a) of whole sequences.
    rate : float
        The part that is dropped, from 0 to below 1. The others are raised so far that each
        entry's expectation stays what it was.
    rng : numpy.random.Generator

    Returns
    -------
    a_dropped : (..., n_a) ndarray
        Zero wherever an entry's own number, drawn evenly from 0 to 1, is below `rate`.
    kept : (..., n_a) ndarray
        What each entry of `a` was multiplied by, in the type of `a`.
    """
    numbers = rng.random(a.shape)
    ### BEGIN SOLUTION
    kept = ((numbers >= rate) / (1 - rate)).astype(a.dtype)
    a_dropped = a * kept
    ### END SOLUTION
    return a_dropped, kept


def dropout_backward(da_dropped, kept):
    """Take a gradient back through dropout.

    Parameters
    ----------
    da_dropped : (..., n_a) ndarray
        Gradient of the loss with respect to what dropout left.
    kept : (..., n_a) ndarray
        What `dropout_forward` multiplied each entry by.

    Returns
    -------
    da : (..., n_a) ndarray
        Gradient with respect to what `dropout_forward` was given.
    """
    ### BEGIN SOLUTION
    da = da_dropped * kept
    ### END SOLUTION
    return da


def deep_output_forward(a, params):
    """Forecast from hidden states by a network with one hidden layer, the same at every step.

    Parameters
    ----------
    a : (..., n_a) ndarray
        Hidden states: (m, n_a) of one step, or (T_x, m, n_a) of whole sequences.
    params : DeepOutputParams
        ``Wha`` (n_h, n_a), ``bh`` (n_h,), ``Wyh`` (n_y, n_h), ``by`` (n_y,).

    Returns
    -------
    y_hat : (..., n_y) ndarray
        Forecasts: numbers of any size, no probabilities. The hidden layer has a tanh, the
        output layer none.
    cache : DeepOutputCache
        What `deep_output_backward` will need.
    """
    p = params
    ### BEGIN SOLUTION
    h = np.tanh(a @ p.Wha.T + p.bh)  # (..., n_h)
    y_hat = h @ p.Wyh.T + p.by  # (..., n_y)
    ### END SOLUTION
    return y_hat, DeepOutputCache(a, h)


def deep_output_backward(dy_hat, cache, params):
    """Take a gradient back through the network that stands on the hidden states.

    Parameters
    ----------
    dy_hat : (..., n_y) ndarray
        Gradient of the loss with respect to the forecasts.
    cache : DeepOutputCache
        What `deep_output_forward` left.
    params : DeepOutputParams

    Returns
    -------
    da : (..., n_a) ndarray
        Gradient with respect to the hidden states.
    grads : DeepOutputParams
        Gradients with respect to the parameters, summed over examples and steps.
    """
    p = params
    a, h = cache
    ### BEGIN SOLUTION
    ds_h = dy_hat @ p.Wyh * (1 - h**2)  # (..., n_h)
    da = ds_h @ p.Wha  # (..., n_a)

    others = tuple(range(a.ndim - 1))  # all axes but the last: steps and examples
    grads = DeepOutputParams(
        Wha=np.tensordot(ds_h, a, axes=(others, others)),
        bh=ds_h.sum(axis=others),
        Wyh=np.tensordot(dy_hat, h, axes=(others, others)),
        by=dy_hat.sum(axis=others),
    )
    ### END SOLUTION
    return da, grads
