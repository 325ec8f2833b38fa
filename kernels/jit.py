"""Numba for the CPU variants: the one place that names its options.

Compiled code is cached on disk beside the source (in the user's cache folder where that is
read-only; see jit_cache.py), so only the first run of a machine pays for compilation. It is stamped
with the sources that it is made of (sources.py): an edit compiles anew what is made of that file,
and nothing else. A scalar function reaches a kernel as a closure variable, which Numba pickles by
value into the key.

`error_model="numpy"` divides as IEEE 754 does instead of raising. No fast-math flag is set except
where a kernel says so: NaN and infinity must come through.
"""

import math
import os

import numba
import numpy as np
from numba.core import event
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import register_jitable

from kernels import compiling, jit_cache, vector_math
from kernels.scalar import float32_literals

if numba.config.DISABLE_JIT:
    raise RuntimeError(
        "NUMBA_DISABLE_JIT: got 1, by which Numba compiles nothing; expected it unset, for the CPU "
        "kernels are compiled code. Type: unset NUMBA_DISABLE_JIT"
    )

OPTIONS = {"nogil": True, "error_model": "numpy"}
SMALLEST_NORMAL = np.finfo(np.float32).tiny  # state of an optimizer that decays below it becomes 0


def compiled(kernel=None, **options):
    """Compile a CPU kernel on its first call: `@compiled` or `@compiled(parallel=True)`."""
    if kernel is None:
        return lambda kernel: compiled(kernel, **options)
    dispatcher = numba.njit(**OPTIONS, **options)(kernel)
    dispatcher._cache = jit_cache.of(kernel)
    return dispatcher


class _Told(event.Listener):
    def on_start(self, compilation):
        if _is_ours(compilation):
            compiling.begin(compiling.CPU)

    def on_end(self, compilation):
        if _is_ours(compilation):
            compiling.end()


def _is_ours(compilation):
    module = compilation.data["dispatcher"].py_func.__module__  # None of what `exec` made
    return module is not None and module.startswith("kernels.")


event.register("numba:compile", _Told())


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
