"""random_shift_flip: a block an image, a warp for each row of it in turn.

Maths:        y[b, i, j] = x[b, i', j'], i' = i − v_b, j' = j − h_b, mirrored where b is; 0 outside.
              v_b, h_b and the flips come from the four words of Philox4x32-10 with the counters
              b, 0, step, stream and the seed's two halves as keys.
Shapes:       x, y: rows × height × width float32, contiguous, apart. flips: 1 horizontal,
              2 vertical, 3 both. step: (1,) int32 on the device, or null: then step_value.
Traffic:      4 bytes written for each pixel, and 4 read where it is inside, in 4-byte accesses that
              are coalesced along the row, forwards or backwards.
              images 128, pixels 784: 8 images pixels = 802,816 bytes, 0.17 µs at 4.8 TB/s.
Launch:       a block of THREADS threads an image; every thread computes the image's words for
              itself, about 100 integer instructions; no shared memory.
Requirements: 32 divides THREADS.
Numerics:     exact: values are copied.
Source:       Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011 (philox.py).
"""

from kernels import philox
from kernels.device.cuda_python import cuda, device_function, float32, given
from kernels.ops.random_shift_flip import THREADS
from kernels.ops.random_shift_flip import shift as scalar

philox4x32 = device_function(philox.philox4x32)
shift = device_function(scalar.shift)
flipped = device_function(scalar.flipped)


def random_shift_flip(
    x, y, height, width, most_down, most_right, flips, step, step_value, stream, seed
):
    b = cuda.blockIdx.x
    number = step[0] if given(step) else step_value
    w0, w1, w2, w3 = philox4x32(b, 0, number, stream, seed & 0xFFFFFFFF, seed >> 32)
    top, down = -shift(w0, most_down), 1  # x's row for i = 0, and its step
    if flips & 2 and flipped(w3):
        top, down = height - 1 - top, -1
    left, right = -shift(w1, most_right), 1  # x's column for j = 0, and its step
    if flips & 1 and flipped(w2):
        left, right = width - 1 - left, -1
    image = b * height * width
    for i in range(cuda.threadIdx.x // 32, height, THREADS // 32):
        row = top + down * i
        for j in range(cuda.threadIdx.x % 32, width, 32):
            column = left + right * j
            value = float32(0)
            if row >= 0 and row < height and column >= 0 and column < width:
                value = x[image + row * width + column]
            y[image + i * width + j] = value
