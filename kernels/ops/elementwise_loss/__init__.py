"""elementwise_loss: a loss that compares each output with its own target, and its gradient.

    loss_i = w_i / C · Σ_j ℓ(z_ij, t_ij);  dz_ij = scale · w_i / C · ∂ℓ/∂z(z_ij, t_ij)

z, t (B, C). ℓ is one of kernels.losses: squared_error, absolute_error, binary_crossentropy (of
logits), hinge (t = ±1), or a user's own two scalar functions. The mean over a sample's outputs,
and with scale = 1 / B that over the batch, is Keras' and PyTorch's default.
"""

from kernels import arrays, dispatch, losses
from kernels.arrays import Array, ArrayT, Outputs
from kernels.device import Entry, KernelFile, launch, submit
from kernels.losses import LossLike
from kernels.scalar import canonical

DEFAULT = ("cpu.py", "gpu.py")
ENTRY = Entry(
    "elementwise_loss",
    "const float* z, const float* t, const float* weights, float* loss, float* dz, "
    "unsigned char* hit, float scale, long long rows, int cols, int lanes",
    ("loss_value", "loss_derivative", "loss_right"),
)
GPU_FILES = (KernelFile("elementwise_loss", "gpu.py", (ENTRY,), threads=256),)


def elementwise_loss(
    z: ArrayT,
    targets: Array,
    loss: LossLike,
    *,
    scale: float = 1.0,
    weights: Array | None = None,
    out: Outputs = (None, None),
    hit: Array | None = None,
    variant: str | None = None,
) -> tuple[ArrayT, ArrayT]:
    """loss (B,) and dz (B, C), float32.

    z: outputs, float32 (B, C). targets: float32 (B, C), never broadcast.
    loss: a name of kernels.losses.names(), or a kernels.ElementwiseLoss.
    scale: multiplies dz alone; 1 / B makes it the gradient of the mean. Default 1.
    weights: float32 (B,), multiplies each sample's loss and gradient; None for ones (default).
    out: (loss, dz) arrays to write into; dz may be z itself. dz=False leaves the gradient out.
    hit: uint8 (B,) that receives 1 where all outputs of a sample are right, else 0.
    Raises TypeError and ValueError for dtypes and shapes that do not fit, for a hit where the loss
    knows no right answers, and for outputs that overlap. A row with NaN gives NaN.
    """
    f = losses.get(loss)
    z = arrays.operand("z", z, ("B", "C"))
    B, C = z.shape
    if C < 1:
        raise ValueError(f"z: got shape {z.shape}; expected at least one output")
    targets = arrays.operand("targets", targets, (B, C))
    if weights is not None:
        weights = arrays.operand("weights", weights, (B,))
    device = arrays.device_of(z=z, targets=targets, weights=weights)
    loss_out, dz_out = out
    loss = arrays.result("out[0] (loss)", loss_out, (B,), z)
    dz = None if dz_out is False else arrays.result("out[1] (dz)", dz_out, (B, C), z)
    if hit is not None:
        if f.right is None:
            raise ValueError(f"hit: got an array; expected None, for {f.name} has no right answers")
        hit = arrays.result("hit", hit, (B,), z, arrays.UINT8)
    arrays.refuse_overlap(
        {"out (loss)": loss, "out (dz)": dz, "hit": hit},
        {"z": z, "targets": targets, "weights": weights},
        in_place=(("out (dz)", "z"),),
    )
    if B == 0:
        return loss, dz
    file = dispatch.pick("elementwise_loss", device, variant, DEFAULT)
    if device == "cpu":
        run = dispatch.cpu("elementwise_loss", file).elementwise_loss
        submit(device, run, f, z, targets, weights, loss, dz, hit, scale)
        return loss, dz
    described = dispatch.kernel_file("elementwise_loss", file)
    lanes = min(32, 1 << (C - 1).bit_length())
    grid = (dispatch.ceil_div(B * lanes, described.threads),)
    arguments = (z, targets, weights, loss, dz, hit, scale, B, C, lanes)
    launch(described, "elementwise_loss", grid, arguments, scalar_functions(f))
    return loss, dz


def never_right(z, t):
    """Stands in where a loss knows no right answers."""
    return 0.0


def scalar_functions(f):
    """What the kernels call loss_value, loss_derivative and loss_right, to be linked in."""
    return (
        ("loss_value", canonical(f.value)),
        ("loss_derivative", canonical(f.derivative)),
        ("loss_right", canonical(f.right or never_right)),
    )
