"""The ladder of softmax_cross_entropy: gpu_1_naive.cu … gpu_4_vector_loads.cu, one idea a rung, and
their launch.

They are there to be read and counted (python -m bench ladder), from the formula up to gpu.cu:
integer labels alone, no weights and no hits. A rung is its file and its line in
GPU_FILES.
"""

from kernels import dispatch
from kernels.device import Entry, KernelFile, launch

ENTRY = Entry(
    "softmax_cross_entropy",
    "const float* z, const int* labels, float* loss, float* dz, float scale, long long rows, "
    "int classes",
)


def _rung(file, rows, threads):
    """rows: that a block has."""
    constants = {"ROWS_PER_BLOCK": rows}
    return KernelFile("softmax_cross_entropy", file, (ENTRY,), threads=threads, constants=constants)


GPU_FILES = (
    _rung("gpu_1_naive.cu", 128, 128),
    _rung("gpu_2_warp.cu", 4, (32, 4)),
    _rung("gpu_3_online.cu", 4, (32, 4)),
    _rung("gpu_4_vector_loads.cu", 4, (32, 4)),
)
RUNGS = {file.file: file for file in GPU_FILES}


def softmax_cross_entropy(file, z, labels, loss, dz, scale, **others):
    """loss and dz of integer labels; others: {name: what the rungs do not know, None}."""
    for name, given in others.items():
        if given is not None:
            raise ValueError(
                f"variant {file!r} is a rung of the ladder: it takes integer labels alone, and got "
                f"{name}. Leave variant out, or pass variant='gpu.cu'"
            )
    (B, C), rung = z.shape, RUNGS[file]
    grid = (dispatch.ceil_div(B, rung.constants["ROWS_PER_BLOCK"]),)
    launch(rung, "softmax_cross_entropy", grid, (z, labels, loss, dz, scale, B, C))
