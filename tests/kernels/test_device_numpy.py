"""numba-cuda and a NumPy newer than it knows: the door lends what is gone, for one import."""

import subprocess
import sys

import numpy as np
import pytest

from kernels.device.unit import compiler_versions

pytestmark = pytest.mark.usefixtures("toolchain")

WITHOUT_ROW_STACK = """
import numpy
if hasattr(numpy, "row_stack"):  # NumPy before 2.5: as if it were newer
    del numpy.row_stack
    numpy.__all__.remove("row_stack")
"""
COMPILE = """
from kernels.device import cuda_python
assert not hasattr(numpy, "row_stack"), "NumPy stays as it was"
assert cuda_python.scalar_ltoir(lambda z: z, "same", "sm_90")
"""


def run(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


def test_a_python_kernel_compiles_without_row_stack():
    done = run(WITHOUT_ROW_STACK + COMPILE)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(hasattr(np, "row_stack"), reason="NumPy before 2.5 has row_stack")
@pytest.mark.xfail(
    reason=f"numba-cuda {compiler_versions()['numba-cuda']} needs numpy.row_stack. Once this "
    "passes: take import_array_functions out of kernels/device/cuda_python.py, raise the floor"
)
def test_numba_cuda_suits_numpy():
    assert run("import numba.cuda.np.arrayobj").returncode == 0
