"""rmsprop, Python variant: one thread a parameter.

Maths:        v = ρ v + (1 − ρ) g², or where m is given v = ρ (v + (1 − ρ) (g − m)²) and
              m = ρ m + (1 − ρ) g;  step = lr g / (√v + eps);  p −= step + lr λ p, or where u is
              given u = μ u − step, p += u − lr λ p
Shapes:       p, g, v, m, u: n float32 each; m and u may be null. lr (1,) float32 on the device, or
              null: then the scalar lr_value.
Traffic:      20n bytes; 8n more with m, and 8n more with u.
              n 101,770: 20 n = 2,035,400 bytes, 0.42 µs at 4.8 TB/s.
Launch:       THREADS threads, grid strides over the work; no shared memory.
Requirements: none.
Numerics:     float32; a squared gradient past 3.4e38 makes v infinite and its update 0.
Source:       Tieleman and Hinton, Lecture 6.5, 2012; centered: Graves 2013, West 1979.
"""

import math

from kernels.device.cuda_python import cuda, float32, given


def rmsprop(
    p, g, v, m, u, lr, lr_value, rho, one_minus_rho, momentum, eps, weight_decay, n
):  # fmt: skip
    rate = lr[0] if given(lr) else lr_value
    decay = rate * weight_decay
    for i in range(cuda.grid(1), n, cuda.gridsize(1)):
        p_i, g_i, v_i = p[i], g[i], v[i]  # nothing is read after a write, or it would be read again
        if given(m):
            m_i = m[i]
            d = g_i - m_i
            v_i = rho * (v_i + one_minus_rho * d * d)
            m[i] = rho * m_i + one_minus_rho * g_i
        else:
            v_i = rho * v_i + one_minus_rho * g_i * g_i
        v[i] = v_i
        change = -rate * g_i / (math.sqrt(v_i) + eps)
        if given(u):
            change = momentum * u[i] + change
            u[i] = change
        p[i] = p_i + (change - (decay * p_i if decay != float32(0) else float32(0)))
