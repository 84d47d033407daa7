"""Unit 04: language models: their batches, what they are worth, and what they write.

A recurrent network as language model is that of Mikolov et al. (2010, "Recurrent neural network
based language model"); a text is cut into parallel streams, and the state carried on, as in
Zaremba, Sutskever and Vinyals (2014, "Recurrent neural network regularization"). Perplexity is
that of Jelinek et al. (1977, "Perplexity: a measure of the difficulty of speech recognition
tasks"), temperature that of Ackley, Hinton and Sejnowski (1985, "A learning algorithm for
Boltzmann machines"). Adam is algorithm 1 of Kingma and Ba (2015, "Adam: a method for stochastic
optimization").
"""

import numpy as np

from course.given import AdamState


def make_batches(indices, m, T_x):
    """Cut a long text into batches that a state can be carried through.

    Parameters
    ----------
    indices : (n_tokens,) ndarray of int
        The text.
    m : int
        Examples in a batch.
    T_x : int
        Steps in a batch.

    Returns
    -------
    x : (n_batches, T_x, m) ndarray of int
        Example i reads one stretch of the text, and goes on with it from batch to batch:
        ``x[b + 1, :, i]`` begins with the token that follows the last of ``x[b, :, i]``. Example
        i + 1's stretch begins where example i's ends.
    y : (n_batches, T_x, m) ndarray of int
        What is to be predicted: at each place, the token that follows in the text.

    Notes
    -----
    There are as many batches as can be full and have a `y` at every place. What is left over
    stands at the end of the text.
    """
    ### BEGIN SOLUTION
    n_batches = (len(indices) - 1) // (m * T_x)  # the last token read has a next one, too
    used = n_batches * m * T_x
    x = indices[:used].reshape(m, n_batches, T_x).transpose(1, 2, 0)  # (n_batches, T_x, m)
    y = indices[1 : used + 1].reshape(m, n_batches, T_x).transpose(1, 2, 0)
    ### END SOLUTION
    return x, y


def sequence_log_probability(y_hat, y, mask):
    """Say how probable a model finds whole sequences.

    Parameters
    ----------
    y_hat : (T_x, m, n_v) ndarray
        Predicted probabilities of each step's token, given the tokens before it.
    y : (T_x, m) ndarray of int
        The tokens.
    mask : (T_x, m) ndarray of bool
        True at real steps. At the others `y_hat` and `y` may hold anything.

    Returns
    -------
    log_probability : (m,) ndarray
        Natural logarithm of each sequence's probability. That of a long sequence is far below
        the smallest number that there is, but its logarithm is not. Minus infinity, without a
        warning, for a sequence that the model holds to be impossible.
    """
    ### BEGIN SOLUTION
    log_p = np.zeros(y.shape, y_hat.dtype)  # (T_x, m)
    with np.errstate(divide="ignore"):  # log(0) is -inf, and meant
        log_p[mask] = np.log(y_hat[mask, y[mask]])
    log_probability = log_p.sum(axis=0)  # (m,)
    ### END SOLUTION
    return log_probability


def perplexity(y_hat, y, mask):
    """Say between how many equally probable tokens a model hesitates, on average.

    Parameters
    ----------
    y_hat : (T_x, m, n_v) ndarray
        Predicted probabilities of each step's token.
    y : (T_x, m) ndarray of int
        The tokens.
    mask : (T_x, m) ndarray of bool
        True at real steps, of which there is at least one. At the others `y_hat` and `y` may
        hold anything.

    Returns
    -------
    value : float
        The exponential of the average surprise, which is minus the natural logarithm of a
        token's probability. Every real step of every example counts the same. 1 is perfect,
        n_v no better than a guess; infinity, without a warning, where an impossible token came.
    """
    ### BEGIN SOLUTION
    with np.errstate(divide="ignore", over="ignore"):  # log(0) is -inf, its exponential inf
        surprise = -np.log(y_hat[mask, y[mask]])  # one number per real step
        value = np.exp(surprise.mean())
    ### END SOLUTION
    return value


def sample_token(y_hat, temperature, rng):
    """Draw a token from a prediction.

    Parameters
    ----------
    y_hat : (n_v,) ndarray
        Predicted probabilities.
    temperature : float
        Above 0. The token is drawn with probabilities proportional to those predicted, each
        raised to the power of one over the temperature: 1 leaves them as they are, less favours
        the probable tokens, more the rare ones. It may be so low that only the most probable
        token is ever drawn. What is impossible stays so.
    rng : numpy.random.Generator
        Asked once, by ``rng.choice``; so a seed says which token it will be.

    Returns
    -------
    token : int
    """
    ### BEGIN SOLUTION
    weights = (y_hat / y_hat.max()) ** (1 / temperature)  # the largest stays 1: some are left
    token = rng.choice(len(y_hat), p=weights / weights.sum())
    ### END SOLUTION
    return token


def generate(step, state, eos, unk, max_length, temperature, rng):
    """Let a language model write a sentence.

    Parameters
    ----------
    step : callable
        The model's step, for one sequence: ``step(token, state) -> (y_hat, state)`` reads a
        token, an int, and predicts the next one, (n_v,). What a state is, is its own affair.
    state : object
        What the first step is to be given.
    eos : int
        Index of the end. It is read first, since after an end comes a beginning; where it is
        drawn the sentence ends, without it.
    unk : int
        Index that stands for all unknown words. It is never drawn, as though it were impossible.
        To draw it and then to draw again until it is another token comes to the same, but takes
        for ever where the model is almost sure of it.
    max_length : int
        Tokens after which the sentence ends in any case.
    temperature : float
        As for `sample_token`.
    rng : numpy.random.Generator
        Asked once per token, by `sample_token`.

    Returns
    -------
    tokens : list of int
        At most `max_length`, none of them `eos` or `unk`.
    """
    ### BEGIN SOLUTION
    tokens, token = [], eos
    while len(tokens) < max_length:
        y_hat, state = step(token, state)
        known = y_hat.copy()
        known[unk] = 0
        token = sample_token(known, temperature, rng)
        if token == eos:
            break
        tokens.append(token)
    ### END SOLUTION
    return tokens


def adam_step(params, grads, state, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Take one step of Adam down a gradient.

    Parameters
    ----------
    params : NamedTuple of ndarray
    grads : NamedTuple of ndarray
        Gradients with respect to the parameters, in the parameters' type.
    state : AdamState
        Running means of the gradients and of their squares, each in the parameters' type, and
        the steps made. Before the first step all of it is zero.
    learning_rate : float
        About how far a parameter moves, as long as its gradient stays much the same.
    beta1, beta2 : float, optional
        How much of the means, and of the squares, is kept from step to step.
    epsilon : float, optional
        Added to the square root that is divided by, which may be zero.

    Returns
    -------
    params : NamedTuple of ndarray
        Moved parameters, in new arrays.
    state : AdamState
        What the next step is to be given. Means and squares are as they run; their correction
        for having begun at zero belongs to the step.
    """
    kind = type(params)
    ### BEGIN SOLUTION
    steps = state.steps + 1
    moved, means, squares = [], [], []
    for w, dw, mean, square in zip(params, grads, state.means, state.squares, strict=True):
        mean = beta1 * mean + (1 - beta1) * dw
        square = beta2 * square + (1 - beta2) * dw**2
        mean_corrected = mean / (1 - beta1**steps)
        square_corrected = square / (1 - beta2**steps)
        w = w - learning_rate * mean_corrected / (np.sqrt(square_corrected) + epsilon)
        moved.append(w)
        means.append(mean)
        squares.append(square)
    ### END SOLUTION
    return kind(*moved), AdamState(kind(*means), kind(*squares), steps)
