"""kernels.check: an op's battery for users, and what it says of an op that is wrong."""

import re

import numpy as np
import pytest

import kernels
from kernels.battery import CheckFailed, cases, ops
from kernels.device import DeviceError
from tests import harness


@pytest.mark.parametrize("device", ["cpu", pytest.param("emulated", marks=pytest.mark.emulated)])
def test_the_budget_that_was_used(device, capsys):
    shares = kernels.check("adam", device=device)
    files = ["cpu.py"] if device == "cpu" else ["gpu.cu-emulated", "gpu.py-emulated"]
    assert list(shares) == files and all(0 < share <= 1 for share in shares.values())
    out = capsys.readouterr().out
    assert out.startswith(f"adam on {device}\n")
    for name, share in shares.items():
        name = name.removesuffix("-emulated")
        assert re.search(rf"{name} +{len(cases('adam'))} +0 +{share:.3f}", out)


def test_one_variant():
    assert list(kernels.check("sgd", "cpu", variant="cpu.py")) == ["cpu.py"]
    with pytest.raises(ValueError, match=r"variant: got 'gpu\.py'; expected one of 'cpu\.py'"):
        kernels.check("sgd", "cpu", variant="gpu.py")


def test_a_wrong_op_is_found(monkeypatch, capsys):
    right = kernels.sgd

    def wrong(p, g, *rest, **options):
        right(p, g, *rest, **options)
        p[-1:] *= np.float32(1 + 1e-5)

    monkeypatch.setattr(kernels, "sgd", wrong)
    with pytest.raises(CheckFailed, match=r"^sgd on cpu: \d+ cases failed"):
        kernels.check("sgd", "cpu")
    assert "elements out of bounds, first" in capsys.readouterr().out


def test_unknown_op_and_device():
    with pytest.raises(ValueError, match=r"^op: got 'lineer'; .* Did you mean 'linear'\?"):
        kernels.check("lineer")
    with pytest.raises(ValueError, match=r"^device: got 'emulator'; .* Did you mean 'emulated'\?"):
        kernels.check("linear", "emulator")
    if harness.why_not("gpu"):
        with pytest.raises(DeviceError, match=r"^no CUDA GPU"):
            kernels.check("linear", "gpu")


@pytest.mark.sweep  # makes all of the long ones: 18 s and 2 GB
@pytest.mark.parametrize("op", ops())
def test_the_long_battery_holds_the_short_one(op):
    short, long = ({case.name for case in cases(op, long)} for long in (False, True))
    assert short < long
