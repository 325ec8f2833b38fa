"""Approximate instructions: they err as the ISA says, and no more."""

import numpy as np
import pytest

from tests.kernels.emulated.snippets import floats, launch, results

BOUNDS = {  # name: (exact, inputs, error as the ISA states it: (kind, size))
    "ex2.approx.ftz.f32": (np.exp2, (-100, 100), ("ulp", 2)),
    "lg2.approx.f32": (np.log2, (1e-30, 1e30), ("relative or absolute", 2.0**-22)),
    "rcp.approx.ftz.f32": (lambda x: 1 / x, (1e-20, 1e20), ("ulp", 1)),
    "rsqrt.approx.f32": (lambda x: 1 / np.sqrt(x), (1e-20, 1e20), ("relative", 2.0**-22.9)),
    "sqrt.approx.f32": (np.sqrt, (1e-20, 1e20), ("relative", 2.0**-23)),
    "sin.approx.f32": (np.sin, (-6, 6), ("absolute", 2.0**-20.5)),
    "cos.approx.f32": (np.cos, (-6, 6), ("absolute", 2.0**-20.5)),
    "tanh.approx.f32": (np.tanh, (-6, 6), ("relative", 2.0**-11)),
}


def error(kind, got, exact):
    difference = np.abs(got - exact)
    if kind == "absolute":
        return difference
    if kind == "ulp":
        return difference / np.spacing(np.abs(exact).astype(np.float32)).astype(float)
    return difference / np.abs(exact)


@pytest.mark.parametrize("perturb", [False, True])
@pytest.mark.parametrize("name", BOUNDS)
def test_approximations_err_as_documented(name, perturb):
    function, (low, high), (kind, bound) = BOUNDS[name]
    rng = np.random.default_rng(0)
    if low > 0:
        x = np.exp(rng.uniform(np.log(low), np.log(high), 512)).astype(np.float32)
    else:
        x = rng.uniform(low, high, 512).astype(np.float32)
    body = f"""mul.wide.u32 %d1, %tid, 4; add.s64 %in, %in, %d1; ld.global.f32 %f1, [%in];
               {name} %r1, %f1;"""
    got = floats(launch(body, threads=512, inputs=x.view(np.uint32), perturb=perturb))
    exact = function(x.astype(float))
    errors = error(kind, got.astype(float), exact)
    if kind == "relative or absolute":  # of lg2: absolute where the result is near zero
        near = (x > 0.5) & (x < 2)
        errors = np.where(near, error("absolute", got, exact), error("relative", got, exact))
    rounding = 0.5 if kind == "ulp" else 2.0**-24  # of the exact result to float32
    assert errors.max() <= bound + rounding
    assert (errors.max() > 1.5 * rounding) == perturb


SPECIAL = {
    "ex2.approx.f32 %r1, 0f00000000": 0x3F800000,
    "ex2.approx.f32 %r1, 0fFF800000": 0,
    "ex2.approx.ftz.f32 %r1, 0fC3000000": 0,
    "lg2.approx.f32 %r1, 0f3F800000": 0,
    "lg2.approx.f32 %r1, 0f00000000": 0xFF800000,
    "rcp.approx.f32 %r1, 0f80000000": 0xFF800000,
    "rcp.approx.ftz.f32 %r1, 0f7F800000": 0,
    "rsqrt.approx.f32 %r1, 0f00000000": 0x7F800000,
    "sin.approx.f32 %r1, 0f80000000": 0x80000000,
    "cos.approx.f32 %r1, 0f00000000": 0x3F800000,
    "tanh.approx.f32 %r1, 0f7F800000": 0x3F800000,
    "sqrt.approx.f32 %r1, 0f80000000": 0x80000000,
}


@pytest.mark.parametrize("perturb", [False, True])
def test_special_values_are_exact_even_when_perturbed(perturb):
    got = results(SPECIAL, perturb=perturb)
    assert got == {text: hex(wanted) for text, wanted in SPECIAL.items()}
