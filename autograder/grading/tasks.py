"""The unit of work: what one learner handed in as one notebook, to a result.

Pure and idempotent, so that it may run in any process, on any machine, and once more.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from autograder.grading import versions
from autograder.grading.judge import Result, grade_notebook
from autograder.grading.process import Process, SandboxLost, Tier
from autograder.grading.sandbox import tiers
from autograder.grading.sandbox.hardening import Limits
from autograder.grading.sandbox.template import Template
from autograder.grading.sanitise import Clean, Notebook, answer_cells, sanitise
from autograder.grading.workers import NotReady
from autograder.notebooks import exercise_of, points_of, source_of


class Job(NamedTuple):
    """What all tasks of a run have in common; a worker is given it once.

    `templates` are the released notebooks by their labels, `prints` are hashes of each and of what
    judges it, and `judge` is the version of the judge that the run is made with. `tier` is the
    sandbox's; where it is left out, a worker takes the best that it has, which may be none only
    where there is `trust` in the submissions.
    """

    secret: bytes
    templates: dict[str, Notebook]
    prints: dict[str, str]
    judge: str
    tier: Tier | None = None
    trust: bool = False


class Task(NamedTuple):
    """One notebook of one learner.

    `files` are the notebooks that were handed in, unread, by name; `known` are the keys of results
    that need not be made again.
    """

    student: str
    label: str
    files: dict[str, bytes]
    known: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The file name that the notebook should have."""
        return f"{self.label.split('/')[1]}.ipynb"


class Done(NamedTuple):
    """A task's result, and the key that it is stored under; no result where the key was known."""

    key: str
    result: Result | None


def label(assignment: str, name: str) -> str:
    """What an assignment's notebook is called in results."""
    return f"{assignment}/{Path(name).stem}"


class Sandbox:
    """A template that is started when it is first needed, and that threads may share.

    Parameters
    ----------
    tier : Tier
    """

    def __init__(self, tier: Tier) -> None:
        self.tier = tier
        self._template: Template | None = None
        self._lock = Lock()

    def spawn(self, limits: Limits) -> Process:
        """Start a process for a learner's code.

        Raises
        ------
        NotReady
            The template does not start.
        SandboxLost
            It is gone, or has started no process.
        """
        with self._lock:
            if self._template is None or not self._template.alive:
                self.close()
                self._template = _started(self.tier)
            return self._template.spawn(limits)

    def close(self) -> None:
        """End the template, if there is one."""
        if self._template is not None:
            self._template.close()


def _started(tier: Tier) -> Template:
    try:
        return Template(tier)
    except SandboxLost as error:
        raise NotReady(str(error)) from None


@contextmanager
def opened(job: Job) -> Iterator[Callable[[Task], Done]]:
    """A process made ready for the tasks of a job.

    Raises
    ------
    NotReady
        It has another version of what judges than the run that it works for.
    """
    if versions.judge() != job.judge:
        raise NotReady(
            f"this worker has version {versions.judge()} of Unrolled's judge, and the run has "
            f"{job.judge}; give all workers the same checkout"
        )
    with closing(Sandbox(job.tier or tiers.require(job.trust))) as sandbox:
        yield lambda task: work(job, task, sandbox)


def work(job: Job, task: Task, sandbox: Sandbox) -> Done:
    """Clean a notebook and judge it, unless its result is known."""
    clean = read(job.templates[task.label], task)
    key = result_key(job, task.student, task.label, clean, sandbox.tier)
    if key in task.known:
        return Done(key, None)
    result = judged(job, task.student, task.label, clean, sandbox)
    return Done(key, {**result, "files": files_print(task.files)})


def stands(job: Job, task: Task, result: Result) -> bool:
    """Whether a result is of these very files, by what would judge them now.

    If not, it may hold all the same: not all that is in a file counts.
    """
    return (
        result.get("print") == job.prints[task.label]
        and job.tier in (None, result["tier"])
        and is_of(task.files, result)
    )


def is_of(files: dict[str, bytes], result: Result | None) -> bool:
    """Whether a result is known to be of these files."""
    return result is not None and result.get("files") == files_print(files)


def files_print(files: dict[str, bytes]) -> str:
    """A hash of files and their names."""
    known = [(name, hashlib.sha256(data).hexdigest()) for name, data in sorted(files.items())]
    return digest(json.dumps(known))


def template_print(template: Notebook) -> str:
    """A hash of a released notebook and of what judges it."""
    return digest(json.dumps([template, versions.of(template)], sort_keys=True))


def worths(template: Notebook) -> dict[str, float]:
    """What each graded check of a released notebook is worth, by the cell's name."""
    checks = ((cell, points_of(cell)) for cell in template["cells"] if exercise_of(cell))
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: worth
        for cell, worth in checks
        if worth is not None
    }


def read(template: Notebook, task: Task) -> Clean:
    """What was handed in, made fit for grading."""
    with tempfile.TemporaryDirectory(prefix="unrolled-read-") as place:
        for name, data in task.files.items():
            Path(place, name).write_bytes(data)
        return sanitise(template, Path(place), task.name)


def judged(job: Job, student: str, label: str, clean: Clean, sandbox: Sandbox) -> Result:
    """A new result, with the versions of what judged it and which answers it is about."""
    template = job.templates[label]
    stubs = dict(answer_cells(template))
    return {
        **grade_notebook(clean, student, label, job.secret, sandbox.spawn),
        "versions": versions.of(template),
        "print": job.prints[label],
        "answers": digests(clean),
        "blank": [id_ for id_, text in clean.answers.items() if text == source_of(stubs[id_])],
    }


def digests(clean: Clean) -> dict[str, str]:
    """Which answers a notebook holds."""
    return {grade_id: digest(text) for grade_id, text in clean.answers.items()}


def digest(text: str) -> str:
    """A short name of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def result_key(job: Job, student: str, label: str, clean: Clean, tier: str) -> str:
    """A hash of what a result depends on, and of nothing else."""
    facts = [
        versions.of(job.templates[label]), tier, label, student,
        sorted(clean.answers.items()), sorted(clean.extra), list(clean.remarks),
        [source_of(cell) for cell in clean.notebook["cells"]],
        list(worths(job.templates[label]).items()),
    ]  # fmt: skip
    return hashlib.sha256(job.secret + json.dumps(facts).encode()).hexdigest()
