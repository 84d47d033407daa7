"""Unit 09: from one sequence to another, of another length.

The encoder-decoder is that of Sutskever, Vinyals and Le (2014, "Sequence to sequence learning
with neural networks"): the decoder starts from the state in which the encoder ends. To feed a
network the right tokens while it learns is the teacher forcing of Williams and Zipser (1989, "A
learning algorithm for continually running fully recurrent neural networks"). In the beam search,
a hypothesis that ends leaves the beam, as in Sutskever, Vinyals and Le; its log-probability is
divided by a power of its length, as in Wu et al. (2016, "Google's neural machine translation
system", section 7).
"""

import numpy as np


def encode_sequence(x, lengths, encoder):
    """Read whole sequences into one state each.

    Parameters
    ----------
    x : (T_x, m, n_x) ndarray
        Sequences; what follows an example's real steps is padding.
    lengths : (m,) ndarray of int
        Real steps of each example.
    encoder : layer
        Starts from zeros, and remembers its run for `encode_sequence_backward`.

    Returns
    -------
    state : tuple of (m, n_a) ndarray
        The encoder's state after each example's last real step: of an LSTM, hidden state and
        memory; of a GRU or an RNN, a tuple of one.
    """
    ### BEGIN SOLUTION
    encoder.forward(x, lengths=lengths)
    state = encoder.last
    ### END SOLUTION
    return tuple(state)


def encode_sequence_backward(dstate, lengths, encoder):
    """Take gradients back through an encoder.

    Parameters
    ----------
    dstate : tuple of (m, n_a) ndarray
        Gradients of the loss with respect to the encoded state, an array for each of its arrays.
    lengths : (m,) ndarray of int
        As for `encode_sequence`.
    encoder : layer
        As `encode_sequence` left it; it runs in one direction.

    Returns
    -------
    dx : (T_x, m, n_x) ndarray
        Gradient with respect to the input at each step.
    grads : NamedTuple of ndarray
        Gradients with respect to the encoder's parameters, in their type.
    """
    T_x, m, _ = encoder.states[0].shape
    ### BEGIN SOLUTION
    dstates = []
    for d_last in dstate:
        d = np.zeros((T_x, *d_last.shape), d_last.dtype)  # over time: (T_x, m, n_a)
        d[lengths - 1, np.arange(m)] = d_last  # the loss saw one step of each example
        dstates.append(d)
    dx, *_dstart, grads = encoder.backward(*dstates)
    ### END SOLUTION
    return dx, grads


def decode_teacher_forced(y, state, decoder, output, eos, n_v):
    """Predict each token of a sequence from the right tokens before it.

    Parameters
    ----------
    y : (T_y, m) ndarray of int
        The right tokens, the end included. What follows the end is padding.
    state : tuple of (m, n_a) ndarray
        What the encoder made of the input; the decoder starts from it.
    decoder : layer
        Reads one-hot vectors, (T_y, m, n_v), and remembers its run for
        `decode_teacher_forced_backward`.
    output : callable
        Makes predictions (T_y, m, n_v) of the decoder's outputs (T_y, m, n_a).
    eos : int
        Index of the end. The decoder reads it at the first step, since after an end comes a
        beginning; at every later step it reads the right token of the step before.
    n_v : int
        Entries of the vocabulary; it may be large, so make nothing of size n_v × n_v.

    Returns
    -------
    y_hat : (T_y, m, n_v) ndarray
        Predicted probabilities of each step's token.
    """
    ### BEGIN SOLUTION
    first = np.full_like(y[:1], eos)
    tokens = np.concatenate([first, y[:-1]])  # (T_y, m)
    x = (tokens[:, :, np.newaxis] == np.arange(n_v)).astype(state[0].dtype)  # (T_y, m, n_v)
    a = decoder.forward(x, *state)  # (T_y, m, n_a)
    y_hat = output(a)
    ### END SOLUTION
    return y_hat


def decode_teacher_forced_backward(da, decoder):
    """Take gradients back through a decoder to the state that it started from.

    Parameters
    ----------
    da : (T_y, m, n_a) ndarray
        Gradient of the loss with respect to the decoder's output at each step, as the output
        layer hands it back; zero at padding.
    decoder : layer
        As `decode_teacher_forced` left it.

    Returns
    -------
    dstate : tuple of (m, n_a) ndarray
        Gradients with respect to the state that the encoder handed over, for
        `encode_sequence_backward`.
    grads : NamedTuple of ndarray
        Gradients with respect to the decoder's parameters, in their type.
    """
    ### BEGIN SOLUTION
    _dx, *dstate, grads = decoder.backward(da)
    ### END SOLUTION
    return tuple(dstate), grads


def greedy_decode(step, state, eos, max_length):
    """Write the most probable token at every step.

    Parameters
    ----------
    step : callable
        The decoder's step, for one sequence: ``step(token, state) -> (y_hat, state)`` reads a
        token, an int, and predicts the next one, (n_v,). What a state is, is its own affair.
    state : object
        What the encoder made of the input.
    eos : int
        Index of the end. It is read first; where it is the most probable, the sequence ends
        without it.
    max_length : int
        Tokens after which the sequence ends in any case.

    Returns
    -------
    tokens : list of int
        At most `max_length`, none of them `eos`. Of tokens that are equally probable, the one
        with the lowest index.
    """
    ### BEGIN SOLUTION
    tokens, token = [], eos
    while len(tokens) < max_length:
        y_hat, state = step(token, state)
        token = int(y_hat.argmax())
        if token == eos:
            break
        tokens.append(token)
    ### END SOLUTION
    return tokens


def beam_search(step, state, eos, max_length, width, alpha):
    """Look for the most probable sequence, following several hypotheses at once.

    At each step, every hypothesis in the beam is extended by every token that is possible after
    it. Of all extensions together the `width` most probable are kept: those that end in `eos` are
    finished and leave the beam, the others are the beam of the next step. The search is over
    when the beam is empty, or after `max_length` steps; what is unfinished then counts as it is.

    Parameters
    ----------
    step : callable
        The decoder's step, as for `greedy_decode`. It must leave the state that it is given as
        it is, since several hypotheses go on from it.
    state : object
        What the encoder made of the input.
    eos : int
        Index of the end. It is read first, and ends a hypothesis.
    max_length : int
        At least 1; most tokens that a hypothesis may have.
    width : int
        Hypotheses that are kept; more of them than there are is no mistake.
    alpha : float
        The result is the hypothesis of the best score, natural logarithm of its probability
        divided by length to the power of `alpha`. The length is the number of tokens drawn, `eos`
        included. Every token makes a sequence less probable, so with 0 short ones are favoured;
        1 compares averages.

    Returns
    -------
    tokens : list of int
        At most `max_length`, none of them `eos`.
    score : float
        That of `tokens`; its log-probability includes that of `eos`, if it ended there.

    Notes
    -----
    A width of 1 is greedy decoding. A wider beam mostly finds something better, but need not: the
    best hypothesis may be pushed out by others that fare better for a while.

    Of two hypotheses that are equally probable, the first is kept: the extension of what stood
    first in the beam, then the one by the more probable token, then by the token with the lower
    index. Of equal scores the one that was finished first wins.
    """
    ### BEGIN SOLUTION
    beam, ended = [([], 0.0, state)], []
    for length in range(1, max_length + 1):
        extensions = []
        for tokens, log_p, state in beam:
            y_hat, state = step(tokens[-1] if tokens else eos, state)
            likely = np.argsort(-y_hat, kind="stable")[:width]  # no more can be kept
            for token in likely[y_hat[likely] > 0].tolist():
                longer = log_p + np.log(y_hat[token], dtype=float)
                extensions.append(([*tokens, token], longer, state))
        extensions.sort(key=lambda extension: extension[1], reverse=True)  # stable
        beam = []
        for tokens, log_p, state in extensions[:width]:
            if tokens[-1] == eos:
                ended.append((tokens[:-1], log_p / length**alpha))
            else:
                beam.append((tokens, log_p, state))
    ended += [(tokens, log_p / max_length**alpha) for tokens, log_p, _ in beam]
    tokens, score = max(ended, key=lambda hypothesis: hypothesis[1])
    ### END SOLUTION
    return tokens, score
