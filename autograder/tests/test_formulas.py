"""A wrong quantity is told as the formula by which it is made."""

import numpy as np
import pytest

from autograder import examine
from autograder.formulas import formula
from course.given import GRUCache, sigmoid

RNG = np.random.default_rng(0)
U, G, C, D = (RNG.uniform(0.1, 0.9, (4, 3)) for _ in "ugcd")
V = RNG.normal(size=(4, 3)) * 3
KNOWN = {"u": U, "g": G, "c": C, "d": D, "v": V, "beta": 0.7}


@pytest.mark.parametrize(
    ("got", "text"),
    [
        (U * G, "u * g"),
        (-U * G * C, "-u * g * c"),
        (U * U, "u * u"),
        (0.7 * U, "u * beta"),
        (0.3 * U, "u * (1 - beta)"),
        (U * (1 - G), "u * (1 - g)"),
        (U * (1 - G**2), "u * (1 - g**2)"),
        (np.tanh(V) * U, "u * np.tanh(v)"),
        (U * G + C, "u * g + c"),
        (U * G - C * D, "u * g - c * d"),
        (-U - G, "-u - g"),
        (U * G + C + D, "d + u * g + c"),
        ((U * G).sum(axis=0), "the sum of u * g over the examples"),
        ((U * G - C).sum(axis=0), "the sum of u * g - c over the examples"),
    ],
)
def test_the_formula_is_found(got, text):
    found = formula(got, KNOWN).replace("`", "")
    assert found in (text, " + ".join(reversed(text.split(" + "))))


@pytest.mark.parametrize(
    "got",
    [
        RNG.normal(size=(4, 3)),
        U**0.5,
        np.zeros((4, 3)),
        np.full((4, 3), 0.7),
        U[:2, :1] * G[:2, :1],
        np.where(U > 0.5, np.nan, U * G),
        np.arange(12).reshape(4, 3),
        np.stack([U, G]),
        U * G * (1 + 1e-7),
        np.float32(U * G),
        1e30 * RNG.normal(size=(4, 3)),
        np.where(U > 0.5, 1e30, 0.123),
    ],
)
def test_what_is_made_otherwise_or_says_too_little_has_none(got):
    assert formula(got, KNOWN) == ""


def test_an_array_that_is_known_by_two_names_goes_by_the_first():
    assert formula(U * G, {"u": U, "cache.u": U, "g": G}) == "`u * g`"


def test_a_learner_reads_what_was_made():
    def gru_cell_forward(x_t, c_prev, params):
        both = np.hstack([c_prev, x_t])
        update, reset = sigmoid(both @ params.Wu.T + params.bu), sigmoid(both @ params.Wr.T)
        reset = sigmoid(both @ params.Wr.T + params.br)
        candidate = np.tanh(np.hstack([reset * c_prev, x_t]) @ params.Wc.T + params.bc)
        c = candidate + (1 - update) * c_prev
        return c, GRUCache(x_t, c_prev, update, reset, candidate)

    assert examine(gru_cell_forward).cause == (
        "c is `cache.candidate + c_prev * (1 - cache.update)` here. Compare that with the formula "
        "in the text."
    )
