"""What watches a training run, and may end it: one file each, Keras' names and defaults.

    model.fit(x, y, epochs=100, validation_split=0.1, callbacks=[
        callbacks.EarlyStopping(patience=5, restore_best_weights=True),
        callbacks.ModelCheckpoint("best.safetensors", save_best_only=True),
        callbacks.TerminateOnNaN(),
    ])

One of your own is a subclass with the events that it wants:

    class StopAt(callbacks.Callback):
        \"\"\"End the training once the validation accuracy is reached.\"\"\"

        def __init__(self, accuracy):
            self.accuracy = accuracy

        def on_epoch_end(self, epoch, logs):
            if logs["val_accuracy"] >= self.accuracy:
                self.model.stop_training = True

The events are those of `Callback`; they are called in the order of the list, and of the display and
the History behind it, as in Keras. Every class in a file of this folder is here by its name:
callbacks.EarlyStopping.
"""

from dnn.callbacks.base import Callback, CallbackList
from dnn.callbacks.display import line, progress
from dnn.callbacks.gradient_watch import TrainingWarning
from dnn.catalog import Catalog

catalog = Catalog("callback", __name__, Callback)
globals().update(catalog.classes)

__all__ = [
    "Callback",
    "CallbackList",
    "TrainingWarning",
    "line",
    "progress",
    *catalog.classes,
]
__getattr__ = catalog.unknown_attribute
