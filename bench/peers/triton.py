"""Triton, as its tutorials have it: one product with bias and ReLU in its epilogue, which the three
products of a layer use; softmax cross-entropy in one kernel; Adam in one. Tiles are autotuned for
each shape. Tensors are PyTorch's.
"""

import torch
import triton
import triton.language as tl

from . import torch as eager

DEVICES = ("gpu",)
FACE = {
    "array", "numpy", "gpu_name", "l2_bytes", "scratch", "clear", "hold", "record", "elapsed_us",
    "synchronize", "threads",
}  # fmt: skip
PRECISIONS = {"float32": "ieee", "tf32": "tf32", "bfloat16": "bf16", "float16": "fp16"}
TILES = [  # rows, columns, depth, warps, stages
    (32, 32, 64, 4, 4),
    (64, 32, 64, 4, 4),
    (64, 64, 32, 4, 4),
    (64, 128, 32, 4, 4),
    (128, 128, 32, 8, 3),
    (128, 256, 64, 8, 3),
]


def __getattr__(name):
    """Arrays, events and the stream are torch's."""
    if name in FACE:
        return getattr(eager, name)
    raise AttributeError(name)


def why_not(device):
    return eager.why_not(device)


def versions():
    return eager.versions() | {"triton": triton.__version__}


@triton.autotune(
    [
        triton.Config({"BM": m, "BN": n, "BK": k}, num_warps=warps, num_stages=stages)
        for m, n, k, warps, stages in TILES
    ],
    key=["M", "N", "K", "HOW", "SUM"],
)
@triton.jit
def product(
    a, b, bias, mask, c, sums, M, N, K, a_m, a_k, b_k, b_n,
    HOW: tl.constexpr, BIAS: tl.constexpr, RELU: tl.constexpr, MASK: tl.constexpr,
    SUM: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, BAND: tl.constexpr = 8,
):  # fmt: skip
    """c (M, N) = a (M, K) b (K, N), strides given. BIAS adds (N,), RELU clips, MASK keeps what has
    mask > 0; SUM gives the sums of b over K, (N,), too."""
    rows, columns = tl.cdiv(M, BM), tl.cdiv(N, BN)
    # By bands of BAND rows of tiles, so that those that run at the same time share operands in L2
    tile = tl.program_id(0)
    band = tile // (BAND * columns) * BAND
    high = min(rows - band, BAND)
    within = tile % (BAND * columns)
    at_m, at_n = band + within % high, within // high
    m, n = at_m * BM + tl.arange(0, BM), at_n * BN + tl.arange(0, BN)
    total = tl.zeros((BM, BN), tl.float32)
    column = tl.zeros((BN,), tl.float32)
    for start in range(0, K, BK):
        k = start + tl.arange(0, BK)
        x = tl.load(
            a + m[:, None] * a_m + k[None, :] * a_k, (m[:, None] < M) & (k[None, :] < K), 0.0
        )
        y = tl.load(
            b + k[:, None] * b_k + n[None, :] * b_n, (k[:, None] < K) & (n[None, :] < N), 0.0
        )
        if SUM:
            column += tl.sum(y, 0)
        if HOW == "bf16":
            total = tl.dot(x.to(tl.bfloat16), y.to(tl.bfloat16), total)
        elif HOW == "fp16":
            total = tl.dot(x.to(tl.float16), y.to(tl.float16), total)
        else:
            total = tl.dot(x, y, total, input_precision=HOW)
    if BIAS:
        total += tl.load(bias + n, n < N, 0.0)[None, :]
    if RELU:
        total = tl.where(total < 0, 0.0, total)
    place, inside = m[:, None] * N + n[None, :], (m[:, None] < M) & (n[None, :] < N)
    if MASK:
        total = tl.where(tl.load(mask + place, inside, 0.0) > 0, total, 0.0)
    tl.store(c + place, total, inside)
    if SUM:  # noqa: SIM102  a constant and a value of the kernel are not joined
        if at_m == 0:
            tl.store(sums + n, column, n < N)


def _product(a, b, precision, bias=None, relu=False, mask=None, sums=None):
    (M, K), N = a.shape, b.shape[1]
    c = torch.empty((M, N), device=a.device)

    def grid(tile):
        return (triton.cdiv(M, tile["BM"]) * triton.cdiv(N, tile["BN"]),)

    product[grid](
        a, b, bias, mask, c, sums, M, N, K, *a.stride(), *b.stride(), PRECISIONS[precision],
        bias is not None, relu, mask is not None, sums is not None,
    )  # fmt: skip
    return c


def linear(x, w, b, activation=None, *, precision="float32"):
    if activation not in (None, "relu"):
        raise ValueError(f"triton: has no {activation} here")
    return _product(x, w, precision, bias=b, relu=activation == "relu")


def linear_backward(dz, x, w, *, x_activation=None, need_dx=True, precision="float32"):
    if x_activation not in (None, "relu"):
        raise ValueError(f"triton: has no {x_activation} here")
    db = torch.empty(w.shape[1], device=w.device)
    dx = _product(dz, w.t(), precision, mask=x if x_activation else None) if need_dx else None
    return dx, _product(x.t(), dz, precision, sums=db), db


@triton.jit
def softmax_cross_entropy_kernel(z, labels, loss, dz, C, scale, BLOCK: tl.constexpr):
    """A row a program: its maximum and sum in one pass, the gradient in a second."""
    row = tl.program_id(0).to(tl.int64)
    z, dz = z + row * C, dz + row * C
    label = tl.load(labels + row)
    top = tl.full((), float("-inf"), tl.float32)
    total = tl.zeros((), tl.float32)
    for start in range(0, C, BLOCK):
        c = start + tl.arange(0, BLOCK)
        values = tl.load(z + c, c < C, float("-inf"))
        higher = tl.maximum(top, tl.max(values))
        total = total * tl.exp(top - higher) + tl.sum(tl.exp(values - higher))
        top = higher
    tl.store(loss + row, top + tl.log(total) - tl.load(z + label))
    for start in range(0, C, BLOCK):
        c = start + tl.arange(0, BLOCK)
        p = tl.exp(tl.load(z + c, c < C, float("-inf")) - top) / total
        tl.store(dz + c, (p - tl.where(c == label, 1.0, 0.0)) * scale, c < C)


def softmax_cross_entropy(z, labels, *, scale=1.0):
    B, C = z.shape
    loss, dz = torch.empty(B, device=z.device), torch.empty_like(z)
    block = min(4096, triton.next_power_of_2(C))
    warps = 1 if block <= 128 else 8
    softmax_cross_entropy_kernel[(B,)](z, labels, loss, dz, C, scale, block, num_warps=warps)
    return loss, dz


@triton.jit
def adam_kernel(p, g, m, v, n, rate, root, beta1, beta2, eps, BLOCK: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    gradient = tl.load(g + i, i < n)
    first = beta1 * tl.load(m + i, i < n) + (1 - beta1) * gradient
    second = beta2 * tl.load(v + i, i < n) + (1 - beta2) * gradient * gradient
    tl.store(m + i, first, i < n)
    tl.store(v + i, second, i < n)
    tl.store(p + i, tl.load(p + i, i < n) - rate * first / (tl.sqrt(second) / root + eps), i < n)


def adam(p, g, m, v, step, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    rate, root = lr / (1 - beta1**step), (1 - beta2**step) ** 0.5
    grid = (triton.cdiv(p.numel(), 1024),)
    adam_kernel[grid](p, g, m, v, p.numel(), rate, root, beta1, beta2, eps, 1024)


def linear_backward_adam(dz, x, w, m, v, step, *, need_dx, precision="float32"):
    adam(w, _product(x.t(), dz, precision), m, v, step)
