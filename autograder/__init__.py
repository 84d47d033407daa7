"""Checks that never show the answer, and say what is wrong.

In a notebook: ``check(rnn_cell_forward)`` under the function, ``hint(rnn_cell_forward)``,
``case("rnn_cell_forward", 0)``, ``solution(rnn_cell_forward)`` and ``progress()``. In tests and
tools: `examine`.
"""

from autograder.desk import case, check, examine, hint, progress, solution
from autograder.kernel import explain_missing_names

__all__ = ["case", "check", "examine", "hint", "progress", "solution"]

explain_missing_names()
