"""adam on the CPU: one vectorised pass over the arena, on all threads where it is long.

Moments under the smallest normal float32 are set to zero. Where an input is always 0 (a dead
pixel) its weights' moments would decay into denormals, and every step would then run at a fraction
of the speed.
"""

import numba
import numpy as np

from kernels.jit import compiled

SMALLEST_NORMAL = np.finfo(np.float32).tiny
CHUNK = 16384  # parameters; four arrays of it fit a core's second-level cache


def adam(p, g, m, v, step, lr, beta1, beta2, eps):
    rate = lr / (1 - beta1**step)
    correction2 = (1 - beta2**step) ** 0.5
    # m̂ / (√v̂ + eps) = m / (1 − β1ᵗ) · c / (√v + eps c), c = √(1 − β2ᵗ): one root, no division by c.
    scalars = (beta1, 1 - beta1, beta2, 1 - beta2, eps * correction2, rate * correction2)
    update(p, g, m, v, *map(np.float32, scalars))


@compiled(parallel=True)
def update(p, g, m, v, beta1, one_minus_beta1, beta2, one_minus_beta2, eps, rate):
    tiny = SMALLEST_NORMAL
    for chunk in numba.prange((p.size + CHUNK - 1) // CHUNK):
        for i in range(chunk * CHUNK, min(p.size, (chunk + 1) * CHUNK)):
            m_i = beta1 * m[i] + one_minus_beta1 * g[i]
            v_i = beta2 * v[i] + one_minus_beta2 * g[i] * g[i]
            m_i = np.float32(0) if abs(m_i) < tiny else m_i
            v_i = np.float32(0) if v_i < tiny else v_i
            m[i] = m_i
            v[i] = v_i
            p[i] -= rate * m_i / (np.sqrt(v_i) + eps)
