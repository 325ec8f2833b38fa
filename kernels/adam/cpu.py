"""adam on the CPU: one vectorised pass over the arena.

Moments under the smallest normal float32 are set to zero. Where an input is always 0 (a dead
pixel) its weights' moments would decay into denormals, and every step would then run at a fraction
of the speed.

One thread: 100,000 parameters take 30 µs, less than it costs to bring in a second pool of threads
beside that of the BLAS, which spins while it waits.
"""

import numpy as np

from kernels.jit import compiled

SMALLEST_NORMAL = np.finfo(np.float32).tiny


def adam(p, g, m, v, step, lr, beta1, beta2, eps):
    rate = lr / (1 - beta1**step)
    correction2 = (1 - beta2**step) ** 0.5
    # m̂ / (√v̂ + eps) = m / (1 − β1ᵗ) · c / (√v + eps c), c = √(1 − β2ᵗ): one root, no division by c.
    scalars = (beta1, 1 - beta1, beta2, 1 - beta2, eps * correction2, rate * correction2)
    update(p, g, m, v, *map(np.float32, scalars))


@compiled
def update(p, g, m, v, beta1, one_minus_beta1, beta2, one_minus_beta2, eps, rate):
    for i in range(p.size):
        m_i = beta1 * m[i] + one_minus_beta1 * g[i]
        v_i = beta2 * v[i] + one_minus_beta2 * g[i] * g[i]
        m_i = np.float32(0) if abs(m_i) < SMALLEST_NORMAL else m_i
        v_i = np.float32(0) if v_i < SMALLEST_NORMAL else v_i
        m[i] = m_i
        v[i] = v_i
        p[i] -= rate * m_i / (np.sqrt(v_i) + eps)
