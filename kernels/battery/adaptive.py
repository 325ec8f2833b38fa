"""The battery of an optimizer that divides by the root of what it has gathered of g²: adagrad,
adadelta."""

import dataclasses
from collections.abc import Callable

import numpy as np

from kernels.battery.case import Case, Output
from kernels.battery.numbers import SQUARED, flat_layouts, flat_sizes


@dataclasses.dataclass(frozen=True)
class AdaptiveBattery:
    """op(p, g, …, lr, …) and its battery.

    arrays: the names of p, of g and of what is gathered, in the op's order. state(n): these arrays,
    float32 (n,), as after some steps. budget(given, lr, …): [(value, bound)] of all but g after a
    step, from [(value, bound)] of what was before it, with g as it is in its place. lr: of the
    cases that state none. options: of further ones, a dict of hyperparameters for each.
    """

    op: Callable
    arrays: str
    state: Callable
    budget: Callable
    lr: float
    options: tuple[dict, ...]

    def cases(self, long=False):
        """`long` adds every size up to 300."""
        case = self.case
        for n in flat_sizes(long):
            yield case(f"size {n}", n)
        for name, n, layout in flat_layouts(self.arrays):
            yield case(name, n, **layout)
            yield case(f"{name} decay", n, **layout, weight_decay=0.1)  # a loop of its own
        for options in self.options:
            yield case(f"options {options}", 257, **options)
            yield case(f"device rate {options}", 257, on_device=True, **options)
        for value in SQUARED:
            yield case(f"value {value}", 300, put=np.float32(value))
            yield case(f"first value {value}", 300, put=np.float32(value), first=True)

    def case(
        self,
        name,
        n,
        offset_bytes=0,
        put=None,
        first=False,
        most_blocks=None,
        on_device=False,
        lr=None,
        **options,
    ):
        """put: the gradient of one parameter. first: nothing is gathered before. on_device: lr lies
        there."""
        state = dict(zip(self.arrays, self.state(n), strict=True))
        lr = self.lr if lr is None else lr
        if put is not None:
            state["g"][n // 2] = put
        updated = [key for key in state if key != "g"]
        if first:
            for gathered in updated[1:]:
                state[gathered][:] = 0
        outputs = {key: Output((n,), start=state[key]) for key in updated}
        inputs = {"g": state["g"]} | ({"lr": np.array([lr], np.float32)} if on_device else {})

        def call(lr=lr, **given):
            self.op(lr=lr, **options, **given)

        def expected(precision=None):
            given = [a if key == "g" else (a.astype(float), 0.0) for key, a in state.items()]
            return dict(zip(updated, self.budget(given, lr, **options), strict=True))

        return Case(name, inputs, outputs, call, expected, offset_bytes, most_blocks)
