"""What `dnn doctor` finds of a GPU: the card, CuPy, the compilers, and the emulated device."""

import shutil
from importlib import util

import numpy as np

from dnn.command.finding import TESTED, Finding, compiled, version
from kernels.device import cache


def gpu():
    wheels = [w for w in ("cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x", "cupy") if version(w)]
    if len(wheels) > 1:
        yield Finding(
            "CuPy",
            "problem",
            f"{', '.join(wheels)} overwrite each other's files",
            f"pip uninstall -y {' '.join(wheels)} && pip install -e '.[cuda13]'",
        )
        return
    if not wheels:
        card = shutil.which("nvidia-smi")
        yield Finding(
            "CuPy",
            "problem" if card else "none",
            "not installed" + (", though there is an NVIDIA driver" if card else "; no GPU found"),
            "pip install -e '.[cuda13]'" if card else "",
        )
        return
    yield Finding("CuPy", "ok", f"{wheels[0]} {version(wheels[0])}")
    yield from _card()


def _card():
    from kernels.arrays import gpu_available, import_cupy

    try:
        runtime = import_cupy().cuda.runtime
    except ImportError as cause:
        yield Finding("GPU", "problem", str(cause), "pip install --force-reinstall -e '.[cuda13]'")
        return
    try:
        driver = runtime.driverGetVersion()
    except Exception as cause:
        driver, reason = 0, cause
    if not driver or not gpu_available():
        text = "no driver" if not driver else "a driver but no card that CuPy can use"
        if not driver and not shutil.which("nvidia-smi"):
            yield Finding("GPU", "none", f"{text}; training runs on the CPU")
        else:
            detail = f" ({reason})" if not driver else ""
            yield Finding("GPU", "problem", text + detail, "nvidia-smi")
        return
    built = runtime.runtimeGetVersion()
    fits = driver // 1000 >= built // 1000
    numbers = f"driver for CUDA {_cuda(driver)}, CuPy built for {_cuda(built)}"
    yield Finding(
        "driver",
        "ok" if fits else "problem",
        numbers,
        "" if fits else "pip uninstall -y cupy-cuda13x && pip install -e '.[cuda12]'",
    )
    properties = runtime.getDeviceProperties(runtime.getDevice())
    capability = f"{properties['major']}.{properties['minor']}"
    enough = properties["major"] >= 8
    yield Finding(
        "GPU",
        "ok" if enough else "problem",
        f"{properties['name'].decode()}, compute capability {capability}, "
        f"{properties['totalGlobalMem'] / 2**30:.0f} GiB",
        "" if enough else "dnn train --device cpu   (the kernels need 8.0 or newer)",
    )


def _cuda(number):
    return f"{number // 1000}.{number % 1000 // 10}"


def toolchain():
    """The compilers; they work without a card."""
    needed = {"numba-cuda": "numba_cuda", "NVRTC and nvJitLink": "cuda.bindings"}
    for subject, module in needed.items():
        try:
            there = util.find_spec(module) is not None
        except ModuleNotFoundError:
            there = False
        if not there:
            yield Finding(
                subject,
                "none",
                "not installed; only needed to compile GPU kernels",
                "pip install -e '.[test]'   (or [cuda13] where there is a card)",
            )
            return
    from kernels.device import DeviceError, toolchain

    try:
        versions = ", ".join(f"{name} {number}" for name, number in toolchain.versions().items())
        yield Finding("toolchain", "ok", f"{versions}, numba-cuda {version('numba-cuda')}")
    except DeviceError as cause:
        yield Finding("toolchain", "problem", str(cause), "pip install -e '.[test]'")
        return
    yield from gpu_kernels()


def gpu_kernels():
    """A kernel of each kind, compiled afresh, up to the first that fails: the last needs what the
    first two are compiled by, and one cause is one finding."""
    from kernels import activations, dispatch
    from kernels.device import toolchain

    def assembled(op, file, functions=()):
        return dispatch.kernel_file(op, file).unit(None, functions).assembled

    relu = dispatch.scalar_functions(activations.get("relu"))
    cpp = f"NVRTC {toolchain.versions()['nvrtc']}"
    python = f"numba-cuda {version('numba-cuda')}, numba {version('numba')}, numpy {np.__version__}"
    for subject, versions, make in (
        ("kernel in CUDA C++", cpp, assembled("sgd", "gpu.cu")),
        ("kernel in Python", python, assembled("adam", "gpu.py")),
        ("Python in a C++ kernel", f"{cpp}, {python}", assembled("activation", "gpu.cu", relu)),
    ):
        finding = compiled(
            subject, versions, lambda make=make: make("sm_90"), f"{TESTED} '.[test]'"
        )
        yield finding
        if finding.state == "problem":
            return


KERNEL = """extern "C" __global__ void number(int* y) { y[threadIdx.x] = threadIdx.x; }"""


def emulated_device():
    """Whether a kernel compiles for `--device emulated`, and runs."""
    from kernels.device import DeviceError, ToolchainMissingError, emulated
    from kernels.device.emulated import build

    subject, y = "emulated device", np.zeros(32, np.int32)
    try:
        emulated.require_compilers()
        result = emulated.run(KERNEL, 1, 32, y)
    except ToolchainMissingError as missing:
        text, _, fix = str(missing).partition(" Type: ")
        yield Finding(subject, "none", text, fix)
        return
    except DeviceError as cause:
        yield Finding(
            subject,
            "problem",
            str(cause),
            "export CXX=/path/of/g++   (a compiler of C++20: g++ 11 or newer)",
        )
        return
    right = (y == np.arange(32)).all() and not result.reports
    text = f"{build.compiler()} compiled a kernel, which "
    yield Finding(
        subject,
        "ok" if right else "problem",
        text + ("ran and was checked" if right else "gave wrong numbers"),
        "" if right else f"rm -r {cache.folder()}",
    )
