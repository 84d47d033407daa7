"""What late work costs, and to whom it is not late."""

import math
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Float

from autograder.grading import extensions
from autograder.grading.entries import stamp_of

DAY = 24 * 60 * 60


class PerDay(LateSubmissionPlugin):
    """Takes a share of the score for each day that has begun since the due date.

    In a class's ``nbgrader_config.py``::

        c.AssignLatePenalties.plugin_class = "autograder.grading.late.PerDay"
        c.PerDay.percent = 10
        c.PerDay.grace_hours = 1
    """

    percent = Float(10, min=0, max=100, help="of the score, for a day").tag(config=True)
    grace_hours = Float(0, min=0, help="that cost nothing").tag(config=True)

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """What is taken off; None where nothing is."""
        late = total_seconds_late - 60 * 60 * self.grace_hours
        days = math.ceil(late / DAY) if late > 0 else 0
        return min(score, score * self.percent / 100 * days) if days else None


class Extend(NbGraderPreprocessor):
    """Gives a submission its extension, when nbgrader's own commands grade it."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Enter it into the gradebook; the notebook is left as it is."""
        known = resources["nbgrader"]
        granted = extensions.read(Path.cwd())
        with Gradebook(known["db_url"]) as gradebook:
            submission = gradebook.find_submission(known["assignment"], known["student"])
            if not stamp_of(Path("submitted", known["student"], known["assignment"])):
                submission.timestamp = None  # nbgrader would keep the one that was there
            extensions.allow(granted, submission)
            gradebook.db.commit()
        return nb, resources
