"""adam on the CPU: one vectorised pass over the arena, shared out among the threads.

Moments that have decayed to nothing are set to zero. Where an input is always 0 (a dead pixel) its
weights' moments would decay into denormals, and every step would then run at a fraction of the
speed. A first moment under NOTHING moves its parameter by less than 1e-22 lr at the default eps.
"""

import numpy as np

from kernels.jit import SMALLEST_NORMAL, compiled
from kernels.parts import in_parts, team
from kernels.threads import WIDEST

NOTHING = np.float32(1e-30)
SMALL = 2**14  # parameters; below, a second thread costs more than it brings


def adam(p, g, m, v, step, lr, beta1, beta2, eps, weight_decay):
    """step, lr: numbers, or arrays (1,) that are read now."""
    step = step.item() if isinstance(step, np.ndarray) else step
    lr = lr.item() if isinstance(lr, np.ndarray) else lr
    rate = lr / (1 - beta1**step)
    correction2 = (1 - beta2**step) ** 0.5
    # m̂ / (√v̂ + eps) = m / (1 − β1ᵗ) · c / (√v + eps c), c = √(1 − β2ᵗ): one root, no division by c.
    scalars = (beta1, 1 - beta1, beta2, 1 - beta2, eps * correction2, rate * correction2)
    scalars += (lr * weight_decay,)
    update(p, g, m, v, *map(np.float32, scalars), 0, p.size, *team(p.size, SMALL))


@compiled
def update(
    p, g, m, v, beta1, one_minus_beta1, beta2, one_minus_beta2, eps, rate, decay,
    low, high, threads, loop,
):  # fmt: skip
    if threads > 1:
        in_parts(WIDEST)
        return
    p, g, m, v = p[low:high], g[low:high], m[low:high], v[low:high]
    for i in range(p.size):
        m_i = beta1 * m[i] + one_minus_beta1 * g[i]
        v_i = beta2 * v[i] + one_minus_beta2 * g[i] * g[i]
        m_i = np.float32(0) if abs(m_i) < NOTHING else m_i
        v_i = np.float32(0) if v_i < SMALLEST_NORMAL else v_i
        m[i] = m_i
        v[i] = v_i
        decayed = decay * p[i] if decay != 0 else np.float32(0)
        p[i] -= rate * m_i / (np.sqrt(v_i) + eps) + decayed
