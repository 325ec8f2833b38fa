"""adam, Python variant: one thread a parameter.

Maths:        m = β1 m + (1 − β1) g;  v = β2 v + (1 − β2) g²;
              p −= lr (m / (1 − β1ᵗ)) / (√(v / (1 − β2ᵗ)) + eps) + lr λ p
Shapes:       p, g, m, v: n float32 each. step (1,) int32 and lr (1,) float32 on the device, or
              null: then the scalars step_value, lr_value.
Traffic:      28n bytes: p, m, v read and written, g read.
              n 101,770: 28 n = 2,849,560 bytes, 0.59 µs at 4.8 TB/s.
Launch:       THREADS threads, grid strides over the work; no shared memory.
Requirements: none.
Numerics:     float32; 1 − βᵗ = −expm1(t ln β), ln β from the host in double.
Source:       Kingma and Ba, Adam, ICLR 2015, algorithm 1; λ: Loshchilov and Hutter, 2019.
"""

import math

from kernels.device.cuda_python import cuda, float32, given


def adam(
    p, g, m, v, step, step_value, lr, lr_value, beta1, one_minus_beta1, log_beta1,
    beta2, one_minus_beta2, log_beta2, eps, weight_decay, n,
):  # fmt: skip
    t = float32(step[0] if given(step) else step_value)
    learning_rate = lr[0] if given(lr) else lr_value
    rate = learning_rate / -math.expm1(t * log_beta1)
    decay = learning_rate * weight_decay
    correction2 = -math.expm1(t * log_beta2)
    for i in range(cuda.grid(1), n, cuda.gridsize(1)):
        m_i = beta1 * m[i] + one_minus_beta1 * g[i]
        v_i = beta2 * v[i] + one_minus_beta2 * g[i] * g[i]
        p_i = p[i]
        m[i] = m_i  # nothing is read after it was written, or it would be read again
        v[i] = v_i
        decayed = decay * p_i if decay != float32(0) else float32(0)
        p[i] = p_i - (rate * m_i / (math.sqrt(v_i / correction2) + eps) + decayed)
