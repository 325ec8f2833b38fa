"""`dnn doctor`: what this machine has, what is missing, and the one line to type for each problem.

Nothing needs a GPU to work, so a machine without one is healthy; what a GPU would need is said.
"""

import contextlib
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata, util
from importlib.machinery import PathFinder

import numpy as np

from dnn import datasets, devices, own_kernels
from kernels.device import cache
from kernels.text import shown

PACKAGES = (
    "numpy", "numba", "llvmlite", "rich", "safetensors", "pooch", "requests", "urllib3",
    "matplotlib", "pillow",
)  # fmt: skip
TESTED = "pip install -c .ci/constraints.txt -e"  # the releases that the tests ran with
LEAST_FREE_BYTES = 64 << 20  # of a cache's disk: some epochs' data, or all kernels


@dataclass
class Finding:
    """state: "ok", "none" (absent, and fine without) or "problem"; fix: the line to type."""

    subject: str
    state: str
    text: str
    fix: str = ""


def report() -> int:
    """Print every finding; returns 1 if there is a problem, else 0."""
    found = [
        *python(),
        *names(),
        *cpu(),
        *cpu_kernels(),
        *gpu(),
        *toolchain(),
        *emulated_device(),
        *folders(),
        *data(),
    ]
    show(found)
    return int(any(f.state == "problem" for f in found))


def show(found):
    """Each finding on a line, and what to type on the next; in colour on a terminal."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(soft_wrap=True, highlight=False)
    marks = {"ok": "[green]ok[/]     ", "none": "[dim]-[/]      ", "problem": "[red]problem[/]"}
    width = max(len(f.subject) for f in found)
    for f in found:
        text = escape(shown(f"{f.subject:{width}}  {f.text}", console.file))
        console.print(f"{marks[f.state]}  {text}")
        if f.fix:
            fix = escape(shown(f.fix, console.file))
            console.print(f"{'':{width + 11}}[bold]type:[/] {fix}")


def version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def python():
    enough = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding(
        "Python", "ok" if enough else "problem",
        f"{platform.python_version()}, {platform.machine()}",
        "" if enough else "python3.12 -m venv .venv",
    )  # fmt: skip
    for package in PACKAGES:
        found = version(package)
        yield Finding(
            package, "ok" if found else "problem", found or "not installed",
            "" if found else "pip install -e .",
        )  # fmt: skip


def names():
    """Whether a script in this folder gets dense-kernels, and CuPy, under their names."""
    here = ["", *sys.path]
    shadowed = False
    for name in ("kernels", "dnn"):
        spec = PathFinder.find_spec(name, here) or util.find_spec(name)
        if not own_kernels.is_ours(spec, own_kernels.OURS.parent / name):
            shadowed, place = True, own_kernels.place_of(spec)
            yield Finding(
                f"import {name}", "problem", f"dense-kernels' {name} is shadowed by {place}",
                own_kernels.move(name, place),
            )  # fmt: skip
    if not shadowed and version("kernels"):
        text = f"kernels {version('kernels')} of PyPI is installed too, over the same folder"
        yield Finding("import kernels", "problem", text, own_kernels.OVERWRITTEN.partition(": ")[2])
    for name in ("cupy", "torch", "jax"):
        spec = PathFinder.find_spec(name, here)
        if spec and spec.origin is None:
            text = (
                f"not installed; {own_kernels.place_of(spec)} has its name and is not taken for it"
            )
            yield Finding(f"import {name}", "none", text)


def cpu():
    yield Finding("CPU", "ok", f"{os.cpu_count()} cores, {devices.describe('cpu')}")
    yield from cpu_kernel()


def cpu_kernel():
    """Whether Numba compiles a kernel, or has it from its cache, and it runs."""
    import kernels

    z = np.array([[-1, 2]], np.float32)
    versions = f"numba {version('numba')}, llvmlite {version('llvmlite')}, numpy {np.__version__}"
    yield compiled("CPU kernel", versions, lambda: kernels.activation(z, "relu"), f"{TESTED} .")


def compiled(subject, versions, make, fix) -> Finding:
    """Whether make() comes through; the compilers' own bugs raise whatever they raise."""
    try:
        make()
    except Exception as cause:
        lines = str(cause).strip().splitlines() or [type(cause).__name__]
        return Finding(subject, "problem", f"does not compile with {versions}: {lines[-1]}", fix)
    return Finding(subject, "ok", f"compiled with {versions}")


def cpu_kernels():
    """Whether CPU kernels are compiled, and kept for the next process."""
    subject = "CPU kernels"
    try:
        from kernels.jit import jit_cache
    except RuntimeError as cause:
        text, _, fix = str(cause).partition(" Type: ")
        yield Finding(subject, "problem", text, fix)
        return
    try:
        folder, damaged = jit_cache.condition()
    except (RuntimeError, OSError) as cause:
        yield Finding(
            subject, "problem", f"compiled anew in every process: {cause}",
            "export NUMBA_CACHE_DIR=/a/folder/of/yours",
        )  # fmt: skip
        return
    healing = "; {} files there, damaged or of another release, are made anew when needed"
    text = f"kept in {folder}{healing.format(damaged) if damaged else ''}"
    yield Finding(subject, "ok", text)


def gpu():
    wheels = [w for w in ("cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x", "cupy") if version(w)]
    if len(wheels) > 1:
        yield Finding(
            "CuPy", "problem", f"{', '.join(wheels)} overwrite each other's files",
            f"pip uninstall -y {' '.join(wheels)} && pip install -e '.[cuda13]'",
        )  # fmt: skip
        return
    if not wheels:
        card = shutil.which("nvidia-smi")
        yield Finding(
            "CuPy", "problem" if card else "none",
            "not installed" + (", though there is an NVIDIA driver" if card else "; no GPU found"),
            "pip install -e '.[cuda13]'" if card else "",
        )  # fmt: skip
        return
    yield Finding("CuPy", "ok", f"{wheels[0]} {version(wheels[0])}")
    yield from _card()


def _card():
    from kernels.arrays import gpu_available, import_cupy

    try:
        runtime = import_cupy().cuda.runtime
    except ImportError as cause:
        yield Finding(
            "GPU", "problem", str(cause), "pip install --force-reinstall -e '.[cuda13]'"
        )  # fmt: skip
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
        "driver", "ok" if fits else "problem", numbers,
        "" if fits else "pip uninstall -y cupy-cuda13x && pip install -e '.[cuda12]'",
    )  # fmt: skip
    properties = runtime.getDeviceProperties(0)
    capability = f"{properties['major']}.{properties['minor']}"
    enough = properties["major"] >= 8
    yield Finding(
        "GPU", "ok" if enough else "problem",
        f"{properties['name'].decode()}, compute capability {capability}, "
        f"{properties['totalGlobalMem'] / 2**30:.0f} GiB",
        "" if enough else "dnn train --device cpu   (the kernels need 8.0 or newer)",
    )  # fmt: skip


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
                subject, "none", "not installed; only needed to compile GPU kernels",
                "pip install -e '.[test]'   (or [cuda13] where there is a card)",
            )  # fmt: skip
            return
    from kernels.device import DeviceError, toolchain

    try:
        found = ", ".join(f"{name} {number}" for name, number in toolchain.versions().items())
        yield Finding("toolchain", "ok", f"{found}, numba-cuda {version('numba-cuda')}")
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
        return dispatch.unit(op, file, dispatch.host(op, file).SIGNATURES, functions).assembled

    relu = dispatch.scalar_functions(activations.get("relu"))
    cpp = f"NVRTC {toolchain.versions()['nvrtc']}"
    python = f"numba-cuda {version('numba-cuda')}, numba {version('numba')}, numpy {np.__version__}"
    for subject, versions, make in (
        ("kernel in CUDA C++", cpp, assembled("sgd", "gpu.cu")),
        ("kernel in Python", python, assembled("moving_average", "gpu.py")),
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
            subject, "problem", str(cause),
            "export CXX=/path/of/g++   (a compiler of C++20: g++ 11 or newer)",
        )  # fmt: skip
        return
    right = (y == np.arange(32)).all() and not result.reports
    text = f"{build.compiler()} compiled a kernel, which "
    yield Finding(
        subject, "ok" if right else "problem",
        text + ("ran and was checked" if right else "gave wrong numbers"),
        "" if right else f"rm -r {cache.folder()}",
    )  # fmt: skip


def folders():
    yield _folder("kernel cache", cache.folder, "DNN_KERNEL_CACHE")
    with contextlib.suppress(OSError):
        place = cache.folder()
        files = [path for path in place.iterdir() if not path.name.startswith(cache.BEGUN)]
        if others := sum(not cache.is_trusted(path.lstat()) for path in files):
            text = (
                f"{others} files in {place} are another user's or writable by others: passed over"
            )
            yield Finding("kernel cache", "problem", text, _export("DNN_KERNEL_CACHE"))
    yield _folder("data cache", lambda: datasets.cache.cache_folder(""), "XDG_CACHE_HOME")


def _folder(subject, find, variable):
    """Whether a folder can be written, or made. find() gives its path."""
    try:
        path = find().absolute()
    except (OSError, RuntimeError) as cause:  # no HOME, and the system knows none; no folder here
        return Finding(subject, "problem", f"none: {cause}", _export(variable))
    existing = next((str(p) for p in (path, *path.parents) if os.path.lexists(p)), ".")
    text = str(path)
    if not os.path.isdir(existing) or not os.access(existing, os.W_OK | os.X_OK):
        text += " cannot be written"
    elif shutil.disk_usage(existing).free < LEAST_FREE_BYTES:
        text += " is on a full disk"
    else:
        return Finding(subject, "ok", text)
    return Finding(subject, "problem", text, _export(variable))


def _export(variable):
    return f"export {variable}=/a/folder/of/yours"


def data():
    given = os.environ.get(datasets.search.FOLDER_VARIABLE)
    if given and not os.path.isdir(given):
        yield Finding("data folder", "problem", f"{given}: no such folder", "unset DNN_DATA_DIR")
    for name in datasets.NAMES:
        try:
            place = datasets.where(name)
        except (OSError, RuntimeError):  # no home; `folders` says so
            place = None
        text = str(place) if place else "not on this machine; `dnn train` fetches it once"
        yield Finding(name, "ok" if place else "none", text)
