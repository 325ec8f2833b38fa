"""The shape of a product's tiles, by what the processor can do: so many rows and vectors that the
tile, one row of B and one element of A fit its registers."""

from llvmlite import ir

from kernels import llvm


def _shape(features):
    """(lanes of a vector, rows, vectors) of the tile."""
    if "avx512f" in features:
        return 16, 8, 2  # 16 of 32; with more rows their addresses would not fit the others
    if "avx2" in features:
        return 8, 6, 2  # 12 accumulators of 16 registers
    if "neon" in features:
        return 4, 6, 4  # 24 of 32
    return 4, 6, 2  # SSE: 12 of 16


FEATURES = llvm.features()
LANES, ROWS, VECTORS = _shape(FEATURES)
COLUMNS = LANES * VECTORS
WIDE = 4  # panels that a row takes at once
FUSED = bool({"fma", "avx512f", "neon"} & FEATURES)
VECTOR = ir.VectorType(llvm.F32, LANES)
WORD = 64  # elements whose zeros are marked by the bits of one integer
