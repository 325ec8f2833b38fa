"""Which releases a run was made with."""

import platform
from importlib import metadata


def installed() -> dict[str, str]:
    """Of Python and of every package that has a hand in the numbers."""
    versions = {"python": platform.python_version()}
    for package in (
        "dense-kernels",
        "numpy",
        "numba",
        "numba-cuda",
        "cupy-cuda12x",
        "cupy-cuda13x",
    ):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
