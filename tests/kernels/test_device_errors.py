"""What the door says when something is missing, wrong, or does not compile."""

import dataclasses
import re
import subprocess
import sys
import types

import numpy as np
import pytest

from kernels import dispatch
from kernels.device import (
    CompileError,
    Entry,
    KernelFile,
    NoGPUError,
    ToolchainMissingError,
    emulated,
    gpu,
    launch,
    require_gpu,
)
from kernels.device import (
    toolchain as door,
)
from kernels.device.signature import parse

ADAM = KernelFile("adam", "gpu.cu", (Entry("adam", "float* p, const float* g, int n, float lr"),))


# Compiling


def broken(tmp_path, old, new):
    """A copy of sgd/gpu.cu with one thing changed, and the line that is on."""
    text = (dispatch.OPS / "sgd" / "gpu.cu").read_text()
    assert text.count(old) == 1
    (tmp_path / "gpu.cu").write_text(text.replace(old, new))
    line = text[: text.index(old)].count("\n") + 1
    sgd = dispatch.kernel_file("sgd", "gpu.cu")
    return dataclasses.replace(sgd, op=str(tmp_path)).unit(), line


@pytest.mark.usefixtures("toolchain")
@pytest.mark.parametrize(
    ("old", "new", "log"),
    [
        ("-rate * g;", "-rate * h;", 'identifier "h" is undefined'),
        ("nesterov != 0};", "nesterov != 0}", "expected a"),
        ('#include "for_each_parameter.cuh"', '#include "for_each.cuh"', "for_each.cuh"),
    ],
)
def test_a_kernel_that_does_not_compile(tmp_path, old, new, log):
    unit, line = broken(tmp_path, old, new)
    with pytest.raises(CompileError) as raised:
        unit.cubin("sm_90")
    message = str(raised.value)
    assert log in message and "for sm_90" in message
    at = [int(n) for n in re.findall(r"gpu\.cu\((\d+)\): (?:catastrophic )?error", message)]
    assert line <= at[0] <= line + 1, message


@pytest.mark.usefixtures("toolchain")
def test_a_function_that_was_not_linked_in():
    file = dispatch.kernel_file("activation", "gpu.cu")
    forward = file.entry["activation_forward"]
    undescribed = dataclasses.replace(file, entries=(dataclasses.replace(forward, links=()),))
    with pytest.raises(CompileError, match="activation"):
        undescribed.unit().cubin("sm_90")
    with pytest.raises(CompileError, match=r"gpu\.cu: calls activation: got no such function"):
        file.unit(("activation_forward",))


@pytest.mark.usefixtures("toolchain")
@pytest.mark.parametrize("file", dispatch.files("activation", "gpu"))
def test_a_scalar_function_that_numba_cannot_compile(file):
    def forward(z):
        return z.no_such_attribute

    described = dispatch.kernel_file("activation", file)
    unit = described.unit(("activation_forward",), (("activation", forward),))
    with pytest.raises(CompileError, match=r"no_such_attribute") as raised:
        unit.cubin("sm_90")
    assert re.search(r"activation\w* \(.*\.py:\d+\) for sm_90", str(raised.value))


@pytest.mark.usefixtures("toolchain")
def test_an_entry_that_a_python_file_lacks():
    with pytest.raises(CompileError, match=r"kernels/ops/adam/gpu\.py: has no kernel named adma"):
        KernelFile("adam", "gpu.py", (Entry("adma", "float* p"),)).unit().cubin("sm_90")


# Launching


def test_arguments_are_checked_by_dtype():
    p, _, n, lr = ADAM.entry["adam"].parameters
    a = np.zeros(3, np.float32)
    assert p.argument("adam", a) is a
    assert p.argument("adam", None) == 0 and p.argument("adam", None).dtype == np.uint64
    for value, what in ((np.zeros(3), "float64"), ([1.0], "list"), (3.0, "float")):
        with pytest.raises(TypeError, match=f"adam: p: got {what}; expected an array of float32"):
            p.argument("adam", value)
    assert type(n.argument("adam", 5)) is np.int32 and type(lr.argument("adam", 1)) is np.float32
    with pytest.raises(OverflowError):
        n.argument("adam", 2**31)


def test_declarations():
    x, n, y = parse("const float* __restrict__ x,\n long long  n, unsigned char *y")
    assert (x.name, x.dtype, x.pointer, x.const) == ("x", np.float32, True, True)
    assert (n.name, n.dtype, n.pointer, n.const) == ("n", np.int64, False, False)
    assert (y.name, y.dtype, y.pointer, y.const) == ("y", np.uint8, True, False)
    with pytest.raises(ValueError, match="parameter 'double x': expected one of float, int"):
        parse("double x")


def test_an_empty_grid_is_no_launch():
    assert launch(ADAM, "adam", (3, 0), ()) is None


def test_the_arrays_say_where_to_launch():
    p = np.zeros(3, np.float32)
    for arrays, message in (
        ((None, None), "adam: got no array; expected at least one, which decides the device"),
        ((p, None), "adam: p: is a NumPy array; expected arrays on a GPU"),
        ((emulated.array(p), p), "p on the emulated, g on the cpu; expected all on one"),
    ):
        with pytest.raises(TypeError, match=message):
            launch(ADAM, "adam", (1,), (*arrays, 3, 0.1))


# No GPU


def test_without_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(NoGPUError, match=r"^CuPy is not installed .*pip install .*\[cuda13\]'"):
        require_gpu()


def fake_cupy(count, capability="90"):
    def device_count():
        if isinstance(count, Exception):
            raise count
        return count

    runtime = types.SimpleNamespace(getDeviceCount=device_count)
    device = types.SimpleNamespace(compute_capability=capability)
    cuda = types.SimpleNamespace(runtime=runtime, Device=lambda _: device)
    return types.SimpleNamespace(__version__="14.2", cuda=cuda)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "CuPy sees 0 devices"), (RuntimeError("no driver"), "no driver")]
)
def test_without_a_card(monkeypatch, count, text):
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(count))
    monkeypatch.setattr(gpu, "gpu_available", lambda: False)
    with pytest.raises(NoGPUError, match=rf"^CuPy 14.2 .*no usable GPU: {text}\. Type `nvidia-smi"):
        require_gpu()


@pytest.mark.parametrize(("capability", "arch"), [("75", None), ("80", "sm_80"), ("120", "sm_120")])
def test_an_old_card(monkeypatch, capability, arch):
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(1, capability))
    monkeypatch.setattr(gpu, "gpu_available", lambda: True)
    if arch:
        assert gpu.architecture.__wrapped__(0) == arch
        return
    with pytest.raises(NoGPUError, match=r"compute capability 7\.5; expected 8\.0 or newer"):
        gpu.architecture.__wrapped__(0)


# No toolchain


def test_without_nvrtc(monkeypatch):
    for name in ("cuda", "cuda.bindings"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ToolchainMissingError, match=r"^NVRTC or nvJitLink .*\[test\]'$"):
        door._bindings.__wrapped__()


def test_without_numba_cuda():
    """The CPU works, and the error says what to install."""
    script = """
import sys
sys.modules["numba.cuda"] = None
import kernels, numpy
kernels.linear(numpy.ones((2, 2), "f4"), numpy.ones((2, 2), "f4"))
import kernels.device.cuda_python
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "ToolchainMissingError: numba-cuda is not installed" in run.stderr
    assert re.search(r"pip install .*\[test\]'$", run.stderr.rstrip())
