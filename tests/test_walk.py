"""A batch walks straight through: bounds on what lies between `fit` and the arithmetic."""

import subprocess
import sys

import pytest

from tests import walk


def walked(name):
    """(files, changes, calls, depth), in a process of its own: what tests before this one have
    loaded, such as another device, is asked for too."""
    command = [sys.executable, "-m", "tests.walk", name]
    run = subprocess.run(command, capture_output=True, text=True, cwd=walk.ROOT, check=True)
    return map(int, run.stdout.split()[-4:])


def test_a_step_on_the_cpu():
    files, changes, calls, _ = walked("step")
    assert files <= 24 and changes <= 90 and calls <= 180


@pytest.mark.emulated
def test_linear_on_the_emulated_device():
    files, _, _, depth = walked("linear")
    assert files <= 12 and depth <= 6


def test_what_is_counted():
    """Calls of this file are none of the library's; a return is no change."""
    walked = walk.Walk()
    walked.begin()
    walk.kernels.activations.get("relu")
    walk._ours(None)
    walked.end()
    assert walked.calls[0] == ("kernels/activations/__init__.py", "get")
    assert not any(file.startswith("tests/") for file, _ in walked.calls)
    walked.calls = [("a", "f"), ("a", "g"), ("b", "f"), ("a", "f")]
    assert (walked.files, walked.changes) == (["a", "b"], 2)
