"""A training step as a graph: the same bits as eagerly, and nothing frozen that may change."""

from dataclasses import dataclass

import numpy as np
import pytest

from dnn import callbacks, execution, losses, optimizers
from tests.dnn.helpers import bits, samples, small_model


def trained(monkeypatch, captured, **options):
    monkeypatch.setattr(execution, "CAPTURED", ("cpu",) if captured else ())
    model = small_model(optimizer=options.pop("optimizer", "adam"))
    history = model.fit(*samples(), verbose=0, **({"epochs": 3} | options)).history
    del history["seconds"]
    return bits(model.get_weights()), history


@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.Adam(2**-7),
        optimizers.Adam(2**-7, clipvalue=0.01),
        optimizers.AdamW(2**-7, clipnorm=0.1),
        optimizers.SGD(2**-4, 0.5, True),
        optimizers.SGD(2**-4, weight_decay=2**-5, global_clipnorm=0.1),
        optimizers.Adagrad(2**-4),
        optimizers.RMSprop(2**-7),
        optimizers.RMSprop(2**-7, momentum=0.5, centered=True, weight_decay=2**-5),
        optimizers.Adadelta(),
    ],
    ids=str,
)
@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_the_same_bits_as_eagerly(optimizer, batch_size, monkeypatch):
    """With ragged last batches; the rates are exact in float32, as which a graph is given them."""
    options = {"optimizer": optimizer, "batch_size": batch_size}
    assert trained(monkeypatch, True, **options) == trained(monkeypatch, False, **options)


class Rougher(callbacks.Callback):
    """Changes a hyperparameter in the middle of an epoch."""

    def on_train_batch_end(self, batch, logs):
        self.model.optimizer.epsilon *= 2


def test_a_changed_hyperparameter_counts_from_the_next_step_on(monkeypatch):
    def run(captured, watchers):
        rates = {"optimizer": optimizers.Adam(2**-7), "callbacks": watchers}
        return trained(monkeypatch, captured, batch_size=16, **rates)

    assert run(True, [Rougher()]) == run(False, [Rougher()])
    assert run(True, [Rougher()]) != run(True, [])


@dataclass
class Squared(losses.Loss):
    """A user's own loss, in NumPy."""

    from_logits = True

    def prepare(self, y, units):
        return np.asarray(y, np.float32)

    def __call__(self, z, targets, scale, loss, dz, hit):
        error = z[:, 0] - targets
        loss[:], hit[:] = error**2, 0
        if dz is not None:
            dz[:], dz[:, 0] = 0, 2 * scale * error


def test_a_loss_in_numpy_is_run_at_every_step():
    model = small_model()
    model.compile(optimizers.Adam(0.01), Squared())
    x, _ = samples()
    found = model.fit(x, x[:, 0], epochs=30, batch_size=16, verbose=0).history["loss"]
    assert found[-1] < 0.1 * found[0]
