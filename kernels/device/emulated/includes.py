"""What a user's kernel may `#include`: NVIDIA's headers, of a wheel or a toolkit, and C's.

NVRTC compiles without a C library: under its names lie those of libcu++ (<cuda/std/…>), as nvcc
would find them for device code. The library's own kernels include nothing of either.
"""

import functools
import re

from kernels.device.errors import CompileError
from kernels.device.toolchain import versions

# (begins with, wheel for CUDA 13, for CUDA 12)
WHEELS = (
    (("cuda/", "nv/", "cub/", "thrust/"), "nvidia-cuda-cccl", "nvidia-cuda-cccl-cu12"),
    (("crt/", "mma.h"), "nvidia-cuda-crt", "nvidia-cuda-nvcc-cu12"),
    (("curand",), "nvidia-curand", "nvidia-curand-cu12"),
    (
        ("cu", "cooperative_groups", "device_", "driver_", "math_", "sm_", "vector_"),
        "nvidia-cuda-runtime",
        "nvidia-cuda-runtime-cu12",
    ),
)
C = ("assert", "float", "limits", "math", "stddef", "stdint", "stdlib", "string", "time")
CPP = (
    "algorithm", "array", "bit", "complex", "concepts", "functional", "initializer_list",
    "iterator", "limits", "numeric", "optional", "ratio", "span", "tuple", "type_traits",
    "utility", *(f"c{name}" for name in C),
)  # fmt: skip
HOST = (
    "chrono", "fstream", "iomanip", "iostream", "map", "memory", "mutex", "random", "set",
    "sstream", "stdexcept", "string", "thread", "unordered_map", "vector",
)  # fmt: skip
IN_STD = (
    "#pragma once\n#include <cuda/std/{}>\nnamespace cuda {{ namespace std {{}} }}\n"
    "namespace std {{ using namespace cuda::std; }}\n"
)
MATH = """#pragma once
#define INFINITY __int_as_float(0x7f800000)
#define HUGE_VALF INFINITY
#define NAN __int_as_float(0x7fffffff)
#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif
"""
STANDARD = (
    {f"{name}.h": f"#pragma once\n#include <cuda/std/c{name}>\n" for name in C}
    | {name: IN_STD.format(name) for name in CPP}
    # Their functions are NVRTC's own: printf, sqrtf, malloc, memcpy, assert.
    | dict.fromkeys(("stdio.h", "cstdio", "stdlib.h", "string.h", "assert.h"), "#pragma once\n")
    | {"math.h": MATH}
)


@functools.cache
def folders() -> tuple[str, ...]:
    """Where NVIDIA's headers are: in wheels, Conda, $CUDA_PATH, or a toolkit's usual place."""
    from cuda.pathfinder import find_nvidia_header_directory

    places = (find_nvidia_header_directory(name) for name in ("cudart", "cccl", "curand"))
    return tuple(dict.fromkeys(place for place in places if place))


def missing(log) -> CompileError | None:
    """What to install or to write, where a compiler's log says that a header is not there."""
    said = re.search(
        r"^(.*)\((\d+)\): .*(?:cannot|could not) open source file \"(.+?)\"", log, re.M
    )
    if said is None:
        return None
    file, line, header = said.groups()
    what = f"{file}:{line}: #include of {header}: not there. "
    if header in HOST:
        return CompileError(
            f"{what}It is the host's, and only device code is compiled. Leave it out, or write "
            "#ifndef __CUDACC_RTC__ before and #endif behind it"
        )
    for beginnings, *wheels in WHEELS:
        if header.startswith(beginnings):
            wheel = wheels[int(versions()["nvrtc"].partition(".")[0]) < 13]
            return CompileError(f"{what}Type: pip install {wheel}")
    places = ", ".join(["the folder of the file that includes it", *folders()])
    return CompileError(f"{what}Expected it in one of {places}")
