"""clip_by_norm: gradients scaled down to a norm of at most `limit`, in place.

    ‖g‖ = √(Σ g²);  g = g · limit / ‖g‖ where ‖g‖ > limit

for the whole array (clipping by global norm), or for each of its segments by itself (clipping by
norm, a segment being a parameter). A NaN makes its whole segment NaN; an infinity makes it NaN
where it stands and 0 elsewhere, as in Keras and PyTorch. (PyTorch adds 1e-6 to the norm, Keras
nothing; here nothing is added.)
Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, 2013.
"""

from kernels import arrays, dispatch
from kernels.arrays import Array
from kernels.device import Entry, KernelFile, launch, submit
from kernels.device.kernel_file import blocks as blocks_of_a_grid

DEFAULT = ("cpu.py", "gpu.py")
MOST_BLOCKS = 1024  # a segment; each leaves one partial sum, which every block then adds up
OF_A_BLOCK = 4096  # gradients
DOWN = 2.0**-52  # see gpu.py: twice, so that factors and products stay normal numbers
LEAST, MOST = 1e-8, 1e20  # limits for which no float32 gradient overflows the scaled sums
THREADS = 256
ENTRIES = (
    Entry(
        "clip_by_norm_sums",
        "const float* g, const long long* starts, float* sums, float inverse, "
        "float inverse_down, long long n",
    ),
    Entry(
        "clip_by_norm_scale",
        "float* g, const long long* starts, const float* sums, int parts, long long n",
    ),
)
GPU_FILES = (KernelFile("clip_by_norm", "gpu.py", ENTRIES, threads=THREADS),)


def clip_by_norm(
    g: Array,
    limit: float,
    starts: Array | None = None,
    *,
    scratch: Array | None = None,
    variant: str | None = None,
) -> None:
    """Clip g in place; returns None.

    g: float32 (n,), finite, or see above. limit: a number, 1e-8 ≤ limit ≤ 1e20.
    starts: int64 (S+1,) on g's device: segment s is g[starts[s]:starts[s + 1]]; ascending, from 0
    to n; None (default) for one segment. They are not read here, so what lies outside of g is
    left out by the kernel, silently.
    scratch: float32 (scratch_size(n, S),) on g's device, for partial sums; None (default) to
    allocate it. The CPU needs none.
    Raises TypeError, ValueError for arguments that do not fit.
    """
    g = arrays.result("g", g, ("n",), g)
    if starts is not None:
        starts = arrays.operand("starts", starts, ("S+1",), arrays.INT64)
    device = arrays.device_of(g=g, starts=starts)
    if not LEAST <= limit <= MOST:
        raise ValueError(f"limit: got {limit}; expected {LEAST} ≤ limit ≤ {MOST}")
    segments = 1 if starts is None else starts.size - 1
    arrays.refuse_overlap({"g": g}, {"starts": starts})
    if g.size == 0 or segments < 1:
        return
    file = dispatch.pick("clip_by_norm", device, variant, DEFAULT)
    if device == "cpu":
        submit(device, dispatch.cpu("clip_by_norm", file).clip_by_norm, g, limit, starts)
        return
    described = dispatch.kernel_file("clip_by_norm", file)
    parts = blocks(g.size)
    grid = (parts, segments)
    sums = arrays.result("scratch", scratch, (scratch_size(g.size, segments),), g)
    arrays.refuse_overlap({"scratch": sums}, {"g": g, "starts": starts})
    scaled = (1 / limit, DOWN / limit)
    launch(described, "clip_by_norm_sums", grid, (g, starts, sums, *scaled, g.size))
    launch(described, "clip_by_norm_scale", grid, (g, starts, sums, parts, g.size))


def blocks(n):
    """That share a segment of an array of n."""
    return blocks_of_a_grid(n, OF_A_BLOCK, MOST_BLOCKS)


def scratch_size(n, segments=1) -> int:
    """Floats of scratch for an array of n in so many segments."""
    return 2 * segments * blocks(n)
