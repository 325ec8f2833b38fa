"""adadelta, Python variant: one thread a parameter.

Maths:        a = ρ a + (1 − ρ) g²;  c = √(d + eps) / √(a + eps) g;  d = ρ d + (1 − ρ) c²;
              p −= lr c + lr λ p
Shapes:       p, g, a, d: n float32 each. lr (1,) float32 on the device, or null: then the scalar
              lr_value.
Traffic:      28n bytes: p, a, d read and written, g read.
              n 101,770: 28 n = 2,849,560 bytes, 0.59 µs at 4.8 TB/s.
Launch:       THREADS threads, grid strides over the work; no shared memory.
Requirements: none.
Numerics:     float32; a squared gradient past 3.4e38 makes a infinite and its update 0.
Source:       Zeiler, ADADELTA, 2012, algorithm 1.
"""

import math

from kernels.device.cuda_python import cuda, float32, given


def adadelta(p, g, a, d, lr, lr_value, rho, one_minus_rho, eps, weight_decay, n):
    rate = lr[0] if given(lr) else lr_value
    decay = rate * weight_decay
    for i in range(cuda.grid(1), n, cuda.gridsize(1)):
        p_i, g_i, d_i = p[i], g[i], d[i]  # nothing is read after a write, or it would be read again
        a_i = rho * a[i] + one_minus_rho * g_i * g_i
        a[i] = a_i
        change = math.sqrt(d_i + eps) / math.sqrt(a_i + eps) * g_i
        d[i] = rho * d_i + one_minus_rho * change * change
        decayed = decay * p_i if decay != float32(0) else float32(0)
        p[i] = p_i - (rate * change + decayed)
