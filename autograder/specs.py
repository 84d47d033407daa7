"""Arguments that are no data: a generator of random numbers, a function. They travel as words.

A case holds a spec; where the function under test runs, the spec is made into what it stands for.
So nothing that can be called, and nothing pickled, crosses from one process to another.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np


class Seeded(NamedTuple):
    """A fresh ``numpy.random.Generator``.

    With `draws`, the function is called so often, with this one generator: it is judged by how
    often it returns what.
    """

    seed: int
    draws: int = 0

    def make(self) -> np.random.Generator:
        """The generator."""
        return np.random.default_rng(self.seed)


class Named(NamedTuple):
    """A function of `FUNCTIONS`, with its first arguments filled in."""

    name: str
    arguments: tuple[Any, ...] = ()

    def make(self) -> Callable[..., Any]:
        """The function."""
        return partial(FUNCTIONS[self.name], *(np.copy(a) for a in self.arguments))


SPECS = {kind.__name__: kind for kind in (Seeded, Named)}


def made(argument: Any) -> Any:
    """What an argument stands for: itself, unless it is a spec."""
    return argument.make() if type(argument) in SPECS.values() else argument


# ------------------------------------------------------------------ functions


def weighted_sum(weights: np.ndarray, w: np.ndarray) -> float:
    """A function whose slope is the same everywhere."""
    return float((weights * w).sum())


def waves(weights: np.ndarray, w: np.ndarray) -> float:
    """A function whose slope is another at every place."""
    return float((np.sin(w) * weights + np.exp(weights * w / 4)).sum())


def valley(weights: np.ndarray, bottom: np.ndarray, w: np.ndarray) -> float:
    """A function that is nearly flat near its bottom, where its slope changes fast."""
    return float(5000 * (weights * (w - bottom)).sum() ** 2)


def markov_step(table: np.ndarray, token: int, state: int) -> tuple[np.ndarray, int]:
    """A language model that knows the last token, and whether an even number was read before it.

    Parameters
    ----------
    table : (2, n_v, n_v) ndarray
        Probabilities of the next token, by state and token.
    token, state : int
    """
    return table[state % 2, token].copy(), state + 1


FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function for function in (weighted_sum, waves, valley, markov_step)
}


# ------------------------------------------------------------------ for writers

MOST_STEPS = 5000  # several times what a right way of writing takes in any case


def patient_step(
    table: np.ndarray, taken: np.ndarray, token: int, state: int
) -> tuple[np.ndarray, int]:
    """`markov_step` for a while, so that a loop that never ends is told so and ends.

    Parameters
    ----------
    table : (2, n_v, n_v) ndarray
    taken : (1,) ndarray of int
        How many steps were taken; counted on.
    token, state : int

    Raises
    ------
    RuntimeError
        After `MOST_STEPS` steps.
    """
    taken += 1
    if taken[0] > MOST_STEPS:
        raise RuntimeError(f"step was called {MOST_STEPS} times: does the loop come to an end?")
    return markov_step(table, token, state)


FUNCTIONS["patient_step"] = patient_step
