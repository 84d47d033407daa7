"""Drawing the inputs of exercises: sizes that all differ, and no zero to hide behind."""

from typing import Any

import numpy as np

from course.given.types import length

LETTERS = ("T_x", "T_y", "m", "n_x", "n_a", "n_y")


def sizes(rng: np.random.Generator, **fixed: int) -> dict[str, int]:
    """A size for every letter of the legend, all different unless they are fixed.

    Small enough to print: 2 to 8.
    """
    free = [letter for letter in LETTERS if letter not in fixed]
    choice = [n for n in range(2, 9) if n not in fixed.values()]
    drawn = rng.choice(choice, size=len(free), replace=False)
    return {**dict(zip(free, drawn.tolist(), strict=True)), **fixed}


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Standard normal numbers."""
    return rng.standard_normal(shape)


def parameters(kind: Any, rng: np.random.Generator, size: dict[str, int], scale: float = 1) -> Any:
    """Parameters of a kind with every entry random, the biases too."""
    fields = {}
    for name, letters in kind.shapes.items():
        shape = tuple(length(axis, size) for axis in letters)
        fields[name] = normal(rng, *shape) * scale / np.sqrt(shape[-1] if len(shape) > 1 else 1)
    return kind(**fields)


def padding_mask(rng: np.random.Generator, T_x: int, m: int) -> np.ndarray:
    """A (T_x, m) mask of ragged lengths: one full, the others shorter, none empty."""
    lengths = rng.integers(1, T_x, size=m)
    lengths[rng.integers(m)] = T_x
    return np.arange(T_x)[:, np.newaxis] < lengths
