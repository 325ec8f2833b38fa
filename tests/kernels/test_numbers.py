"""Numbers that NumPy gives are taken as what they are; what only looks like one is refused."""

import decimal
import fractions
import math

import numpy as np
import pytest

from kernels.numbers import MOST, Number, truth, whole_number

SHARE = Number(low=0, below=1, note="a share")
HALVES = [0.5, np.float16(0.5), np.float32(0.5), np.float64(0.5), np.longdouble(0.5), np.array(0.5)]
THREES = [3, np.int8(3), np.uint64(3), np.array(3)]
NO_NUMBERS = [
    True, np.True_, "0.5", None, [0.5], np.array([0.5]), 0.5j, fractions.Fraction(1, 2),
    decimal.Decimal("0.5"), np.ma.masked, np.datetime64("2026-01-01"),
]  # fmt: skip


@pytest.mark.parametrize("value", HALVES, ids=repr)
def test_a_half(value):
    share = SHARE("rate", value)
    assert share == 0.5 and type(share) is float


@pytest.mark.parametrize("value", THREES, ids=repr)
def test_three(value):
    assert type(whole_number("n", value)) is int and whole_number("n", value) == 3
    assert type(Number()("n", value)) is float and Number()("n", value) == 3


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_no_number(value):
    for check in (SHARE, whole_number):
        with pytest.raises(ValueError, match=r"^rate: got .*; expected "):
            check("rate", value)


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (SHARE, -0.1, "x: got -0.1; expected 0 ≤ x < 1, a share"),
        (SHARE, 1, "x: got 1; expected 0 ≤ x < 1, a share"),
        (SHARE, np.float32(math.nan), "x: got nan; expected 0 ≤ x < 1, a share"),
        (
            SHARE,
            fractions.Fraction(1, 2),
            "x: got Fraction(1, 2); expected 0 ≤ x < 1, a share. Write float(x)",
        ),
        (Number(above=0), 0, "x: got 0; expected a finite number over 0"),
        (Number(low=0), math.inf, "x: got inf; expected a finite number, 0 or more"),
        (Number(), 10**400, "…; expected a finite number, and no more than float32 holds, 3.4e+38"),
        (Number(), -2 * MOST, "than float32 holds, 3.4e+38"),
        (whole_number, 0, "x: got 0; expected an integer, 1 or more"),
        (whole_number, 2.0, "x: got 2.0; expected an integer, 1 or more. Write int(x)"),
        (lambda name, value: whole_number(name, value, 1, 5), 6, "expected an integer, 1 … 5"),
        (truth, "False", "x: got 'False'; expected True or False"),
        (truth, 2, "x: got 2; expected True or False"),
        (SHARE, list(range(999)), "19, 20, 21, …; expected"),
    ],
)
def test_the_error_says(check, value, message):
    with pytest.raises(ValueError) as caught:
        check("x", value)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [True, 1, np.True_, np.int64(1)])
def test_true(value):
    assert truth("x", value) is True
