"""Every op, a folder each, with the same rooms.

    __init__.py     the op: maths, shapes, dtypes, errors, source; its checks and its launch
    reference.py    textbook NumPy, any float dtype
    cpu.py          fast CPU, compiled by Numba
    gpu.py, gpu.cu  the kernel in Python and in CUDA C++; gpu_<idea>.cu: a further variant
    cases.py        its battery

Nothing is imported here: `kernels.ops.linear` is a module, `kernels.linear` the function.
"""
