"""Declaring an exercise: its reference, its inputs, and the misconceptions it tells apart."""

import ast
import inspect
import re
import textwrap
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

import course.given
from autograder.altered import Sketches, sketches
from autograder.answers import AnswerKey, Answers, Wrong
from autograder.distributions import distribution
from autograder.notebooks import CODE_STUB
from autograder.parts import named
from autograder.specs import made
from autograder.standins import STAND_INS
from autograder.tree import plain
from autograder.trial import Case as Arguments
from autograder.trial import Outcome, run

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


class Case(NamedTuple):
    """A kind of input, and what it is there to show."""

    title: str
    draw: Callable[[np.random.Generator], Arguments]


class Edit(NamedTuple):
    """A misconception: an edit of the reference, and a sentence that says why it is wrong.

    `old` must occur exactly once between the solution markers. Where one slip touches two
    places, `also` holds further (old, new) pairs.
    """

    id: str
    old: str
    new: str
    why: str
    also: tuple[tuple[str, str], ...] = ()


class EditError(ValueError):
    """An edit that no longer fits its reference."""


@dataclass(frozen=True, eq=False)
class Exercise:
    """One graded function, declared once.

    Attributes
    ----------
    reference : callable
        From `solutions`; its docstring gives the shapes of what it takes and returns.
    cases : tuple of Case
        Random and targeted inputs; sizes that all differ first.
    returns : tuple of str
        Names of what it returns.
    points : int
    hints : tuple of str
        Three steps; the last is nearly the answer.
    misconceptions : tuple of Edit
    alternatives : tuple of callable
        Other correct implementations, which must pass.
    order : tuple of str, optional
        Quantities (``cache.candidate``) in causal order, when it differs from `returns`.
    calls : tuple of str, optional
        Graded functions that this one is expected to call.
    in_place : bool, optional
        Whether leaving the arguments as they are is part of the exercise.
    rtol : float, optional
        Largest error allowed in float64, relative to the largest entry of the array: rounding
        of any order of summation stays below 1e-12, and every misconception is above 1e-6.
    distribution : callable, optional
        Of a function that draws at random: from the arguments of a case to a dict of outcomes
        and probabilities. It is then judged by how often it draws what.
    shares : callable, optional
        Of a function that sums over time: from the arguments of a case to a dict of paths, such
        as ``grads.Waa``, and arrays of what each step adds.
    strays : callable, optional
        From the arguments of a case to a dict of paths and, for each, a dict from a story that
        begins with "It" to what the quantity is then. These are ways to get one quantity wrong,
        told where the whole answer is no misconception.
    derivative : callable, optional
        Of a gradient: from the arguments of a case to what the function should return, found
        without it, by complex steps of the forward pass. `verify` compares the two.
    """

    reference: Callable
    cases: tuple[Case, ...]
    returns: tuple[str, ...]
    points: int
    hints: tuple[str, str, str]
    misconceptions: tuple[Edit, ...]
    alternatives: tuple[Callable, ...]
    order: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    in_place: bool = False
    rtol: float = 1e-9
    distribution: Callable[..., Mapping[Any, float]] | None = None
    shares: Callable[..., dict[str, np.ndarray]] | None = None
    strays: Callable[..., dict[str, dict[str, np.ndarray]]] | None = None
    derivative: Callable[..., Any] | None = None

    @property
    def name(self) -> str:
        return self.reference.__name__


def exercise(name: str) -> Exercise:
    """The exercise of that name."""
    return import_module(f"autograder.exercises.{name}").EXERCISE


# ------------------------------------------------------------------ source, stub, mutants


@cache
def source(function: Callable) -> str:
    """A reference's source, as it stands in the instructor's notebook."""
    return textwrap.dedent(inspect.getsource(function)).rstrip()


def stub(function: Callable) -> str:
    """What a learner starts from: the source with its solution cut out."""
    head, body, tail = parts(function)
    indent = body[: len(body) - len(body.lstrip())]
    return "".join([head, *(f"{indent}{line}\n" for line in CODE_STUB), tail]).rstrip()


def parts(function: Callable) -> tuple[str, str, str]:
    """A reference's source before, between and after the solution markers."""
    match = re.fullmatch(
        rf"(.*?)^[ ]*{BEGIN}\n(.*?)^[ ]*{END}\n(.*)", source(function) + "\n", re.S | re.M
    )
    if match is None:
        raise EditError(f"{function.__name__} has no pair of solution markers")
    head, body, tail = match.groups()
    return head, body, tail


def mutant_source(function: Callable, edit: Edit) -> str:
    """A reference's source with one misconception in it."""
    head, body, tail = parts(function)
    for old, new in ((edit.old, edit.new), *edit.also):
        if body.count(old) != 1:
            raise EditError(
                f"misconception {edit.id!r} of {function.__name__}: {old!r} stands "
                f"{body.count(old)} times in the solution, and must stand there once"
            )
        body = body.replace(old, new)
    return head + body + tail


def mutant(function: Callable, edit: Edit) -> Callable:
    """The reference with one misconception in it."""
    given = {name: getattr(course.given, name) for name in course.given.__all__}
    scope = {"np": np, **given, **function.__globals__}
    filename = f"<{function.__name__}, {edit.id}>"
    exec(compile(mutant_source(function, edit), filename, "exec"), scope)
    return scope[function.__name__]


def rebind(function: Callable, lend: Sequence[str]) -> Callable:
    """A copy of a function that calls stand-ins in place of the functions named."""
    scope = {**function.__globals__, **{name: STAND_INS[name] for name in lend}}
    copy = types.FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


# ------------------------------------------------------------------ the key


def live_key(name: str, seed: Any) -> AnswerKey:
    """The answer key of an exercise, computed from its reference.

    Parameters
    ----------
    name : str
    seed : int or sequence of int
        Entropy of the inputs.
    """
    declared = exercise(name)
    seeds = np.random.SeedSequence(seed).spawn(len(declared.cases))
    pairs = zip(declared.cases, seeds, strict=True)
    cases = tuple(case.draw(np.random.default_rng(s)) for case, s in pairs)
    return AnswerKey(**_facts(declared), cases=cases, answers=_answers(declared, cases))


@cache
def _facts(declared: Exercise) -> dict[str, Any]:
    """All of an exercise's key that does not depend on its inputs."""
    return {
        "name": declared.name,
        "signature": tuple(inspect.signature(declared.reference).parameters),
        "returns": declared.returns,
        "axes": axes(declared.reference),
        "order": declared.order or declared.returns,
        "calls": declared.calls,
        "in_place": declared.in_place,
        "rtol": declared.rtol,
        "points": declared.points,
        "lines": answer_lines(declared.reference),
        "stub": stub(declared.reference),
        "hints": declared.hints,
        "titles": tuple(case.title for case in declared.cases),
    }


@cache
def _mutants(declared: Exercise) -> list[tuple[Edit, Callable]]:
    """An exercise's misconceptions as functions."""
    return [(edit, mutant(declared.reference, edit)) for edit in declared.misconceptions]


class _OnDemand(Sequence[Any]):
    """What a function makes of every case; a case that nobody asks for is left out.

    Most misconceptions are ruled out by the first.
    """

    def __init__(self, make: Callable[[Arguments], Any], cases: Sequence[Arguments]) -> None:
        self._make, self._cases = make, cases
        self._made: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._cases)

    def __getitem__(self, k: Any) -> Any:
        if k not in self._made:
            self._made[k] = self._make(self._cases[k])
        return self._made[k]


def _outcome(function: Callable, case: Arguments) -> Outcome:
    return run(function, [case], twice=False)[0]


def _answers(declared: Exercise, cases: Sequence[Arguments]) -> Callable:
    @cache
    def answers(lend: tuple[str, ...]) -> Answers:
        own = None if lend else declared  # what follows is known of true callees

        @cache
        def wrong() -> list[Wrong]:
            return [
                Wrong(e.id, e.why, _OnDemand(partial(_outcome, rebind(function, lend)), cases))
                for e, function in _mutants(declared)
            ]

        return Answers(
            _expected(declared, cases, lend),
            wrong,
            _OnDemand(partial(_shares, own), cases),
            cache(partial(_altered, own, cases[0])),
        )

    return lambda lend: answers(tuple(lend))


def _shares(declared: Exercise | None, case: Arguments) -> dict[str, Any]:
    """What the steps add to each sum over time, and the known ways to get a quantity wrong."""
    shares: dict[str, Any] = {}
    if declared and declared.shares:
        shares |= declared.shares(**case)
    if declared and declared.strays:
        shares["strays"] = declared.strays(**case)
    return shares


def _altered(declared: Exercise | None, case: Arguments) -> Sketches:
    """Sketches of what the reference makes of other arguments than those of the case."""
    if not declared or declared.distribution:
        return {}

    def made_of(arguments: Arguments) -> dict[str, Any]:
        outcome = _outcome(declared.reference, arguments)
        return {} if outcome.failure else named(declared.returns, plain(outcome.value))

    return sketches(case, made_of(case), made_of, declared.rtol)


def _expected(declared: Exercise, cases: Sequence[Arguments], lend: Sequence[str]) -> list[Any]:
    """What the reference gives on every case, or how often it draws what."""
    if declared.distribution:
        chances = rebind(declared.distribution, lend)  # it may ask a function that is lent
        arguments = [{name: made(value) for name, value in case.items()} for case in cases]
        return [distribution(chances(**each)) for each in arguments]
    outcomes = run(rebind(declared.reference, lend), cases, twice=False)
    broken = next((o.failure for o in outcomes if o.failure), None)
    if broken:
        raise RuntimeError(f"the reference of {declared.name} raised {broken}")
    return [plain(outcome.value) for outcome in outcomes]


def answer_lines(function: Callable) -> int:
    """How many lines the reference takes, as a measure for the learner."""
    return sum(1 for line in parts(function)[1].splitlines() if line.strip())


def axes(function: Callable) -> dict[str, tuple[str, ...]]:
    """The letters of the legend that each array is long, read from the docstring.

    Fields of parameters and caches are read from the types' own `shapes`.
    """
    pattern = re.compile(r"^\s*(\w[\w, ]*) : (?:(?:list|tuple) of )*\(([^)]*)\) ndarray", re.M)
    found: dict[str, tuple[str, ...]] = {}
    for names, letters in pattern.findall(inspect.getdoc(function) or ""):
        split = tuple(letter.strip() for letter in letters.split(",") if letter.strip())
        found |= {name.strip(): split for name in names.split(",")}
    types_ = re.compile(r"^\s*(\w+) : (?:list of )?(\w+)$", re.M)
    for name, kind in types_.findall(inspect.getdoc(function) or ""):
        shapes = getattr(getattr(course.given, kind, None), "shapes", {})
        found |= {f"{name}.{part}": tuple(letters) for part, letters in shapes.items()}
    return found


def calls_in(function: Callable) -> set[str]:
    """The global names that a reference calls; `verify` holds `Exercise.calls` against it."""
    tree = ast.parse(source(function))
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {call.id for call in calls if isinstance(call, ast.Name)}
