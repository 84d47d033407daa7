"""Whole-sequence recurrent layers: fast, and equal to the clear functions to rounding.

They train the experiments. A graded function is to be written without them: where notebooks
are graded they can be imported, and refuse to run.

What a cell is, and what a layer is
-----------------------------------
A *cell* is two functions and the parameters that both take. Its state is one array (RNN, GRU)
or more (LSTM: a and c); the first is what it outputs::

    *state, cache = cell_forward(x_t, *state, params)
    dx_t, *dstate_prev, grads = cell_backward(*dstate, cache, params)

A *layer* runs over whole sequences and remembers what its own backward needs::

    a = layer.forward(x, *start, lengths=None)      # (T_x, m, n_a); zeros are the usual start
    layer.states                                    # (a,) or (a, c), over time
    layer.last                                      # the state after each example's last step
    dx, *dstart, grads = layer.backward(*dstates)   # a gradient for each of layer.states
    layer.caches()                                  # as the cell's own function makes them
    layer.params                                    # read at each call; others may be set

`Unrolled` makes a layer of any cell, a learner's own too, by a plain loop. `RNN`, `GRU`,
`ResetAfterGRU` and `LSTM` are the fast layers. `Bidirectional`, `Stacked` and `Split` are layers
made of any layers, `Checkpointed` of one of a single cell; `Dropout` may stand in a stack. Layers
remember one run: x, the states and the parameters are not to change between `forward` and its
`backward`.
"""

from course.given.layers.combined import Bidirectional, Checkpointed, Dropout, Split, Stacked
from course.given.layers.gru import GRU, ResetAfterGRU
from course.given.layers.lstm import LSTM
from course.given.layers.rnn import RNN
from course.given.layers.unrolled import Unrolled

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Bidirectional",
    "Checkpointed",
    "Dropout",
    "ResetAfterGRU",
    "Split",
    "Stacked",
    "Unrolled",
]
