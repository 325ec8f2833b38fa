"""What callbacks that compare epochs share: a value, and what is better."""

import math

from kernels.arrays import one_of
from kernels.numbers import Number


class Monitor:
    """One value of an epoch's logs.

    name: "val_loss", "loss", "val_accuracy", …. mode: "min", "max", or "auto": "max" for a name
    that ends in accuracy, "min" for all else. min_delta: a change of less is no improvement.
    """

    def __init__(self, name, mode="auto", min_delta=0.0):
        one_of("mode", mode, ("auto", "min", "max"))
        min_delta = abs(Number()("min_delta", min_delta))
        if mode == "auto":
            mode = "max" if name.endswith("accuracy") else "min"
        self.name, self.mode, self.min_delta = name, mode, min_delta
        self.worst = math.inf if mode == "min" else -math.inf

    def value(self, logs) -> float:
        """The value in these logs. Raises ValueError, naming what they hold, if they lack it."""
        if self.name not in logs:
            hint = ""
            if self.name.startswith("val_"):
                hint = ". Pass validation_data or validation_split to fit"
            if self.name.endswith("accuracy"):
                hint += '. Pass metrics=["accuracy"] to compile'
            raise ValueError(f"monitor: got {self.name!r}; expected one of {sorted(logs)}{hint}")
        return logs[self.name]

    def better(self, value, than) -> bool:
        """Whether value is better by more than min_delta; NaN never is."""
        if self.mode == "min":
            return value < than - self.min_delta
        return value > than + self.min_delta
