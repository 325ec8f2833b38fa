"""random_shift_flip: each image of a batch mirrored and shifted at random, for training.

    y[b, i, j] = x[b, i', j'],  i' = i − v_b, j' = j − h_b, and 0 where that is outside the image;
    where b is mirrored, i' = H − 1 − (i − v_b), or j' = W − 1 − (j − h_b)

v_b is any of −R … R, h_b any of −C … C, each with equal probability (to within 2⁻³²); each kind of
flip that is asked for happens with probability ½. They come from the four words of Philox4x32-10
(kernels/philox.py) whose counters are the row b of the batch, the step and the stream, and whose
key is the seed: nothing is stored, and every device draws the same. x, y: float32 (B, H · W).
There is no backward: the samples themselves need no gradient.

Source: Simard, Steinkraus and Platt, Best practices for convolutional neural networks applied to
visual document analysis, ICDAR 2003.
"""

import numpy as np

from kernels import arrays, dispatch, philox
from kernels.arrays import Array, ArrayT
from kernels.device import Entry, KernelFile, launch, submit

DEFAULT = ("cpu.py", "gpu.py")
FLIPS = {None: 0, "horizontal": 1, "vertical": 2, "horizontal_and_vertical": 3}
THREADS = 128
ENTRY = Entry(
    "random_shift_flip",
    "const float* x, float* y, int height, int width, int most_down, int most_right, "
    "int flips, const int* step, int step_value, int stream, long long seed",
)
GPU_FILES = (KernelFile("random_shift_flip", "gpu.py", (ENTRY,), threads=THREADS),)


def random_shift_flip(
    x: ArrayT,
    image_shape: tuple[int, int],
    most: tuple[int, int],
    flip: str | None,
    seed: int,
    step: int | Array,
    stream: int = 0,
    *,
    out: Array | None = None,
    variant: str | None = None,
) -> ArrayT:
    """y, float32 (B, H · W): x's images, shifted and mirrored.

    x: float32 (B, H · W), a row an image. image_shape: (H, W).
    most: (R, C), the largest shift down or up and to the right or left, in pixels, 0 or more; what
    comes in from outside the image is 0. flip: "horizontal" (left and right change places),
    "vertical", "horizontal_and_vertical" (each for itself), or None.
    seed: 0 ≤ seed < 2⁶³. step: of training, 0 ≤ step < 2³¹: an int, or an int32 array (1,) on x's
    device, which a graph reads at every replay. stream: 0 ≤ stream < 2³¹, default 0.
    out: float32 (B, H · W) to write into, not x. variant: of kernels.variants("random_shift_flip").
    Values are copied, so NaN and infinities come through.
    Raises TypeError, ValueError for arguments that do not fit.
    """
    height, width = pair("image_shape", image_shape, 1)
    most_down, most_right = pair("most", most, 0)
    arrays.one_of("flip", flip, tuple(FLIPS))
    x = arrays.operand("x", x, ("B", height * width))
    device = arrays.device_of(x=x)
    y = arrays.result("out", out, x.shape, x)
    step_array, step, stream, seed = philox.checked(seed, step, stream, x=x)
    arrays.refuse_overlap({"out": y}, {"x": x, "step": step_array})
    if len(x) == 0:
        return y
    file = dispatch.pick("random_shift_flip", device, variant, DEFAULT)
    shape = height, width, most_down, most_right, FLIPS[flip]
    if device == "cpu":
        run = dispatch.cpu("random_shift_flip", file).random_shift_flip
        submit(device, run, x, y, *shape, step if step_array is None else step_array, stream, seed)
    else:
        described = dispatch.kernel_file("random_shift_flip", file)
        arguments = (x, y, *shape, step_array, step, stream, seed)
        launch(described, "random_shift_flip", (len(x),), arguments)
    return y


def pair(name, value, least):
    """Two whole numbers, least … 2³⁰ − 1: a word times twice the largest fits in 63 bits."""
    numbers = value if isinstance(value, tuple | list) and len(value) == 2 else (None,)
    if any(not isinstance(n, int | np.integer) or not least <= n < 2**30 for n in numbers):
        raise ValueError(f"{name}: got {value!r}; expected two integers, {least} … 2^30 − 1")
    return int(value[0]), int(value[1])
