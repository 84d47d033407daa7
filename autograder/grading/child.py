"""The process that runs a learner's code: it is given inputs, and hands back arrays.

Requests and replies are frames on one socket; a reply bears the request's nonce.
"""

import contextlib
import importlib
import io
import json
import os
import pkgutil
import socket
import sys
import traceback
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from autograder import trial, wire
from autograder.grading import frames
from autograder.tree import revive

MAX_OUTPUT = 20_000


class Shell(InteractiveShell):
    """IPython without history, colours, or a window system."""

    def enable_gui(self, gui: Any = None) -> None:
        """Leave graphics alone."""

    def system(self, cmd: str) -> None:
        """Start nothing: a line such as ``!pip install`` is passed over, and the cell goes on."""
        print(f"(Not run when graded: !{cmd})")

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> list[str]:
        """The lines that a command would print, of which there are none."""
        self.system(cmd)
        return []


def make_shell() -> Shell:
    """A shell as a notebook's kernel has, but for the kernel."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.cache_size = 0
    shell: Shell = Shell.instance(config=config)
    return shell


def warm() -> None:
    """Import, once, what submissions import, and go once through what all of them do."""
    import matplotlib.pyplot
    import numpy as np
    import numpy.fft
    import numpy.linalg
    import numpy.random

    import autograder
    import course.given

    _ = autograder, matplotlib.pyplot, np.fft, np.linalg, np.random
    for module in pkgutil.iter_modules(course.given.__path__, "course.given."):
        importlib.import_module(module.name)
    shell = make_shell()
    for source in WARMING:
        run_cell(shell, {"source": source})
    probe(shell, {"function": "softmax", "cases": ({"z": np.ones((1, 2))},), "lend": ()})
    shell.reset(new_session=True)


WARMING = (
    "import numpy as np\nfrom autograder import check\nnp.random.default_rng(0)",
    "def softmax(z):\n    return z",
    "check(softmax)",
    "1 / 0",
    "f(",
)
"""A cell of each sort: what the shell and the library import late is then imported."""


def serve(channel: socket.socket) -> None:
    """Answer requests until the grader closes its end."""
    shell = make_shell()
    while True:
        try:
            request = frames.receive(channel)
        except frames.Closed:
            return
        try:
            reply = {"run": run_cell, "probe": probe}[request["do"]](shell, request)
        except KeyboardInterrupt:
            reply = {"error": "interrupted"}
        try:
            frames.send(channel, {**reply, "nonce": request["nonce"]})
        except wire.WireError as error:
            frames.send(channel, {"error": str(error), "nonce": request["nonce"]})


def run_cell(shell: Shell, request: dict[str, Any]) -> dict[str, Any]:
    """Run one cell in the shell."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
        done = shell.run_cell(request["source"], store_history=False)
    error = done.error_before_exec or done.error_in_exec
    said = None if error is None else _said(error)
    return {"error": said, "output": output.getvalue()[:MAX_OUTPUT]}


def _said(error: BaseException) -> str:
    """An exception in one line, with the line of the cell where it arose."""
    text = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    line = getattr(error, "lineno", None)
    if line is None:
        frames_ = traceback.extract_tb(error.__traceback__)
        line = frames_[-1].lineno if frames_ else None
    return f"{text} (line {line})"[:500] if line else text[:500]


def probe(shell: Shell, request: dict[str, Any]) -> dict[str, Any]:
    """Run one function on cases."""
    function = shell.user_ns.get(request["function"])
    if not callable(function):
        return {"error": "undefined"}
    cases = [revive(case) for case in request["cases"]]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        outcomes = trial.run(function, cases, request["lend"])
    return {"error": None, "outcomes": trial.to_tree(outcomes)}


def main() -> None:
    """Serve a socket under limits alone, as the first argument says (JSON)."""
    from autograder.grading.sandbox.hardening import Limits, limit

    order = json.loads(sys.argv[1])
    warm()
    limit(Limits(**order["limits"]))
    serve(socket.socket(fileno=order["socket"]))
    os._exit(0)


if __name__ == "__main__":
    main()
