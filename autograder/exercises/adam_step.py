"""One step of Adam."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import parameters, sizes
from course.given import AdamState, GRUParams, OutputParams, RNNModelParams
from solutions.language_model import adam_step


def inputs(rng, kind=RNNModelParams, steps=None, scale=1.0, **options):
    """A step in the middle of training, where means and squares have some history."""
    size = sizes(rng)
    draw = partial(parameters, kind, rng, size)
    return {
        "params": draw(),
        "grads": kind(*(scale * dw for dw in draw())),
        "state": AdamState(
            kind(*(scale * mean for mean in draw())),
            kind(*((scale * square) ** 2 for square in draw())),
            int(rng.integers(2, 9)) if steps is None else steps,
        ),
        "learning_rate": 0.01,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-8,
        **options,
    }


def first_step(rng, scale=1.0):
    case = inputs(rng, steps=0, scale=scale)
    params = case["params"]
    means, squares = (type(params)(*map(np.zeros_like, params)) for _ in range(2))
    return {**case, "state": AdamState(means, squares, 0)}


def some_zero(rng):
    """Parameters that no gradient has ever reached, such as those of a word that never came."""
    case = first_step(rng)
    for dw in case["grads"]:
        dw[0] = 0
    return case


def with_a_function(params, grads, state, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    step = state.steps + 1

    def one(w, dw, m, v):
        m = m + (1 - beta1) * (dw - m)
        v = v + (1 - beta2) * (np.square(dw) - v)
        m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
        return w - learning_rate * m_hat / (v_hat**0.5 + epsilon), m, v

    new = [one(*each) for each in zip(params, grads, state.means, state.squares)]
    kind = type(params)
    w, m, v = (kind(*column) for column in zip(*new))
    return w, AdamState(m, v, step)


def by_name(params, grads, state, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Field by field, with copies that are changed in place."""
    moved = {name: w.copy() for name, w in params._asdict().items()}
    means, squares = {}, {}
    t = state.steps + 1
    for name in params._fields:
        g = getattr(grads, name)
        means[name] = beta1 * getattr(state.means, name) + (1 - beta1) * g
        squares[name] = beta2 * getattr(state.squares, name) + (1 - beta2) * g * g
        moved[name] -= (
            learning_rate
            * (means[name] / (1 - beta1**t))
            / (np.sqrt(squares[name] / (1 - beta2**t)) + epsilon)
        )
    kind = type(params)
    return kind(**moved), AdamState(kind(**means), kind(**squares), t)


def flat(params, grads, state, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """All parameters in one long vector, and the rate corrected instead of the means."""
    w, dw, mean, square = (
        np.concatenate([part.ravel() for part in parts])
        for parts in (params, grads, state.means, state.squares)
    )
    steps = state.steps + 1
    mean = beta1 * mean + (1 - beta1) * dw
    square = beta2 * square + (1 - beta2) * dw**2
    root = np.sqrt(1 - beta2**steps)
    w = w - learning_rate * root / (1 - beta1**steps) * mean / (np.sqrt(square) + epsilon * root)
    ends = np.cumsum([part.size for part in params])[:-1]

    def back(vector):
        pieces = zip(np.split(vector, ends), params)
        return type(params)(*(piece.reshape(part.shape) for piece, part in pieces))

    return back(w), AdamState(back(mean), back(square), steps)


def in_float32(params, grads, state, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    kind = type(params)

    def narrow(parts):
        return kind(*(part.astype(np.float32) for part in parts))

    state = AdamState(narrow(state.means), narrow(state.squares), state.steps)
    return adam_step(narrow(params), narrow(grads), state, learning_rate, beta1, beta2, epsilon)


MEAN = "beta1 * mean + (1 - beta1) * dw"
SQUARE = "beta2 * square + (1 - beta2) * dw**2"
W = "w - learning_rate * mean_corrected / (np.sqrt(square_corrected) + epsilon)"

EXERCISE = Exercise(
    reference=adam_step,
    cases=(
        Case("a step in the middle of training", inputs),
        Case("a step in the middle of training", inputs),
        Case("the first step", first_step),
        Case("the parameters of a GRU", partial(inputs, kind=GRUParams)),
        Case("after ten thousand steps", partial(inputs, steps=10_000)),
        Case(
            "other betas, and a large epsilon", partial(inputs, beta1=0.5, beta2=0.8, epsilon=0.1)
        ),
        Case("some gradients are zero from the beginning", some_zero),
        Case("tiny gradients", partial(first_step, scale=1e-9)),
        Case("an output layer alone", partial(inputs, kind=OutputParams, learning_rate=0.3)),
    ),
    returns=("params", "state"),
    order=("state", "params"),
    points=4,
    in_place=True,
    hints=(
        "Go through the parameters one array at a time, with its gradient, its running mean and its "
        "running square. The equations tell in order: mean, square, both corrected, parameter.",
        "Take the number of the step first: state.steps + 1. zip(params, grads, state.means, "
        "state.squares) gives the four arrays that belong together. Keep three lists, for the moved "
        "parameters, the means and the squares as they run.",
        "For each: the new mean is beta1 times the old one plus 1 - beta1 times the gradient; the same "
        "for the square, with beta2 and dw**2. Divide copies of them by 1 - beta1**steps and "
        "1 - beta2**steps, and move w by learning_rate times the first over (np.sqrt of the second, plus "
        "epsilon). Append w and the two as they run.",
    ),
    misconceptions=(
        Edit(
            "no-correction",
            "        mean_corrected = mean / (1 - beta1**steps)\n"
            "        square_corrected = square / (1 - beta2**steps)\n",
            "        mean_corrected, square_corrected = mean, square\n",
            "Neither mean is corrected for having begun at zero, so the first steps have the wrong size. "
            "Divide by 1 - beta1**steps and by 1 - beta2**steps.",
        ),
        Edit(
            "mean-not-corrected",
            "mean / (1 - beta1**steps)",
            "mean",
            "Only the squares are corrected. The mean of the gradients began at zero, too.",
        ),
        Edit(
            "square-not-corrected",
            "square / (1 - beta2**steps)",
            "square",
            "Only the mean is corrected. The squares began at zero, too, and the first steps are much "
            "too large without it.",
        ),
        Edit(
            "corrected-with-the-old-count",
            "1 - beta1**steps",
            "1 - beta1**max(state.steps, 1)",
            "The correction counts the steps made before this one. This one counts, too: the first step "
            "is number 1.",
            also=(("1 - beta2**steps", "1 - beta2**max(state.steps, 1)"),),
        ),
        Edit(
            "corrected-once-and-for-all",
            "1 - beta1**steps",
            "1 - beta1",
            "The correction takes no account of the steps made: it divides by 1 - beta at each step, "
            "which is right at the first one only. beta is raised to the number of the step.",
            also=(("1 - beta2**steps", "1 - beta2"),),
        ),
        Edit(
            "steps-not-counted",
            "steps = state.steps + 1",
            "steps = state.steps",
            "The step is not counted: state.steps stays as it was, and at the first step the correction "
            "divides by zero.",
        ),
        Edit(
            "corrected-means-kept",
            "means.append(mean)",
            "means.append(mean_corrected)",
            "The corrected means are kept for the next step, which then corrects them again. Keep them "
            "as they run; the correction belongs to the step.",
            also=(("squares.append(square)", "squares.append(square_corrected)"),),
        ),
        Edit(
            "betas-swapped",
            MEAN,
            "beta2 * mean + (1 - beta2) * dw",
            "The betas are swapped: beta1 belongs to the mean of the gradients, beta2 to that of their "
            "squares.",
            also=((SQUARE, "beta1 * square + (1 - beta1) * dw**2"),),
        ),
        Edit(
            "weights-of-the-mean-turned-round",
            MEAN,
            "(1 - beta1) * mean + beta1 * dw",
            "beta1 and 1 - beta1 changed places: beta1 is what is kept of the old mean.",
        ),
        Edit(
            "momentum",
            MEAN,
            "beta1 * mean + dw",
            "The gradient is added whole, as in momentum. Adam's mean takes 1 - beta1 of it, so that it "
            "stays an average.",
        ),
        Edit(
            "square-forgotten",
            "dw**2",
            "dw",
            "The gradient was not squared, so this mean can be negative, and its root is NaN.",
        ),
        Edit(
            "square-of-the-mean",
            "dw**2",
            "mean**2",
            "The mean was squared. Average the square of this step's gradient.",
        ),
        Edit(
            "root-forgotten",
            "np.sqrt(square_corrected)",
            "square_corrected",
            "The square root is forgotten: the step would be large where gradients are small. With the "
            "root, a step does not depend on the scale of the gradients.",
        ),
        Edit(
            "epsilon-under-the-root",
            "(np.sqrt(square_corrected) + epsilon)",
            "np.sqrt(square_corrected + epsilon)",
            "epsilon stands under the root. Add it to the root: under it, 1e-8 counts as 1e-4, "
            "and small gradients are drowned.",
        ),
        Edit(
            "no-epsilon",
            "(np.sqrt(square_corrected) + epsilon)",
            "np.sqrt(square_corrected)",
            "epsilon is left out: a parameter that no gradient has reached yet divides zero by zero.",
        ),
        Edit(
            "uphill",
            "w - learning_rate",
            "w + learning_rate",
            "The step goes up the gradient; the loss would grow. Subtract it.",
        ),
        Edit(
            "gradient-for-mean",
            "learning_rate * mean_corrected",
            "learning_rate * dw",
            "The step takes this gradient alone, and not the mean. That is RMSProp.",
        ),
        Edit(
            "plain-momentum-step",
            " / (np.sqrt(square_corrected) + epsilon)",
            "",
            "The step is not divided by the root of the squares. That division gives every parameter "
            "steps of its own size.",
        ),
        Edit(
            "changes-its-arguments",
            "w = w - learning_rate",
            "w -= learning_rate",
            "The caller's arrays are changed: w -= ... and mean *= ... write into the array that was "
            "handed in. w = w - ... makes a new one.",
        ),
        Edit(
            "history-thrown-away",
            MEAN,
            "(1 - beta1) * dw",
            "The old mean is thrown away at each step, and the old square with it. Both should "
            "run on: beta of the old one is kept.",
            also=((SQUARE, "(1 - beta2) * dw**2"),),
        ),
        Edit(
            "old-mean-used",
            "mean_corrected = mean /",
            "mean_corrected = (mean - (1 - beta1) * dw) / beta1 /",
            "The step is made with the mean from before this gradient. Update the mean first, then step.",
        ),
        Edit(
            "default-betas",
            "    steps = state.steps + 1\n",
            "    steps = state.steps + 1\n    beta1, beta2 = 0.9, 0.999\n",
            "beta1 and beta2 are fixed numbers here. Use those that are handed in.",
        ),
        Edit(
            "epsilon-before-the-correction",
            "(np.sqrt(square_corrected) + epsilon)",
            "(np.sqrt(square_corrected) + epsilon / np.sqrt(1 - beta2**steps))",
            "epsilon was added to the root before the squares were corrected, as in a shorter way"
            " to write Adam. It then weighs more in the first steps; here it is added to the "
            "corrected root.",
        ),
        Edit(
            "betas-swapped-throughout",
            "steps = state.steps + 1",
            "steps, beta1, beta2 = state.steps + 1, beta2, beta1",
            "The betas are swapped: beta1 belongs to the mean of the gradients, beta2 to that of "
            "their squares.",
        ),
        Edit(
            "weights-of-both-turned-round",
            MEAN,
            "(1 - beta1) * mean + beta1 * dw",
            "beta and 1 - beta changed places in both means: beta1 and beta2 are what is kept of "
            "the old ones.",
            also=((SQUARE, "(1 - beta2) * square + beta2 * dw**2"),),
        ),
        Edit(
            "all-defaults",
            "steps = state.steps + 1",
            "steps, beta1, beta2, epsilon = state.steps + 1, 0.9, 0.999, 1e-8",
            "beta1, beta2 and epsilon are fixed numbers here. Use those that are handed in.",
        ),
        Edit(
            "a-step-for-each-array",
            "steps = state.steps + 1",
            "steps = state.steps",
            "The steps are counted inside the loop, once for each array. One step moves all of "
            "them: count it once, before the loop.",
            also=(
                ("        mean = beta1 * mean", "        steps += 1\n        mean = beta1 * mean"),
            ),
        ),
        Edit(
            "steps-not-kept",
            "steps = state.steps + 1",
            "steps = state.steps",
            "The step is counted for the correction, but the new state has the old count, so that "
            "the next step is corrected like this one. Hand the new count on.",
            also=(
                ("1 - beta1**steps", "1 - beta1 ** (steps + 1)"),
                ("1 - beta2**steps", "1 - beta2 ** (steps + 1)"),
            ),
        ),
        Edit(
            "corrected-by-a-product",
            "mean / (1 - beta1**steps)",
            "mean * (1 - beta1**steps)",
            "The means were multiplied by 1 - beta**steps. They are too small for having begun at"
            " zero, so they should be divided by it.",
            also=(("square / (1 - beta2**steps)", "square * (1 - beta2**steps)"),),
        ),
        Edit(
            "one-beta-in-both-corrections",
            "1 - beta2**steps",
            "1 - beta1**steps",
            "The squares are corrected with beta1. They were made with beta2, and should be "
            "corrected with it.",
        ),
        Edit(
            "change-for-parameters",
            "w - learning_rate *",
            "-learning_rate *",
            "This is the change alone. It should be added to the parameters.",
        ),
        Edit(
            "epsilon-added-to-the-parameters",
            "(np.sqrt(square_corrected) + epsilon)",
            "np.sqrt(square_corrected) + epsilon",
            "epsilon was added to the parameter, since / binds before +. Put brackets round the "
            "root and epsilon.",
        ),
        Edit(
            "mean-corrected-with-beta2",
            "mean / (1 - beta1**steps)",
            "mean / (1 - beta2**steps)",
            "The mean of the gradients is corrected with beta2. It was made with beta1, and so is"
            " its correction.",
        ),
        Edit(
            "gradient-corrected",
            "mean / (1 - beta1**steps)",
            "dw / (1 - beta1**steps)",
            "The correction is applied to the gradient itself. It belongs to the running mean.",
        ),
        Edit(
            "steps-start-anew",
            "state.steps + 1",
            "1",
            "The count is 1 at every call. It goes on from state.steps, which says how many steps"
            " were made before.",
        ),
        Edit(
            "root-as-a-factor",
            "mean_corrected / (np.sqrt(square_corrected) + epsilon)",
            "mean_corrected * (np.sqrt(square_corrected) + epsilon)",
            "The step is multiplied by the root of the squares, so large gradients make it larger"
            " still. Divide by it.",
        ),
    ),
    alternatives=(with_a_function, by_name, flat, in_float32),
)
