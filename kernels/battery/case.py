"""One case of an op's battery: a call on given numbers, and what must come of it."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from kernels.battery.guards import Guarded
from kernels.battery.variants import get, put
from kernels.device import held_to


@dataclasses.dataclass(frozen=True)
class Output:
    """An array that a case writes to; start: its values before, where it is updated in place."""

    shape: tuple
    dtype: type = np.float32
    start: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Case:
    """A call of an op.

    name: unique within the op; its first word names the family that it belongs to.
    inputs: {name: NumPy array}. outputs: {name: Output}.
    call(**inputs, **outputs, **options): runs the op; options choose the variant.
    expected(precision): {output: (value, bound)} in float64; a bound of 0 asks for every bit.
    offset_bytes: how far past a multiple of 16 bytes every array begins, or {name: bytes} for some.
    most_blocks: of the launch, see kernels.device.held_to; None leaves them.
    concerns(variant): whether it says anything new of that variant.
    """

    name: str
    inputs: Mapping[str, np.ndarray]
    outputs: Mapping[str, Output]
    call: Callable
    expected: Callable
    offset_bytes: int | Mapping[str, int] = 0
    most_blocks: int | None = None
    concerns: Callable = lambda variant: True

    def __str__(self):
        return self.name

    @property
    def family(self) -> str:
        return self.name.partition(" ")[0]

    def run(self, variant) -> dict[str, np.ndarray]:
        """What the variant writes, between guards: {output: NumPy array}."""
        inputs = {
            name: Guarded(variant.device, a.shape, a.dtype, a, self._offset(name)).array
            if self.offset_bytes
            else put(a, variant.device)
            for name, a in self.inputs.items()
        }
        outputs = {
            name: Guarded(variant.device, o.shape, o.dtype, o.start, self._offset(name))
            for name, o in self.outputs.items()
        }
        arrays = inputs | {name: output.array for name, output in outputs.items()}
        with held_to(self.most_blocks):
            self.call(**arrays, **variant.options)
        return {name: output.read() for name, output in outputs.items()}

    def _offset(self, name):
        if isinstance(self.offset_bytes, Mapping):
            return self.offset_bytes.get(name, 0)
        return self.offset_bytes

    def judge(self, got, precision=None) -> float:
        """The largest error as a share of its budget; AssertionError where one is exceeded."""
        share = 0.0
        for name, (value, bound) in self.expected(precision).items():
            try:
                check_special(got[name], value, bound)
            except AssertionError as wrong:
                raise AssertionError(f"{self.name}: {name}: {wrong}") from None
            share = max(share, used(got[name], value, bound))
        return share

    def check(self, variant) -> float:
        """Run and judge; returns the share of the budget that was used."""
        return self.judge(self.run(variant), variant.precision)


def check(got, want, bound):
    """Every element within its bound; NaN never is."""
    got = get(got)
    assert got.shape == np.shape(want), f"got shape {got.shape}; expected {np.shape(want)}"
    with np.errstate(invalid="ignore"):
        error = abs(got.astype(np.float64) - want)
    bound = np.broadcast_to(bound, got.shape)
    wrong = np.argwhere(~(error <= bound))
    if wrong.size:
        at = tuple(wrong[0])
        raise AssertionError(
            f"{len(wrong)} of {got.size} elements out of bounds, first {list(map(int, at))}: "
            f"got {got[at]!r}; expected {want[at]!r} ± {bound[at]:.3g}"
        )


def check_special(got, want, bound):
    """NaN exactly where expected, infinities likewise, everything else within its bound."""
    got = get(got)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want), "NaN at other places")
    infinite = np.isinf(want)
    np.testing.assert_array_equal(np.where(np.isinf(got), got, 0), np.where(infinite, want, 0))
    finite = np.isfinite(want)
    check(got[finite], want[finite], np.broadcast_to(bound, got.shape)[finite])


def used(got, want, bound) -> float:
    """The largest error as a share of its bound, over finite elements that may err at all."""
    want, bound = np.asarray(want, np.float64), np.broadcast_to(bound, np.shape(want))
    judged = np.isfinite(want) & (bound > 0)
    if not judged.any():
        return 0.0
    return float((abs(get(got)[judged] - want[judged]) / bound[judged]).max())
