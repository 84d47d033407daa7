"""Whole-sequence recurrent layers: fast, and equal to the clear functions to rounding.

They train the experiments. A graded function is to be written without them: where notebooks
are graded they can be imported, and refuse to run.
"""

from course.given.layers.rnn import RNN

__all__ = ["RNN"]
