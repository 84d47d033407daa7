"""What late work costs: a share of the score for every day."""

import math

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Float

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
