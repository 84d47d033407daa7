"""What the instructor's commands have in common: their forms, their arguments, their refusals."""

import argparse
import contextlib
import importlib.util
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from autograder.grading.errors import ClassError

NEEDED = ("nbgrader", "nbclient", "tqdm", "solutions")
Run = Callable[[argparse.Namespace], int]


def on_a_class(commands: Any, name: str, run: Run, does: str) -> Any:
    """A command whose first argument is a class folder."""
    command = commands.add_parser(name, help=does)
    command.add_argument("folder", type=Path, metavar="DIR")
    command.set_defaults(run=guarded(run))
    return command


def guarded(run: Run) -> Run:
    """A command that says what is missing, or what to mend, in one sentence."""

    def guarded(options: argparse.Namespace) -> int:
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            print(
                f"unrolled: grading needs {', '.join(missing)}; use a checkout of the course, and "
                "run: pip install -e '.[grading,author]'",
                file=sys.stderr,
            )
            return 2
        from autograder.weave import WeaveError

        try:
            return run(options)
        except (ClassError, WeaveError) as error:
            print(f"unrolled: {error}", file=sys.stderr)
            return 2

    return guarded


def positive(text: str) -> int:
    """A number of 1 or more."""
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
    return int(text)


def percent(text: str) -> float:
    """A number from 0 to 100."""
    with contextlib.suppress(ValueError):
        if 0 <= float(text) <= 100:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 100")


def moment(text: str) -> datetime:
    """A time with its zone."""
    from autograder.grading.extensions import moment

    try:
        return moment(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def zone(text: str) -> ZoneInfo:
    """A time zone by its name."""
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time zone; write one such as Europe/Berlin"
        ) from None
