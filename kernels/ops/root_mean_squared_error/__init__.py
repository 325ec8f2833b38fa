"""root_mean_squared_error: the root of a batch's mean squared error, and its gradient.

    r = √(Σ (z − t)² / (B C));  dz = scale · (z − t) / (B C r), and 0 where r = 0

z, t (B, C). One number for the whole batch: the mean of samples' roots would be another. At r = 0
the root has no derivative; there dz is 0, a subgradient, so that a perfect fit stays where it is
(the chain rule alone, as in PyTorch and Keras, gives NaN). Differences are divided by the largest
of them first, so any r that float32 can hold is found without overflow; a batch whose differences
all are below the smallest normal float32 counts as a perfect fit.
Source: the quadratic mean; Keras' metric RootMeanSquaredError.
"""

from kernels import arrays, dispatch
from kernels.arrays import Array, ArrayT, Outputs
from kernels.device import Entry, KernelFile, launch, submit

DEFAULT = ("cpu.py", "gpu.py")
THREADS = 512
ENTRY = Entry(
    "root_mean_squared_error",
    "const float* z, const float* t, float* loss, float* dz, float* squares, float scale, "
    "long long rows, int cols, int lanes",
)
GPU_FILES = (KernelFile("root_mean_squared_error", "gpu.py", (ENTRY,), threads=THREADS),)


def root_mean_squared_error(
    z: ArrayT,
    targets: Array,
    *,
    scale: float = 1.0,
    out: Outputs = (None, None),
    squares: Array | None = None,
    variant: str | None = None,
) -> tuple[ArrayT, ArrayT]:
    """loss (1,) and dz (B, C), float32.

    z: outputs, float32 (B, C). targets: float32 (B, C), never broadcast.
    scale: multiplies dz alone. Default 1, for loss is the batch's already.
    out: (loss, dz) arrays to write into; dz may be z itself. False for either leaves it out.
    squares: float32 (B,) that receives each sample's mean squared error, of which, over any number
    of batches, the root of the mean is their root mean squared error.
    Raises TypeError and ValueError for dtypes and shapes that do not fit, ValueError for outputs
    that overlap and for an empty batch, which has no mean. NaN in z or targets makes loss and dz
    NaN; an infinite difference makes loss infinite, and dz NaN there and 0 elsewhere, as the
    formula does.
    """
    z = arrays.operand("z", z, ("B", "C"))
    B, C = z.shape
    if B < 1 or C < 1:
        raise ValueError(f"z: got shape {z.shape}; expected at least one output")
    targets = arrays.operand("targets", targets, (B, C))
    device = arrays.device_of(z=z, targets=targets)
    loss, dz = out
    loss = None if loss is False else arrays.result("out[0] (loss)", loss, (1,), z)
    dz = None if dz is False else arrays.result("out[1] (dz)", dz, (B, C), z)
    if squares is not None:
        squares = arrays.result("squares", squares, (B,), z)
    arrays.refuse_overlap(
        {"out (loss)": loss, "out (dz)": dz, "squares": squares},
        {"z": z, "targets": targets},
        in_place=(("out (dz)", "z"),),
    )
    file = dispatch.pick("root_mean_squared_error", device, variant, DEFAULT)
    if device == "cpu":
        run = dispatch.cpu("root_mean_squared_error", file).root_mean_squared_error
        submit(device, run, z, targets, loss, dz, squares, scale)
    else:
        described = dispatch.kernel_file("root_mean_squared_error", file)
        lanes = min(32, 1 << (C - 1).bit_length())
        arguments = (z, targets, loss, dz, squares, scale, B, C, lanes)
        launch(described, "root_mean_squared_error", (1,), arguments)
    return loss, dz
