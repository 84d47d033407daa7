"""Answers that are near a right one, or near a known wrong one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from autograder import curves, fits, parts
from autograder.answers import AnswerKey, Answers, Wrong
from autograder.report import Difference, Report, Rung
from autograder.tree import Record, leaves
from autograder.trial import Outcome

BESIDES = "Something else is wrong besides."


# ------------------------------------------------------------------ right parts, other places


def in_another_order(
    key: AnswerKey, finding: Report, outcomes: Sequence[Outcome], answers: Answers
) -> str:
    """That the parts of an answer are right and stand in the wrong places, or an empty string."""
    n = len(key.returns)
    values = [
        (_several(outcome.value, n), expected if n > 1 else (expected,))
        for outcome, expected in zip(outcomes, answers.expected, strict=True)
    ]
    for order in list(permutations(range(n)))[1:]:
        if all(_ordered(got, want, order, key.rtol) for got, want in values):
            return f"The right parts in another order; asked for are ({', '.join(key.returns)})."
    for name, got, want in zip(key.returns, *values[finding.case or 0], strict=False):
        places = _places(got, want, key.rtol)
        if places:
            field, other = next(pair for pair in places.items() if pair[0] != pair[1])
            return (
                f"{name}.{field} holds what belongs into {name}.{other}. Give the fields by name, "
                f"{want.kind}({field}=..., ...), and no order can go wrong."
            )
    return ""


def _several(value: Any, n: int) -> list[Any]:
    """What was returned as its n parts, or nothing where there are not so many."""
    if n == 1:
        return [value]
    several = isinstance(value, tuple | list) or np.ndim(value) > 0
    return list(value) if several and len(value) == n else []


def _ordered(got: Sequence[Any], want: Sequence[Any], order: Sequence[int], rtol: float) -> bool:
    """Whether what was returned is right once its parts are in this order."""
    return bool(got) and all(_same(got[i], part, rtol) for i, part in zip(order, want, strict=True))


def _places(got: Any, want: Any, rtol: float) -> dict[str, str] | None:
    """Where each field of a record belongs, if all belong somewhere and not all where they are."""
    if not (isinstance(got, Record) and isinstance(want, Record)):
        return None
    if got.fields.keys() != want.fields.keys():
        return None
    places: dict[str, str] = {}
    for field, value in got.fields.items():
        free = [name for name in want.fields if name not in places.values()]
        free.sort(key=lambda name: name != field)  # where it is, if it may stay there
        fit = (name for name in free if _same(value, want.fields[name], rtol))
        places[field] = next(fit, "")
    moved = any(field != place for field, place in places.items())
    return places if moved and all(places.values()) else None


def _same(one: Any, two: Any, rtol: float) -> bool:
    mine, right = leaves(parts.apart(two, one)), leaves(two)
    return mine.keys() == right.keys() and all(
        parts.same(mine[path], right[path], rtol) for path in right
    )


# ------------------------------------------------------------------ one of several slips


class _Agreement(NamedTuple):
    """In how many cases a known slip makes the first wrong quantity, and how much else."""

    cases: int
    quantities: int


def partly_known(
    key: AnswerKey,
    finding: Report,
    outcomes: Sequence[Outcome],
    answers: Answers,
    failed: Sequence[Report],
) -> str:
    """The sentence of the one known slip that makes the first wrong quantity, or an empty string.

    It makes it just so, in every case (one that is about rounding or the like may differ), and
    what is right with the slip in it is right here: so it is one of two slips. Where cases are
    not finite, the slip is sought in the others.
    """
    wrong_values = [f for f in failed if f.rung is Rung.VALUES and f.differences]
    if finding.rung not in (Rung.VALUES, Rung.FINITE) or not wrong_values:
        return ""
    shown = finding if finding in wrong_values else wrong_values[0]
    compared = [k for k in range(len(outcomes)) if k not in _not_finite(failed)]
    found = {}
    for wrong in answers.wrong():
        agreement = _agreement(key, shown, outcomes, answers, wrong, compared)
        if agreement:
            found[wrong.id] = agreement, wrong.why
    best = max((agreement for agreement, _ in found.values()), default=None)
    whys = [why for agreement, why in found.values() if agreement == best]
    if len(whys) != 1 or best is None:
        return ""
    alone = finding.rung is Rung.FINITE and best.cases == len(compared)
    return whys[0] if alone else f"{whys[0]} {BESIDES}"


def _not_finite(failed: Sequence[Report]) -> set[int | None]:
    return {finding.case for finding in failed if finding.rung is Rung.FINITE}


def _agreement(
    key: AnswerKey,
    finding: Report,
    outcomes: Sequence[Outcome],
    answers: Answers,
    wrong: Wrong,
    compared: Sequence[int],
) -> _Agreement | None:
    first, shown = finding.differences[0], finding.case
    assert shown is not None
    smooth = isinstance(first.expected, np.ndarray) and first.expected.dtype.kind == "f"
    misses = len(outcomes) // 4 if smooth else 0
    cases = quantities = 0
    for k in (shown, *(k for k in compared if k != shown)):
        made = _made(key, first.name, outcomes[k], answers.expected[k], wrong.outcomes[k])
        if made is None and (k == shown or not misses):
            return None
        if k == shown:
            if not made:
                return None
            quantities = made
        misses -= made is None
        cases += bool(made)
    return _Agreement(cases, quantities) if cases > 1 or len(outcomes) == 1 else None


def _made(key: AnswerKey, first: str, mine: Outcome, expected: Any, theirs: Outcome) -> int | None:
    """How many wrong quantities of one case a slip makes just so; None if it does something else.

    It does something else if it does not make the first one, or spoils one that is right here.
    """
    if mine.failure or theirs.failure:
        return None
    known, count = parts.named(key.returns, theirs.value), 0
    for path, want, got in parts.pairs(key, mine, expected):
        harmless = parts.same(known.get(path), want, key.rtol)
        made = parts.same(known.get(path), got, key.rtol)
        if not made and (path == first or (not harmless and parts.same(got, want, key.rtol))):
            return None
        count += made and not harmless
    return count


def known_in_part(
    key: AnswerKey, finding: Report, outcomes: Sequence[Outcome], answers: Answers
) -> str:
    """The sentence of the one known slip that makes all that is wrong here, and more.

    Where a gate is right in the cache, and the memory is made with a wrong one, for example.
    """
    if finding.rung is not Rung.VALUES or not finding.differences:
        return ""
    whys = [w.why for w in answers.wrong() if _makes_all(key, outcomes, answers, w)]
    names = [each.name for each in finding.differences]
    shown = names if len(names) < 3 else [names[0], f"{len(names) - 1} others"]
    return f"{whys[0]} It shows in {' and '.join(shown)} alone." if len(whys) == 1 else ""


def _makes_all(key: AnswerKey, outcomes: Sequence[Outcome], answers: Answers, wrong: Wrong) -> bool:
    """Whether a slip makes every wrong quantity of every case just so."""
    for k, (outcome, expected) in enumerate(zip(outcomes, answers.expected, strict=True)):
        theirs = wrong.outcomes[k]
        if outcome.failure or theirs.failure:
            return False
        known = parts.named(key.returns, theirs.value)
        for path, want, got in parts.pairs(key, outcome, expected):
            if not parts.same(got, want, key.rtol) and not parts.same(
                known.get(path), got, key.rtol
            ):
                return False
    return True


# ------------------------------------------------------------------ all wrong in one way


def all_alike(
    key: AnswerKey, finding: Report, outcomes: Sequence[Outcome], answers: Answers
) -> str:
    """By which size, or sign, all wrong quantities of a case are off, or an empty string."""
    arrays = finding.arrays
    if len(arrays) < 2 or len(arrays) < len(finding.differences) or finding.case is None:
        return ""
    factors = [fits.factor(each.expected, each.got, key.rtol) for each in arrays]
    if not all(factors) or not np.allclose(factors, factors[0], rtol=1e-9):
        return ""
    first, sizes = arrays[0], parts.sizes(key, finding.case)
    story = fits.how(first.expected, first.got, first.axes, key.rtol, sizes)
    telling = story.endswith((" here.", " sign."))
    return story.replace("Every entry", "Every entry of all that is wrong") if telling else ""


# ------------------------------------------------------------------ something else that is known


def mistaken(key: AnswerKey, finding: Report, outcomes: Sequence[Outcome], answers: Answers) -> str:
    """That a wrong quantity is another one, or lacks one, or has one too much; or nothing."""
    if finding.rung is not Rung.VALUES or finding.case is None:
        return ""
    if outcomes[finding.case].changed:
        return ""
    known = parts.given(key, finding.case)
    known |= parts.named(key.returns, answers.expected[finding.case])
    stories = (_mistaken_for(each, known, key.rtol) for each in finding.arrays)
    return next(filter(None, stories), "")


def first_mistaken(
    key: AnswerKey, finding: Report, outcomes: Sequence[Outcome], answers: Answers
) -> str:
    """What `mistaken` says of the first wrong quantity, if others may be wrong because of it.

    Nothing else is made of a bias.
    """
    first = [each for each in finding.differences[:1] if np.ndim(each.got) > 1]
    return mistaken(key, replace(finding, differences=tuple(first)), outcomes, answers)


def _mistaken_for(wrong: Difference, known: dict[str, Any], rtol: float) -> str:
    right, got = wrong.expected, wrong.got
    if right.size < 3 or "f" not in right.dtype.kind + got.dtype.kind:
        return ""
    for name, value in _of_shape(known, right.shape):
        if name == wrong.name or parts.same(value, right, rtol):
            continue
        for is_so, says in (
            (parts.same(value, got, rtol), f"{wrong.name} holds {name}."),
            (
                parts.same(right + value, got, rtol),
                f"{name} was added to {wrong.name}, and is too much in it.",
            ),
            (parts.same(right - value, got, rtol), f"{name} is missing in {wrong.name}."),
        ):
            if is_so:
                return says
    return ""


def _of_shape(known: dict[str, Any], shape: tuple[int, ...]) -> Iterator[tuple[str, np.ndarray]]:
    """What is known and has that shape, and its first and last steps; no constants."""
    for path, value in known.items():
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            continue
        steps = [(f"{path}[0]", value[0]), (f"{path}[-1]", value[-1])] if value.ndim > 1 else []
        for name, part in ((path, value), *steps):
            if part.shape == shape and np.isfinite(part).all() and np.ptp(part) > 0:
                yield name, part


# ------------------------------------------------------------------ one number a case


def over_cases(
    key: AnswerKey, finding: Report, outcomes: Sequence[Outcome], answers: Answers
) -> str:
    """A simple relation between the wrong numbers of all cases and the right ones."""
    shown = finding.differences[0].expected
    if len(finding.compared) != 1 or shown is None or np.ndim(shown) or not np.isfinite(shown):
        return ""
    found = [
        (np.asarray(want, float), np.asarray(got, float))
        for outcome, expected in zip(outcomes, answers.expected, strict=True)
        for _, want, got in parts.pairs(key, outcome, expected)
        if np.ndim(got) == 0 and np.isfinite(want) and not outcome.failure
    ]
    if len(found) < 3:
        return ""
    want, got = (np.array(column) for column in zip(*found, strict=True))
    told = curves.told(want, got) or fits.how(want, got, (), key.rtol)
    return told.replace("Every entry is", "In every case it is")
