"""Same seed, same run, bit for bit; and what the seed decides: weights, orders, held-out rows."""

from dataclasses import dataclass, field

import numpy as np
import pytest

import kernels
from dnn import Sequential, layers, losses, optimizers
from kernels import reference
from tests.dnn.helpers import bits, samples, small_model

N = 23


def run(seed=0, **options):
    """(weights as bytes, history without the times) of three epochs."""
    model = small_model(seed=seed)
    history = model.fit(*samples(), epochs=3, verbose=0, **options).history
    del history["seconds"]
    return bits(model.get_weights()), history


def test_the_same_seed_gives_the_same_bits():
    assert run(5, validation_split=0.2) == run(5, validation_split=0.2)


def test_another_seed_gives_another_run():
    (weights, history), (other_weights, other_history) = run(0), run(1)
    assert weights != other_weights
    assert history["loss"] != other_history["loss"]


@pytest.mark.parametrize("watching", [{"validation_data": samples(50)}, {"verbose": 2}])
def test_watching_changes_nothing(watching, capsys):
    model = small_model()
    model.fit(*samples(), epochs=3, **({"verbose": 0} | watching))
    assert bits(model.get_weights()) == run()[0]


def test_two_fits_are_one_long_fit():
    """The order of samples, the optimizer's moments and step go on where the first fit ended."""
    together, apart = small_model(), small_model()
    together.fit(*samples(), epochs=3, verbose=0)
    apart.fit(*samples(), epochs=1, verbose=0)
    apart.fit(*samples(), epochs=3, initial_epoch=1, verbose=0)
    assert bits(apart.get_weights()) == bits(together.get_weights())


def test_compiling_anew_forgets_the_optimizer():
    """Its moments and step; the weights stay."""
    model, fresh = small_model(), small_model()
    model.fit(*samples(), verbose=0)
    fresh.build(12)
    fresh.set_weights(model.get_weights())
    fresh.epochs_trained = 1
    model.compile("adam", model.loss, metrics=["accuracy"])
    for each in (model, fresh):
        each.fit(*samples(), verbose=0)
    assert bits(model.get_weights()) == bits(fresh.get_weights())


# The order of samples: every sample is its own number, and the loss writes down what it is given


@dataclass
class Recorder(losses.Loss):
    """Takes (x, target) of each batch down; its gradient is 0, so that x stays x."""

    from_logits = True
    seen: list = field(default_factory=list)

    def prepare(self, y, units):
        return np.asarray(y, np.int32)

    def __call__(self, z, targets, scale, loss, dz, hit):
        self.seen.append((z[:, 0].astype(int).tolist(), targets.tolist()))
        loss[:], hit[:] = 0, 0
        if dz is not None:
            dz[:] = 0


def orders(seed=0, fits=(1,), batch_size=5, **options):
    """The sample numbers in the order of each epoch, for so many epochs in each fit."""
    layer = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model, loss = Sequential([layer], seed=seed, device="cpu"), Recorder()
    model.compile(optimizers.SGD(), loss)
    numbers = np.arange(N)
    for epochs in fits:
        model.fit(numbers[:, None], numbers, batch_size, epochs, verbose=0, **options)
    assert all(x == targets for x, targets in loss.seen), "samples met the targets of others"
    flat = [number for x, _ in loss.seen for number in x]
    return [flat[start : start + N] for start in range(0, len(flat), N)]


def test_every_epoch_sees_each_sample_once():
    for order in orders(fits=(4,)):
        assert sorted(order) == list(range(N))


def test_the_order_is_that_of_the_reference():
    expected = [reference.order(N, kernels.shuffle_key(7, epoch)).tolist() for epoch in range(3)]
    assert orders(seed=7, fits=(3,)) == expected


def test_every_epoch_has_a_new_order():
    """Within one fit and over several."""
    of_epochs = orders(fits=(2, 2))
    assert len({tuple(order) for order in of_epochs}) == 4
    assert of_epochs == orders(fits=(4,))


def test_another_seed_gives_other_orders():
    assert orders(seed=0) != orders(seed=1)


def test_the_batch_size_does_not_change_the_order():
    assert orders(batch_size=5) == orders(batch_size=N) == orders(batch_size=1)


def test_without_shuffle_the_order_is_that_of_the_data():
    assert orders(fits=(2,), shuffle=False) == [list(range(N))] * 2


def test_the_loss_of_an_epoch_is_the_mean_over_its_samples():
    """At a learning rate of 0 it is what evaluate finds, in whatever order and batches."""
    x, y = samples()
    model = small_model(optimizer=optimizers.SGD(0.0))
    history = model.fit(x, y, batch_size=32, epochs=3, verbose=0).history
    loss, accuracy = model.evaluate(x, y)
    assert history["loss"] == pytest.approx([loss] * 3, rel=1e-6)  # float32, summed in float64
    assert history["accuracy"] == [accuracy] * 3
