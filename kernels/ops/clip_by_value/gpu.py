"""clip_by_value: one thread a gradient.

Maths:        g = min(max(g, −limit), limit)
Shapes:       g: n float32.
Traffic:      8n bytes.
              n 101,770: 8 n = 814,160 bytes, 0.17 µs at 4.8 TB/s.
Launch:       THREADS threads, grid strides over the work; no shared memory.
Requirements: none.
Numerics:     exact; NaN stays NaN, for comparisons with it are false.
Source:       Mikolov, Statistical language models based on neural networks, 2012.
"""

from kernels.device.cuda_python import cuda


def clip_by_value(g, limit, n):
    for i in range(cuda.grid(1), n, cuda.gridsize(1)):
        g_i = g[i]
        g[i] = limit if g_i > limit else -limit if g_i < -limit else g_i
