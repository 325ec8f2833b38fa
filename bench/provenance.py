"""Where a figure comes from: device, versions, threads, commit."""

import contextlib
import os
import platform
import re
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from kernels import llvm

ROOT = Path(__file__).parents[1]


def cpu_count() -> int:
    """The CPUs this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def cpu_name() -> str:
    """The processor's own name and how many CPUs we have: "AMD EPYC, 2 CPUs"."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        match = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text("utf-8"), re.MULTILINE)
        name = match[1].strip() if match else name
    return f"{name}, {cpu_count()} CPUs"


SETS = ("avx512f", "avx2", "avx", "fma", "sse4.2", "sve", "neon")
FORCED_BY = (
    "NUMBA_CPU_NAME",
    "NUMBA_CPU_FEATURES",
    "NUMBA_ENABLE_AVX",
    "OPENBLAS_CORETYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "ONEDNN_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY",
    "XLA_FLAGS",
)
"""What narrows the instructions that a library uses: ours (Numba's), NumPy's, PyTorch's, JAX's."""


@cache
def instructions() -> dict:
    """The processor's instruction sets, those that our kernels are compiled for, and the settings
    of this process that force a library to fewer."""
    processor, ours = llvm.features(forced=False), llvm.features()
    return {
        "processor": [name for name in SETS if name in processor],
        "compiled_for": [name for name in SETS if name in ours],
        "forced": {name: os.environ[name] for name in FORCED_BY if name in os.environ},
    }


def device_name(provider) -> str:
    return cpu_name() if provider.device == "cpu" else provider.gpu().gpu_name()


def slug(name) -> str:
    """ "AMD EPYC, 2 CPUs" as "amd-epyc-2-cpus"."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def versions(provider) -> dict[str, str]:
    """Of Python and of everything that the provider's figures depend on."""
    on_gpu = provider.gpu().versions() if provider.device == "gpu" else {}
    return {"python": platform.python_version()} | provider.module.versions() | on_gpu


def installed(*packages) -> dict[str, str]:
    """{package: version} of those that are installed."""
    versions = {}
    for package in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return versions


@cache
def commit() -> str:
    """The commit of the checkout, with "-dirty" where tracked files differ from it."""
    command = ["git", "--no-optional-locks", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
