"""Softmax over each row: y_j = exp(z_j − max z) / Σ_k exp(z_k − max z).

The derivative is a matrix: dz = y ⊙ (dy − Σ_k dy_k y_k). The outputs of a row depend on each
other, so softmax is no scalar function; kernels/ops/activation has a kernel of its own for it.
A row with +inf or NaN, or of nothing but −inf, gives NaN.
"""

import numpy as np

forward = None  # of a single number


def reference(z):
    with np.errstate(invalid="ignore"):
        e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
