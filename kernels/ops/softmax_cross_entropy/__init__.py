"""softmax_cross_entropy: the loss of logits, its gradient, and whether the answer was right.

    lse = log Σ_j exp(z_j);  loss = w Σ_j t_j (lse − z_j);  dz = scale · w (softmax(z) Σt − t)

z (B, C); labels (B,) of any integer dtype, or (B, C) float32 targets t, one-hot or soft. Computed
from logits, so it is finite for logits of ±1e4 and for −inf; a row with NaN or +inf, or of nothing
but −inf, gives NaN. Source: Goodfellow, Bengio and Courville, Deep Learning, section 6.2.2.
"""

from kernels import arrays, dispatch
from kernels.arrays import Array, ArrayT, Outputs
from kernels.device import (
    Entry,
    KernelFile,
    launch,
    most_shared_bytes,
    submit,
)
from kernels.ops.activation import row_launch
from kernels.ops.softmax_cross_entropy import ladder

DEFAULT = ("cpu.py", "gpu.cu")
# gpu.cu: a block's threads, if a row has fewer; (up to so many classes, so many threads a row)
THREADS = 128
THREADS_A_ROW = ((64, 8), (128, 16), (2048, 32), (8192, 128))
# Two blocks share a multiprocessor, one storing while the other one loads, until so many rows are
# under way that their rest would not stay in the second-level cache.
SHARED_BYTES, SHARED_UP_TO = 96 * 1024, 65536
ENTRY = Entry(
    "softmax_cross_entropy",
    "const float* z, const int* labels, const float* targets, const float* weights, "
    "float* loss, float* dz, unsigned char* hit, float scale, long long rows, int classes",
)
GPU_FILES = (
    KernelFile("softmax_cross_entropy", "gpu.cu", (ENTRY,), constants={"WIDE_THREADS": 512}),
    KernelFile("softmax_cross_entropy", "gpu.py", (ENTRY,), constants={"ROWS_PER_BLOCK": 4}),
)


def softmax_cross_entropy(
    z: ArrayT,
    labels: Array,
    *,
    scale: float = 1.0,
    weights: Array | None = None,
    out: Outputs = (None, None),
    hit: Array | None = None,
    variant: str | None = None,
) -> tuple[ArrayT, ArrayT]:
    """loss (B,) and dz (B, C), float32.

    z: logits, float32 (B, C). labels: integers (B,) in [0, C), or float32 (B, C).
    scale: multiplies dz alone; 1 / B makes it the gradient of the mean. Default 1.
    weights: w, float32 (B,), one a sample; None for ones (default).
    out: (loss, dz) arrays to write into; dz may be z itself. dz=False leaves the gradient out.
    hit: uint8 (B,) that receives 1 where the first largest logit stands at the label, else 0.
    Raises IndexError for a label outside [0, C) on the CPU; on the GPU, where reading labels back
    would stop the device, that row's loss and dz are NaN. TypeError and ValueError for dtypes and
    shapes that do not fit, labels of shape (B, 1) among them, which are never broadcast, and for
    outputs that overlap.
    """
    z = arrays.operand("z", z, ("B", "C"))
    B, C = z.shape
    if C < 1:
        raise ValueError(f"z: got shape {z.shape}; expected at least one class")
    given = arrays.adopt("labels", labels)
    labels, targets = arrays.labels_or_targets(given, B, C)
    if weights is not None:
        weights = arrays.operand("weights", weights, (B,))
    device = arrays.device_of(z=z, labels=given, weights=weights)
    loss_out, dz_out = out
    loss = arrays.result("out[0] (loss)", loss_out, (B,), z)
    dz = None if dz_out is False else arrays.result("out[1] (dz)", dz_out, (B, C), z)
    if hit is not None:
        hit = arrays.result("hit", hit, (B,), z, arrays.UINT8)
    arrays.refuse_overlap(
        {"out (loss)": loss, "out (dz)": dz, "hit": hit},
        {"z": z, "labels": targets if labels is None else labels, "weights": weights},
        in_place=(("out (dz)", "z"),),
    )
    if B == 0:
        return loss, dz
    file = dispatch.pick("softmax_cross_entropy", device, variant, DEFAULT)
    if device == "cpu":
        run = dispatch.cpu("softmax_cross_entropy", file).softmax_cross_entropy
        submit(device, _on_cpu, run, given, z, labels, targets, weights, loss, dz, hit, scale)
    elif file in ladder.RUNGS:
        others = {"targets": targets, "weights": weights, "hit": hit}
        ladder.softmax_cross_entropy(file, z, labels, loss, dz, scale, **others)
    else:
        described = dispatch.kernel_file("softmax_cross_entropy", file)
        arguments = (z, labels, targets, weights, loss, dz, hit, scale, B, C)
        if file == "gpu.cu":
            geometry = _rows(device, described.constants["WIDE_THREADS"], B, C)
        else:
            geometry = *row_launch(described, B, C), 0
        grid, block, shared = geometry
        launch(
            described, "softmax_cross_entropy", grid, arguments, block=block, shared_bytes=shared
        )
    return loss, dz


def _rows(device, widest, B, C):
    """Grid, block and shared memory of gpu.cu."""
    threads = next((n for most, n in THREADS_A_ROW if most >= C), widest)
    rows = max(1, THREADS // threads)
    most = SHARED_BYTES if C <= SHARED_UP_TO else most_shared_bytes(device)
    shared_bytes = rows * min(16 * dispatch.ceil_div(C, 4), most)
    return (dispatch.ceil_div(B, rows),), (threads, rows), shared_bytes


def _on_cpu(run, given, z, *others):
    bad = run(z, *others)
    if bad >= 0:
        raise IndexError(f"labels[{bad}]: got {given[bad]}; expected 0 … {z.shape[1] - 1}")
