"""Numbers that a user gives: checked, and made plain Python ones.

What NumPy gives in a number's place (np.float32(0.5), np.int64(3), an array without axes) is that
number: a Python float, int or bool is what files, comparisons and compiled kernels then see. Truth
values in a number's place, text, and numbers of other kinds are refused by the argument's name.
"""

import math
from dataclasses import dataclass

import numpy as np

MOST = float(np.finfo(np.float32).max)  # the kernels compute in float32
LEAST_NORMAL = 1.18e-38  # below it a GPU takes a number for 0
MOST_STEPS = 2**31 - 1  # the kernels count steps in an int32


@dataclass(frozen=True)
class Number:
    """A float that float32 can hold: low ≤ value ≤ high, above < value < below.

    note: what the number is, for the error. Number(low=0)("noise", noise) returns the float, or
    raises ValueError.
    """

    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    note: str = ""

    def __call__(self, name, value) -> float:
        if type(value) is float and self.holds(value):  # the quick way through
            return value
        plain = _plain(value)
        if isinstance(plain, bool) or not isinstance(plain, int | float):
            hint = f". Write float({name})" if _converts(plain) else ""
            raise ValueError(f"{name}: got {_shown(value)}; expected {self.expected(name)}{hint}")
        if not self.holds(plain):
            hint = ""
            if MOST < abs(plain) < math.inf:
                hint = f", and no more than float32 holds, {MOST:.2g}"
            raise ValueError(f"{name}: got {_shown(plain)}; expected {self.expected(name)}{hint}")
        return float(plain)

    def holds(self, value) -> bool:
        return (
            -MOST <= value <= MOST
            and (self.low is None or self.low <= value)
            and (self.high is None or value <= self.high)
            and (self.above is None or self.above < value)
            and (self.below is None or value < self.below)
        )

    def expected(self, name) -> str:
        """The bounds in words."""
        low, strict_low = self.low if self.above is None else self.above, self.above is not None
        high, strict_high = self.high if self.below is None else self.below, self.below is not None
        if low is not None and high is not None:
            text = f"{low} {'<' if strict_low else '≤'} {name} {'<' if strict_high else '≤'} {high}"
        elif low is None:
            text = "a finite number"
        else:
            text = (
                f"a finite number over {low}" if strict_low else f"a finite number, {low} or more"
            )
        return text + (f", {self.note}" if self.note else "")


def whole_number(name, value, least=1, most=None) -> int:
    """An integer, least ≤ value ≤ most."""
    plain = _plain(value)
    integer = isinstance(plain, int) and not isinstance(plain, bool)
    if not integer or plain < least or (most is not None and plain > most):
        too_many = integer and plain > least
        bounds = f"{least} … {most}" if too_many else f"{least} or more"
        whole = isinstance(plain, float) and plain.is_integer()
        hint = f". Write int({name})" if whole else ""
        raise ValueError(f"{name}: got {_shown(value)}; expected an integer, {bounds}{hint}")
    return int(plain)


def truth(name, value) -> bool:
    """True or False; 1 and 0 stand for them."""
    plain = _plain(value)
    if not isinstance(plain, int) or plain not in (0, 1):
        raise ValueError(f"{name}: got {_shown(value)}; expected True or False")
    return bool(plain)


NOT_NEGATIVE = Number(low=0)
KEPT = Number(low=0, below=1, note="the share that is kept")  # of a running mean


def optional(check):
    """A check that lets None through."""

    def checked(name, value):
        return None if value is None else check(name, value)

    return checked


def _plain(value):
    """The Python number that a NumPy scalar, or an array without axes, stands for."""
    if isinstance(value, np.generic) or (type(value) is np.ndarray and value.ndim == 0):
        plain = value.item()
        return float(plain) if isinstance(plain, np.floating) else plain  # of a long double
    return value


def _converts(value):
    """Whether float(value) is what a user may have meant: a Fraction, a tensor of one number."""
    return hasattr(value, "__float__") and not isinstance(value, bool | np.ndarray)


def _shown(value):
    """Its repr in one short line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:79] + "…"
