"""signum: its arguments, and its battery."""

import numpy as np
import pytest

import kernels
from tests.kernels.argument_checks import ArgumentChecks

OP = "signum"


class TestArguments(ArgumentChecks):
    in_place = ("p", "u")

    @staticmethod
    def inputs():
        p, g, u = np.random.default_rng(0).standard_normal((3, 30), np.float32)
        return {"p": p, "g": g, "u": u}

    @staticmethod
    def call(p, g, u, **options):
        return kernels.signum(p, g, u, **options)


@pytest.mark.parametrize("device", ["cpu", pytest.param("emulated", marks=pytest.mark.emulated)])
def test_the_battery(device):
    """(tests/kernels/test_battery.py knows it too.)"""
    assert all(share <= 1 for share in kernels.check("signum", device=device).values())
