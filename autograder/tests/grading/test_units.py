"""Every unit of the course is graded as it should be, whoever wrote the answers."""

import pytest

from autograder.exercise import exercise
from autograder.grading import classroom, demo
from autograder.grading.grade import grade
from autograder.notebooks import units


@pytest.mark.slow
@pytest.mark.parametrize("unit", units())
def test_other_words_earn_full_marks_and_slips_are_named(unit, tmp_path):
    forms = max(len(exercise(name).alternatives) for name in units()[unit])
    in_other_words = {
        f"writer-{k}": demo.handing_in(demo.other_words(unit, k), unit) for k in range(forms)
    }
    classroom.new(tmp_path)
    demo.hand_in(tmp_path, {**demo.slips(unit), **in_other_words}, unit)
    results = {result["student"]: result for result in grade(tmp_path, unit, quiet=True)}
    lost = {
        student: [check for check in result["checks"].values() if not check["passed"]]
        for student, result in results.items()
    }
    said = {student: [(c["name"], c["diagnosis"]) for c in lost[student]] for student in lost}
    assert not [(writer, *said[writer]) for writer in in_other_words if said[writer]]
    assert all(check["rung"] == "not attempted" for check in lost.pop("karim"))
    assert said["anna"] == said["nora"] == []
    for student in ("boris", "chen", "dina", "emeka"):
        assert len(lost[student]) == 1 and lost[student][0]["misconception"], said[student]
