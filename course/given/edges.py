"""Refusing bad input where a user calls, with the argument's name and both shapes.

What a function takes stands once, in its docstring: ``x : (T_x, m, n_x) ndarray`` is read here
and held against the arguments. Inner loops call the functions themselves and pay nothing.
"""

import functools
import inspect
import re

import numpy as np

from course.given import types

ARRAY = re.compile(r"^(\w[\w, ]*) : \(([^)]*)\) ndarray(?: of (int|bool))?", re.M)
TUPLE = re.compile(r"^(\w[\w, ]*) : (list of (?=\w+Cache\b))?(\w+(?:Params|Cache))\b", re.M)
ARRAYS = np.ndarray, np.generic  # NumPy's numbers are arrays without axes
LIST = re.compile(
    r"^(\w+) : list of (?!str\b|\w+Cache\b)(?:\(([^)]*)\) ndarray)?(?: of (int))?", re.M
)
NUMBERS = {None: "fcui", "int": "ui", "bool": "b"}  # NumPy's letters for kinds of entries
SIZES = ("m", "T_x", "T_y", "n_x", "n_a", "n_y", "n_v")  # letters that are arguments, too
LEAST = dict.fromkeys(("length", "max_length", "width"), 1) | {"max_size": 2, "eos": 0, "unk": 0}
BOUNDS = {
    "alpha": (lambda number: number >= 0, "at least 0"),
    "rate": (lambda number: 0 <= number < 1, "from 0 to below 1"),
} | dict.fromkeys(("limit", "temperature", "learning_rate"), (lambda number: number > 0, "above 0"))
RANGES = {"lengths": (1, ("T_x",)), "indices": (0, ("n_v",)), "y": (0, ("n_y", "n_v"))}


def checked(function):
    """The function, with its arguments held against the shapes that its docstring states.

    Parameters
    ----------
    function : callable
        With a numpydoc docstring.

    Returns
    -------
    callable
        It raises TypeError for what is not an array, a list or a number where one is stated, or
        not of the stated kind; ValueError for a wrong shape, an empty list, a parameter that is
        not finite, a number, an index or a length out of its range, and a mask without a real
        step.
    """
    signature = inspect.signature(function)
    stated = (*_stated(function), _stated_lists(function))

    @functools.wraps(function)
    def call(*args, **kwargs):
        given = signature.bind(*args, **kwargs).arguments
        left_out = [n for n, v in given.items() if v is None is signature.parameters[n].default]
        _hold({n: v for n, v in given.items() if n not in left_out}, *stated)
        return function(*args, **kwargs)

    return call


def _hold(given, arrays, kinds, lists):
    """Hold arguments, in their order, against what is stated of them."""
    sizes = {}
    for name, value in given.items():
        if name in arrays:
            expect(name, value, *arrays[name], sizes)
        elif name in kinds:
            _expect_kind(name, value, *kinds[name], sizes)
        elif name in lists:
            _expect_list(name, value, *lists[name])
        elif name in SIZES:
            sizes[name] = _expect_whole(name, value, least=1)
        elif name in LEAST:
            _expect_whole(name, value, LEAST[name])
        elif name in BOUNDS:
            _expect_bounded(name, value, *BOUNDS[name])
    mask = given.get("mask") if "mask" in arrays else None
    if mask is not None and not mask.any():
        raise ValueError("mask has no real step: none of its entries is True")
    for name in RANGES:
        if name in arrays and name in given:
            expect_range(name, given[name], sizes, mask)


def expect(name, value, letters, kind, sizes):
    """Hold one array against its letters, and learn the sizes that are new.

    Parameters
    ----------
    name : str
    value : ndarray
    letters : tuple of str
        Axes, such as ``("T_x", "m", "n_a+n_x")``; a leading ``...`` stands for any axes, the
        same ones wherever it stands.
    kind : {None, "int", "bool"}
        What the entries are; None for numbers of any kind.
    sizes : dict
        Letters whose sizes are known; added to.
    """
    if not isinstance(value, ARRAYS):
        raise TypeError(
            f"{name} is a {type(value).__name__}; an ndarray {_say(letters)} is expected"
        )
    if value.dtype.kind not in NUMBERS[kind]:
        raise TypeError(f"{name} holds {value.dtype}; {kind or 'numbers'} is expected")
    shape = value.shape
    if letters[0] == "...":
        cut = max(0, value.ndim + 1 - len(letters))
        shape = (shape[:cut], *shape[cut:])
    if 0 in value.shape and letters != ("...",):
        raise ValueError(
            f"{name} has shape {value.shape}, and so is empty; {_say(letters)} is expected"
        )
    known = dict(sizes)
    if len(shape) != len(letters) or not all(
        _fits(sizes, axis, size) for axis, size in zip(letters, shape, strict=True)
    ):
        parts = {letter for axis in letters for letter in (axis, *axis.split("+"))}
        with_ = ", ".join(f"{k} = {v}" for k, v in known.items() if k in parts)
        raise ValueError(
            f"{name} has shape {value.shape}; {_say(letters)} is expected"
            + (f" with {with_}" if with_ else "")
        )


def _fits(sizes, axis, size):
    """Whether an axis has its length, as far as this is known; what is new is learnt."""
    if "+" in axis:
        letters = axis.split("+")
        new = [letter for letter in letters if letter not in sizes]
        rest = size - sum(sizes.get(letter, 0) for letter in letters)
        if len(new) == 1:
            sizes[new[0]] = rest
        if rest < len(new) or (rest and not new):
            return False
    return sizes.setdefault(axis, size) == size  # a sum is remembered until its parts are known


def expect_range(name, value, sizes, mask=None):
    """Hold whole numbers between their least and their greatest value, and say which one is not.

    Parameters
    ----------
    name : {"lengths", "indices", "y"}
    value : (...) ndarray of int
    sizes : dict
        Letters whose sizes are known.
    mask : (...) ndarray of bool, optional
        If it is as long as `value`: where it is False, anything may stand.
    """
    least, letters = RANGES[name]
    size = next((sizes[letter] for letter in letters if letter in sizes), None)
    if value is None or size is None:
        return
    greatest = size - 1 + least
    wrong = (value < least) | (value > greatest)
    if mask is not None and mask.shape == wrong.shape:
        wrong &= mask
    if wrong.any():
        at = [int(i) for i in np.argwhere(wrong)[0]]
        raise ValueError(f"{name}{at} is {value[tuple(at)]}; {least} to {greatest} is expected")


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
    if not isinstance(value, list | tuple):
        raise TypeError(
            f"{name} is a {type(value).__name__}; a list of {kind.__name__} is expected"
        )
    if not value or len(value) != sizes.get("T_x", len(value)):
        steps = f", T_x = {sizes['T_x']}" if "T_x" in sizes else ""
        raise ValueError(
            f"{name} has {len(value)} entries; one {kind.__name__} a step is expected{steps}"
        )
    for i, item in enumerate(value):
        expect_params(f"{name}[{i}]", item, kind, sizes)


def _expect_list(name, value, letters, kind):
    """A list that is not empty; of arrays, if it has letters, each with sizes of its own."""
    if not isinstance(value, list | tuple):
        raise TypeError(f"{name} is a {type(value).__name__}; a list is expected")
    if not value:
        raise ValueError(f"{name} is empty; a list with at least one entry is expected")
    for i, item in enumerate(value if letters else ()):
        expect(f"{name}[{i}]", item, letters, kind, {})


def _expect_whole(name, value, least):
    if not isinstance(value, int | np.integer) or isinstance(value, bool):
        raise TypeError(f"{name} is a {type(value).__name__}; an int is expected")
    if value < least:
        raise ValueError(f"{name} is {value}; at least {least} is expected")
    return int(value)


def _expect_bounded(name, value, fits, bounds):
    if not isinstance(value, int | float | np.number) or isinstance(value, bool):
        raise TypeError(f"{name} is a {type(value).__name__}; a number is expected")
    if not fits(value):
        raise ValueError(f"{name} is {value}; {bounds} is expected")


def _stated(function):
    """The arrays and the named tuples among the parameters that a docstring states."""
    text, arrays, kinds = _parameters(function), {}, {}
    for names, letters, kind in ARRAY.findall(text):
        arrays |= dict.fromkeys(names.split(", "), (_axes(letters), kind or None))
    for names, many, kind in TUPLE.findall(text):
        kinds |= dict.fromkeys(names.split(", "), (bool(many), getattr(types, kind)))
    return arrays, kinds


def _stated_lists(function):
    """The other lists among them: axes and kind of their entries, where these are arrays."""
    found = LIST.findall(_parameters(function))
    return {name: (_axes(letters), kind or None) for name, letters, kind in found}


def _parameters(function):
    return (inspect.getdoc(function) or "").split("\nReturns\n")[0]


def _axes(letters):
    return tuple(re.sub(r"\s", "", letter) for letter in letters.split(",") if letter.strip())


def _say(letters):
    return f"({', '.join(letters)}{',' if len(letters) == 1 else ''})"
