"""Trainings whose monitored values are written down beforehand."""

from dnn import callbacks
from tests.dnn.helpers import bits, samples, small_model

X, Y = samples()
VALIDATION = X[:50], Y[:50]


class Script(callbacks.Callback):
    """Puts values of its own into the logs, so that the callbacks after it see a known story."""

    def __init__(self, **values):
        self.values = values

    def on_epoch_end(self, epoch, logs):
        logs.update({name: values[epoch] for name, values in self.values.items()})


class Weights(callbacks.Callback):
    """The weights at the end of every epoch."""

    def __init__(self):
        self.of = []

    def on_epoch_end(self, epoch, logs):
        self.of.append(bits(self.model.get_weights()))


def story(callback, val_loss, *, epochs=None, name="val_loss", **options):
    """A model after a training whose monitored values are known: (model, weights by epoch)."""
    model, weights = small_model(**options), Weights()
    watchers = [Script(**{name: val_loss}), weights, callback]
    model.fit(X, Y, epochs=epochs or len(val_loss), verbose=0, callbacks=watchers)
    return model, weights.of
