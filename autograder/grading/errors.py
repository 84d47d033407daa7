"""What goes wrong in a class, can be mended by whoever it belongs to, and by which command."""

import shlex


class ClassError(Exception):
    """Something about a class folder that its owner can mend."""


def typed(*words: object) -> str:
    """A command of ours as it can be copied into a shell, whatever a class is called."""
    return shlex.join(["unrolled", *map(str, words)])
