"""In a learner's kernel: what to do when an exercise is checked before its cell was run."""

import sys
import types
from typing import Any

from autograder import answers
from autograder.notices import Notice


def explain_missing_names() -> None:
    """In a Jupyter kernel: after a NameError for an exercise, say that its cell comes first."""
    if "ipykernel" not in sys.modules:
        return
    shell = sys.modules["IPython"].get_ipython()
    if shell is not None and not shell.custom_exceptions:
        shell.set_custom_exc((NameError,), _explain)


def _explain(
    shell: Any, kind: type, error: NameError, traceback: types.TracebackType, tb_offset: Any = None
) -> None:
    """Show the traceback as ever, and the remedy under it."""
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
    if error.name in answers.names():
        sys.modules["IPython"].display.display(Notice(out_of_order(error.name)))


def out_of_order(name: str) -> str:
    """What to do about an exercise that the kernel does not know."""
    return (
        f"{name} is an exercise of this notebook, and its cell was not run since the kernel "
        "started. Choose Run > Run All Above Selected Cell, then run this cell again."
    )
