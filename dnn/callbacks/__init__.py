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
the History behind it, as in Keras. Each class of this folder's files has its line below.
"""

from dnn.callbacks.base import Callback, CallbackList
from dnn.callbacks.csv_logger import CSVLogger
from dnn.callbacks.display import Bar, Lines, line, progress
from dnn.callbacks.early_stopping import EarlyStopping
from dnn.callbacks.gradient_watch import GradientWatch, TrainingWarning
from dnn.callbacks.history import History
from dnn.callbacks.model_checkpoint import ModelCheckpoint
from dnn.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from dnn.callbacks.swap_ema_weights import SwapEMAWeights
from dnn.callbacks.tensorboard import TensorBoard
from dnn.callbacks.terminate_on_nan import TerminateOnNaN
from dnn.catalog import Catalog

catalog = Catalog("callback", __name__, Callback)

__all__ = [
    "Bar",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "GradientWatch",
    "History",
    "Lines",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
    "TrainingWarning",
    "line",
    "progress",
]
