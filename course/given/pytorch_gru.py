"""What PyTorch computes: a GRU's weights, an input, and the output of ``torch.nn.GRU``.

The output was computed with PyTorch 2.13 in float64. `course/tests/test_gru_text.py` computes it
again, where PyTorch is installed; nobody else needs it.
"""

import numpy as np

from course.given.activations import sigmoid
from course.given.types import ResetAfterGRUParams


def _numbers(start, *shape):
    """Numbers that look like weights, two decimals each."""
    return np.round(np.cos(np.arange(start, start + int(np.prod(shape)))), 2).reshape(shape)


PARAMS = ResetAfterGRUParams(
    Wu=_numbers(1, 2, 5), bu=_numbers(11, 2), Wr=_numbers(13, 2, 5), br=_numbers(23, 2),
    Wc=_numbers(25, 2, 5), bc=_numbers(35, 2), bcc=_numbers(37, 2),
)  # fmt: skip
"""In this course's words: two units, three inputs."""

X = _numbers(70, 4, 3, 3)
"""Four steps, three examples, three features."""

C0 = _numbers(120, 3, 2) / 2

OUTPUT = np.array(
    [
        [
            [0.426506432538862, 0.872565985807433],
            [-0.765463016571689, -0.591600698313193],
            [-0.073900939885410, 0.895240904043671],
        ],
        [
            [0.109445341934949, -0.160319260093720],
            [-0.760343636622101, 0.096974905533307],
            [0.059412040891519, -0.087671720016722],
        ],
        [
            [-0.089815189444903, 0.541840368261720],
            [-0.350495472420590, -0.412957432338420],
            [-0.133393836012882, 0.438878289286374],
        ],
        [
            [0.517190715421178, 0.155023246819784],
            [-0.471004635724163, -0.104628693088692],
            [0.558559414025032, 0.436523963037879],
        ],
    ]
)
"""The states after each step, ``output`` in PyTorch's words."""


def run(state, x, h):
    """What ``torch.nn.GRU`` computes, as its documentation says.

    Parameters
    ----------
    state : dict of str to ndarray
        As ``state_dict()`` has them; `to_pytorch_gru` makes one.
    x : (T_x, m, n_x) ndarray
    h : (m, n_a) ndarray
        The state to begin with.

    Returns
    -------
    (T_x, m, n_a) ndarray
        ``output``: the states after each step.
    """
    output = []
    for x_t in x:
        from_input = x_t @ state["weight_ih_l0"].T + state["bias_ih_l0"]
        from_state = h @ state["weight_hh_l0"].T + state["bias_hh_l0"]
        r_i, z_i, n_i = np.split(from_input, 3, axis=1)
        r_h, z_h, n_h = np.split(from_state, 3, axis=1)
        z = sigmoid(z_i + z_h)
        h = (1 - z) * np.tanh(n_i + sigmoid(r_i + r_h) * n_h) + z * h
        output.append(h)
    return np.array(output)
