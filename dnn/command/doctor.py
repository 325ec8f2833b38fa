"""`dnn doctor`: what this machine has, what is missing, and the one line to type for each problem.

Nothing needs a GPU to work, so a machine without one is healthy; what a GPU would need is said.
"""

import contextlib
import os
import platform
import shutil
import sys
from importlib import util
from importlib.machinery import PathFinder

import numpy as np

from dnn import datasets, devices, own_kernels
from dnn.command.finding import TESTED, Finding, compiled, version
from dnn.command.gpu_findings import emulated_device, gpu, toolchain
from kernels.device import cache
from kernels.text import shown

PACKAGES = (
    "numpy", "numba", "llvmlite", "rich", "safetensors", "pooch", "requests", "urllib3",
    "matplotlib", "pillow",
)  # fmt: skip
LEAST_FREE_BYTES = 64 << 20  # of a cache's disk: some epochs' data, or all kernels


def report() -> int:
    """Print every finding; returns 1 if there is a problem, else 0."""
    findings = [
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
    show(findings)
    return int(any(f.state == "problem" for f in findings))


def show(findings):
    """Each finding on a line, and what to type on the next; in colour on a terminal."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(soft_wrap=True, highlight=False)
    marks = {"ok": "[green]ok[/]     ", "none": "[dim]-[/]      ", "problem": "[red]problem[/]"}
    width = max(len(f.subject) for f in findings)
    for f in findings:
        text = escape(shown(f"{f.subject:{width}}  {f.text}", console.file))
        console.print(f"{marks[f.state]}  {text}")
        if f.fix:
            fix = escape(shown(f.fix, console.file))
            console.print(f"{'':{width + 11}}[bold]type:[/] {fix}")


def python():
    enough = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding(
        "Python",
        "ok" if enough else "problem",
        f"{platform.python_version()}, {platform.machine()}",
        "" if enough else "python3.12 -m venv .venv",
    )
    for package in PACKAGES:
        installed = version(package)
        yield Finding(
            package,
            "ok" if installed else "problem",
            installed or "not installed",
            "" if installed else "pip install -e .",
        )


def names():
    """Whether a script in this folder gets dense-kernels, and CuPy, under their names."""
    here = ["", *sys.path]
    shadowed = False
    for name in ("kernels", "dnn"):
        spec = PathFinder.find_spec(name, here) or util.find_spec(name)
        if not own_kernels.is_ours(spec, own_kernels.OURS.parent / name):
            shadowed, place = True, own_kernels.place_of(spec)
            yield Finding(
                f"import {name}",
                "problem",
                f"dense-kernels' {name} is shadowed by {place}",
                own_kernels.move(name, place),
            )
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
            subject,
            "problem",
            f"compiled anew in every process: {cause}",
            "export NUMBA_CACHE_DIR=/a/folder/of/yours",
        )
        return
    healing = "; {} files there, damaged or of another release, are made anew when needed"
    text = f"kept in {folder}{healing.format(damaged) if damaged else ''}"
    yield Finding(subject, "ok", text)


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
