"""The battery: an op's cases, run on a device and judged by the reference in float64.

The cases of an op are in kernels/ops/<op>/cases.py, found by their place; each runs between guards
and has a budget for its error, derived in budgets.py. The tests run the same cases.
"""

import functools

from kernels import dispatch
from kernels.arrays import one_of
from kernels.battery.case import Case
from kernels.battery.variants import DEVICES, Variant, variants, why_not
from kernels.device import DeviceError, EmulationError
from kernels.dispatch import ops
from kernels.text import say

__all__ = ["Case", "Variant", "cases", "cases_of", "check", "ops", "variants"]


class CheckFailed(AssertionError):
    """Cases that exceeded their budget, wrote where they must not, or were reported."""


@functools.cache
def cases(op, long=False, file=None) -> tuple[Case, ...]:
    """The battery of an op; `long` adds cases for a sweep. file: the variant's, which may have a
    battery of its own (dispatch.cases)."""
    battery = tuple(dispatch.cases(op, file).cases(long))
    names = [case.name for case in battery]
    assert len(set(names)) == len(names), "two cases of one name"
    return battery


def cases_of(variant, long=False) -> list[Case]:
    """Those of its op's battery that concern a variant."""
    return [case for case in cases(variant.op, long, variant.file) if case.concerns(variant)]


def check(
    op: str, device: str = "emulated", *, variant: str | None = None, long: bool = False
) -> dict[str, float]:
    """Run an op's battery on a device and print the share of the error budget that was used.

    op: "linear", "adam", … device: "emulated" (default: the GPU's kernels on the CPU, every access
    checked), "gpu" or "cpu". variant: a file of kernels.variants(op), or all of the device's.
    long: many more shapes and sizes. Settings of the emulated device (architecture, schedule,
    perturbed instructions) are those of the kernels.device.emulated.session around the call.
    Returns {variant: the largest error as a share of its budget}; the budget is a bound derived
    for each element, so a share over 1 is a failure. Raises CheckFailed after printing if any case
    failed, DeviceError if the device is not there.
    """
    one_of("op", op, ops())
    one_of("device", device, DEVICES)
    if missing := why_not(device):
        raise DeviceError(missing)
    if variant is not None:
        one_of("variant", variant, dispatch.files(op, device))
    chosen = [
        v
        for v in variants(op, every_precision=True, devices=(device,), special=True)
        if variant == v.file or (variant is None and not v.why_not)
    ]
    for refused in filter(None, (v.why_not for v in chosen)):
        raise DeviceError(refused)
    say(f"{op} on {device}")
    say(f"  {'variant':<24} {'cases':>6} {'failed':>7}   error / budget")
    shares, failures = {}, []
    for v in chosen:
        battery = cases_of(v, long)
        share, worst, failed = _run(v, battery)
        shares[str(v)] = share
        failures += failed
        name = str(v).removesuffix("-emulated")
        say(f"  {name:<24} {len(battery):>6} {len(failed):>7}   {share:.3f}  ({worst})")
    if failures:
        say("\n".join(failures[:10]))
        raise CheckFailed(
            f"{op} on {device}: {len(failures)} cases failed, the first of them above"
        )
    return shares


def _run(variant, battery):
    """(largest share of the budget, the case that used it, what failed)."""
    largest, worst, failed = 0.0, battery[0].name, []
    for case in battery:
        try:
            share = case.check(variant)
        except (AssertionError, EmulationError) as wrong:
            failed.append(f"{variant}: {case.name}: {wrong}")
            continue
        if share > largest:
            largest, worst = share, case.name
    return largest, worst, failed
