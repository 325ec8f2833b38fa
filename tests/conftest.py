"""Which variants a test runs over, and what is skipped: visibly, with its reason and its count.

A test module states OP = "linear"; its tests then run once for every value of an argument named

    variant          every file of the op, found by its place
    cpu_variant, gpu_variant    those of one device
    every_precision  every file at every precision that it can be compiled for
"""

import collections
import os

import pytest

from kernels.device.errors import ToolchainMissingError
from tests import harness

SKIPPED = pytest.StashKey()
CHOICES = {
    "variant": lambda op: harness.variants(op),
    "cpu_variant": lambda op: [v for v in harness.variants(op) if v.device == "cpu"],
    "gpu_variant": lambda op: [v for v in harness.variants(op) if v.device == "gpu"],
    "every_precision": lambda op: harness.variants(op, every_precision=True),
}


def pytest_configure(config):
    config.stash[SKIPPED] = collections.Counter()


def pytest_generate_tests(metafunc):
    for name, choose in CHOICES.items():
        if name in metafunc.fixturenames:
            marks = {"cpu": (), "gpu": (pytest.mark.gpu,)}
            chosen = [
                pytest.param(variant, id=str(variant), marks=marks[variant.device])
                for variant in choose(metafunc.module.OP)
            ]
            metafunc.parametrize(name, chosen)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    reason = ""
    if item.get_closest_marker("sweep") and "sweep" not in item.config.option.markexpr:
        reason = "a long sweep: pytest -m sweep"
    elif item.get_closest_marker("gpu"):
        reason = harness.why_not("gpu")
    if reason:
        item.config.stash[SKIPPED][reason] += 1
        pytest.skip(reason)


def pytest_terminal_summary(terminalreporter, config):
    for reason, count in config.stash[SKIPPED].items():
        terminalreporter.write_line(f"{count} tests skipped: {reason}", yellow=True)


@pytest.fixture(scope="session", autouse=True)
def kernel_cache(tmp_path_factory):
    """Compiled kernels are shared by the tests of a run, and kept only where the user says so."""
    if "DNN_KERNEL_CACHE" in os.environ:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DNN_KERNEL_CACHE", str(tmp_path_factory.mktemp("kernels")))
        yield


@pytest.fixture(scope="session")
def toolchain():
    """The compilers, which need no GPU; a test that asks for them is skipped where they are not."""
    try:
        from kernels.device import cuda_python, toolchain

        toolchain.versions()
        assert cuda_python
    except ToolchainMissingError as missing:
        pytest.skip(str(missing))
    return toolchain
