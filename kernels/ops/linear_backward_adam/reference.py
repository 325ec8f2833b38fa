"""linear_backward_adam: the reference in textbook NumPy, for any float dtype.

dx is without the activation of the layer before: kernels/reference.py looks that up by its name.
"""

import numpy as np


def linear_backward_adam(
    dz, x, w, m, v, step, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0,
    b=None, m_b=None, v_b=None,
):  # fmt: skip
    """dx, (w, m, v), and (b, m_b, v_b) or None: new arrays."""

    def updated(p, g, m, v):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * np.square(g)
        m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
        return p - lr * weight_decay * p - lr * m_hat / (np.sqrt(v_hat) + eps), m, v

    weights = updated(w, x.T @ dz, m, v)
    return dz @ w.T, weights, None if b is None else updated(b, dz.sum(axis=0), m_b, v_b)
