"""The notebooks run from top to bottom, and earn what they should."""

import pytest

from autograder.notebooks import student_notebooks
from autograder.verify_notebooks import verify_notebook


@pytest.mark.slow
@pytest.mark.parametrize("unit", student_notebooks())
def test_the_instructor_earns_all_and_the_student_nothing(unit):
    full, empty = verify_notebook(unit)
    assert not full.faults
    assert not empty.faults
    assert full.right == full.exercises == empty.exercises > 0
    assert empty.right == 0
