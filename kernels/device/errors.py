"""What can go wrong between a kernel's source and a launch, each in words a user can act on."""

import sys


class DeviceError(RuntimeError):
    """Base of the errors of this package."""


class ToolchainMissingError(DeviceError):
    """A compiler or linker wheel is not installed."""


class CompileError(DeviceError):
    """A kernel did not compile or link; the message holds the compiler's log."""


class NoGPUError(DeviceError):
    """There is no usable GPU; the message says which piece is missing and what to type."""


class EmulationError(DeviceError):
    """The emulated device found something wrong. reports: what the checker said, one each."""

    def __init__(self, message, reports=()):
        super().__init__(message)
        self.reports = list(reports)


def toolchain_missing(what, cause):
    if sys.platform == "darwin":
        return ToolchainMissingError(
            f"{what}: NVIDIA has no compilers for macOS, so no GPU kernel can be compiled here. "
            "Use device='cpu', or type in a Linux container: pip install -e '.[test]'"
        )
    return ToolchainMissingError(
        f"{what} is not installed ({cause}), so no GPU kernel can be compiled. "
        "Type: pip install -e '.[cuda13]' (or [cuda12] for a CUDA 12 driver); "
        "to compile without a GPU, pip install -e '.[test]'"
    )
