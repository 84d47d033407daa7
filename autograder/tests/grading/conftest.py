"""A class with submissions, made by the demo's own code, and the sandboxes that run them."""

import json

import pytest

from autograder.grading import classroom, demo
from autograder.grading.sandbox import tiers
from autograder.grading.sandbox.template import Template
from autograder.weave import student_notebook

UNIT, NAME = demo.UNIT, "rnn_forward.ipynb"


@pytest.fixture(scope="session")
def template():
    return json.loads(student_notebook(UNIT))


@pytest.fixture
def solved():
    """The finished notebook, with some answers in place of right ones, as JSON text."""
    return lambda **answers: demo.solved(answers)


@pytest.fixture(scope="session")
def graded_class(tmp_path_factory):
    """The demo's class, graded once by `unrolled grade`."""
    from autograder.grading.grade import grade

    folder = tmp_path_factory.mktemp("class")
    classroom.new(folder)
    demo.hand_in(folder)
    return folder, grade(folder, UNIT, quiet=True)


@pytest.fixture(scope="session", params=["full", "landlock"])
def sandbox(request):
    """One template process per tier, which runs every attack of the session."""
    finding = {f.name: f for f in tiers.probe()}.get(f"tier {request.param}")
    if finding is None or not finding.works:
        pytest.skip(f"the tier {request.param} does not work here: see `unrolled doctor`")
    with Template(request.param) as running:
        yield running


@pytest.fixture
def spawn(sandbox):
    """Starts a process for one submission."""
    return sandbox.spawn
