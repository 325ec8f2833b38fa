"""linear_backward_adam on the CPU: the gradients of `linear`, then adam's step by them, and so the
bits of the two. A call costs next to nothing here: there is nothing to gain by fusing.
"""

import numpy as np

from kernels.ops.adam import cpu as adam
from kernels.ops.linear import cpu as linear


def linear_backward_adam(x, dz, w, m, v, b, m_b, v_b, *hyperparameters):
    """w, m, v, and b, m_b, v_b unless they are None, in place."""
    dw = linear.kept.floats("dw", w.size)[: w.size].reshape(w.shape)
    db = None if b is None else np.empty_like(b)
    linear.backward_dw(x, dz, dw, db)
    adam.adam(*(a.reshape(-1) for a in (w, dw, m, v)), *hyperparameters)
    if b is not None:
        adam.adam(b, db, m_b, v_b, *hyperparameters)
