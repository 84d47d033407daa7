"""Proving the notebooks: they run from top to bottom, and earn what they should."""

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from traitlets.config import Config

from autograder.weave import instructor_notebook, nbformat, student_notebook

from nbclient import NotebookClient  # isort: skip  # after weave, which makes nbformat's import fast
from nbclient.exceptions import CellExecutionError  # isort: skip

CELL_SECONDS = 300
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}


@dataclass
class NotebookRun:
    """How one notebook ran, and how many of its exercises it got right."""

    unit: str
    kind: str
    seconds: float = 0.0
    right: int = 0
    exercises: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.faults

    def summary(self) -> dict[str, Any]:
        """The run as JSON-able data."""
        return {**self.__dict__, "ok": self.ok}

    def __str__(self) -> str:
        marks = f"{self.right} of {self.exercises} right"
        state = "ok" if self.ok else "FAULT"
        line = f"{self.unit} {self.kind}: {marks}, {self.seconds:.0f} s  {state}"
        return "\n".join([line, *(f"    {fault}" for fault in self.faults)])


def verify_notebook(unit: str) -> Iterator[NotebookRun]:
    """Run a unit's instructor notebook, which must be all right, and the student's, which is not.

    Parameters
    ----------
    unit : str

    Yields
    ------
    NotebookRun
    """
    full = _run(unit, "instructor", instructor_notebook(unit))
    if full.right < full.exercises:
        full.faults.append(f"{full.exercises - full.right} exercises are not right")
    yield full
    empty = _run(unit, "student", student_notebook(unit))
    if empty.right:
        empty.faults.append(f"{empty.right} exercises are right before anything is written")
    yield empty


def execute(notebook: Any) -> None:
    """Run a notebook in a real kernel, in an empty folder, as somebody who has just begun.

    Parameters
    ----------
    notebook : NotebookNode
        Its outputs are filled in.

    Raises
    ------
    CellExecutionError
        A cell raised; the outputs so far are there.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **ONE_THREAD, "UNROLLED_HOME": folder}
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            resources={"metadata": {"path": folder}},
            config=Config(KernelManager={"transport": "ipc", "ip": f"{folder}/kernel"}),
        )
        with mock.patch.dict(os.environ, environment):
            client.execute()


def _run(unit: str, kind: str, text: str) -> NotebookRun:
    """Run every cell, experiments too, as Run All does."""
    run, notebook = NotebookRun(unit, kind), nbformat.reads(text, as_version=4)
    start = time.monotonic()
    try:
        execute(notebook)
    except CellExecutionError as error:
        run.faults.append(f"a cell raised {error.ename}: {error.evalue}")
    run.seconds = time.monotonic() - start
    checks = [cell for cell in notebook.cells if "check" in cell.metadata.get("unrolled", {})]
    run.exercises = len(checks)
    run.right = sum(_text(cell).startswith("✓") for cell in checks)
    run.faults += _unread(checks, kind)
    return run


def _unread(checks: list[Any], kind: str) -> list[str]:
    """Checks of a student notebook that do not read "not attempted"."""
    if kind != "student":
        return []
    return [
        f"{cell.source} reads {_text(cell).splitlines()[:1]}"
        for cell in checks
        if not _text(cell).startswith("○")
    ]


def _text(cell: Any) -> str:
    """The plain text that a check showed."""
    texts = (output.get("data", {}).get("text/plain", "") for output in cell.outputs)
    return next((text for text in texts if text), "")
