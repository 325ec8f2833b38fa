"""adadelta, Python variant: one thread a parameter.

Maths:        a = ρ a + (1 − ρ) g²;  c = √(d + eps) / √(a + eps) g;  d = ρ d + (1 − ρ) c²;
              p −= lr c + lr λ p
Shapes:       p, g, a, d: n float32 each. lr (1,) float32 on the device, or null: then the scalar
              lr_value.
Traffic:      28n bytes: p, a, d read and written, g read.
Launch:       THREADS threads, grid strides over the work; no shared memory.
Requirements: none.
Numerics:     float32; a squared gradient past 3.4e38 makes a infinite and its update 0.
Source:       Zeiler, ADADELTA, 2012, algorithm 1.
"""

import math

from kernels.device.cuda_python import cuda, float32, given

THREADS = 256


def adadelta(p, g, a, d, lr, lr_value, rho, one_minus_rho, eps, weight_decay, n):
    rate = lr[0] if given(lr) else lr_value
    decay = rate * weight_decay
    for i in range(cuda.grid(1), n, cuda.gridsize(1)):
        a[i] = rho * a[i] + one_minus_rho * g[i] * g[i]
        change = math.sqrt(d[i] + eps) / math.sqrt(a[i] + eps) * g[i]
        d[i] = rho * d[i] + one_minus_rho * change * change
        decayed = decay * p[i] if decay != float32(0) else float32(0)
        p[i] -= rate * change + decayed
