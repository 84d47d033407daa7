"""nbgrader keeps the books: classes that its configuration names, so that its own commands and
the formgrader's button grade as `unrolled grade` does.
"""

import atexit
import glob
import json
import os
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool
from traitlets.config import Config

from autograder.card import STYLE
from autograder.grading import classroom, tasks
from autograder.grading.entries import put_stamp, time_of
from autograder.grading.judge import Result
from autograder.grading.process import Tier
from autograder.grading.sandbox import tiers
from autograder.grading.sanitise import Clean, line, remark_cell, sanitise
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


_find = Autograde.init_notebooks


def learners_alone(self: Autograde) -> None:
    """nbgrader's search for what is handed in, without the folders that can be no learner's.

    It takes a folder's name for a pattern: one called * would be everybody's work, and everybody
    would have been graded when their turn comes.
    """
    _find(self)
    for place in [p for p in self.assignments if not classroom.harmless(Path(p).parent.name)]:
        self.log.error(line(f"{place}: {classroom.ODD_NAME}"))
        del self.assignments[place]
    if not self.assignments:
        raise NbGraderException(classroom.ODD_NAME)


def time_there(self: CourseDirectory, place: str) -> datetime | None:
    """nbgrader's reading of the time of a submission, if it is in a plain file.

    At a pipe it would wait for ever, a link it would follow, and who claims no time at all would
    have no marks.
    """
    try:
        return time_of(Path(place))
    except ValueError:
        self.log.warning(line(f"{place}: timestamp.txt holds no time; it counts as on time"))
        return None


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


def configure(config: Config, file: str) -> None:
    """Settings of a class, called by its nbgrader_config.py.

    Parameters
    ----------
    config : Config
    file : str
        That nbgrader_config.py, which lies in the class folder; a hub starts servers elsewhere.
    """
    Autograde.init_notebooks = learners_alone  # these two are in no configuration
    CourseDirectory.get_existing_timestamp = time_there
    here = __name__
    config.Autograde.exporter_class = f"{here}.SubmissionExporter"
    config.Autograde.pre_convert_hook = f"{here}.right_names"
    config.Autograde.autograde_preprocessors = [
        f"{here}.Judge",
        "nbconvert.preprocessors.ClearMetadataPreprocessor",
        "nbgrader.preprocessors.LimitOutput",
        "nbgrader.preprocessors.SaveAutoGrades",
        "autograder.grading.late.Extend",
        "nbgrader.preprocessors.AssignLatePenalties",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    config.HTMLExporter.preprocessors = [
        "autograder.grading.marking.Legible",
        "autograder.grading.marking.ModelAnswers",
    ]
    config.HTMLExporter.filters = {"highlight_code": "autograder.grading.marking.Highlight"}
    # a heading's words would be its id, and the formgrader finds the box of a mark by its id
    config.HTMLExporter.exclude_anchor_links = True
    config.ExchangeFactory.collect = "autograder.grading.exchange.Collect"
    config.ZipCollectApp.extractor_plugin = "autograder.grading.zipcollect.LMSExtractor"
    config.ZipCollectApp.collector_plugin = "autograder.grading.zipcollect.LMSCollector"
    config.CourseDirectory.ignore.extend(of_submissions(Path(file).parent))


def of_submissions(folder: Path) -> list[str]:
    """Globs of all that is handed in, for nbgrader to pass over when it copies what lies beside.

    It follows links: a submission's link to the gradebook, or to the class's secret, would put a
    copy into that learner's feedback. It reads notebooks and time stamps all the same.
    """
    place = os.path.join(glob.escape(str(folder.resolve())), "submitted", "*", "*")
    return [os.path.join(place, "*"), os.path.join(place, ".*")]
