"""The ladder of linear: gpu_1_naive.cu … gpu_6_pipeline.cu, one idea a rung, and their launch.

They are there to be read and counted (python -m bench ladder), from the formula up to gpu.cu: the
forward pass alone, in float32. A rung is its file and its line in GPU_FILES.
"""

from kernels import dispatch
from kernels.device import Entry, KernelFile, launch

ENTRY = Entry(
    "linear_forward",
    "const float* x, const float* w, const float* b, float* z, float* y, int M, int N, int K",
    ("activation",),
)


def _rung(file, sides, threads):
    """sides: rows and columns of outputs that a block has; C++ sees the rows as SIDE."""
    return KernelFile(
        "linear", file, (ENTRY,), threads=threads, sides=sides, constants={"SIDE": sides[0]}
    )


GPU_FILES = (
    _rung("gpu_1_naive.cu", (32, 8), (32, 8)),
    _rung("gpu_2_coalesced.cu", (8, 32), (32, 8)),
    _rung("gpu_3_shared_tile.cu", (32, 32), (32, 32)),
    _rung("gpu_4_register_tile.cu", (64, 64), (16, 16)),
    _rung("gpu_5_vector_loads.cu", (64, 64), (16, 16)),
    _rung("gpu_6_pipeline.cu", (64, 64), (16, 16)),
)
RUNGS = {file.file: file for file in GPU_FILES}


def linear(file, x, w, b, f, z, y):
    """y = f(x w + b), and z where it is not None; shapes and dtypes as in `kernels.linear`."""
    (M, K), N = x.shape, w.shape[1]
    rows, columns = RUNGS[file].sides
    grid = dispatch.ceil_div(M, rows), dispatch.ceil_div(N, columns)
    most = 65535 * columns
    if max(M, K) >= 2**31 - 64 or N > most:
        raise ValueError(
            f"linear: got a product of {M} × {N} over {K}; expected M and K under 2³¹ - 64 and at "
            f"most {most} columns ({file}). Leave variant out"
        )
    arguments, functions = (x, w, b, z, y, M, N, K), dispatch.scalar_functions(f)
    launch(RUNGS[file], "linear_forward", grid, arguments, functions)


def refuse_backward(file):
    raise ValueError(
        f"variant {file!r} is a rung of the ladder: it has the forward pass alone. Leave variant "
        "out, or pass variant='gpu.cu'"
    )
