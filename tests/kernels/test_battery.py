"""The whole battery of every op, over every variant, precision and device."""

import numpy as np
import pytest

from kernels.battery import cases_of, ops, variants
from kernels.device import emulated
from tests import harness
from tests.conftest import MARKS

SCHEDULES = [("in order", 0), ("reverse", 0), ("random", 1), ("random", 2), ("random", 3)]
PARTS = [f"part {i}" for i in range(8)]


def families(variant):
    return list(dict.fromkeys(case.family for case in cases_of(variant)))


def every_third_family_of_narrow(variant):
    """How far apart the families of the default run are: what differs between precisions is the
    rounding of operands, which any family shows."""
    return 3 if variant.precision in ("tf32", "bfloat16", "float16") else 1


def every(n):
    return lambda variant: n


EVERY_ONE = every(1)


def each(*devices, families=families, special=True, in_turn=EVERY_ONE):
    """One test for every op, variant and family of cases; all are a sweep's, the default run has
    every `in_turn(variant)`th one."""
    options = {"every_precision": True, "devices": devices, "special": special}
    all_families = [
        (f"{op}-{variant}-{family}", variant, family)
        for op in ops()
        for variant in variants(op, **options)
        for family in families(variant)
    ]
    chosen = []
    for i, (name, variant, family) in enumerate(all_families):
        apart = in_turn(variant)
        of_a_sweep = (pytest.mark.sweep,) if (i + i // apart) % apart else ()
        marks = [*MARKS[variant.device], *of_a_sweep]
        chosen.append(pytest.param(variant, family, id=name, marks=marks))
    return pytest.mark.parametrize(("variant", "family"), chosen)


def of_family(variant, family):
    return [case for case in cases_of(variant) if case.family == family]


@each(*harness.DEVICES, in_turn=every_third_family_of_narrow)
def test_within_the_budget(variant, family, checks):
    for case in of_family(variant, family):
        assert case.check(variant) <= 1
        checks(variant)


@each("emulated", in_turn=every(17))
def test_one_bit_pattern_under_every_schedule(variant, family):
    battery = of_family(variant, family)
    for case in battery[:: -(-len(battery) // 2)]:
        results = []
        for schedule, seed in SCHEDULES:
            with emulated.session(schedule=schedule, seed=seed):
                results.append(case.run(variant))
        for other in results[1:]:
            for name, array in results[0].items():
                harness.same_bits(other[name], array)


@each("emulated", in_turn=every(9))
def test_approximate_instructions_may_err_as_documented(variant, family):
    """Moved within their documented error, they leave no result outside its budget."""
    for seed, case in enumerate(of_family(variant, family)[::4]):
        with emulated.session(perturb=True, seed=seed):
            assert case.check(variant) <= 1


@each("emulated", families=lambda _: ["sm_80", "sm_100"], special=False, in_turn=every(13))
def test_other_architectures(variant, family):
    """What is compiled for another card is other PTX."""
    for case in of_family(variant, families(variant)[0])[:6]:
        with emulated.session(arch=family):
            assert case.check(variant) <= 1


@pytest.mark.sweep
@each(*harness.DEVICES, families=lambda variant: PARTS)
def test_long(variant, family):
    """Made when they are run: collecting them would take 18 s and 2 GB of every run."""
    for case in cases_of(variant, long=True)[PARTS.index(family) :: len(PARTS)]:
        assert case.check(variant) <= 1


def test_every_remainder_occurs():
    """Of each size of a product modulo each tile."""
    from kernels.battery.numbers import residue_shapes
    from kernels.battery.variants import tiles

    for axis in np.array(residue_shapes("linear", long=True)).T:
        for tile in tiles("linear"):
            assert set(axis % tile) == set(range(tile))


def test_at_least_two_thousand_checks_of_gpu_kernels():
    counts = [
        len(cases_of(variant))
        for op in ops()
        for variant in variants(op, every_precision=True, devices=("emulated",), special=True)
    ]
    assert sum(counts) >= 2000
