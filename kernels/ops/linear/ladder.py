"""The ladder of linear: gpu_1_naive.cu … gpu_6_pipeline.cu, one idea a rung, and their launch.

They are there to be read and counted (python -m bench ladder), from the formula up to gpu.cu: the
forward pass alone, in float32. A rung is its file and its line in RUNGS.
"""

from kernels import dispatch
from kernels.device import launch

# {file: (rows and columns of outputs that a block has, its threads)}
RUNGS = {
    "gpu_1_naive.cu": ((32, 8), (32, 8)),
    "gpu_2_coalesced.cu": ((8, 32), (32, 8)),
    "gpu_3_shared_tile.cu": ((32, 32), (32, 32)),
    "gpu_4_register_tile.cu": ((64, 64), (16, 16)),
    "gpu_5_vector_loads.cu": ((64, 64), (16, 16)),
    "gpu_6_pipeline.cu": ((64, 64), (16, 16)),
}
SIGNATURES = (
    (
        "linear_forward",
        "const float* x, const float* w, const float* b, float* z, float* y, int M, int N, int K",
    ),
)


def linear(file, x, w, b, f, z, y):
    """y = f(x w + b), and z where it is not None; shapes and dtypes as in `kernels.linear`."""
    (M, K), N = x.shape, w.shape[1]
    (rows, columns), threads = RUNGS[file]
    grid = dispatch.ceil_div(M, rows), dispatch.ceil_div(N, columns)
    most = 65535 * columns
    if max(M, K) >= 2**31 - 64 or N > most:
        raise ValueError(
            f"linear: got a product of {M} × {N} over {K}; expected M and K under 2³¹ - 64 and at "
            f"most {most} columns ({file}). Leave variant out"
        )
    unit = dispatch.unit("linear", file, SIGNATURES, dispatch.scalar_functions(f))
    launch(unit, "linear_forward", grid, threads, (x, w, b, z, y, M, N, K))


def refuse_backward(file):
    raise ValueError(
        f"variant {file!r} is a rung of the ladder: it has the forward pass alone. Leave variant "
        "out, or pass variant='gpu.cu'"
    )
