"""The gradient of the loss, back through softmax and the output layer."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal, padding_mask, parameters, sizes
from course.given import OutputParams
from solutions.bptt import output_backward
from solutions.rnn import output_forward
from solutions.tests.proofs import complex_step


def inputs(rng, below=0.0, scale=2.0, **fixed):
    """Predictions; the first class's scores lie `below` the others'."""
    size = sizes(rng, **fixed)
    T_x, m = size["T_x"], size["m"]
    a = np.tanh(normal(rng, T_x, m, size["n_a"]))
    params = parameters(OutputParams, rng, size, scale=scale)
    params.by[0] -= below
    return {
        "y_hat": output_forward(a, params),
        "y": rng.integers(0, size["n_y"], (T_x, m)),
        "mask": padding_mask(rng, T_x, m) if T_x > 1 else np.ones((1, m), bool),
        "a": a,
        "params": params,
    }


def no_padding(rng, **fixed):
    case = inputs(rng, **fixed)
    return {**case, "mask": np.ones_like(case["mask"])}


def anything_at_the_padding(rng):
    """Numbers that are no probabilities, states beyond 1, and -1 for the class."""
    case = inputs(rng, T_x=6)
    padding = ~case["mask"]
    for name in ("y_hat", "a"):
        case[name][padding] = 50 * normal(rng, *case[name][padding].shape)
    case["y"][padding] = -1
    return case


def impossible(rng):
    """The right class was given nothing, once."""
    case = inputs(rng, below=2000)
    case["y"][0, 0] = 0
    return case


def step_by_step(y_hat, y, mask, a, params):
    """Every step and example by itself, as the formulas go."""
    da, dWya, dby = np.zeros(a.shape), np.zeros(params.Wya.shape), np.zeros(params.by.shape)
    for t, i in np.argwhere(mask):
        dz = y_hat[t, i].copy()
        dz[y[t, i]] -= 1.0
        dz = dz / mask.sum()
        da[t, i] = params.Wya.T @ dz
        dWya += np.outer(dz, a[t, i])
        dby += dz
    return da, OutputParams(dWya, dby)


def with_einsum(y_hat, y, mask, a, params):
    one_hot = np.eye(y_hat.shape[-1])[y]
    dz = (y_hat - one_hot) * mask[:, :, None] / np.count_nonzero(mask)
    dWya = np.einsum("tmy,tma->ya", dz, a)
    return np.einsum("tmy,ya->tma", dz, params.Wya), OutputParams(Wya=dWya, by=dz.sum((0, 1)))


def flattened(y_hat, y, mask, a, params):
    T_x, m, n_y = y_hat.shape
    dz = np.where(mask.reshape(-1, 1), y_hat.reshape(T_x * m, n_y), 0)
    real = np.flatnonzero(mask)
    dz[real, y.ravel()[real]] -= 1
    dz /= len(real)
    states = a.reshape(T_x * m, -1)
    return (dz @ params.Wya).reshape(a.shape), OutputParams(dz.T @ states, dz.sum(axis=0))


def in_float32(y_hat, y, mask, a, params):
    cast = OutputParams(*(p.astype(np.float32) for p in params))
    return output_backward(y_hat.astype(np.float32), y, mask, a.astype(np.float32), cast)


def derivative(y_hat, y, mask, a, params):
    """Complex steps of the loss, with the logarithm of softmax taken before it can underflow."""

    def loss(a, params):
        z = (a @ params.Wya.T + params.by)[mask]
        z = z - z.max(axis=-1, keepdims=True).real
        log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
        return -log_p[np.arange(len(z)), y[mask]].mean()

    grads = {
        name: complex_step(lambda w, name=name: loss(a, params._replace(**{name: w})), value)
        for name, value in params._asdict().items()
    }
    return complex_step(lambda a: loss(a, params), a), OutputParams(**grads)


def shares(y_hat, y, mask, a, params):
    """What each step adds to the parameters' gradients."""
    alone = [
        step_by_step(y_hat, y, mask * (np.arange(len(mask)) == t)[:, None], a, params)[1]
        for t in range(len(mask))
    ]
    weight = mask.sum(axis=1) / mask.sum()  # each was divided by its own number of real steps
    return {
        f"grads.{name}": np.array([getattr(g, name) * w for g, w in zip(alone, weight)])
        for name in OutputParams._fields
    }


EXERCISE = Exercise(
    reference=output_backward,
    cases=(
        Case("ragged, every size differs", inputs),
        Case("ragged, every size differs", inputs),
        Case("no padding", no_padding),
        Case("anything at the padding", anything_at_the_padding),
        Case("one step", partial(inputs, T_x=1)),
        Case("one example", partial(no_padding, m=1)),
        Case("as many classes as units", partial(inputs, n_a=4, n_y=4)),
        Case("scores near 1000", partial(inputs, scale=1000)),
        Case("a class whose scores are 2000 below the rest", impossible),
    ),
    returns=("da", "grads"),
    points=3,
    hints=(
        "Softmax and the logarithm together have a simple gradient with respect to the scores: "
        "the prediction, minus 1 at the right class. The loss is a mean over the real steps, so "
        "divide by their number.",
        "Keep the real steps only: dz = y_hat[mask], shape (real steps, n_y); indexing with a mask "
        "makes a copy. From row i subtract 1 in column y[mask][i]; divide by len(dz). Then a "
        "linear layer: backwards it multiplies by Wya itself, not by its transpose.",
        "da is zeros of the shape of a, with dz @ params.Wya written to da[mask]. Wya's gradient "
        "is dz.T @ a[mask], (n_y, n_a), and by's is dz summed over axis 0, (n_y,).",
    ),
    misconceptions=(
        Edit(
            "mask-ignored",
            "dz = y_hat[mask]",
            "mask = np.ones_like(mask)\n    dz = y_hat[mask]",
            "The padding is treated as real steps: it gets a gradient, and so trains the network. "
            "It must have none.",
        ),
        Edit(
            "divided-by-all-steps",
            "dz /= len(dz)",
            "dz /= mask.size",
            "The gradient is divided by the number of all steps, padding included. The loss is a "
            "mean over the real steps: divide by mask.sum().",
        ),
        Edit(
            "not-divided",
            "    dz /= len(dz)  # the loss is a mean\n",
            "",
            "The loss is a mean over the real steps, so its gradient is divided by their number. "
            "This is the gradient of the sum.",
        ),
        Edit(
            "divided-by-examples",
            "dz /= len(dz)",
            "dz /= mask.shape[1]",
            "The gradient is divided by m. The loss is a mean over all real steps: divide by "
            "mask.sum().",
        ),
        Edit(
            "divided-by-time",
            "dz /= len(dz)",
            "dz /= len(mask)",
            "The gradient is divided by T_x. The loss is a mean over all real steps: divide by "
            "mask.sum().",
        ),
        Edit(
            "sign-flipped",
            "dz /= len(dz)",
            "dz /= -len(dz)",
            "The sign is flipped: this is y - y_hat. Going against it makes the loss grow. The "
            "gradient is y_hat minus 1 at the right class.",
        ),
        Edit(
            "right-class-not-subtracted",
            "    dz[np.arange(len(dz)), y[mask]] -= 1\n",
            "",
            "Nothing was subtracted at the right class: then every probability is pushed down, "
            "the right one too.",
        ),
        Edit(
            "only-the-right-class",
            "dz[np.arange(len(dz)), y[mask]] -= 1",
            "dz = (dz - 1) * np.eye(dz.shape[1])[y[mask]]",
            "Only the right class has a gradient. The others' scores stand in the sum of softmax, "
            "so they have one too: their probability.",
        ),
        Edit(
            "derivative-of-the-logarithm-alone",
            "dz[np.arange(len(dz)), y[mask]] -= 1",
            "dz = -np.eye(dz.shape[1])[y[mask]] / dz",
            "This is the gradient with respect to the probabilities, -1 / y_hat at the right class. "
            "It has not gone back through softmax yet; and where a probability is 0 it is "
            "infinite. The two together are y_hat minus 1 at the right class.",
        ),
        Edit(
            "softmax-as-a-sigmoid",
            "dz[np.arange(len(dz)), y[mask]] -= 1",
            "dz = (dz - np.eye(dz.shape[1])[y[mask]]) * dz * (1 - dz)",
            "The difference y_hat - y was multiplied by y_hat (1 - y_hat) once more. With "
            "cross-entropy the derivative of softmax is in the difference already.",
        ),
        Edit(
            "one-subtracted-everywhere",
            "dz[np.arange(len(dz)), y[mask]] -= 1",
            "dz[:, y[mask]] -= 1",
            "dz[:, y] takes the columns of all right classes for every row. Give the row's own "
            "index too, so that each row loses 1 in one place.",
        ),
        Edit(
            "class-number-subtracted",
            "dz[np.arange(len(dz)), y[mask]] -= 1",
            "dz -= y[mask][:, np.newaxis]",
            "The number of the class was subtracted. y holds indices: it says where to subtract 1.",
        ),
        Edit(
            "Wya-grad-without-the-mean",
            "Wya=dz.T @ a[mask]",
            "Wya=dz.T @ a[mask] * len(dz)",
            "The gradient of Wya is not divided by the number of real steps, as the others are.",
        ),
        Edit(
            "bias-averaged",
            "dz.sum(axis=0)",
            "dz.mean(axis=0)",
            "The gradient of by is a mean over the steps, on top of the mean that dz has in it "
            "already. Sum it.",
        ),
        Edit(
            "bias-with-keepdims",
            "dz.sum(axis=0)",
            "dz.sum(axis=0, keepdims=True)",
            "The gradient of by kept an axis of length 1. A bias is (n_y,), and so is its gradient: "
            "no keepdims.",
        ),
        Edit(
            "bias-summed-over-classes",
            "dz.sum(axis=0)",
            "dz.sum(axis=1)",
            "The gradient of by was summed over the classes. Sum over the steps and examples, "
            "axis 0, and keep the classes.",
        ),
        Edit(
            "only-the-last-step",
            "dz /= len(dz)",
            "dz *= (np.argwhere(mask)[:, :1] == len(mask) - 1) / len(dz)",
            "Only the predictions of the last step have a gradient. Every real step predicts, and "
            "every prediction has one.",
        ),
        Edit(
            "gradient-for-the-state",
            "Wya=dz.T @ a[mask]",
            "Wya=dz.T @ da[mask]",
            "The gradient of Wya was made with da. A weight's gradient is the gradient of what it "
            "gives, times what it was given: a.",
        ),
        Edit(
            "da-through-tanh",
            "da[mask] = dz @ params.Wya",
            "da[mask] = (dz @ params.Wya) * (1 - a[mask] ** 2)",
            "da was multiplied by the slope of tanh, 1 - a². da is the gradient of the state "
            "itself; the way back through tanh comes later, in rnn_cell_backward.",
        ),
        Edit(
            "padding-kept",
            "    dz = y_hat[mask]  # (real steps, n_y), a copy\n    dz[np.arange(len(dz)), y[mask]] -= 1\n    dz /= len(dz)  # the loss is a mean\n",
            "    real, mask = mask.sum(), np.ones_like(mask)\n    dz = y_hat[mask]\n    dz[np.arange(len(dz)), y[mask]] -= 1\n    dz /= real\n",
            "The gradient is divided by the number of real steps, as it must be, but the padding "
            "has one, too. It must have none: set dz to zero there, or keep the real steps only.",
        ),
        Edit(
            "da-of-real-steps-alone",
            "da[mask] = dz @ params.Wya",
            "da = dz @ params.Wya",
            "da has a row for each real step only. It should be (T_x, m, n_a), as a is, with "
            "zeros at the padding: write the rows to da[mask].",
        ),
    ),
    alternatives=(step_by_step, with_einsum, flattened, in_float32),
    derivative=derivative,
    shares=shares,
)
