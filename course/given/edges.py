"""Refusing bad input where a user calls, with the argument's name and both shapes.

What a function takes stands once, in its docstring: ``x : (T_x, m, n_x) ndarray`` is read here
and held against the arguments. Inner loops call the functions themselves and pay nothing.
"""

import functools
import inspect
import re

import numpy as np

from course.given import types

ARRAY = re.compile(r"^(\w[\w, ]*) : \(([^)]*)\) ndarray(?: of (int|bool))?(, optional)?", re.M)
TUPLE = re.compile(r"^(\w+) : (list of )?(\w+(?:Params|Cache))\b", re.M)
LETTERS = ("m", "T_x", "T_y", "n_x", "n_a", "n_y", "n_v")  # sizes that are also arguments
RANGES = {"lengths": (1, "T_x", 1), "indices": (0, "n_v", 0), "y": (0, "n_y", 0)}


def checked(function):
    """The function, with its arguments held against the shapes that its docstring states.

    Parameters
    ----------
    function : callable
        With a numpydoc docstring.

    Returns
    -------
    callable
        It raises ValueError for a wrong shape or a parameter that is not finite, TypeError for
        what is not an array or not of the stated kind.
    """
    signature = inspect.signature(function)
    arrays, kinds = _stated(function)

    @functools.wraps(function)
    def call(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        sizes = {}
        for name, value in bound.arguments.items():
            if name in arrays and value is not None:
                expect(name, value, *arrays[name], sizes)
            elif name in kinds:
                _expect_kind(name, value, *kinds[name], sizes)
            elif name in LETTERS:
                _expect_size(name, value, sizes)
        for name in RANGES.keys() & bound.arguments.keys() & arrays.keys():
            expect_range(name, bound.arguments[name], sizes)
        return function(*args, **kwargs)

    return call


def expect(name, value, letters, kind, sizes):
    """Hold one array against its letters, and learn the sizes that are new.

    Parameters
    ----------
    name : str
    value : ndarray
    letters : tuple of str
        Axes, such as ``("T_x", "m", "n_a+n_x")``; a leading ``...`` stands for any axes.
    kind : {None, "int", "bool"}
        What the entries are; None for floating (or complex) numbers.
    sizes : dict
        Letters whose sizes are known; added to.
    """
    if not isinstance(value, np.ndarray):
        raise TypeError(
            f"{name} is a {type(value).__name__}; an ndarray {_say(letters)} is expected"
        )
    wanted = {None: "fcui", "int": "ui", "bool": "b"}[kind]
    if value.dtype.kind not in wanted:
        raise TypeError(f"{name} holds {value.dtype}; {kind or 'numbers'} is expected")
    open_ended = letters[:1] == ("...",)
    axes = letters[1:] if open_ended else letters
    shape = value.shape[value.ndim - len(axes) :] if open_ended else value.shape
    fits = len(shape) == len(axes) and all(map(functools.partial(_fits, sizes), axes, shape))
    if not fits:
        known = ", ".join(f"{k} = {v}" for k, v in sizes.items() if any(k in a for a in axes))
        raise ValueError(
            f"{name} has shape {value.shape}; {_say(letters)} is expected"
            + (f" with {known}" if known else "")
        )
    if 0 in value.shape:
        axis = letters[value.shape.index(0)] if not open_ended else "..."
        raise ValueError(f"{name} has shape {value.shape}: {axis} is 0, so it is empty")


def _fits(sizes, axis, size):
    """Whether an axis has its length; a letter that is new, and the only new one, is learnt."""
    known, new = 0, []
    for letter in axis.split("+"):
        if letter in sizes:
            known += sizes[letter]
        else:
            new.append(letter)
    if not new:
        return size == known
    if len(new) > 1:
        return True
    sizes[new[0]] = size - known
    return size >= known


def _expect_size(name, value, sizes):
    if not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} is {value!r}; a whole number of at least 1 is expected")
    sizes[name] = int(value)


def expect_range(name, value, sizes):
    """Hold whole numbers between their least and their greatest value, and say which one is not."""
    least, letter, offset = RANGES[name]
    if letter not in sizes or value is None:
        return
    wrong = (value < least) | (value >= sizes[letter] + offset)
    if wrong.any():
        at = [int(i) for i in np.argwhere(wrong)[0]]
        last = letter if offset else f"{letter} - 1"
        raise ValueError(
            f"{name}{at} is {value[tuple(at)]}; {least} to {last} = {sizes[letter] + offset - 1} "
            "is expected"
        )


def expect_params(name, value, kind, sizes):
    """Hold parameters, or a cache, against the shapes of their type, and learn sizes that are new.

    Parameters
    ----------
    name : str
    value : NamedTuple of ndarray
    kind : type
        With `shapes`; `value` may be of another type that has its fields.
    sizes : dict
        Letters whose sizes are known; added to.
    """
    for field, letters in kind.shapes.items():
        if not hasattr(value, field):
            raise TypeError(
                f"{name} is a {type(value).__name__} without {field}; {kind.__name__} is expected"
            )
        array = getattr(value, field)
        expect(f"{name}.{field}", array, letters, None, sizes)
        if kind.__name__.endswith("Params") and not np.isfinite(array).all():
            raise ValueError(f"{name}.{field} is not finite: it holds nan or infinity")


def _expect_kind(name, value, many, kind, sizes):
    if not many:
        expect_params(name, value, kind, sizes)
        return
    if not value:
        raise ValueError(f"{name} is empty; one {kind.__name__} a step is expected")
    for i, item in enumerate(value):
        expect_params(f"{name}[{i}]", item, kind, sizes)


def _stated(function):
    """The arrays and the named tuples among the parameters that a docstring states."""
    text = (inspect.getdoc(function) or "").split("\nReturns\n")[0]
    arrays, kinds = {}, {}
    for names, letters, kind, _optional in ARRAY.findall(text):
        axes = tuple(re.sub(r"\s", "", letter) for letter in letters.split(",") if letter.strip())
        for name in names.split(","):
            arrays[name.strip()] = (axes, kind or None)
    for name, many, kind in TUPLE.findall(text):
        kinds[name] = (bool(many), getattr(types, kind))
    return arrays, kinds


def _say(letters):
    return f"({', '.join(letters)}{',' if len(letters) == 1 else ''})"
