"""The reference: every graded function of the course, in plain NumPy.

One module a unit, forward beside backward. This package is never in the learner's wheel; the
text between ``### BEGIN SOLUTION`` and ``### END SOLUTION`` is what a learner writes, and what
stands outside is what they are given.

``from solutions import lstm_forward`` gives a function that holds its arguments against its
docstring before it runs, and says which of them does not fit. ``solutions.lstm.lstm_forward`` is
the function itself, which takes what it gets.
"""

from inspect import isfunction

from course.given.edges import checked
from solutions import (
    birnn,
    bptt,
    deep_rnn,
    gru,
    language_model,
    lstm,
    rnn,
    seq2seq,
    sequences,
)

UNITS = (sequences, rnn, bptt, language_model, gru, lstm, birnn, deep_rnn, seq2seq)

__all__ = []
for unit in UNITS:
    for name, function in vars(unit).items():
        if isfunction(function) and function.__module__ == unit.__name__:
            globals()[name] = checked(function)
            __all__ += [name]
del name, function, unit
