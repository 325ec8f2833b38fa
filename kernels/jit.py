"""Numba for the CPU variants: the one place that names its options.

Compiled code is cached on disk beside the source (in the user's cache folder where that is
read-only; see jit_cache.py), so only the first run of a machine pays for compilation. A scalar
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

import numba
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import register_jitable

from kernels import jit_cache, vector_math
from kernels.scalar import float32_literals

if numba.config.DISABLE_JIT:
    raise RuntimeError(
        "NUMBA_DISABLE_JIT: got 1, by which Numba compiles nothing; expected it unset, for the CPU "
        "kernels are compiled code. Type: unset NUMBA_DISABLE_JIT"
    )

OPTIONS = {"nogil": True, "error_model": "numpy"}


def compiled(kernel=None, **options):
    """Compile a CPU kernel on its first call: `@compiled` or `@compiled(parallel=True)`."""
    if kernel is None:
        return lambda kernel: compiled(kernel, **options)
    dispatcher = numba.njit(**OPTIONS, **options)(kernel)
    # Numba stamps a cached kernel with the file it stands in, not with what that file imports.
    dispatcher._cache = jit_cache.of(kernel, source_stamp())
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


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    # A child of a fork during a compilation would find its lock held by a thread that it has not.
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )
