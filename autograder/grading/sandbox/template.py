"""The sandbox of a grader's process."""

import atexit
import os
from collections.abc import Callable

from autograder.grading.process import Plain, Process, Tier
from autograder.grading.sandbox import tiers
from autograder.grading.sandbox.forks import Forks
from autograder.grading.sandbox.hardening import Limits


class Template:
    """Where submissions are run: `spawn` starts a process for one, in milliseconds.

    Parameters
    ----------
    tier : str, optional
        By default the best that works here. "none" is for submissions that are trusted.

    Raises
    ------
    ClassError
        No sandbox works here.
    SandboxLost
        It did not start.
    """

    def __init__(self, tier: str | None = None) -> None:
        self.tier = tiers.require(trust=False) if tier is None else Tier(tier)
        self._forks = None if self.tier is Tier.NONE else Forks(self.tier)
        self.spawn: Callable[[Limits], Process] = self._forks.spawn if self._forks else Plain

    @property
    def alive(self) -> bool:
        """Whether `spawn` will work."""
        return self._forks is None or self._forks.alive

    def close(self) -> None:
        """End the template process, and all that it has started."""
        if self._forks is not None:
            self._forks.close()

    def __enter__(self) -> "Template":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


_shared: Template | None = None


def shared() -> Template:
    """The template of this process, started at first use and ended with it."""
    global _shared
    if _shared is None or not _shared.alive:
        if _shared is not None:
            _shared.close()
        _shared = Template()
        atexit.register(_shared.close)
    return _shared


def _forget() -> None:
    global _shared
    _shared = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # it is the parent's
