"""What every optimizer is: a dataclass of hyperparameters that updates a flat arena in place."""

from dataclasses import KW_ONLY, dataclass

from dnn import schedules


@dataclass
class Optimizer:
    """A subclass is a dataclass whose first field is learning_rate (a number or a Schedule).

    learning_rate may be set while a model trains; the new one counts from its next step.
    clipvalue: gradients are held between −clipvalue and clipvalue. clipnorm: the gradient of each
    parameter (a layer's weights, its bias) is scaled down to this norm where it is longer.
    global_clipnorm: likewise that of all parameters together. Each None (default) or a number over
    0, and one of them at most; names as in Keras. Clipping comes before everything else.

    slots: names of the state arrays, each float32 as long as the arena.
    update(p, g, state, step, rate): one step, in place; step counts from 1.
    """

    _: KW_ONLY
    clipnorm: float | None = None
    clipvalue: float | None = None
    global_clipnorm: float | None = None

    slots = ()

    def __post_init__(self):
        self.clipping()

    def __setattr__(self, name, value):
        if name == "learning_rate":
            schedule = schedules.get(value)
            value = schedule if isinstance(value, dict) else value
            super().__setattr__("schedule", schedule)
        super().__setattr__(name, value)

    def clipping(self):
        """(name, limit) of how gradients are clipped, or (None, None)."""
        chosen = [
            (name, getattr(self, name))
            for name in ("clipnorm", "clipvalue", "global_clipnorm")
            if getattr(self, name) is not None
        ]
        if len(chosen) > 1:
            names = ", ".join(name for name, _ in chosen)
            raise ValueError(f"{names}: got values for each; expected one of them at most")
        for name, limit in chosen:
            if not limit > 0:
                raise ValueError(f"{name}: got {limit}; expected a number over 0, or None")
        return chosen[0] if chosen else (None, None)

    def used_slots(self):
        """The state arrays these hyperparameters need."""
        return self.slots

    def initial(self, slot):
        """What a state array is filled with before the first step."""
        return 0.0

    def update(self, p, g, state, step, rate):
        raise TypeError(f"{type(self).__name__}: defines no update(p, g, state, step, rate)")
