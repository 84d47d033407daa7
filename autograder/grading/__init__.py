"""Grading, where the learner's process is not trusted.

``sanitise`` takes answers from a submission, ``session`` runs them in a process that has no
answers, ``judge`` compares what comes back, and ``bridge`` hands marks and reports to nbgrader.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # nbformat's import: 1.4 s
