"""History: the values of every epoch, which `fit` returns."""

from dnn.callbacks.base import Callback


class History(Callback):
    """.history: {name: [value of each epoch]}; .epoch: [epoch numbers]."""

    def __init__(self):
        self.history, self.epoch = {}, []

    def on_epoch_end(self, epoch, logs):
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
