"""moving_average: one thread a number.

Maths:        a = p in step 1, else a + take · (p − a).
Shapes:       average, p: n float32 each. step (1,) int32 on the device, or null: then the scalar
              step_value.
Traffic:      12n bytes: the average read and written, p read.
              n 101,770: 12 n = 1,221,240 bytes, 0.25 µs at 4.8 TB/s.
Launch:       THREADS threads, grid strides over the work; no shared memory.
Requirements: none.
Numerics:     float32.
Source:       Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992.
"""

from kernels.device.cuda_python import cuda, given


def moving_average(average, p, step, step_value, take, n):
    first = (step[0] if given(step) else step_value) == 1
    for i in range(cuda.grid(1), n, cuda.gridsize(1)):
        p_i, a_i = p[i], average[i]
        average[i] = p_i if first else a_i + take * (p_i - a_i)
