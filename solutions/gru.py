"""Unit 05: gated recurrent units, forward and backward.

The unit is that of Cho et al. (2014, "Learning phrase representations using RNN encoder-decoder
for statistical machine translation"). Its update gate points as in Chung et al. (2014,
"Empirical evaluation of gated recurrent neural networks on sequence modeling"): open, it lets
the candidate in. The state is called c, since it is a memory cell and the hidden state at once.
The unit that resets after the product is that of the first version of Cho et al. (arXiv
1406.1078v1), of cuDNN and of PyTorch.

In the backward functions, ``ds_u`` is the gradient with respect to the sum that goes into the
update gate's sigmoid, ``ds_r`` and ``ds_c`` likewise for the reset gate and the candidate; z is
the state and the input side by side.
"""

import numpy as np

from course.given import (
    GRUCache,
    GRUParams,
    ResetAfterGRUCache,
    ResetAfterGRUParams,
    SimplifiedGRUCache,
    SimplifiedGRUParams,
    sigmoid,
)


def simplified_gru_cell_forward(x_t, c_prev, params):
    """Advance a GRU without reset gate by one time step.

    Parameters
    ----------
    x_t : (m, n_x) ndarray
        Input at this step, one row per example.
    c_prev : (m, n_a) ndarray
        Memory cell left by the previous step.
    params : SimplifiedGRUParams
        ``Wu``, ``Wc`` (n_a, n_a + n_x), ``bu``, ``bc`` (n_a,); the weights act on
        ``[c_prev, x_t]``, in that order.

    Returns
    -------
    c : (m, n_a) ndarray
        Memory cell after this step.
    cache : SimplifiedGRUCache
        What `simplified_gru_cell_backward` will need.
    """
    p = params
    ### BEGIN SOLUTION
    z = np.concatenate([c_prev, x_t], axis=1)  # (m, n_a + n_x)
    update = sigmoid(z @ p.Wu.T + p.bu)  # (m, n_a)
    candidate = np.tanh(z @ p.Wc.T + p.bc)
    c = update * candidate + (1 - update) * c_prev
    ### END SOLUTION
    return c, SimplifiedGRUCache(x_t, c_prev, update, candidate)


def simplified_gru_cell_backward(dc, cache, params):
    """Take a gradient back through one step of a GRU without reset gate.

    Parameters
    ----------
    dc : (m, n_a) ndarray
        Gradient of the loss with respect to this step's memory cell.
    cache : SimplifiedGRUCache
        What `simplified_gru_cell_forward` left.
    params : SimplifiedGRUParams

    Returns
    -------
    dx_t : (m, n_x) ndarray
        Gradient with respect to the input at this step.
    dc_prev : (m, n_a) ndarray
        Gradient with respect to the memory cell before this step.
    grads : SimplifiedGRUParams
        Gradients with respect to the parameters, summed over the examples.
    """
    p = params
    x_t, c_prev, update, candidate = cache
    ### BEGIN SOLUTION
    ds_u = dc * (candidate - c_prev) * update * (1 - update)
    ds_c = dc * update * (1 - candidate**2)

    dz = ds_u @ p.Wu + ds_c @ p.Wc  # (m, n_a + n_x)
    n_a = c_prev.shape[1]
    dx_t = dz[:, n_a:]
    dc_prev = dc * (1 - update) + dz[:, :n_a]

    z = np.concatenate([c_prev, x_t], axis=1)
    grads = SimplifiedGRUParams(
        Wu=ds_u.T @ z, bu=ds_u.sum(axis=0), Wc=ds_c.T @ z, bc=ds_c.sum(axis=0)
    )
    ### END SOLUTION
    return dx_t, dc_prev, grads


def gru_cell_forward(x_t, c_prev, params):
    """Advance a GRU by one time step.

    The reset gate acts on the previous memory cell *before* the candidate's matrix product.

    Parameters
    ----------
    x_t : (m, n_x) ndarray
        Input at this step, one row per example.
    c_prev : (m, n_a) ndarray
        Memory cell left by the previous step.
    params : GRUParams
        ``Wu``, ``Wr``, ``Wc`` (n_a, n_a + n_x), ``bu``, ``br``, ``bc`` (n_a,). The gates' weights
        act on ``[c_prev, x_t]``, in that order; the candidate's act on the same, reset.

    Returns
    -------
    c : (m, n_a) ndarray
        Memory cell after this step.
    cache : GRUCache
        What `gru_cell_backward` will need.
    """
    p = params
    ### BEGIN SOLUTION
    z = np.concatenate([c_prev, x_t], axis=1)  # (m, n_a + n_x)
    update = sigmoid(z @ p.Wu.T + p.bu)  # (m, n_a)
    reset = sigmoid(z @ p.Wr.T + p.br)
    z_reset = np.concatenate([reset * c_prev, x_t], axis=1)  # (m, n_a + n_x)
    candidate = np.tanh(z_reset @ p.Wc.T + p.bc)  # (m, n_a)
    c = update * candidate + (1 - update) * c_prev
    ### END SOLUTION
    return c, GRUCache(x_t, c_prev, update, reset, candidate)


def gru_cell_backward(dc, cache, params):
    """Take a gradient back through one step of a GRU.

    Parameters
    ----------
    dc : (m, n_a) ndarray
        Gradient of the loss with respect to this step's memory cell.
    cache : GRUCache
        What `gru_cell_forward` left.
    params : GRUParams

    Returns
    -------
    dx_t : (m, n_x) ndarray
        Gradient with respect to the input at this step.
    dc_prev : (m, n_a) ndarray
        Gradient with respect to the memory cell before this step.
    grads : GRUParams
        Gradients with respect to the parameters, summed over the examples.
    """
    p = params
    x_t, c_prev, update, reset, candidate = cache
    ### BEGIN SOLUTION
    n_a = c_prev.shape[1]
    ds_u = dc * (candidate - c_prev) * update * (1 - update)
    ds_c = dc * update * (1 - candidate**2)
    dz_reset = ds_c @ p.Wc  # (m, n_a + n_x)
    ds_r = dz_reset[:, :n_a] * c_prev * reset * (1 - reset)  # (m, n_a)

    dz = ds_u @ p.Wu + ds_r @ p.Wr  # (m, n_a + n_x)
    dx_t = dz[:, n_a:] + dz_reset[:, n_a:]
    dc_prev = dc * (1 - update) + dz[:, :n_a] + dz_reset[:, :n_a] * reset

    z = np.concatenate([c_prev, x_t], axis=1)
    z_reset = np.concatenate([reset * c_prev, x_t], axis=1)
    grads = GRUParams(
        Wu=ds_u.T @ z,
        bu=ds_u.sum(axis=0),
        Wr=ds_r.T @ z,
        br=ds_r.sum(axis=0),
        Wc=ds_c.T @ z_reset,
        bc=ds_c.sum(axis=0),
    )
    ### END SOLUTION
    return dx_t, dc_prev, grads


def gru_forward(x, c0, params):
    """Run a GRU over whole sequences.

    Parameters
    ----------
    x : (T_x, m, n_x) ndarray
        Sequences; ``x[t]`` is one step of all examples.
    c0 : (m, n_a) ndarray
        Memory cell before the first step.
    params : GRUParams

    Returns
    -------
    c : (T_x, m, n_a) ndarray
        Memory cells; ``c[t]`` is the one after step t.
    caches : list of GRUCache
        What `gru_cell_forward` left at each step, in order of time.
    """
    ### BEGIN SOLUTION
    T_x = len(x)
    c = np.zeros((T_x, *c0.shape), dtype=np.result_type(x, c0, *params))
    caches = []
    c_prev = c0
    for t in range(T_x):
        c[t], cache = gru_cell_forward(x[t], c_prev, params)
        caches.append(cache)
        c_prev = c[t]
    ### END SOLUTION
    return c, caches


def gru_backward(dc, caches, params):
    """Take gradients back through a whole run of a GRU.

    Parameters
    ----------
    dc : (T_x, m, n_a) ndarray
        Gradient of the loss with respect to the memory cell after each step, as far as it
        reaches the loss at that step: what arrives through later steps is found here.
    caches : list of GRUCache
        What `gru_forward` left, in order of time.
    params : GRUParams

    Returns
    -------
    dx : (T_x, m, n_x) ndarray
        Gradient with respect to the input at each step.
    dc0 : (m, n_a) ndarray
        Gradient with respect to the memory cell before the first step.
    grads : GRUParams
        Gradients with respect to the parameters, summed over examples and steps.
    """
    ### BEGIN SOLUTION
    T_x = len(dc)
    dx = np.zeros((T_x, *caches[0].x_t.shape), dtype=np.result_type(dc, *params))
    grads = GRUParams(*(np.zeros_like(w) for w in params))
    dc_prev = np.zeros_like(dc[0])
    for t in reversed(range(T_x)):
        dx[t], dc_prev, step = gru_cell_backward(dc[t] + dc_prev, caches[t], params)
        for total, grad in zip(grads, step, strict=True):
            total += grad
    dc0 = dc_prev
    ### END SOLUTION
    return dx, dc0, grads


def reset_after_gru_cell_forward(x_t, c_prev, params):
    """Advance a GRU of PyTorch's kind by one time step.

    The reset gate acts *after* the matrix product, on what the candidate would hear from the
    previous memory cell, bias and all.

    Parameters
    ----------
    x_t : (m, n_x) ndarray
        Input at this step, one row per example.
    c_prev : (m, n_a) ndarray
        Memory cell left by the previous step.
    params : ResetAfterGRUParams
        As for `gru_cell_forward`, and ``bcc`` (n_a,). The first n_a columns of ``Wc`` act on the
        memory cell, the others on the input.

    Returns
    -------
    c : (m, n_a) ndarray
        Memory cell after this step.
    cache : ResetAfterGRUCache
        What `reset_after_gru_cell_backward` will need; ``recurrent`` is what the reset gate
        acted on.
    """
    p = params
    ### BEGIN SOLUTION
    n_a = c_prev.shape[1]
    Wcc, Wcx = p.Wc[:, :n_a], p.Wc[:, n_a:]  # (n_a, n_a), (n_a, n_x)
    z = np.concatenate([c_prev, x_t], axis=1)  # (m, n_a + n_x)
    update = sigmoid(z @ p.Wu.T + p.bu)  # (m, n_a)
    reset = sigmoid(z @ p.Wr.T + p.br)
    recurrent = c_prev @ Wcc.T + p.bcc
    candidate = np.tanh(x_t @ Wcx.T + p.bc + reset * recurrent)
    c = update * candidate + (1 - update) * c_prev
    ### END SOLUTION
    return c, ResetAfterGRUCache(x_t, c_prev, update, reset, candidate, recurrent)


def reset_after_gru_cell_backward(dc, cache, params):
    """Take a gradient back through one step of a GRU of PyTorch's kind.

    Parameters
    ----------
    dc : (m, n_a) ndarray
        Gradient of the loss with respect to this step's memory cell.
    cache : ResetAfterGRUCache
        What `reset_after_gru_cell_forward` left.
    params : ResetAfterGRUParams

    Returns
    -------
    dx_t : (m, n_x) ndarray
        Gradient with respect to the input at this step.
    dc_prev : (m, n_a) ndarray
        Gradient with respect to the memory cell before this step.
    grads : ResetAfterGRUParams
        Gradients with respect to the parameters, summed over the examples.
    """
    p = params
    x_t, c_prev, update, reset, candidate, recurrent = cache
    ### BEGIN SOLUTION
    n_a = c_prev.shape[1]
    Wcc, Wcx = p.Wc[:, :n_a], p.Wc[:, n_a:]  # (n_a, n_a), (n_a, n_x)
    ds_u = dc * (candidate - c_prev) * update * (1 - update)
    ds_c = dc * update * (1 - candidate**2)
    drecurrent = ds_c * reset
    ds_r = ds_c * recurrent * reset * (1 - reset)

    dz = ds_u @ p.Wu + ds_r @ p.Wr  # (m, n_a + n_x)
    dx_t = dz[:, n_a:] + ds_c @ Wcx
    dc_prev = dc * (1 - update) + dz[:, :n_a] + drecurrent @ Wcc

    z = np.concatenate([c_prev, x_t], axis=1)
    grads = ResetAfterGRUParams(
        Wu=ds_u.T @ z,
        bu=ds_u.sum(axis=0),
        Wr=ds_r.T @ z,
        br=ds_r.sum(axis=0),
        Wc=np.concatenate([drecurrent.T @ c_prev, ds_c.T @ x_t], axis=1),
        bc=ds_c.sum(axis=0),
        bcc=drecurrent.sum(axis=0),
    )
    ### END SOLUTION
    return dx_t, dc_prev, grads


def reset_after_gru_forward(x, c0, params):
    """Run a GRU of PyTorch's kind over whole sequences.

    Parameters
    ----------
    x : (T_x, m, n_x) ndarray
        Sequences; ``x[t]`` is one step of all examples.
    c0 : (m, n_a) ndarray
        Memory cell before the first step.
    params : ResetAfterGRUParams

    Returns
    -------
    c : (T_x, m, n_a) ndarray
        Memory cells; ``c[t]`` is the one after step t.
    caches : list of ResetAfterGRUCache
        What `reset_after_gru_cell_forward` left at each step, in order of time.
    """
    ### BEGIN SOLUTION
    T_x = len(x)
    c = np.zeros((T_x, *c0.shape), dtype=np.result_type(x, c0, *params))
    caches = []
    c_prev = c0
    for t in range(T_x):
        c[t], cache = reset_after_gru_cell_forward(x[t], c_prev, params)
        caches.append(cache)
        c_prev = c[t]
    ### END SOLUTION
    return c, caches


def reset_after_gru_backward(dc, caches, params):
    """Take gradients back through a whole run of a GRU of PyTorch's kind.

    Parameters
    ----------
    dc : (T_x, m, n_a) ndarray
        Gradient of the loss with respect to the memory cell after each step, as far as it
        reaches the loss at that step: what arrives through later steps is found here.
    caches : list of ResetAfterGRUCache
        What `reset_after_gru_forward` left, in order of time.
    params : ResetAfterGRUParams

    Returns
    -------
    dx : (T_x, m, n_x) ndarray
        Gradient with respect to the input at each step.
    dc0 : (m, n_a) ndarray
        Gradient with respect to the memory cell before the first step.
    grads : ResetAfterGRUParams
        Gradients with respect to the parameters, summed over examples and steps.
    """
    ### BEGIN SOLUTION
    T_x = len(dc)
    dx = np.zeros((T_x, *caches[0].x_t.shape), dtype=np.result_type(dc, *params))
    grads = ResetAfterGRUParams(*(np.zeros_like(w) for w in params))
    dc_prev = np.zeros_like(dc[0])
    for t in reversed(range(T_x)):
        dx[t], dc_prev, step = reset_after_gru_cell_backward(dc[t] + dc_prev, caches[t], params)
        for total, grad in zip(grads, step, strict=True):
            total += grad
    dc0 = dc_prev
    ### END SOLUTION
    return dx, dc0, grads


def to_pytorch_gru(params):
    """Say a GRU's parameters in the words of ``torch.nn.GRU``, which then computes the same.

    Parameters
    ----------
    params : ResetAfterGRUParams

    Returns
    -------
    dict of str to ndarray
        What ``load_state_dict`` takes once its arrays are tensors: ``weight_ih_l0``
        (3 n_a, n_x), ``weight_hh_l0`` (3 n_a, n_a), ``bias_ih_l0`` and ``bias_hh_l0`` (3 n_a,).
        The gates stand one below the other in PyTorch's order: reset, update, candidate (there
        called r, z, n). A gate's one bias goes into ``bias_ih_l0``, beside a zero in the other.

    Notes
    -----
    Only for the GRU that resets after. `gru_cell_forward` resets each unit of the memory cell
    before a matrix mixes them; PyTorch resets what comes out of the mixing. As soon as there are
    two units, these are different functions, and other weights do not make up for it.

    PyTorch's update gate points the other way: open, it keeps the old memory. Its cell has two
    biases in every gate where ours has one, except in the candidate, where ours has two as well.
    """
    p = params
    ### BEGIN SOLUTION
    n_a = len(p.bu)
    W = np.concatenate([p.Wr, -p.Wu, p.Wc])  # (3 n_a, n_a + n_x)
    b = np.concatenate([p.br, -p.bu, p.bc])  # (3 n_a,)
    zero = np.zeros_like(p.bcc)
    state = {
        "weight_ih_l0": W[:, n_a:],
        "weight_hh_l0": W[:, :n_a],
        "bias_ih_l0": b,
        "bias_hh_l0": np.concatenate([zero, zero, p.bcc]),
    }
    ### END SOLUTION
    return state
