"""Where a model's training stands: one object that is saved and restored whole.

`fit` and its steps move it on, a learning-rate finder puts one aside, and a model's file holds one.
"""

from dataclasses import dataclass
from typing import Any

from kernels.arrays import one_of
from kernels.numbers import MOST_STEPS, whole_number

SINCE_COMPILE = ("steps_trained", "epochs_trained", "schedule_steps")  # in every file, in its order
WITHIN = ("samples_trained", "epoch_samples")  # likewise, but 0 in files of older versions
LATER = ("schedule_start",)  # written where it is not 0


@dataclass
class TrainingState:
    """steps_trained: since compile. epochs_trained: whole ones. samples_trained: of an epoch left
    in its middle, and epoch_samples, of all of it. of_epoch: arrays of what its samples gave, as
    far as it went (PerSample.every), or None. schedule_start, schedule_steps: of the `fit` that
    open schedules span. averaged: whether the optimizer's average stands in place of the
    parameters.
    """

    steps_trained: int = 0
    epochs_trained: int = 0
    samples_trained: int = 0
    epoch_samples: int = 0
    of_epoch: list[Any] | None = None
    schedule_start: int = 0
    schedule_steps: int = 0
    averaged: bool = False

    def restart(self):
        """The steps are counted anew."""
        self.steps_trained = self.samples_trained = self.schedule_start = 0

    def begun(self, n):
        """How many samples of an epoch of n were trained on before it was left."""
        return self.samples_trained if self.epoch_samples == n else 0

    def described(self):
        """The numbers, as a file holds them."""
        always = {name: getattr(self, name) for name in SINCE_COMPILE + WITHIN}
        other = {name: getattr(self, name) for name in (*LATER, "averaged")}
        return always | {name: value for name, value in other.items() if value}

    @classmethod
    def of_file(cls, described):
        """The inverse, after every check. Raises KeyError, TypeError and ValueError."""
        described = dict.fromkeys(WITHIN + LATER, 0) | described
        counts = SINCE_COMPILE + LATER
        values = {name: whole_number(name, described[name], 0, MOST_STEPS) for name in counts}
        values |= {name: whole_number(name, described[name], 0, 2**63 - 1) for name in WITHIN}
        if values["schedule_start"] > values["steps_trained"]:
            raise ValueError(
                f"schedule_start: got {values['schedule_start']}; expected steps_trained, "
                f"{values['steps_trained']}, or less"
            )
        if values["samples_trained"] >= max(1, values["epoch_samples"]):
            raise ValueError(
                f"samples_trained: got {values['samples_trained']}; expected less than "
                f"epoch_samples, {values['epoch_samples']}, or 0"
            )
        averaged = one_of("averaged", described.get("averaged", False), (True, False))
        return cls(**values, averaged=averaged)


def of_training_state(name):
    """A property of a model that is one of its training state's."""
    return property(
        lambda model: getattr(model.training_state, name),
        lambda model, value: setattr(model.training_state, name, value),
    )
