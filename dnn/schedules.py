"""Learning-rate schedules: the rate of step 0, 1, 2, … of the optimizer.

A schedule whose number of steps is None spans the whole of the `fit` that first uses it.
"""

import bisect
import dataclasses
import math
import numbers
from dataclasses import dataclass


class Schedule:
    """Called with a step (0 for the first) returns the learning rate."""

    def __post_init__(self):
        for name, value in vars(self).items():
            for number in value if isinstance(value, list) else [value]:
                if number is not None and not (number >= 0 and math.isfinite(number)):
                    raise ValueError(f"{name}: got {number}; expected a finite number, 0 or more")

    def spanning(self, steps):
        """This schedule, its open length set to `steps`."""
        return self

    def __call__(self, step):
        raise TypeError(f"{type(self).__name__}: defines no __call__(step)")


@dataclass
class Constant(Schedule):
    """The same rate for every step. Default 1e-3."""

    learning_rate: float = 1e-3

    def __call__(self, step):
        return self.learning_rate


@dataclass
class PiecewiseConstantDecay(Schedule):
    """Steps: values[0] up to and with step boundaries[0], then values[1] up to and with
    boundaries[1], …, and the last of the values from there on, as in Keras. (PyTorch's MultiStepLR
    changes one step earlier, at its milestones.)

    boundaries: ascending step numbers; values: one more than there are boundaries.
    """

    boundaries: list[int]
    values: list[float]

    def __post_init__(self):
        self.boundaries, self.values = list(self.boundaries), list(self.values)
        super().__post_init__()
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"values: got {len(self.values)}; expected {len(self.boundaries) + 1}, one more "
                "than there are boundaries"
            )
        if sorted(set(self.boundaries)) != self.boundaries:
            raise ValueError(f"boundaries: got {self.boundaries}; expected ascending numbers")

    def __call__(self, step):
        return self.values[bisect.bisect_left(self.boundaries, step)]


@dataclass
class ExponentialDecay(Schedule):
    """initial_learning_rate · decay_rate^(step / decay_steps), as in Keras.

    staircase: whole powers only, so that the rate falls every decay_steps steps (PyTorch's StepLR;
    with decay_steps of 1 its ExponentialLR). Default False. decay_steps: default None, the whole of
    `fit`, which then ends at initial_learning_rate · decay_rate. decay_rate: default 0.96.
    """

    initial_learning_rate: float = 1e-3
    decay_steps: int | None = None
    decay_rate: float = 0.96
    staircase: bool = False

    def __post_init__(self):
        super().__post_init__()
        if self.decay_steps == 0:
            raise ValueError("decay_steps: got 0; expected 1 or more, or None")

    def spanning(self, steps):
        if self.decay_steps is not None:
            return self
        return dataclasses.replace(self, decay_steps=max(1, steps))

    def __call__(self, step):
        done = step / _known(self, self.decay_steps)
        power = math.floor(done) if self.staircase else done
        return self.initial_learning_rate * self.decay_rate**power


@dataclass
class CosineDecay(Schedule):
    """From initial_learning_rate along half a cosine to alpha · initial_learning_rate.

    With warmup_steps the rate first rises linearly from initial_learning_rate to warmup_target,
    and decays from there (Keras' CosineDecay). decay_steps: after the warm-up; default None, what
    is left of `fit`.
    Source: Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017.
    """

    initial_learning_rate: float = 1e-3
    decay_steps: int | None = None
    alpha: float = 0.0
    warmup_target: float | None = None
    warmup_steps: int = 0

    def spanning(self, steps):
        if self.decay_steps is not None:
            return self
        warmed = 0 if self.warmup_target is None else self.warmup_steps
        left = max(1, steps - warmed)
        return CosineDecay(
            self.initial_learning_rate, left, self.alpha, self.warmup_target, self.warmup_steps
        )

    def __call__(self, step):
        start = self.initial_learning_rate
        top = start if self.warmup_target is None else self.warmup_target
        if self.warmup_target is not None and step < self.warmup_steps:
            return start + (top - start) * step / self.warmup_steps
        warmed = self.warmup_steps if self.warmup_target is not None else 0
        done = min(1.0, (step - warmed) / _known(self, self.decay_steps))
        return top * ((1 - self.alpha) * 0.5 * (1 + math.cos(math.pi * done)) + self.alpha)


@dataclass
class OneCycle(Schedule):
    """Up and down once: from max_learning_rate / div_factor along half a cosine to
    max_learning_rate in the first pct_start of the steps, then along half a cosine to the first
    rate / final_div_factor. Defaults as in PyTorch's OneCycleLR.

    total_steps: default None, the whole of `fit`.
    Source: Smith and Topin, Super-convergence, 2018.
    """

    max_learning_rate: float = 1e-3
    total_steps: int | None = None
    pct_start: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4

    def spanning(self, steps):
        if self.total_steps is not None:
            return self
        return OneCycle(
            self.max_learning_rate, steps, self.pct_start, self.div_factor, self.final_div_factor
        )

    def __call__(self, step):
        first = self.max_learning_rate / self.div_factor
        last = first / self.final_div_factor
        end = _known(self, self.total_steps) - 1
        top = self.pct_start * (end + 1) - 1
        if step <= top:
            return _cosine(first, self.max_learning_rate, step / top if top else 1.0)
        return _cosine(self.max_learning_rate, last, min(1.0, (step - top) / max(end - top, 1e-9)))


def _cosine(start, end, share):
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


def _known(schedule, steps):
    if steps is None:
        raise ValueError(
            f"{type(schedule).__name__}: its number of steps is None, which `fit` sets; "
            "to call it by itself, give the number"
        )
    return steps


def get(rate):
    """A Schedule for a number, a configuration or a Schedule."""
    if isinstance(rate, numbers.Real) and not isinstance(rate, bool):
        return Constant(float(rate))
    if isinstance(rate, dict):
        classes = {cls.__name__: cls for cls in Schedule.__subclasses__()}
        fields = dict(rate)
        return classes[fields.pop("class")](**fields)
    if isinstance(rate, Schedule):
        return rate
    raise TypeError(
        f"learning_rate: got {type(rate).__name__}; expected a number or a dnn.schedules.Schedule"
    )
