"""Arguments that are no data: random numbers, a function, a layer. They travel as words.

A case holds a spec; where the function under test runs, the spec is made into what it stands for.
So nothing that can be called, and nothing pickled, crosses from one process to another.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograder.handed import FUNCTIONS, FilterLayer, LeakyLayer, SineLayer
from course.given.types import RNNParams


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


class Layer(NamedTuple):
    """A `SineLayer`, new or after a run.

    With `x` it has run over these sequences, from `start` or from zeros on, and remembers it.
    """

    params: RNNParams
    n_states: int = 1
    x: np.ndarray | None = None
    lengths: np.ndarray | None = None
    start: tuple[np.ndarray, ...] = ()

    def make(self) -> SineLayer:
        """The layer."""
        layer = SineLayer(self.params, self.n_states)
        if self.x is not None:
            layer.forward(self.x, *self.start, lengths=self.lengths)
        return layer


class Stack(NamedTuple):
    """Layers from the bottom up, made anew for each call.

    Each is told by its number of states and its gain, or factors where there are no states. What
    else stands in a tuple, sequences and start states, the layer has already run over.
    """

    layers: tuple[tuple[Any, ...], ...]

    def make(self) -> list[LeakyLayer | FilterLayer]:
        """The layers themselves."""
        found: list[LeakyLayer | FilterLayer] = []
        for n_states, gain, *run in self.layers:
            layer = LeakyLayer(n_states, gain) if n_states else FilterLayer(gain)
            if run:
                layer.forward(*run)
            found.append(layer)
        return found


SPECS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Seeded, Named, Layer, Stack)}


def made(argument: Any) -> Any:
    """What an argument stands for: itself, unless it is a spec."""
    return argument.make() if type(argument) in SPECS.values() else argument
