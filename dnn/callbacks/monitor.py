"""What callbacks that compare epochs share: a value, and what is better."""

import math

from dnn import metrics
from kernels.arrays import one_of
from kernels.numbers import Number


class Monitor:
    """One value of an epoch's logs.

    name: "val_loss", "loss", "val_accuracy", …. mode: "min", "max", or "auto": what the metric of
    that name says is better, and "min" for all else. min_delta: a change of less is no improvement.
    """

    def __init__(self, name, mode="auto", min_delta=0.0):
        one_of("mode", mode, ("auto", "min", "max"))
        min_delta = abs(Number()("min_delta", min_delta))
        self.name, self.min_delta, self._auto = name, min_delta, mode == "auto"
        self.metric = name.removeprefix("val_")
        if mode == "auto":
            high = is_better_high(self.metric) or self.metric.endswith("accuracy")
            mode = "max" if high else "min"
        self._set(mode)

    def _set(self, mode):
        self.mode, self.worst = mode, math.inf if mode == "min" else -math.inf

    def begin(self, model):
        """Where mode is "auto", let the model's own metric of that name say what is better. Raises
        ValueError if it does not."""
        for metric in model.metrics if self._auto else ():
            if metric.name == self.metric:
                if metric.higher_is_better is None:
                    raise ValueError(
                        f"mode: got 'auto' for {self.name!r}, a metric of your own; expected 'min' "
                        "or 'max', for it does not say what is better"
                    )
                self._set("max" if metric.higher_is_better else "min")

    def value(self, logs) -> float:
        """The value in these logs. Raises ValueError, naming what they hold, if they lack it."""
        if self.name not in logs:
            hint = ""
            if self.name.startswith("val_"):
                hint = ". Pass validation_data or validation_split to fit"
            known = is_better_high(self.metric) is not None
            if known or self.metric.endswith("accuracy"):
                metric = self.metric if known else "accuracy"
                hint += f'. Pass metrics=["{metric}"] to compile'
            raise ValueError(f"monitor: got {self.name!r}; expected one of {sorted(logs)}{hint}")
        return logs[self.name]

    def better(self, value, than) -> bool:
        """Whether value is better by more than min_delta; NaN never is."""
        if self.mode == "min":
            return value < than - self.min_delta
        return value > than + self.min_delta


def is_better_high(name):
    """What the library's metric of that name says; None where there is none."""
    try:
        return metrics.get(name).higher_is_better
    except ValueError:
        return None
