"""signum: one thread a parameter.

Maths:        u = β u + (1 − β) g;  p −= lr sign(u)
Shapes:       p, g, u: n float32 each. lr (1,) float32 on the device, or null: then lr_value.
              rest: 1 − β.
Traffic:      20n bytes.
              n 101,770: 20 n = 2,035,400 bytes, 0.42 µs at 4.8 TB/s.
Launch:       THREADS threads, grid strides over the work; no shared memory.
Requirements: none.
Numerics:     float32; NaN comes through.
Source:       Bernstein et al., signSGD: compressed optimisation for non-convex problems, ICML 2018.
"""

from kernels.device.cuda_python import cuda, float32, given


def signum(p, g, u, lr, lr_value, beta, rest, n):
    rate = lr[0] if given(lr) else lr_value
    for i in range(cuda.grid(1), n, cuda.gridsize(1)):
        u_i = beta * u[i] + rest * g[i]
        u[i] = u_i
        p[i] -= rate if u_i > float32(0) else -rate if u_i < float32(0) else u_i
