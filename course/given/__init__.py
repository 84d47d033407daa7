"""The learner's library: what every notebook may use and nobody has to write.

The legend
----------
These letters mean the same thing in every docstring, message, figure and notebook.

============  ==================================================================
``m``         examples in the batch (rows)
``T_x``       time steps of the input, ``T_y`` of the output
``n_x``       input features
``n_a``       hidden units
``n_y``       classes, or output features
``n_v``       words or characters in the vocabulary
``n_h``       hidden units of a network that stands on an RNN's outputs
``t``         a time step, counted from 0 in code and from 1 in formulas
``x``         (T_x, m, n_x) sequences: time first, so ``x[t]`` is one step, (m, n_x)
``a``, ``c``  (m, n_a) hidden state and memory cell after a step; (T_x, m, n_a) over time
``y_hat``     (..., n_y) predicted probabilities; ``y`` the indices of the right classes
``W``, ``b``  weights (to, from) and biases: ``Wax`` turns x into a, ``Wya`` a into y
============  ==================================================================

A row is an example, so a layer is ``x @ W.T + b``; the weights have the shapes that
``torch.nn.RNN`` gives them.
"""

from course.given.activations import sigmoid
from course.given.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Checkpointed,
    Dropout,
    ResetAfterGRU,
    Split,
    Stacked,
    Unrolled,
)
from course.given.tokens import EOS, UNK
from course.given.types import (
    AdamState,
    CoupledLSTMParams,
    DeepOutputCache,
    DeepOutputParams,
    GRUCache,
    GRUParams,
    LSTMCache,
    LSTMParams,
    OutputParams,
    PeepholeLSTMParams,
    ResetAfterGRUCache,
    ResetAfterGRUParams,
    RNNCache,
    RNNModelParams,
    RNNParams,
    SimplifiedGRUCache,
    SimplifiedGRUParams,
    draw,
)

__all__ = [
    "EOS",
    "GRU",
    "LSTM",
    "RNN",
    "UNK",
    "AdamState",
    "Bidirectional",
    "Checkpointed",
    "CoupledLSTMParams",
    "DeepOutputCache",
    "DeepOutputParams",
    "Dropout",
    "GRUCache",
    "GRUParams",
    "LSTMCache",
    "LSTMParams",
    "OutputParams",
    "PeepholeLSTMParams",
    "RNNCache",
    "RNNModelParams",
    "RNNParams",
    "ResetAfterGRU",
    "ResetAfterGRUCache",
    "ResetAfterGRUParams",
    "SimplifiedGRUCache",
    "SimplifiedGRUParams",
    "Split",
    "Stacked",
    "Unrolled",
    "draw",
    "sigmoid",
]
