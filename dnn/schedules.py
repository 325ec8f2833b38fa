"""Learning-rate schedules: the rate of step 0, 1, 2, … of the optimizer.

An open schedule, one whose number of steps is None, spans each `fit` that begins anew, from its
first step to its last, and goes on where a run goes on that was stopped. (A second `fit` would
otherwise train at the rate that the first one ended with, about 0.) A closed one, whose number of
steps is given, counts all training since `compile`, as in Keras; `fit` warns where it is over.
"""

import bisect
import dataclasses
import functools
import math
import numbers
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from dnn.checked import Checked
from kernels.arrays import one_of
from kernels.names import nearest
from kernels.numbers import MOST, MOST_STEPS, Number, optional, truth, whole_number
from kernels.warning import warn

RATE = Number(low=0)
FACTOR = Number(above=0)
STEPS = optional(functools.partial(whole_number, most=MOST_STEPS))
SPENT = 1e-3  # a rate that is such a share of the highest trains nothing


def _each(check):
    """A check of every member of a list."""

    def checked(name, values):
        if isinstance(values, str) or not hasattr(values, "__len__"):
            raise ValueError(f"{name}: got {values!r}; expected a list of numbers")
        return [check(f"{name}[{i}]", value) for i, value in enumerate(values)]

    return checked


class Schedule(Checked):
    """Called with a step (0 for the first) returns the learning rate.

    spent_after: the number of steps after which the rate is what the schedule ends with, or nothing
    beside its highest; None (default) where there is no such number, or `fit` is to give it.
    open_field: the name of the field that holds the number of steps and may be None; None (default)
    where there is no such field. steps_before: how many steps come before these, default 0.
    """

    spent_after = None
    open_field = None
    steps_before = 0

    def spanning(self, steps: int) -> "Schedule":
        """This schedule, its open length set so that all of it takes `steps`."""
        if self.open_field is None or getattr(self, self.open_field) is not None:
            return self
        return dataclasses.replace(self, **{self.open_field: max(1, steps - self.steps_before)})

    def __call__(self, step: int) -> float:
        raise TypeError(f"{type(self).__name__}: defines no __call__(step)")


@dataclass
class Constant(Schedule):
    """The same rate for every step. Default 1e-3."""

    learning_rate: float = 1e-3
    checks: ClassVar = {"learning_rate": RATE}

    def __call__(self, step: int) -> float:
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
    checks: ClassVar = {
        "boundaries": _each(functools.partial(whole_number, least=0)),
        "values": _each(RATE),
    }

    def __post_init__(self):
        if sorted(set(self.boundaries)) != self.boundaries:
            raise ValueError(f"boundaries: got {self.boundaries}; expected ascending numbers")
        self._require_as_many()

    def _require_as_many(self):
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"values: got {len(self.values)}; expected {len(self.boundaries) + 1}, one more "
                "than there are boundaries"
            )

    def __call__(self, step: int) -> float:
        self._require_as_many()  # either may have been set since
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
    checks: ClassVar = {
        "initial_learning_rate": RATE,
        "decay_steps": STEPS,
        "decay_rate": FACTOR,
        "staircase": truth,
    }
    open_field = "decay_steps"

    @property
    def spent_after(self) -> int | None:
        if self.decay_steps is None or self.decay_rate >= 1:
            return None
        return self.decay_steps * math.ceil(math.log(SPENT) / math.log(self.decay_rate))

    def __call__(self, step: int) -> float:
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
    checks: ClassVar = {
        "initial_learning_rate": RATE,
        "decay_steps": STEPS,
        "alpha": Number(low=0, high=1, note="the share of the rate that is left"),
        "warmup_target": optional(RATE),
        "warmup_steps": functools.partial(whole_number, least=0, most=MOST_STEPS),
    }
    open_field = "decay_steps"

    @property
    def steps_before(self) -> int:
        """How many steps the rate rises for."""
        return 0 if self.warmup_target is None else self.warmup_steps

    @property
    def spent_after(self) -> int | None:
        return None if self.decay_steps is None else self.steps_before + self.decay_steps

    def __call__(self, step: int) -> float:
        start, warmed = self.initial_learning_rate, self.steps_before
        top = start if self.warmup_target is None else self.warmup_target
        if step < warmed:
            return start + (top - start) * step / warmed
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
    checks: ClassVar = {
        "max_learning_rate": RATE,
        "total_steps": STEPS,
        "pct_start": Number(low=0, high=1, note="the share of the steps in which the rate rises"),
        "div_factor": Number(low=1, note="what the highest rate is divided by"),
        "final_div_factor": FACTOR,
    }
    open_field = "total_steps"

    def __post_init__(self):
        first = self.max_learning_rate / self.div_factor
        RATE("max_learning_rate / div_factor / final_div_factor", first / self.final_div_factor)

    @property
    def spent_after(self) -> int | None:
        return self.total_steps

    def __call__(self, step: int) -> float:
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


def get(rate: float | Schedule | dict[str, Any]) -> Schedule:
    """A Schedule for a number, a configuration or a Schedule."""
    if isinstance(rate, Schedule):
        return rate
    if isinstance(rate, dict):
        classes = {cls.__name__: cls for cls in Schedule.__subclasses__()}
        fields = dict(rate)
        name = one_of("schedule", fields.pop("class", None), tuple(classes))
        return classes[name](**fields)
    if _is_number(rate):
        return Constant(rate)
    near = isinstance(rate, str) and nearest(rate, [c.__name__ for c in Schedule.__subclasses__()])
    raise TypeError(
        f"learning_rate: got {repr(rate) if isinstance(rate, str) else type(rate).__name__}; "
        "expected a number or a dnn.schedules.Schedule" + (f": schedules.{near}(…)" if near else "")
    )


def _is_number(value):
    if type(value) is np.ndarray:
        return value.ndim == 0 and value.dtype.kind in "iuf"
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def placed(schedule: Schedule, start: int, steps: int) -> Callable[[int], float]:
    """A schedule as it is used, of steps since compile: an open one spans `steps` from `start`."""
    spanning = schedule.spanning(steps)
    return spanning if spanning is schedule or not start else _From(spanning, start)


class _From:
    def __init__(self, schedule, start):
        self.schedule, self.start = schedule, start

    def __call__(self, step):
        return self.schedule(step - self.start)


def rates(schedule: Callable[[int], float], steps: Iterable[int]) -> list[float]:
    """The rates of these steps. Raises ValueError for one that is none: schedules of a user's own
    may say anything, and a growing one leaves what float32 holds."""
    of_steps = []
    for step in steps:
        try:
            rate = schedule(step)
        except OverflowError:
            rate = math.inf
        if type(rate) is not float or not 0 <= rate <= MOST:
            name = type(getattr(schedule, "schedule", schedule)).__name__
            rate = RATE(f"learning_rate, by {name} in step {step}", rate)
        of_steps.append(rate)
    return of_steps


def begin(model: Any, n: int, batch_size: int, initial_epoch: int, epochs: int) -> None:
    """`fit` is about to train on n samples, from initial_epoch on until there are `epochs`.

    An open schedule spans its steps, unless it goes on with a run that was stopped: one with steps
    left, which initial_epoch says, or whose first epoch was left in its middle. Warns where a
    schedule is over before the training is, and refuses more steps than the kernels can count.
    """
    batches = math.ceil(n / batch_size)
    state = model.training_state
    begun = state.begun(n)
    steps = batches * max(0, epochs - initial_epoch)
    steps -= math.ceil(begun / batch_size) if steps else 0  # of an epoch that goes on
    taken = state.steps_trained
    if taken + steps > MOST_STEPS:
        raise ValueError(
            f"epochs: got {epochs} of {batches} steps each; expected {MOST_STEPS:,} steps at most, "
            f"with the {taken:,} taken since compile, for the kernels count them in an int32. Give "
            "fewer epochs or a larger batch_size, or compile anew"
        )
    if not steps:
        return
    done = taken - state.schedule_start
    goes_on = 0 < done < state.schedule_steps and (initial_epoch or (begun and done < batches))
    if not goes_on:
        state.schedule_start, state.schedule_steps = taken, steps
    _warn_of_an_end(model, steps)


def _warn_of_an_end(model, steps):
    """Where the schedule is over before these steps are: a rate of 0 trains nothing."""
    rule, taken = model.optimizer.schedule, model.steps_trained
    schedule = rule.spanning(model.schedule_steps)
    taken -= model.schedule_start if schedule is not rule else 0
    end = schedule.spent_after
    if schedule is not rule and taken + steps <= model.schedule_steps:
        return  # as it was meant
    if end is None or taken + steps <= end:
        return
    left, highest = schedule(end), max(schedule(end * i // 100) for i in range(101))
    if left > 1.01 * SPENT * highest:
        return
    name, over = type(rule).__name__, taken + steps - max(taken, end)
    remedy = f"Leave {rule.open_field} out, and it spans each `fit`; or compile anew"
    if schedule is not rule:
        remedy = "Without initial_epoch `fit` begins anew, and so does it"
    warn(
        f"{name}: {over:,} of the {steps:,} steps of this `fit` come after its end, step {end:,}, "
        f"and train at a rate of {left:.2g}. {remedy}"
    )
