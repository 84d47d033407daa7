"""What two learners have in common that few others have: figures with their base rates, no verdict.

An answer that half of the class gives says nothing. So what is counted is how rare each shared
answer is in this very class, in bits, over all exercises.
"""

import ast
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

MARGIN = 7.0
"""Bits beyond the number of pairs: by chance, one class in a hundred has such a pair."""
CROWD = 20  # learners who share an answer; of more, no pair is told


class Shared(NamedTuple):
    """An answer that two learners share: by how many of those who tried it is given."""

    exercise: str
    what: str
    sharing: int
    tried: int

    @property
    def bits(self) -> float:
        """How much it says that one other learner gives it, too."""
        return -math.log2((self.sharing - 1) / (self.tried - 1))


class Pair(NamedTuple):
    """Two learners, what they share, and how many of all pairs share as much."""

    learners: tuple[str, str]
    shared: tuple[Shared, ...]
    as_much: int
    pairs: int

    @property
    def bits(self) -> float:
        return sum(each.bits for each in self.shared)


Answers = Mapping[str, Mapping[str, str]]
"""From exercise to learner to what tells one answer from another."""


def pairs(code: Answers, outputs: Answers) -> list[Pair]:
    """The pairs that share more than chance would have it, the most first.

    Parameters
    ----------
    code : mapping
        What learners wrote, made alike by `normal`.
    outputs : mapping
        Fingerprints of wrong answers that no misconception explains.

    Returns
    -------
    list of Pair
    """
    found: dict[tuple[str, str], dict[str, Shared]] = defaultdict(dict)
    for what, answers in (("the same code", code), ("the same wrong outputs", outputs)):
        for exercise, mine in answers.items():
            tried = len(code.get(exercise, mine))
            for pair, sharing in _sharing(mine):
                new = Shared(exercise, what, sharing, max(tried, sharing))
                if new.tried > 2 and new.bits > 0:
                    kept = found[pair].get(exercise, new)
                    found[pair][exercise] = max(kept, new, key=lambda each: each.bits)
    learners = {name for mine in code.values() for name in mine}
    count = math.comb(len(learners), 2)
    every = [Pair(pair, tuple(those.values()), 0, count) for pair, those in found.items()]
    bits = sorted(pair.bits for pair in every)
    rare = [pair for pair in every if pair.bits >= math.log2(max(count, 1)) + MARGIN]
    told = [pair._replace(as_much=sum(b >= pair.bits for b in bits)) for pair in rare]
    return sorted(told, key=lambda pair: (-pair.bits, pair.learners))


def _sharing(answers: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], int]]:
    """Pairs of learners with one answer, and how many have it."""
    groups: dict[str, list[str]] = defaultdict(list)
    for learner, answer in answers.items():
        groups[answer].append(learner)
    for group in groups.values():
        if 2 <= len(group) <= CROWD:
            for one, two in combinations(sorted(group), 2):
                yield (one, two), len(group)


def normal(source: str, name: str) -> str | None:
    """A function's code such that layout, comments, docstring and the names of variables are gone.

    Returns
    -------
    str or None
        None where there is no such function, or it cannot be read.
    """
    try:
        tree = ast.parse(source)
        functions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
        if not functions:
            return None
        body = [node for node in functions[-1].body if not _is_text(node)]
        renamed = _Renamed(_bound(functions[-1]))
        return "\n".join(ast.dump(renamed.visit(node)) for node in body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _bound(function: ast.FunctionDef) -> set[str]:
    """The names of a function's own: its arguments, and what it gives a value."""
    walked = list(ast.walk(function))
    names = {n.id for n in walked if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return names | {n.arg for n in walked if isinstance(n, ast.arg)}


class _Renamed(ast.NodeTransformer):
    """Numbers a function's own names, in the order in which they come."""

    def __init__(self, own: set[str]) -> None:
        self._own, self._numbers = own, dict[str, str]()

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id in self._own:
            node.id = self._numbers.setdefault(node.id, f"_{len(self._numbers)}")
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self._numbers.setdefault(node.arg, f"_{len(self._numbers)}")
        return node
