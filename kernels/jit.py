"""Numba for the CPU variants: the one place that names its options.

Compiled code is cached on disk beside the source (Numba falls back to the user's cache folder
where that is read-only), so only the first run of a machine pays for compilation. A scalar
function reaches a kernel as a closure variable; Numba pickles it by value into the cache key, so
editing an activation can never meet a stale kernel.

`error_model="numpy"` divides as IEEE 754 does instead of raising. No fast-math flag is set except
where a kernel says so: NaN and infinity must come through.
"""

import functools
import hashlib
import math
import os
import pathlib

# A bound on how long a thread of GNU OpenMP spins for its next loop before it sleeps, longer than
# the gaps within a training step. Unbounded spinning takes a core from every other process; with
# the bound an idle model leaves it. While a step runs, a second busy process still costs far more
# than its share. Read when OpenMP is loaded; a value of the user's own wins.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

import numba
from numba.extending import register_jitable

from kernels import vector_math
from kernels.scalar import float32_literals

OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}


def compiled(kernel=None, **options):
    """Compile a CPU kernel on its first call: `@compiled` or `@compiled(parallel=True)`."""
    if kernel is None:
        return lambda kernel: compiled(kernel, **options)
    dispatcher = numba.njit(**OPTIONS, **options)(kernel)
    # Numba stamps a cached kernel with the file it stands in, not with what that file imports.
    dispatcher._cache._cache_file._source_stamp = source_stamp()
    return dispatcher


@functools.cache
def source_stamp():
    """A digest of the sources that CPU kernels are made of: after any edit, all is compiled anew.
    (device/ is the door to the GPU; no CPU kernel imports it.)"""
    digest = hashlib.sha256()
    package = pathlib.Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        if "device" not in path.relative_to(package).parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def inlined(function):
    """A scalar Python function, its literals in float32 and its `math` vector_math.py, callable
    from compiled kernels."""
    copy = float32_literals(function)
    if copy.__globals__.get("math") is math:
        copy.__globals__["math"] = vector_math
    return register_jitable(copy)


def threads_for(work, small):
    """How many threads share a loop of so much work: one where it is under `small`, else all."""
    return 1 if work < small else numba.get_num_threads()


LONG = 256  # values; from here on a row has two halves, whatever the number of threads
WIDEST = 16  # floats in a vector of any processor; what is divided among threads by k or by column


@compiled
def share(n, part, parts, step=1):
    """Where part `part` of 0 … n−1 begins; parts begin on multiples of `step`."""
    return min(n, (n * part // parts + step - 1) // step * step)
