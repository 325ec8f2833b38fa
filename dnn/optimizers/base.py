"""What every optimizer is: a dataclass of hyperparameters that updates a flat arena in place."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import kernels
from dnn import schedules
from dnn.checked import Checked
from kernels.numbers import LEAST_NORMAL, NOT_NEGATIVE, Number, optional, truth
from kernels.ops.clip_by_norm import LEAST, MOST

NORM = optional(Number(low=LEAST, high=MOST, note="or None for no clipping"))
EPSILON = Number(low=LEAST_NORMAL, note="lest 0 is divided by 0")
CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")
AVERAGE = "average"  # the state array that holds the average of the parameters


@dataclass
class Optimizer(Checked):
    """A subclass is a dataclass whose first field is learning_rate (a number or a Schedule).

    learning_rate may be set while a model trains; the new one counts from its next step. Every
    number is checked when it is given and when it is set; `checks` says how (dnn/checked.py).
    clipvalue: gradients are held between −clipvalue and clipvalue. clipnorm: the gradient of each
    parameter (a layer's weights, its bias) is scaled down to this norm where it is longer.
    global_clipnorm: likewise that of all parameters together. Each None (default) or a number over
    0, and one of them at most; names as in Keras. Clipping comes before everything else.
    use_ema: keep an exponential moving average of the parameters, default False: after each step
    average = ema_momentum · average + (1 − ema_momentum) · p, after the first one p; ema_momentum:
    default 0.99. When a `fit` ends, the average is what the model predicts with; a `fit` that goes
    on takes the parameters back first (Keras' goes on from the average). With
    callbacks.SwapEMAWeights each epoch's validation is of the average. What is no parameter, as a
    BatchNormalization's moving statistics, is not averaged. Source: Polyak and Juditsky,
    Acceleration of stochastic approximation by averaging, 1992; names and defaults are Keras'.

    slots: names of the state arrays, each float32 as long as the arena.
    update(p, g, state, step, rate): one step, in place; step counts from 1.
    fused_backward(place, step, rate): that step for a linear layer's parameters, "w" (I, O) and
    maybe "b" (O,), by their gradients, which are stored nowhere; their state is in place.slots. And
    to place.dx, unless it is None, the dz of the layer before; place: a dnn.place.Place.
    is_fused_faster(device, precision, B, I, O): whether fused_backward is less work than the
    gradients and `update` apart, x being (B, I) and w (I, O). Default False: there is none.
    recordable: as a layer's; class Own(Optimizer, recordable=True).
    """

    _: KW_ONLY
    clipnorm: float | None = None
    clipvalue: float | None = None
    global_clipnorm: float | None = None
    use_ema: bool = False
    ema_momentum: float = 0.99
    checks: ClassVar = {
        "clipnorm": NORM,
        "clipvalue": optional(Number(above=0, note="or None for no clipping")),
        "global_clipnorm": NORM,
        "use_ema": truth,
        "ema_momentum": Number(low=0, high=1, note="the share that is kept"),
        "weight_decay": NOT_NEGATIVE,  # every optimizer of the library has it
    }

    slots = ()

    def is_fused_faster(self, device: str, precision: str, B: int, I: int, O: int) -> bool:
        return False

    def __setattr__(self, name, value):
        if name == "learning_rate":
            schedule = schedules.get(value)
            given = isinstance(value, schedules.Schedule | dict)
            value = schedule if given else schedule.learning_rate
            super().__setattr__("schedule", schedule)
        if name in CLIPPING and value is not None:
            chosen = [each for each in CLIPPING if each == name or getattr(self, each) is not None]
            if len(chosen) > 1:
                names = ", ".join(chosen)
                raise ValueError(f"{names}: got values for each; expected one of them at most")
        super().__setattr__(name, value)

    def clipping(self) -> tuple[str | None, float | None]:
        """(name, limit) of how gradients are clipped, or (None, None)."""
        for name in CLIPPING:
            if (limit := getattr(self, name)) is not None:
                return name, limit
        return None, None

    def used_slots(self) -> tuple[str, ...]:
        """The state arrays these hyperparameters need."""
        return self.slots

    def initial(self, slot: str) -> float:
        """What a state array is filled with before the first step."""
        return 0.0

    def update(self, p: Any, g: Any, state: dict[str, Any], step: Any, rate: Any) -> None:
        raise TypeError(f"{type(self).__name__}: defines no update(p, g, state, step, rate)")

    def average(self, p: Any, state: dict[str, Any], step: Any) -> None:
        """After `update`: the average takes in p, where one is kept."""
        if self.use_ema:
            kernels.moving_average(state[AVERAGE], p, self.ema_momentum, step)
