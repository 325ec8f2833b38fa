"""Scalar maths written once, as plain Python: `def forward(z): return z * (1 + z)`.

Such a function is compiled three ways: by Numba for the CPU, by Numba for kernels written in
Python, and to LTO-IR that is linked and inlined into kernels written in C++. A plain Python float
literal is a double, and one of them drags a whole expression into double precision; so every
literal is narrowed to float32 before any compiler sees the function.
"""

import functools
import types

import numpy as np


def float32_literals(function, integers=True):
    """A copy of `function` whose float literals are float32, as are the numbers that it names:
    module-level ones, those of the function around it, and its defaults.

    With `integers`, integer literals become int16, the widest type that Numba promotes with
    float32 to float32 and not to float64 (`z > 0`, `1 + z`). Kernels, whose integers are indices,
    pass False.
    """
    if not isinstance(function, types.FunctionType):
        raise TypeError(f"got {type(function).__name__}; expected a plain Python function")

    def narrow(constant):
        if type(constant) is tuple:
            return tuple(map(narrow, constant))
        if isinstance(constant, float):
            return np.float32(constant)
        if integers and type(constant) is int and abs(constant) < 2**15:
            return np.int16(constant)
        return constant

    code = function.__code__.replace(co_consts=narrow(function.__code__.co_consts))
    scope = {name: narrow(value) for name, value in function.__globals__.items()}
    return types.FunctionType(
        code,
        scope,
        function.__name__,
        function.__defaults__ and narrow(function.__defaults__),
        tuple(types.CellType(narrow(cell.cell_contents)) for cell in function.__closure__ or ()),
    )


NUMBERS = int | float | np.generic | tuple


def fingerprint(function) -> str:
    """Everything in a scalar function that can change what it compiles to, for cache keys."""
    code = function.__code__
    used = {name: function.__globals__.get(name) for name in code.co_names}
    numbers = {name: value for name, value in used.items() if isinstance(value, NUMBERS)}
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return repr(
        (code.co_code, code.co_consts, code.co_names, numbers, cells, function.__defaults__)
    )


_first = {}  # {what a function computes: (the first that does, what of it was told by address)}


@functools.lru_cache(maxsize=512)  # of those in use; what is compiled for one is never freed
def canonical(function):
    """The first scalar function that computes the same, so that whoever defines one again, as in a
    loop over models, compiles nothing again: Numba keeps what it has compiled for ever."""
    scope, code = function.__globals__, function.__code__
    used = [scope.get(name) for name in code.co_names]
    used += [cell.cell_contents for cell in function.__closure__ or ()]
    used += [*code.co_consts, *(function.__defaults__ or ())]
    others = [value for value in used if not isinstance(value, NUMBERS | str | None)]
    key = fingerprint(function), *map(id, others)
    return _first.setdefault(key, (function, others))[0]


def once(make):
    """Caches make(scalar functions) by what they compute."""
    made = functools.cache(make)

    @functools.lru_cache(maxsize=512)
    @functools.wraps(make)
    def of(*functions):
        return made(*map(canonical, functions))

    return of
