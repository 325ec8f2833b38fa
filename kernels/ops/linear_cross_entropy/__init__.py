"""linear_cross_entropy: the last layer, its softmax cross-entropy and what goes back, in one.

    z = x w + b;  loss = w Σ_j t_j (lse(z) − z_j);  dz = scale · w (softmax(z) Σt − t)
    dx = (dz wᵀ) ⊙ g'(x_saved)

x (B, I), w (I, O), b (O,), at most MOST_CLASSES outputs O. What `linear`, `softmax_cross_entropy`
and `linear_backward`'s dx compute, in one kernel: at the end of a small network each of those
takes longer to launch than to run. w and dz in the formulas of the loss are those of its rows:
`weights`, and the gradient with respect to z. The gradients of w and b remain to be had:

    loss, dz, dx = kernels.linear_cross_entropy(x, w, b, labels, scale=1 / B, x_activation="relu")
    _, dw, db = kernels.linear_backward(dz, x, w, need_dx=False)

NaN, infinities and ties are treated as in those ops.
Source: the name and the idea, PyTorch's torch.nn.functional.linear_cross_entropy and Hsu et al.,
Liger Kernel: Efficient Triton kernels for LLM training, 2024.
"""

from kernels import activations, arrays, dispatch
from kernels.activations import Activation, ActivationLike
from kernels.arrays import Array, ArrayT, Outputs
from kernels.device import Entry, KernelFile, launch, submit
from kernels.device.kernel_file import most
from kernels.ops.linear import PRECISIONS

DEFAULT = ("cpu.py", "gpu.cu")
MOST_CLASSES = 128
PARAMETERS = (
    "const float* x, const float* w, const float* b, const int* labels, const float* targets, "
    "const float* weights, const float* saved, float* z, float* loss, float* dz, float* dx, "
    "unsigned char* hit, float scale, long long rows, int inputs, int classes, int at_x"
)
ENTRIES = tuple(
    Entry(name, PARAMETERS, ("activation_derivative",))
    for name in ("linear_cross_entropy", "linear_cross_entropy_rows")
)
GPU_FILES = (
    KernelFile(
        "linear_cross_entropy",
        "gpu.cu",
        ENTRIES,
        threads=128,
        constants={"ROWS_PER_WARP": 4},
        most_blocks=512,  # of a row a warp; of a larger batch a warp takes several rows
    ),
)


def linear_cross_entropy(
    x: ArrayT,
    w: Array,
    b: Array | None,
    labels: Array,
    *,
    scale: float = 1.0,
    weights: Array | None = None,
    x_activation: ActivationLike = None,
    x_saved: Array | None = None,
    need_dx: bool = True,
    precision: str = "float32",
    out: Outputs = (None, None, None),
    hit: Array | None = None,
    z_out: Array | None = None,
    variant: str | None = None,
) -> tuple[ArrayT, ArrayT, ArrayT]:
    """loss (B,), dz (B, O) and dx (B, I), float32.

    x: float32 (B, I). w: (I, O), 1 ≤ O ≤ 128. b: (O,) or None.
    labels: integers (B,) in [0, O), or float32 targets (B, O), one-hot or soft.
    scale: multiplies dz, and so dx; 1 / B makes them gradients of the mean. Default 1.
    weights: float32 (B,), one a sample, factors of its loss and gradients; None for ones (default).
    x_activation: the activation of the layer before; dx is multiplied by its derivative at x_saved
    (default x, its output; pass its z if it reads z), and is that layer's dz. Default None.
    need_dx: False leaves dx out (None is returned in its place).
    precision: "float32" (default), "tf32", "bfloat16" or "float16", the least that the caller asks
    for: it is computed in float32 always.
    out: (loss, dz, dx) arrays to write into, each may be None. hit: uint8 (B,) that receives 1
    where the first largest logit stands at the label, else 0. z_out: (B, O) array that receives z.
    Raises ValueError for more than 128 outputs, for shapes that do not fit, and for outputs that
    overlap inputs; TypeError for other dtypes and arrays on different devices. IndexError for a
    label outside [0, O) on the CPU; on the GPU that row's loss, dz and dx are NaN.
    """
    g = x_activation if isinstance(x_activation, Activation) else activations.get(x_activation)
    if precision not in PRECISIONS:
        arrays.one_of("precision", precision, PRECISIONS)
    x = arrays.operand("x", x, ("B", "I"))
    B, I = x.shape
    w = arrays.operand("w", w, (I, "O"))
    O = w.shape[1]
    if I < 1 or not 1 <= O <= MOST_CLASSES:
        raise ValueError(
            f"w: got shape {w.shape}; expected at least one input, and 1 to {MOST_CLASSES} "
            "outputs. For more call kernels.linear, kernels.softmax_cross_entropy and "
            "kernels.linear_backward"
        )
    if b is not None:
        b = arrays.operand("b", b, (O,))
    given = arrays.adopt("labels", labels)
    labels, targets = arrays.labels_or_targets(given, B, O)
    if weights is not None:
        weights = arrays.operand("weights", weights, (B,))
    saved = None
    if need_dx and g.name != "identity":
        if g.derivative is None:
            g.require_derivative()
        saved = x if x_saved is None else arrays.operand("x_saved", x_saved, (B, I))
    device = arrays.device_of(x=x, w=w, b=b, labels=given, weights=weights, x_saved=saved)
    loss_out, dz_out, dx_out = out
    loss = arrays.result("out[0] (loss)", loss_out, (B,), x)
    dz = arrays.result("out[1] (dz)", dz_out, (B, O), x)
    dx = arrays.result("out[2] (dx)", dx_out, (B, I), x) if need_dx else None
    if hit is not None:
        hit = arrays.result("hit", hit, (B,), x, arrays.UINT8)
    if z_out is not None:
        z_out = arrays.result("z_out", z_out, (B, O), x)
    arrays.refuse_overlap(
        {"z_out": z_out, "out (loss)": loss, "out (dz)": dz, "out (dx)": dx, "hit": hit},
        {"x": x, "w": w, "b": b, "labels": targets if labels is None else labels}
        | {"weights": weights, "x_saved": saved},
    )
    if B == 0:
        return loss, dz, dx
    file = dispatch.pick("linear_cross_entropy", device, variant, DEFAULT)
    fused, read = g.fused, None if g.after else saved
    written = (z_out, loss, dz, dx, hit)
    if device == "cpu":
        run = dispatch.cpu("linear_cross_entropy", file).linear_cross_entropy
        operands = (x, w, b, labels, targets, weights, read, *written, scale)
        submit(device, _on_cpu, run, given, fused, *operands)
    else:
        described = dispatch.kernel_file("linear_cross_entropy", file)
        entry, blocks = _entry(described, B)
        at_x = read is x  # then the kernel has it already
        operands = (x, w, b, labels, targets, weights, None if at_x else read, *written)
        arguments = (*operands, scale, B, I, O, at_x)
        launch(described, entry, (blocks,), arguments, dispatch.scalar_functions(fused))
    if need_dx and g.after:
        from kernels.ops.activation import activation_backward

        activation_backward(dx, saved, g.after, out=dx)
    return loss, dz, dx


def _entry(file, B):
    """(entry point, blocks): a row a warp, until that makes more blocks than find a place."""
    warps = file.threads // 32
    blocks = dispatch.ceil_div(B, warps)
    if blocks <= most(file.most_blocks):
        return "linear_cross_entropy", blocks
    rows = warps * file.constants["ROWS_PER_WARP"]
    return "linear_cross_entropy_rows", dispatch.ceil_div(B, rows)


def _on_cpu(run, given, g, x, w, *others):
    bad = run(g, x, w, *others)
    if bad >= 0:
        raise IndexError(f"labels[{bad}]: got {given[bad]}; expected 0 … {w.shape[1] - 1}")
