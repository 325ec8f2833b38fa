"""gpu_hopper.cu's launches: operands are packed to bfloat16, then multiplied panel by panel.

    pack       each operand once: rounded, in panels of 64 × 64 as the matrix unit reads them
    multiply   a grid of one block a multiprocessor walks over tiles of 128 × 256
    sum        where K was split (dw), and for db: parts in their order

A product pays for its packing when it reads each element many times: `saves` says when. Not yet run
on a card.
"""

import itertools

from kernels import dispatch
from kernels.arrays import device_of
from kernels.device import (
    MULTIPROCESSORS,
    Entry,
    KernelFile,
    architecture,
    launch,
    multiprocessors,
    workspace,
)
from kernels.device.kernel_file import most
from kernels.dispatch import ceil_div
from kernels.ops.linear import tiles

FILE, PRECISION = "gpu_hopper.cu", "bfloat16"
PANEL, BLOCK_M, BLOCK_N, STAGES = 64, 128, 256, 4
STAGE_BYTES = (BLOCK_M + BLOCK_N) * PANEL * 2 + 16  # panels of A and B, and two barriers
PACK_THREADS = 256
SPLITS = 16  # parts of K at most
# What a further launch and a float of memory cost, in floats that a multiprocessor could bring in
# from the second-level cache meanwhile: 16 a clock, 28 a nanosecond. Estimates, not yet measured.
LAUNCH = 42_000  # 1.5 µs, a node of a graph
MEMORY = 2  # memory is half as fast as the cache
ENTRIES = (
    Entry(
        "linear_pack",
        "const float* a, unsigned char* panels, float* sums, int rows, int cols",
        threads=PACK_THREADS,
        shared_bytes=0,
    ),
    Entry(
        "linear_forward",
        "const unsigned char* x, const unsigned char* w, const float* b, float* z, float* y, "
        "int M, int N, int K",
        ("activation",),
    ),
    Entry(
        "linear_backward_dx",
        "const unsigned char* dz, const unsigned char* w, const float* s, float* dx, "
        "int M, int N, int K",
        ("activation_derivative",),
    ),
    Entry(
        "linear_backward_dw",
        "const unsigned char* x, const unsigned char* dz, float* parts, "
        "int M, int N, int K, int splits",
    ),
    Entry(
        "linear_sum",
        "const float* parts, float* out, long long n, int count",
        threads=PACK_THREADS,
        shared_bytes=0,
    ),
)
HOPPER = KernelFile(
    "linear", FILE, ENTRIES, threads=384, shared_bytes=STAGES * STAGE_BYTES + 1024,
    constants={"PANEL": PANEL, "BLOCK_M": BLOCK_M, "BLOCK_N": BLOCK_N, "STAGES": STAGES,
               "PACK_THREADS": PACK_THREADS},
    most_blocks=MULTIPROCESSORS,  # of a product: they walk over its tiles
    precisions=(PRECISION,), architecture="sm_90a",
)  # fmt: skip
GPU_FILES = (HOPPER,)


# The choice


def saves(device, precision, products, packed) -> bool:
    """Whether gpu_hopper.cu has less to move than gpu.cu, on a device that has what it needs.

    products: {entry: (M, N, K)}. packed: how many elements each operand has that is packed.
    """
    if precision != PRECISION or not HOPPER.runs_on(architecture(device)):
        return False
    usual = sum(tiles.cost(*tiles.best(*sizes), *sizes) for sizes in products.values())
    ours = sum(cost(entry, *sizes) for entry, sizes in products.items())
    return ours + sum(map(pack_cost, packed)) < usual


def cost(entry, M, N, K) -> float:
    """Floats that pass through the busiest multiprocessor, as `tiles.cost` counts them: two
    bfloat16 numbers are one."""
    splits = splits_of(entry, M, N, K)
    tiles_each = ceil_div(_tiles(M, N) * splits, MULTIPROCESSORS)
    product = tiles_each * (BLOCK_M + BLOCK_N) * K / 2 / splits
    summed = LAUNCH + (2 * splits + 1) * M * N / MULTIPROCESSORS if splits > 1 else 0
    return product + summed


def pack_cost(elements) -> float:
    """The same of a launch that packs so many: 4 bytes read and 2 written for each."""
    return LAUNCH + MEMORY * 1.5 * elements / MULTIPROCESSORS


def splits_of(entry, M, N, K) -> int:
    """Into how many parts K is split, so that the tiles of M × N fill the card; of dw alone, whose
    K is the batch."""
    if entry != "linear_backward_dw":
        return 1
    deep = ceil_div(K, PANEL) // STAGES  # a part has as many panels as there are stages
    return max(1, min(MULTIPROCESSORS // _tiles(M, N), deep, SPLITS))


# The launches


def linear(x, w, b, f, z, y, precision):
    """y = f(x w + b), and z where it is not None; shapes and dtypes as in `kernels.linear`."""
    _refuse(precision, x)
    (B, I), O = x.shape, w.shape[1]
    x_panels, w_panels = _rooms(x, _panel_floats(B, I), _panel_floats(I, O))
    operands = _pack(x, x_panels), _pack(w, w_panels), b, z, y
    _multiply("linear_forward", f, operands, B, O, I)


def linear_backward(dz, x, w, g, saved, dx, dw, db, precision):
    """dw, db and dx ⊙ g'(saved) from dz, each of which may be None; db without dw is."""
    _refuse(precision, x)
    (B, I), O = x.shape, w.shape[1]
    down = ceil_div(B, PANEL)
    splits = 0 if dw is None else splits_of("linear_backward_dw", I, O, B)
    dz_panels, x_panels, w_panels, sums, parts = _rooms(
        x,
        _panel_floats(B, O),
        0 if dw is None else _panel_floats(B, I),
        0 if dx is None else _panel_floats(I, O),
        0 if db is None else down * O,
        splits * I * O if splits > 1 else 0,
    )
    packed = _pack(dz, dz_panels, None if db is None else sums)
    if dx is not None:
        operands = packed, _pack(w, w_panels), saved, dx
        _multiply("linear_backward_dx", g, operands, B, I, O)
    if dw is None:
        return
    operands = _pack(x, x_panels), packed, parts if splits > 1 else dw
    _multiply("linear_backward_dw", None, operands, I, O, B, splits)
    if splits > 1:
        _sum(parts, dw, splits)
    if db is not None:
        _sum(sums, db, down)


def _refuse(precision, x):
    here = architecture(device_of(x=x))
    if not HOPPER.runs_on(here):
        raise ValueError(
            f"variant {FILE!r} is written for {HOPPER.architecture} alone; got a card of {here}. "
            "Leave variant out, or pass variant='gpu.cu'"
        )
    if precision != PRECISION:
        raise ValueError(
            f"variant {FILE!r} computes in bfloat16 only; got precision {precision!r}. "
            "Pass precision='bfloat16', or leave variant out"
        )


def _rooms(like, *floats):
    """float32 arrays of these sizes in one workspace beside `like`, each on 16 bytes."""
    ends = list(itertools.accumulate(4 * ceil_div(size, 4) for size in floats))
    room, _ = workspace(like, ends[-1], 0)
    return [room[start : start + size] for start, size in zip([0, *ends], floats, strict=False)]


def _panel_floats(rows, cols):
    """How much room the panels of a (rows, cols) take."""
    return ceil_div(rows, PANEL) * ceil_div(cols, PANEL) * PANEL * PANEL // 2


def _pack(a, panels, sums=None):
    """a (rows, cols) as bytes of panels; sums (panels down, cols): of each panel's columns."""
    panels = panels.view("uint8")
    _launch("linear_pack", panels.size // (2 * PANEL**2), (a, panels, sums, *_sizes(*a.shape)))
    return panels


def _multiply(entry, f, operands, M, N, K, splits=None):
    """f: the activation that the entry calls, or None. splits: of dw, whose launch takes it."""
    here = min(most(HOPPER.most_blocks), multiprocessors(device_of(like=operands[0])))
    blocks = min(_tiles(M, N) * (splits or 1), here)
    arguments = (*operands, *_sizes(M, N, K), *([splits] if splits else []))
    _launch(entry, blocks, arguments, dispatch.scalar_functions(f) if f else ())


def _sum(parts, out, count):
    blocks = ceil_div(out.size, 4 * PACK_THREADS)
    _launch("linear_sum", blocks, (parts, out, out.size, count))


def _launch(entry, blocks, arguments, functions=()):
    launch(HOPPER, entry, (blocks,), arguments, functions, precision=PRECISION)


def _tiles(M, N):
    return ceil_div(M, BLOCK_M) * ceil_div(N, BLOCK_N)


def _sizes(*sizes):
    """As they are: int32 with room to be rounded up to tiles."""
    most = 2**31 - 1 - BLOCK_N
    if max(sizes) > most:
        raise ValueError(
            f"linear: got sizes {', '.join(map(str, sizes))}; expected at most {most} ({FILE}). "
            "Split the batch"
        )
    return sizes
