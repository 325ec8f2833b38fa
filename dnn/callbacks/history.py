"""History: the values of every epoch, which `fit` returns."""

from dnn.callbacks.base import Callback
from dnn.callbacks.display import number


class History(Callback, reads_gradients=False):
    """.history: {name: [value of each epoch]}; .epoch: [epoch numbers]."""

    def __init__(self):
        self.history, self.epoch = {}, []

    def __repr__(self):
        n = len(self.epoch)
        last = ", ".join(f"{name} {number(v[-1])}" for name, v in self.history.items() if v)
        about = f", the last with {last}" if last else ""
        return f"<History of {n} epoch{'' if n == 1 else 's'}{about}>"

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
