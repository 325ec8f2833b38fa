"""What every optimizer is: a dataclass of hyperparameters that updates a flat arena in place."""

from dnn import schedules


class Optimizer:
    """A subclass is a dataclass whose first field is learning_rate (a number or a Schedule).

    slots: names of the state arrays, each float32 as long as the arena and zero at first.
    update(p, g, state, step, rate): one step, in place; step counts from 1.
    """

    slots = ()

    def __post_init__(self):
        self.schedule = schedules.get(self.learning_rate)
        if isinstance(self.learning_rate, dict):
            self.learning_rate = self.schedule

    def used_slots(self):
        """The state arrays these hyperparameters need."""
        return self.slots

    def update(self, p, g, state, step, rate):
        raise TypeError(f"{type(self).__name__}: defines no update(p, g, state, step, rate)")
