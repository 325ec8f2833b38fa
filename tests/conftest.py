"""Which variants a test runs over, and what is skipped: visibly, with its reason and its count.

A test module states OP = "linear"; its tests then run once for every value of an argument named

    variant          every file of the op, found by its place, on every device that it runs on
    cpu_variant, gpu_variant    those for the CPU; those for a GPU, emulated and real
    native_variant   those on devices that other libraries have too
    emulated_variant every file at every precision, on the emulated device
    every_precision  every file at every precision that it can be compiled for

GPU kernels run twice: on the emulated device always, and with the marker `gpu` on a card. A report
of the emulated device's checker fails the test that caused it.
"""

import collections
import gc
import os
import tempfile
import zlib

import pytest

from kernels.device import emulated
from kernels.device.errors import ToolchainMissingError
from tests import harness

collect_ignore = ["placed"]  # run by test_adding.py, in a copy of the tree
SKIPPED = pytest.StashKey()
EMULATED = pytest.StashKey()
CHECKS = pytest.StashKey()
COUNTS = SKIPPED, EMULATED, CHECKS
FOLDER = pytest.StashKey()


def on(*devices, **options):
    return lambda op: [v for v in harness.variants(op, **options) if v.device in devices]


CHOICES = {
    "variant": harness.variants,
    "cpu_variant": on("cpu"),
    "gpu_variant": on("emulated", "gpu"),
    "native_variant": on("cpu", "gpu"),
    "emulated_variant": on("emulated", every_precision=True),
    "every_precision": on(*harness.DEVICES, every_precision=True),
}
MARKS = {"cpu": (), "emulated": (pytest.mark.emulated,), "gpu": (pytest.mark.gpu,)}


def pytest_configure(config):
    for count in COUNTS:
        config.stash[count] = collections.Counter()
    gc.set_threshold(100_000, 50, 100)  # a third of collecting 12,000 tests was looking for garbage
    if getattr(config.option, "numprocesses", None):  # pytest -n 2
        # Neighbours share what they compile; a thread that spins would spin on another's core
        config.option.dist = "worksteal"
        os.environ.setdefault("GOMP_SPINCOUNT", "0")
        os.environ.setdefault("PYTHONHASHSEED", "0")  # sets in one order: the same tests in each
    if "DNN_KERNEL_CACHE" not in os.environ:  # kept only where the user says so
        config.stash[FOLDER] = folder = tempfile.TemporaryDirectory(prefix="dnn-tests-")
        os.environ["DNN_KERNEL_CACHE"] = folder.name  # shared by the processes of `pytest -n 2`


def pytest_unconfigure(config):
    if FOLDER in config.stash:
        del os.environ["DNN_KERNEL_CACHE"]
        config.stash[FOLDER].cleanup()


def pytest_sessionfinish(session):
    """A process of `pytest -n 2` hands its counts to the one that prints them."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["counts"] = [dict(session.config.stash[c]) for c in COUNTS]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    for count, of_worker in zip(
        COUNTS, getattr(node, "workeroutput", {}).get("counts", ()), strict=False
    ):
        node.config.stash[count].update(of_worker)


def pytest_generate_tests(metafunc):
    for name, choose in CHOICES.items():
        if name in metafunc.fixturenames and hasattr(metafunc.module, "OP"):
            chosen = [
                pytest.param(variant, id=str(variant), marks=MARKS[variant.device])
                for variant in choose(metafunc.module.OP)
            ]
            metafunc.parametrize(name, chosen)


def pytest_collection_finish(session):
    """The tests and their cases live to the end: the garbage collector passes them by."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    reason = ""
    if item.get_closest_marker("sweep") and "sweep" not in item.config.option.markexpr:
        reason = "a long sweep: pytest -m sweep"
    for device in ("emulated", "gpu"):
        if not reason and item.get_closest_marker(device):
            reason = harness.why_not(device)
    if not reason and hasattr(item, "callspec"):
        reason = getattr(item.callspec.params.get("variant"), "why_not", "")
    if reason:
        item.config.stash[SKIPPED][reason] += 1
        pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Every test has a schedule of its own, the same in every run."""
    with emulated.session(seed=zlib.crc32(item.nodeid.encode())) as session:
        try:
            return (yield)
        finally:
            item.config.stash[EMULATED]["launches"] += session.launches


def pytest_terminal_summary(terminalreporter, config):
    launches = config.stash[EMULATED]["launches"]
    for device, count in config.stash[CHECKS].items():
        terminalreporter.write_line(f"{count:,} cases of the battery held on {device}")
    if launches:
        terminalreporter.write_line(f"{launches:,} launches on the emulated device, all checked")
    for reason, count in config.stash[SKIPPED].items():
        terminalreporter.write_line(f"{count} tests skipped: {reason}", yellow=True)


@pytest.fixture
def checks(request):
    """checks(variant) counts a case that held, for the summary."""

    def count(variant):
        request.config.stash[CHECKS][variant.device] += 1

    return count


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
