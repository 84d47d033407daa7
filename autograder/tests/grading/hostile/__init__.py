"""Hostile notebooks, each the finished notebook with an attack in it. All names are the attacks'.

Every attack hands in a wrong function: whoever gets a point for it has forged one. It is `softmax`,
the notebook's first exercise, or `last_states`, which no other exercise calls, so that a function
that never ends costs the suite its time once.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from autograder.grading import demo

WRONG = "\ndef softmax(z):\n    return z * 0\n"
HEADS = {"softmax": "def softmax(z):", "last_states": "def last_states(z, mask):"}
Notebook = dict[str, Any]
CHANNEL = """
import os, socket, time
def channel():
    for fd in range(3, 8):
        try:
            yield socket.socket(fileno=os.dup(fd))
        except OSError:
            pass
"""
"""An attack's way to the socket of its process."""


class Attack(NamedTuple):
    """What is handed in.

    Attributes
    ----------
    answers : dict
        Sources in place of right ones, by exercise.
    whole : bool
        It breaks its own process for good, and with it its own later exercises.
    change : callable, optional
        What else is done to the notebook.
    victim : str, optional
        The exercise that it is on.
    """

    answers: dict[str, str]
    whole: bool = False
    change: Callable[[Notebook], None] | None = None
    victim: str = "softmax"

    def notebook(self, **names: Any) -> str:
        """The file's text, in which {names} stand for what the test has made."""
        notebook = json.loads(demo.solved(self.answers))
        for cell in notebook["cells"]:
            if grading(cell).get("grade_id") in self.answers:
                for name, value in names.items():
                    cell["source"] = cell["source"].replace(f"{{{name}}}", str(value))
        if self.change:
            self.change(notebook)
        return json.dumps(notebook)


def before(code: str, whole: bool = False) -> Attack:
    """An attack that is made as its cell runs; its function is wrong and harmless."""
    return Attack({"softmax": code.strip() + "\n" + WRONG}, whole)


def within(body: str, above: str = "", whole: bool = False, victim: str = "softmax") -> Attack:
    """An attack that is made as its function is called with `z`."""
    lines = "".join(f"    {line}\n" for line in body.strip().split("\n"))
    source = f"{above.strip()}\n{HEADS[victim]}\n{lines}"
    return Attack({victim: source}, whole, victim=victim)


def on_notebook(change: Callable[[Notebook], None]) -> Attack:
    """An attack that lies in the file, around a wrong answer."""
    return Attack({"softmax": WRONG}, change=change)


def grading(cell: dict[str, Any]) -> dict[str, Any]:
    """nbgrader's metadata of a cell."""
    found: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return found
