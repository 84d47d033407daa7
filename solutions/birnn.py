"""Unit 07: bidirectional recurrent networks, and tagging with them.

The network is that of Schuster and Paliwal (1997, "Bidirectional recurrent neural networks"):
one layer reads from the beginning, one from the end, and what reads their outputs sees both.
Spans are read and counted as in the evaluation of Tjong Kim Sang and Buchholz (2000,
"Introduction to the CoNLL-2000 shared task: chunking").
"""

import numpy as np


def reverse_sequences(x, lengths):
    """Turn sequences round in time, each within its own length.

    Parameters
    ----------
    x : (T_x, m, n_x) ndarray
        Sequences; what follows an example's real steps is padding.
    lengths : (m,) ndarray of int
        Real steps of each example.

    Returns
    -------
    x_reversed : (T_x, m, n_x) ndarray
        Each example's real steps from the last to the first; its padding stays where it is.
    """
    ### BEGIN SOLUTION
    x_reversed = x.copy()
    for i, length in enumerate(lengths):
        x_reversed[:length, i] = x[:length, i][::-1]
    ### END SOLUTION
    return x_reversed


def birnn_forward(x, lengths, forward, backward):
    """Read sequences with two layers, one from the beginning and one from the end.

    Parameters
    ----------
    x : (T_x, m, n_x) ndarray
        Sequences; what follows an example's real steps is padding.
    lengths : (m,) ndarray of int
        Real steps of each example. A layer that is told them ignores the padding.
    forward, backward : layer
        Layers of any cells, which may differ in kind and in size.
        ``layer.forward(sequences, lengths=...)`` runs a layer from the first step on, its state
        at the start being zeros, and returns its output, with zeros at padding. The backward
        layer is to read each example from its last real step to its first.

    Returns
    -------
    a : (T_x, m, n_a) ndarray
        The layers' outputs side by side, the forward layer's first; n_a counts the units of
        both. ``a[t]`` is what both know once they have read step t. Zero at padding.
    """
    ### BEGIN SOLUTION
    a_forward = forward.forward(x, lengths=lengths)
    a_backward = backward.forward(reverse_sequences(x, lengths), lengths=lengths)
    a = np.concatenate([a_forward, reverse_sequences(a_backward, lengths)], axis=-1)
    ### END SOLUTION
    return a


def birnn_backward(da, lengths, forward, backward):
    """Take gradients back through both layers of a bidirectional network.

    Parameters
    ----------
    da : (T_x, m, n_a) ndarray
        Gradient of the loss with respect to what `birnn_forward` returned. What stands at
        padding is ignored.
    lengths : (m,) ndarray of int
        Real steps of each example.
    forward, backward : layer
        The layers that `birnn_forward` ran, which remember its run: ``layer.backward(...)``
        takes the gradient of a layer's own output and returns that of its input, those of its
        start states, and those of its parameters.

    Returns
    -------
    dx : (T_x, m, n_x) ndarray
        Gradient with respect to the input at each step; zero at padding.
    grads_forward, grads_backward : NamedTuple of ndarray
        Gradients with respect to each layer's parameters, of their type.
    """
    n_a = forward.states[0].shape[-1]  # units of the forward layer; the others are backward's
    ### BEGIN SOLUTION
    da_forward, da_backward = da[..., :n_a], da[..., n_a:]
    dx_forward, *_, grads_forward = forward.backward(da_forward)
    dx_backward, *_, grads_backward = backward.backward(reverse_sequences(da_backward, lengths))
    dx = dx_forward + reverse_sequences(dx_backward, lengths)
    ### END SOLUTION
    return dx, grads_forward, grads_backward


def predict_tags(y_hat, lengths):
    """Choose a tag at each step.

    Parameters
    ----------
    y_hat : (T_x, m, n_y) ndarray
        Probabilities of the tags at each step. What stands at padding means nothing.
    lengths : (m,) ndarray of int
        Real steps of each example.

    Returns
    -------
    tags : (T_x, m) ndarray of int
        The most probable tag at each real step, the first of them if several are; 0, the tag O,
        at padding.
    """
    ### BEGIN SOLUTION
    real = np.arange(len(y_hat))[:, np.newaxis] < lengths  # (T_x, m)
    tags = np.where(real, y_hat.argmax(axis=-1), 0)
    ### END SOLUTION
    return tags


def span_f1(predicted, true):
    """Score predicted entities: only those count whose bounds and kind are both right.

    Parameters
    ----------
    predicted, true : (T_x, m) ndarray of int
        Tags of the BIO scheme: 0 (O) is outside every entity, 2k + 1 (B) begins one of kind k,
        and 2k + 2 (I) is inside one of kind k. An I that does not continue an entity of its own
        kind begins one. Padding is tagged O.

    Returns
    -------
    f1 : float
        Harmonic mean of precision (how many of the predicted entities are right) and recall
        (how many of the true ones were predicted), over the entities of all examples together.
        1.0 if there are no entities, and none was predicted.
    """

    ### BEGIN SOLUTION
    def spans(tags):
        found = set()
        for example, sentence in enumerate(tags.T):
            start, kind = 0, None  # of the entity that is open, if there is one
            for t, tag in enumerate([*sentence, 0]):  # the O after the end closes what is open
                if kind is not None and tag != 2 * kind + 2:
                    found.add((example, start, t, kind))
                    kind = None
                if kind is None and tag > 0:
                    start, kind = t, (tag - 1) // 2
        return found

    found, wanted = spans(predicted), spans(true)
    total = len(found) + len(wanted)
    f1 = 2 * len(found & wanted) / total if total else 1.0
    ### END SOLUTION
    return f1
