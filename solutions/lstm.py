"""Unit 06: long short-term memory, forward and backward.

The cell is that of Hochreiter and Schmidhuber (1997, "Long short-term memory") with the forget
gate of Gers, Schmidhuber and Cummins (2000, "Learning to forget: continual prediction with
LSTM"). Peepholes are those of Gers and Schmidhuber (2000, "Recurrent nets that time and
count"); coupled gates are those that Greff et al. compare (2017, "LSTM: a search space odyssey").

In the backward functions, ``ds_f`` is the gradient with respect to the sum that goes into the
forget gate's sigmoid, and ``ds_u``, ``ds_c``, ``ds_o`` likewise; z is ``[a_prev, x_t]``.
"""

import numpy as np

from course.given import (
    CoupledLSTMParams,
    LSTMCache,
    LSTMParams,
    PeepholeLSTMParams,
    sigmoid,
)


def lstm_cell_forward(x_t, a_prev, c_prev, params):
    """Advance an LSTM by one time step.

    Parameters
    ----------
    x_t : (m, n_x) ndarray
        Input at this step, one row per example.
    a_prev, c_prev : (m, n_a) ndarray
        Hidden state and memory left by the previous step.
    params : LSTMParams
        ``Wf``, ``Wu``, ``Wc``, ``Wo`` (n_a, n_a + n_x), ``bf``, ``bu``, ``bc``, ``bo`` (n_a,); the
        weights act on ``[a_prev, x_t]``, in that order.

    Returns
    -------
    a, c : (m, n_a) ndarray
        Hidden state and memory after this step.
    cache : LSTMCache
        What `lstm_cell_backward` will need, by name.
    """
    p = params
    ### BEGIN SOLUTION
    z = np.concatenate([a_prev, x_t], axis=1)  # (m, n_a + n_x)
    forget = sigmoid(z @ p.Wf.T + p.bf)  # (m, n_a), as is every gate
    update = sigmoid(z @ p.Wu.T + p.bu)
    candidate = np.tanh(z @ p.Wc.T + p.bc)
    output = sigmoid(z @ p.Wo.T + p.bo)
    c = forget * c_prev + update * candidate
    a = output * np.tanh(c)
    ### END SOLUTION
    return a, c, LSTMCache(z, forget, update, candidate, output, c_prev, c)


def lstm_cell_backward(da, dc, cache, params):
    """Take gradients back through one step of an LSTM.

    Parameters
    ----------
    da, dc : (m, n_a) ndarray
        Gradients of the loss with respect to this step's hidden state and memory. What reaches
        the loss through both, memory by way of the hidden state, is in `da` only.
    cache : LSTMCache
        What `lstm_cell_forward` left.
    params : LSTMParams

    Returns
    -------
    dx_t : (m, n_x) ndarray
        Gradient with respect to the input at this step.
    da_prev, dc_prev : (m, n_a) ndarray
        Gradients with respect to hidden state and memory before this step.
    grads : LSTMParams
        Gradients with respect to the parameters, summed over the examples.
    """
    p = params
    z, forget, update, candidate, output, c_prev, c = cache
    ### BEGIN SOLUTION
    tanh_c = np.tanh(c)
    dc = dc + da * output * (1 - tanh_c**2)  # c is passed on, and a is made of it
    ds_f = dc * c_prev * forget * (1 - forget)
    ds_u = dc * candidate * update * (1 - update)
    ds_c = dc * update * (1 - candidate**2)
    ds_o = da * tanh_c * output * (1 - output)

    dz = ds_f @ p.Wf + ds_u @ p.Wu + ds_c @ p.Wc + ds_o @ p.Wo  # (m, n_a + n_x)
    n_a = c.shape[1]
    da_prev, dx_t = dz[:, :n_a], dz[:, n_a:]
    dc_prev = dc * forget

    grads = LSTMParams(
        Wf=ds_f.T @ z,
        bf=ds_f.sum(axis=0),
        Wu=ds_u.T @ z,
        bu=ds_u.sum(axis=0),
        Wc=ds_c.T @ z,
        bc=ds_c.sum(axis=0),
        Wo=ds_o.T @ z,
        bo=ds_o.sum(axis=0),
    )
    ### END SOLUTION
    return dx_t, da_prev, dc_prev, grads


def lstm_forward(x, a0, c0, params):
    """Run an LSTM over whole sequences.

    Parameters
    ----------
    x : (T_x, m, n_x) ndarray
        Sequences; ``x[t]`` is one step of all examples.
    a0, c0 : (m, n_a) ndarray
        Hidden state and memory before the first step.
    params : LSTMParams

    Returns
    -------
    a, c : (T_x, m, n_a) ndarray
        Hidden states and memories; ``a[t]`` and ``c[t]`` are those after step t.
    caches : list of LSTMCache
        What `lstm_cell_forward` left at each step, in order of time.
    """
    ### BEGIN SOLUTION
    T_x = len(x)
    a = np.zeros((T_x, *a0.shape), dtype=np.result_type(x, a0, c0, *params))
    c = np.zeros_like(a)
    caches = []
    a_prev, c_prev = a0, c0
    for t in range(T_x):
        a[t], c[t], cache = lstm_cell_forward(x[t], a_prev, c_prev, params)
        caches.append(cache)
        a_prev, c_prev = a[t], c[t]
    ### END SOLUTION
    return a, c, caches


def lstm_backward(da, dc, caches, params):
    """Take gradients back through a whole run of an LSTM.

    Parameters
    ----------
    da, dc : (T_x, m, n_a) ndarray
        Gradients of the loss with respect to hidden state and memory after each step, as far as
        they reach the loss at that step: what arrives through later steps is found here. Mostly
        `dc` is zero, since a loss sees hidden states; where the last memory is handed on, as
        by a translator's encoder, it is not.
    caches : list of LSTMCache
        What `lstm_forward` left, in order of time.
    params : LSTMParams

    Returns
    -------
    dx : (T_x, m, n_x) ndarray
        Gradient with respect to the input at each step.
    da0, dc0 : (m, n_a) ndarray
        Gradients with respect to hidden state and memory before the first step.
    grads : LSTMParams
        Gradients with respect to the parameters, summed over examples and steps.
    """
    ### BEGIN SOLUTION
    T_x, m, n_a = da.shape
    n_x = caches[0].z.shape[1] - n_a
    dx = np.zeros((T_x, m, n_x), dtype=np.result_type(da, dc, *params))
    grads = LSTMParams(*(np.zeros_like(w) for w in params))
    da_prev, dc_prev = np.zeros_like(da[0]), np.zeros_like(dc[0])
    for t in reversed(range(T_x)):
        dx[t], da_prev, dc_prev, step = lstm_cell_backward(
            da[t] + da_prev, dc[t] + dc_prev, caches[t], params
        )
        for total, grad in zip(grads, step, strict=True):
            total += grad
    da0, dc0 = da_prev, dc_prev
    ### END SOLUTION
    return dx, da0, dc0, grads


def peephole_lstm_cell_forward(x_t, a_prev, c_prev, params):
    """Advance an LSTM whose gates see the memory by one time step.

    The forget and update gates see the memory before the step, the output gate the memory after
    it; each unit's gates see that unit's memory alone.

    Parameters
    ----------
    x_t : (m, n_x) ndarray
        Input at this step, one row per example.
    a_prev, c_prev : (m, n_a) ndarray
        Hidden state and memory left by the previous step.
    params : PeepholeLSTMParams
        As for `lstm_cell_forward`, and the peepholes' weights ``pf``, ``pu``, ``po`` (n_a,).

    Returns
    -------
    a, c : (m, n_a) ndarray
        Hidden state and memory after this step.
    cache : LSTMCache
        What `peephole_lstm_cell_backward` will need, by name.
    """
    p = params
    ### BEGIN SOLUTION
    z = np.concatenate([a_prev, x_t], axis=1)  # (m, n_a + n_x)
    forget = sigmoid(z @ p.Wf.T + p.pf * c_prev + p.bf)  # (m, n_a), as is every gate
    update = sigmoid(z @ p.Wu.T + p.pu * c_prev + p.bu)
    candidate = np.tanh(z @ p.Wc.T + p.bc)
    c = forget * c_prev + update * candidate
    output = sigmoid(z @ p.Wo.T + p.po * c + p.bo)
    a = output * np.tanh(c)
    ### END SOLUTION
    return a, c, LSTMCache(z, forget, update, candidate, output, c_prev, c)


def peephole_lstm_cell_backward(da, dc, cache, params):
    """Take gradients back through one step of an LSTM whose gates see the memory.

    Parameters
    ----------
    da, dc : (m, n_a) ndarray
        Gradients of the loss with respect to this step's hidden state and memory.
    cache : LSTMCache
        What `peephole_lstm_cell_forward` left.
    params : PeepholeLSTMParams

    Returns
    -------
    dx_t : (m, n_x) ndarray
        Gradient with respect to the input at this step.
    da_prev, dc_prev : (m, n_a) ndarray
        Gradients with respect to hidden state and memory before this step.
    grads : PeepholeLSTMParams
        Gradients with respect to the parameters, summed over the examples.
    """
    p = params
    z, forget, update, candidate, output, c_prev, c = cache
    ### BEGIN SOLUTION
    tanh_c = np.tanh(c)
    ds_o = da * tanh_c * output * (1 - output)
    dc = dc + da * output * (1 - tanh_c**2) + ds_o * p.po  # the output gate saw c, too
    ds_f = dc * c_prev * forget * (1 - forget)
    ds_u = dc * candidate * update * (1 - update)
    ds_c = dc * update * (1 - candidate**2)

    dz = ds_f @ p.Wf + ds_u @ p.Wu + ds_c @ p.Wc + ds_o @ p.Wo  # (m, n_a + n_x)
    n_a = c.shape[1]
    da_prev, dx_t = dz[:, :n_a], dz[:, n_a:]
    dc_prev = dc * forget + ds_f * p.pf + ds_u * p.pu

    grads = PeepholeLSTMParams(
        Wf=ds_f.T @ z,
        bf=ds_f.sum(axis=0),
        Wu=ds_u.T @ z,
        bu=ds_u.sum(axis=0),
        Wc=ds_c.T @ z,
        bc=ds_c.sum(axis=0),
        Wo=ds_o.T @ z,
        bo=ds_o.sum(axis=0),
        pf=(ds_f * c_prev).sum(axis=0),
        pu=(ds_u * c_prev).sum(axis=0),
        po=(ds_o * c).sum(axis=0),
    )
    ### END SOLUTION
    return dx_t, da_prev, dc_prev, grads


def coupled_lstm_cell_forward(x_t, a_prev, c_prev, params):
    """Advance an LSTM by one time step that writes exactly what it forgets.

    One gate does the work of two: the update gate is open as far as the forget gate is closed.

    Parameters
    ----------
    x_t : (m, n_x) ndarray
        Input at this step, one row per example.
    a_prev, c_prev : (m, n_a) ndarray
        Hidden state and memory left by the previous step.
    params : CoupledLSTMParams
        As for `lstm_cell_forward`, without an update gate.

    Returns
    -------
    a, c : (m, n_a) ndarray
        Hidden state and memory after this step.
    cache : LSTMCache
        What `coupled_lstm_cell_backward` will need, by name.
    """
    p = params
    ### BEGIN SOLUTION
    z = np.concatenate([a_prev, x_t], axis=1)  # (m, n_a + n_x)
    forget = sigmoid(z @ p.Wf.T + p.bf)  # (m, n_a), as is every gate
    update = 1 - forget
    candidate = np.tanh(z @ p.Wc.T + p.bc)
    output = sigmoid(z @ p.Wo.T + p.bo)
    c = forget * c_prev + update * candidate
    a = output * np.tanh(c)
    ### END SOLUTION
    return a, c, LSTMCache(z, forget, update, candidate, output, c_prev, c)


def coupled_lstm_cell_backward(da, dc, cache, params):
    """Take gradients back through one step of an LSTM that writes exactly what it forgets.

    Parameters
    ----------
    da, dc : (m, n_a) ndarray
        Gradients of the loss with respect to this step's hidden state and memory.
    cache : LSTMCache
        What `coupled_lstm_cell_forward` left.
    params : CoupledLSTMParams

    Returns
    -------
    dx_t : (m, n_x) ndarray
        Gradient with respect to the input at this step.
    da_prev, dc_prev : (m, n_a) ndarray
        Gradients with respect to hidden state and memory before this step.
    grads : CoupledLSTMParams
        Gradients with respect to the parameters, summed over the examples.
    """
    p = params
    z, forget, update, candidate, output, c_prev, c = cache
    ### BEGIN SOLUTION
    tanh_c = np.tanh(c)
    dc = dc + da * output * (1 - tanh_c**2)
    ds_f = dc * (c_prev - candidate) * forget * (1 - forget)  # it opens as update closes
    ds_c = dc * update * (1 - candidate**2)
    ds_o = da * tanh_c * output * (1 - output)

    dz = ds_f @ p.Wf + ds_c @ p.Wc + ds_o @ p.Wo  # (m, n_a + n_x)
    n_a = c.shape[1]
    da_prev, dx_t = dz[:, :n_a], dz[:, n_a:]
    dc_prev = dc * forget

    grads = CoupledLSTMParams(
        Wf=ds_f.T @ z,
        bf=ds_f.sum(axis=0),
        Wc=ds_c.T @ z,
        bc=ds_c.sum(axis=0),
        Wo=ds_o.T @ z,
        bo=ds_o.sum(axis=0),
    )
    ### END SOLUTION
    return dx_t, da_prev, dc_prev, grads


def to_pytorch_lstm(params):
    """Say an LSTM's parameters in the words of ``torch.nn.LSTM``, which then computes the same.

    Parameters
    ----------
    params : LSTMParams

    Returns
    -------
    dict of str to ndarray
        What ``load_state_dict`` takes once its arrays are tensors: ``weight_ih_l0``
        (4 n_a, n_x), ``weight_hh_l0`` (4 n_a, n_a), ``bias_ih_l0`` and ``bias_hh_l0`` (4 n_a,).
        The gates stand one below the other in PyTorch's order: update, forget, candidate,
        output (there called i, f, g, o).

    Notes
    -----
    PyTorch has two biases in every gate where ours has one: ours is its first, and its second is
    zero.
    """
    p = params
    ### BEGIN SOLUTION
    n_a = len(p.bf)
    W = np.concatenate([p.Wu, p.Wf, p.Wc, p.Wo])  # (4 n_a, n_a + n_x)
    b = np.concatenate([p.bu, p.bf, p.bc, p.bo])  # (4 n_a,)
    state = {
        "weight_ih_l0": W[:, n_a:],
        "weight_hh_l0": W[:, :n_a],
        "bias_ih_l0": b,
        "bias_hh_l0": np.zeros_like(b),
    }
    ### END SOLUTION
    return state
