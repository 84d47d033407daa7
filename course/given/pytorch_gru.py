"""What PyTorch computes: a ``torch.nn.GRU`` of two units, its weights, an input, and its outputs.

The outputs were computed with PyTorch 2.13 in float64. `course/tests/test_gru_text.py` computes them
again, where PyTorch is installed; nobody else needs it.
"""

import numpy as np


def _numbers(start, *shape):
    """Numbers that look like weights, two decimals each."""
    return np.round(np.cos(np.arange(start, start + int(np.prod(shape)))), 2).reshape(shape)


WEIGHTS = {
    "weight_ih_l0": _numbers(1, 6, 3),
    "weight_hh_l0": _numbers(30, 6, 2),
    "bias_ih_l0": _numbers(50, 6),
    "bias_hh_l0": np.array([0, 0, 0, 0, 0.71, -0.53]),
}
"""As ``state_dict()`` has them: three gates of two units, one below the other, and three inputs."""

X = _numbers(70, 4, 3, 3)
"""Four steps, three examples, three features."""

H0 = _numbers(120, 3, 2) / 2

OUTPUT = np.array(
    [
        [
            [0.544302400136316, -0.820517995736231],
            [-0.806425309575975, 0.163590233597448],
            [0.211487164286431, -0.771290681924396],
        ],
        [
            [-0.626987594538387, 0.116426321507400],
            [-0.597549497920063, -0.775387270070257],
            [-0.608378414977065, 0.169189436525573],
        ],
        [
            [-0.385799997559008, -0.772079736121547],
            [-0.773831145381494, 0.231899102655841],
            [-0.333112124472236, -0.710322175041693],
        ],
        [
            [-0.629073328601114, 0.331244461530966],
            [-0.511049886555370, -0.576391921265797],
            [-0.534019849886701, 0.390694104471915],
        ],
    ]
)
"""The states after each step, ``output`` in PyTorch's words."""
