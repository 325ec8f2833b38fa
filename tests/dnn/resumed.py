"""The run that is stopped and goes on: its network, its data, and all that it depends on."""

from dnn import callbacks, layers, optimizers, schedules
from tests.dnn.helpers import samples, small_model

X, Y = samples()
X = X.reshape(-1, 3, 4)  # for the layers of images
EPOCHS, STEPS, BATCH, KEPT = 5, 6, 32, 162  # an epoch: 6 steps, of the 162 samples not held out
RATES = {
    "a number": 0.01,
    "Constant": schedules.Constant(0.01),
    "PiecewiseConstantDecay": schedules.PiecewiseConstantDecay([14], [0.01, 0.003]),
    "ExponentialDecay": schedules.ExponentialDecay(0.01, decay_rate=0.1),
    "CosineDecay": schedules.CosineDecay(0.0, warmup_target=0.01, warmup_steps=16),
    "OneCycle": schedules.OneCycle(0.01),
}
OPTIMIZERS = {name: (name, {}) for name in optimizers.catalog.classes} | {
    "SGD momentum": ("SGD", {"momentum": 0.9, "nesterov": True, "clipvalue": 0.1}),
    "Adam clipped": ("Adam", {"clipnorm": 0.1}),
    "Adam averaged": ("Adam", {"use_ema": True}),
    "Adagrad clipped": ("Adagrad", {"global_clipnorm": 0.1}),
    "RMSprop decay": ("RMSprop", {"weight_decay": 0.1}),
    "RMSprop centered": ("RMSprop", {"momentum": 0.9, "centered": True}),
}
MIDDLE = 15  # steps: two epochs and half of the third


def network(optimizer="Adam", rate="a number"):
    name, options = OPTIMIZERS[optimizer]
    stack = (
        layers.RandomTranslation(0.4, 0.3),
        layers.RandomFlip("horizontal"),
        layers.Dense(8, use_bias=False),
        layers.BatchNormalization(momentum=0.9, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(4),
    )
    return small_model(*stack, optimizer=getattr(optimizers, name)(RATES[rate], **options))


def fit(model, **options):
    history = model.fit(X, Y, BATCH, EPOCHS, 0, validation_split=0.2, **options).history
    return {name: values for name, values in history.items() if name != "seconds"}


class Stop(callbacks.Callback):
    """Stops after a step, as a crash would, with a file of it."""

    def __init__(self, step, path=None):
        self.step, self.path = step, path

    def on_train_batch_end(self, batch, logs):
        if self.model.steps_trained == self.step:
            self.model.stop_training = True
            if self.path:
                self.model.save(self.path)


def all_of(model, tmp_path):
    """What the rest of a run depends on: weights, statistics, optimizer state, numbers."""
    model.save(tmp_path / "all")
    return (tmp_path / "all").read_bytes()
