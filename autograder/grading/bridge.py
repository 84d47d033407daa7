"""nbgrader keeps the books: classes that its configuration names, so that its own commands and
the formgrader's button grade as `unrolled grade` does.
"""

import atexit
import glob
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool
from traitlets.config import Config

from autograder.card import STYLE
from autograder.grading import classroom, tasks
from autograder.grading.entries import put_stamp
from autograder.grading.judge import Result
from autograder.grading.process import Tier
from autograder.grading.sandbox import tiers
from autograder.grading.sanitise import Clean, remark_cell, sanitise
from autograder.grading.tasks import Sandbox

REMARKS = "graders-remarks"


class SubmissionExporter(NotebookExporter):
    """Reads a submission through `sanitise`, so that nbgrader only ever meets a clean notebook."""

    def from_filename(self, filename: str, resources: Any = None, **named: Any) -> tuple[Any, Any]:
        """Convert a submitted notebook, or one that nbgrader has cleaned already."""
        if not getattr(self.parent, "_sanitizing", False):
            return super().from_filename(filename, resources, **named)
        path, known = Path(filename), resources["nbgrader"]
        template = classroom.template(Path.cwd(), known["assignment"], path.name)
        clean = sanitise(template, path.parent, path.name)
        place = Path(self.parent._format_dest(known["assignment"], known["student"]))
        put_stamp(path.parent, place)
        return self.from_notebook_node(node(clean), resources, **named)


def node(clean: Clean) -> NotebookNode:
    """A clean notebook as nbformat's own type, with its remarks on top."""
    notebook = clean.notebook
    if clean.remarks or clean.extra:
        cell = remark_cell(clean.remarks)
        cell["metadata"]["unrolled"] = {"remarks": clean.remarks, "extra": sorted(clean.extra)}
        notebook = {**notebook, "cells": [cell, *notebook["cells"]]}
    return nbformat.reads(json.dumps(notebook), as_version=4)


def right_names(assignment: str, student: str, notebooks: list[str]) -> None:
    """nbgrader's hook before a submission is converted: put the names that it should have.

    A notebook under another name is found by `sanitise`, which looks into the folder.
    """
    for folder in {Path(notebook).parent for notebook in notebooks}:
        released = classroom.released(Path.cwd(), folder.name)
        notebooks[:] = [str(folder / name) for name in released]


class Judge(NbGraderPreprocessor):
    """Puts the judge's verdict where a test cell's outputs would be. Nothing is executed here."""

    trust_submissions = Bool(
        False, help="Whether submissions are run where there is no sandbox for them, too"
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Judge a clean notebook, or take the stored verdict on the same answers."""
        known = resources["nbgrader"]
        label = tasks.label(known["assignment"], known["notebook"])
        result = self._result(known["student"], label, _clean(nb))
        return fill(nb, result), resources

    def _result(self, student: str, label: str, clean: Clean) -> Result:
        """The stored result on these answers, or a new one, which is stored."""
        job, sandbox = classroom.job(Path.cwd(), [label.split("/")[0]]), self._sandbox()
        key = tasks.result_key(job, student, label, clean, sandbox.tier)
        results = classroom.results(Path.cwd())
        if key not in results.keys(student, label):
            results.add(key, tasks.judged(job, student, label, clean, sandbox))
        return results[key]

    def _sandbox(self) -> Sandbox:
        return _sandbox(tiers.require(self.trust_submissions))


@cache
def _sandbox(tier: Tier) -> Sandbox:
    """The one of this process, which ends with it."""
    sandbox = Sandbox(tier)
    atexit.register(sandbox.close)
    return sandbox


def fill(nb: NotebookNode, result: Result) -> NotebookNode:
    """Put a result into a clean notebook, as the outputs of its cells."""
    for cell in nb.cells:
        if cell.cell_type == "code":
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            cell.outputs = _outputs(result, grade_id)
    return nb


def _clean(nb: NotebookNode) -> Clean:
    """The clean notebook that `node` made."""
    notebook = json.loads(json.dumps(nb))
    said: dict[str, Any] = {}
    for cell in notebook["cells"]:
        said = cell["metadata"].get("unrolled", {}) if cell.get("id") == REMARKS else said
    notebook["cells"] = [cell for cell in notebook["cells"] if cell.get("id") != REMARKS]
    return Clean(notebook, tuple(said.get("remarks", ())), frozenset(said.get("extra", ())))


def _outputs(result: Result, grade_id: str) -> list[NotebookNode]:
    """A check's report and its points; of any other cell, what it printed."""
    check = result["checks"].get(grade_id)
    if check is not None:
        report = {"text/plain": check["text"], "text/html": STYLE + check["html"]}
        points = {"text/plain": repr(float(check["points"]))}
        return [
            new_output("display_data", data=report),
            new_output("execute_result", data=points, execution_count=None),
        ]
    printed = result["outputs"].get(grade_id)
    return [new_output("stream", name="stdout", text=printed)] if printed else []


def configure(config: Config) -> None:
    """Settings of a class, called by its nbgrader_config.py."""
    here = __name__
    config.Autograde.exporter_class = f"{here}.SubmissionExporter"
    config.Autograde.pre_convert_hook = f"{here}.right_names"
    config.Autograde.autograde_preprocessors = [
        f"{here}.Judge",
        "nbconvert.preprocessors.ClearMetadataPreprocessor",
        "nbgrader.preprocessors.LimitOutput",
        "nbgrader.preprocessors.SaveAutoGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    config.CourseDirectory.ignore.extend(of_submissions(Path.cwd()))


def of_submissions(folder: Path) -> list[str]:
    """Globs of all that is handed in, for nbgrader to pass over when it copies what lies beside.

    It follows links: a submission's link to the gradebook, or to the class's secret, would put a
    copy into that learner's feedback. It reads notebooks and time stamps all the same.
    """
    place = os.path.join(glob.escape(str(folder.resolve())), "submitted", "*", "*")
    return [os.path.join(place, "*"), os.path.join(place, ".*")]
