"""activation: y = f(z), and its backward dz = dy · f'(s).

z, y, dy, s, dz: float32 of any shape; softmax works along the last axis. s is what the activation's
derivative reads: the output y for every built-in, the input z for an activation made with
reads="z". Source: kernels/activations, one file each.
"""

from kernels import activations, arrays, dispatch
from kernels.activations import ActivationLike
from kernels.arrays import Array, ArrayT
from kernels.device import Entry, KernelFile, launch, submit

DEFAULT = ("cpu.py", "gpu.cu")
ENTRIES = (
    Entry("activation_forward", "const float* z, float* y, long long n", ("activation",)),
    Entry(
        "activation_backward",
        "const float* dy, const float* s, float* dz, long long n",
        ("activation_derivative",),
    ),
    Entry("softmax_forward", "const float* z, float* y, long long rows, int cols"),
    Entry(
        "softmax_backward", "const float* dy, const float* y, float* dz, long long rows, int cols"
    ),
)
NARROW = {"ROWS_PER_BLOCK": 4}  # a row a warp
WIDE = {"WIDE_ROW": 1024, "WIDE_THREADS": 256}  # of more columns: a block
GPU_FILES = tuple(
    KernelFile("activation", file, ENTRIES, threads=256, constants=rows, most_blocks=65536)
    for file, rows in (("gpu.cu", NARROW | WIDE), ("gpu.py", NARROW))
)


def activation(
    z: ArrayT, activation: ActivationLike, *, out: Array | None = None, variant: str | None = None
) -> ArrayT:
    """y = f(z).

    z: float32, any shape. activation: a name of kernels.activations.names(), or an Activation.
    out: float32 of z's shape to write into; may be z itself. variant: a file name of
    kernels.variants("activation", z).
    Returns y, float32 of z's shape, on z's device.
    Raises TypeError for another dtype, ValueError for an unknown name, a shape that differs, or an
    out that overlaps z without being z.
    """
    f = activations.get(activation)
    z = _any_shape("z", z, f)
    y = arrays.result("out", out, z.shape, z)
    if out is not None:
        arrays.refuse_overlap({"out": y}, {"z": z}, in_place=(("out", "z"),))
    if z.size:
        _run(f, False, variant, z, y)
    return y


def activation_backward(
    dy: ArrayT,
    s: Array,
    activation: ActivationLike,
    *,
    out: Array | None = None,
    variant: str | None = None,
) -> ArrayT:
    """dz = dy · f'(s); for softmax dz = y (dy − Σ dy y) along the last axis.

    dy: float32, any shape. s: float32 of dy's shape, the output y, or the input z where the
    activation reads z. out: may be dy or s itself. Otherwise as `activation`.
    Raises ValueError for an activation without a derivative, saying why it has none.
    """
    f = activations.get(activation)
    f.require_derivative()
    dy = _any_shape("dy", dy, f)
    s = arrays.operand("s", s, dy.shape)
    arrays.device_of(dy=dy, s=s)
    dz = arrays.result("out", out, dy.shape, dy)
    if out is not None:
        either = ("out", "dy"), ("out", "s")
        arrays.refuse_overlap({"out": dz}, {"dy": dy, "s": s}, in_place=either)
    if dy.size:
        _run(f, True, variant, dy, s, dz)
    return dz


def _any_shape(name, a, f):
    a = arrays.adopt(name, a)
    if f.after and a.ndim == 0:
        raise ValueError(f"{name}: got shape (); softmax expected at least one axis")
    return arrays.operand(name, a, a.shape)


def _run(f, backward, variant, *operands):
    device = arrays.device_of(z=operands[0])
    file = dispatch.pick("activation", device, variant, DEFAULT)
    if device == "cpu":
        module = dispatch.cpu("activation", file)
        if f.after:
            run = module.softmax_backward if backward else module.softmax_forward
            submit(device, run, *(a.reshape(-1, a.shape[-1]) for a in operands))
        else:
            run = module.backward if backward else module.forward
            submit(device, run, f, *(a.reshape(-1) for a in operands))
        return
    described, size = dispatch.kernel_file("activation", file), operands[0].size
    if f.after:
        entry = "softmax_backward" if backward else "softmax_forward"
        cols = operands[0].shape[-1]
        grid, block = row_launch(described, size // cols, cols)
        launch(described, entry, grid, (*operands, size // cols, cols), block=block)
    else:
        entry = "activation_backward" if backward else "activation_forward"
        grid, functions = (described.blocks(size),), dispatch.scalar_functions(f)
        launch(described, entry, grid, (*operands, size), functions)


def row_launch(file, rows, cols):
    """Grid and block for a kernel that gives each row a warp, or a block where the row is wide."""
    constants = file.constants
    if cols > constants.get("WIDE_ROW", cols):
        return (rows,), (constants["WIDE_THREADS"], 1)
    rows_per_block = constants["ROWS_PER_BLOCK"]
    return (dispatch.ceil_div(rows, rows_per_block),), (32, rows_per_block)
