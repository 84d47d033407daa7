"""The reference: every graded function of the course, in plain NumPy.

One module a unit, forward beside backward. This package is never in the learner's wheel; the
text between ``### BEGIN SOLUTION`` and ``### END SOLUTION`` is what a learner writes, and what
stands outside is what they are given.
"""
