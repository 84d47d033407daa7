"""Shortening a gradient without turning it."""

import math
from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import parameters, sizes
from course.given import LSTMParams, OutputParams, RNNModelParams
from solutions.bptt import clip_by_norm


def inputs(rng, kind=RNNModelParams, scale=3.0, limit=2.0, **fixed):
    size = sizes(rng, **fixed)
    return {"grads": parameters(kind, rng, size, scale=scale), "limit": limit}


def nothing(rng):
    return inputs(rng, scale=0.0)


def just_within(rng):
    """A norm of 4.9 where 5 is allowed, though single arrays and entries differ much."""
    grads = inputs(rng)["grads"]
    norm = math.sqrt(sum((grad**2).sum() for grad in grads))
    return {"grads": type(grads)(*(grad * 4.9 / norm for grad in grads)), "limit": 5.0}


def with_hypot(grads, limit):
    """math.hypot never squares what would overflow."""
    norm = math.hypot(*(value for grad in grads for value in grad.ravel().tolist()))
    if norm <= limit:
        return type(grads)(*(grad.copy() for grad in grads))
    return type(grads)(*(grad / norm * limit for grad in grads))


def as_pytorch_does(grads, limit):
    """1e-6 is added to the norm, and the factor is at most 1."""
    largest = max(np.abs(grad).max() for grad in grads)
    flat = np.concatenate([grad.ravel() for grad in grads]) / max(largest, 1e-300)
    scale = min(1.0, limit / (largest * np.linalg.norm(flat) + 1e-6))
    return grads._replace(**{name: scale * grad for name, grad in grads._asdict().items()})


def norm_of_norms(grads, limit):
    largest = max(1.0, *(float(np.max(np.abs(grad))) for grad in grads))
    norms = [np.linalg.norm(grad / largest) for grad in grads]
    norm = largest * np.linalg.norm(norms)
    return grads._make([grad * (limit / norm if norm > limit else 1) for grad in grads])


def to_float32(grads, limit):
    return type(grads)(*(grad.astype(np.float32) for grad in with_hypot(grads, limit)))


ROOT = "np.sqrt(sum(((grad / largest) ** 2).sum(dtype=float) for grad in grads))"

EXERCISE = Exercise(
    reference=clip_by_norm,
    cases=(
        Case("above the limit", inputs),
        Case("above a limit of 0.5", partial(inputs, limit=0.5)),
        Case("far below the limit", partial(inputs, scale=0.1, limit=10.0)),
        Case("just below the limit", just_within),
        Case("an LSTM's gradients", partial(inputs, kind=LSTMParams, limit=5.0)),
        Case("an output layer's gradients", partial(inputs, kind=OutputParams, scale=100)),
        Case("all zero", nothing),
        Case("entries whose squares overflow", partial(inputs, scale=1e200)),
        Case("a tiny gradient", partial(inputs, scale=1e-30)),
    ),
    returns=("clipped",),
    points=2,
    in_place=True,
    rtol=1e-5,  # PyTorch adds 1e-6 to the norm, and that is as good
    hints=(
        "All arrays together are one long vector. If it is longer than limit, every entry of every "
        "array is multiplied by the same number, so that the length becomes limit.",
        "The norm is the root of the sum of all squares, over all arrays. The factor is limit / "
        "norm, and 1 where the norm is within the limit. Mind entries of 1e200: their "
        "squares are infinite, though the norm is not.",
        "Divide by the largest absolute entry before squaring, and multiply the root by it "
        "afterwards (all-zero gradients have none to divide by: take 1 there). Then scale = "
        "limit / max(norm, limit), and each new array is its old one times scale.",
    ),
    misconceptions=(
        Edit(
            "always-rescaled",
            "limit / max(norm, limit)",
            "limit / (norm or 1)",
            "The gradient is always scaled to the limit, so a small one is blown up. Within the "
            "limit it should stay as it is.",
        ),
        Edit(
            "root-forgotten",
            ROOT,
            ROOT.removeprefix("np.sqrt(")[:-1] + " * largest",
            "The square root is missing: the norm is the root of the sum of squares.",
        ),
        Edit(
            "clipped-by-value",
            "(grad * scale).astype(grad.dtype)",
            "np.clip(grad, -limit, limit)",
            "Each entry was cut by itself. That turns the gradient; here it is shortened, and its "
            "direction is kept.",
        ),
        Edit(
            "upside-down",
            "limit / max(norm, limit)",
            "max(norm, limit) / limit",
            "The factor is upside down: a gradient that is too long becomes longer.",
        ),
        Edit(
            "array-by-array",
            "(grad * scale)",
            "(grad * (limit / max(limit, largest * np.sqrt(((grad / largest) ** 2).sum()))))",
            "Each array is clipped by its own norm. That turns the gradient as a whole: take one "
            "norm, of all arrays together.",
        ),
        Edit(
            "largest-entry-for-norm",
            f"largest * {ROOT}",
            "largest",
            "The largest entry was taken for the norm. The norm is Euclidean: the root of the sum "
            "of all squares.",
        ),
        Edit(
            "sum-of-sizes-for-norm",
            f"largest * {ROOT}",
            "sum(np.abs(grad).sum() for grad in grads)",
            "The norm is the sum of absolute values. The Euclidean one is asked for: the root of "
            "the sum of all squares.",
        ),
        Edit(
            "sum-of-norms",
            ROOT,
            "sum(np.sqrt(((grad / largest) ** 2).sum(dtype=float)) for grad in grads)",
            "The arrays' norms were added. Add the squares of all of them first, and take one "
            "root.",
        ),
        Edit(
            "root-of-the-mean",
            ROOT,
            "np.sqrt(np.mean(np.concatenate([(g / largest).ravel() for g in grads]) ** 2))",
            "The squares were averaged, not summed: this measure does not grow with the number of "
            "weights, and the norm does.",
        ),
        Edit(
            "to-length-one",
            "limit / max(norm, limit)",
            "1 / norm if norm > limit else 1",
            "A gradient that is too long was given the length 1. It must have the length limit.",
        ),
        Edit(
            "halved",
            "limit / max(norm, limit)",
            "0.5 if norm > limit else 1",
            "A gradient that is too long was halved. The factor is limit / norm.",
        ),
        Edit(
            "condition-turned-round",
            "limit / max(norm, limit)",
            "limit / (min(norm, limit) or 1)",
            "The condition is the wrong way round: long gradients pass, and short ones are "
            "stretched.",
        ),
        Edit(
            "zero-when-too-long",
            "limit / max(norm, limit)",
            "float(norm <= limit)",
            "A gradient that is too long became zero. Shorten it to limit: its direction is "
            "worth having.",
        ),
        Edit(
            "not-clipped",
            "grad * scale",
            "grad * 1",
            "Nothing was clipped: these are the gradients.",
        ),
        Edit(
            "last-array-forgotten",
            "grad * scale",
            "grad * (1 if grad is grads[-1] else scale)",
            "The last array is not scaled. All of them should be, by the same factor.",
        ),
        Edit(
            "biases-not-in-the-norm",
            ROOT,
            ROOT.removesuffix("))") + " if grad.ndim > 1))",
            "The biases' gradients are not in the norm. Take the norm of all arrays together.",
        ),
        Edit(
            "squares-overflow",
            f"largest * {ROOT}",
            "np.sqrt(sum((grad**2).sum(dtype=float) for grad in grads))",
            "The squares of entries beyond 1e154 are infinite, and limit / inf is 0: a huge "
            "gradient becomes none. Divide by the largest entry before squaring.",
        ),
        Edit(
            "zero-divided-by-zero",
            " or 1  # divided",
            "  # divided",
            "Where all gradients are zero, 0 was divided by 0. Nothing is to be clipped there.",
        ),
        Edit(
            "in-place",
            "(grad * scale).astype(grad.dtype)",
            "np.multiply(grad, scale, out=grad)",
            "The arrays of the argument were changed. Make new ones: the caller may still want to "
            "know how large the gradient was.",
        ),
        Edit(
            "norm-of-the-last-array",
            "sum(((grad / largest) ** 2).sum(dtype=float) for grad in grads)",
            "((grads[-1] / largest) ** 2).sum(dtype=float)",
            "This is the norm of the last array alone. Sum the squares of all arrays, and take "
            "one root.",
        ),
    ),
    alternatives=(with_hypot, as_pytorch_does, norm_of_norms, to_float32),
)
