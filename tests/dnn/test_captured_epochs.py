"""Epochs of captured steps on a GPU, emulated or real: the bits of eager ones, and little for the
host to do, however many batches an epoch has; what it does is counted on the emulated device."""

import collections

import numpy as np
import pytest

from dnn import Sequential, callbacks, layers, load_model, losses, optimizers, schedules
from kernels.device import graph, launching
from kernels.device.emulated import memory
from kernels.ops.linear import tiles
from tests.dnn.helpers import LOGITS, bits, samples

DEVICES = [pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("emulated", "gpu")]
X, Y = samples(n=17)
WIDE = np.random.default_rng(0).integers(0, 256, (17, 784), dtype=np.uint8)
IMAGES = np.random.default_rng(0).integers(0, 256, (17, 4, 4), dtype=np.uint8)
ONE_HOT = np.eye(4, dtype=np.float32)[Y]
BATCH = 5  # four steps an epoch, the last of 2 samples


def dense():
    return [layers.Dense(8, activation="relu"), layers.Dense(4)]


def wide():
    """784 inputs, so that products are split along K: they need a workspace, the graph's own."""
    return [layers.Dense(32, activation="relu"), layers.Dense(4)]


def normalised():
    return [
        layers.Dense(8, use_bias=False),
        layers.BatchNormalization(activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(4),
    ]


def augmented():
    return [layers.RandomFlip(), layers.RandomTranslation(0.3, 0.3), *dense()]


CASES = {  # {name: (layers, optimizer, loss, x, y, options of fit)}
    "sgd, in order": (dense, optimizers.SGD(0.1, 0.5, True), LOGITS, X, Y, {"shuffle": False}),
    "clipped, averaged, scheduled": (
        normalised,
        optimizers.AdamW(schedules.OneCycle(0.02), global_clipnorm=0.1, use_ema=True),
        LOGITS, X, Y, {"class_weight": {0: 0.3, 2: 3.0}},
    ),
    "augmented": (
        augmented, optimizers.RMSprop(schedules.CosineDecay(0.01), clipnorm=0.1), LOGITS,
        IMAGES, Y, {"sample_weight": np.arange(17.0)},
    ),
    "split products": (wide, optimizers.Adam(0.01), LOGITS, WIDE, Y, {}),
    "adagrad": (dense, optimizers.Adagrad(0.1), LOGITS, X, Y, {}),
    "adadelta": (dense, optimizers.Adadelta(), LOGITS, X, Y, {}),
    "numbers": (
        dense, optimizers.Adam(0.01, clipvalue=0.01), losses.MeanSquaredError(), X, ONE_HOT, {},
    ),
}  # fmt: skip


def compiled(case, device="emulated", **options):
    """(a model, x, y, options of fit)"""
    stack, optimizer, loss, x, y, of_fit = CASES[case]
    model = Sequential(stack(), seed=1, device=device)
    model.compile(optimizer, loss, **options)
    return model, x, y, of_fit


def trained(case, **options):
    """(weights, losses) after two epochs."""
    model, x, y, of_fit = compiled(case, **options)
    history = model.fit(x, y, BATCH, 2, 0, **of_fit).history
    return bits(model.get_weights()), history["loss"]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("device", DEVICES)
def test_the_same_bits_as_eagerly(device, case):
    eager = trained(case, device=device, run_eagerly=True)
    for steps in ("auto", 1, 3):
        assert trained(case, device=device, steps_per_execution=steps) == eager


@pytest.mark.emulated
def test_a_run_that_stops_within_an_epoch_goes_on_there(tmp_path):
    """After the second of four steps: what is left is recorded as a graph of two."""
    case = "clipped, averaged, scheduled"

    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            self.model.stop_training = True

    model, x, y, of_fit = compiled(case, steps_per_execution=2)
    model.fit(x, y, BATCH, 2, 0, callbacks=Stop(), **of_fit)
    assert model.samples_trained == 2 * BATCH
    model.save(tmp_path / "model")
    back = load_model(tmp_path / "model", device="emulated")
    back.steps_per_execution = "auto"
    back.fit(x, y, BATCH, 2, 0, **of_fit)
    assert bits(back.get_weights()) == trained(case, run_eagerly=True)[0]


@pytest.mark.emulated
def test_a_layers_number_that_changes_between_epochs():
    """A graph holds BatchNormalization's momentum; one that holds another is recorded anew."""

    class Change(callbacks.Callback):
        def on_epoch_end(self, epoch, logs):
            self.model.layers[1].momentum = 0.5

    weights = []
    for eagerly, watchers in ((False, [Change()]), (True, [Change()]), (False, [])):
        model, x, y, of_fit = compiled("clipped, averaged, scheduled", run_eagerly=eagerly)
        model.fit(x, y, BATCH, 2, 0, callbacks=watchers, **of_fit)
        weights.append(bits(model.get_weights()))
    assert weights[0] == weights[1] != weights[2]


class HostWork(callbacks.Callback):
    """.of_epochs: how often in each epoch the host has read from the device, written to it, made
    an array there, launched a kernel, replayed a graph, and recorded one."""

    def __init__(self, monkeypatch):
        self.of_epochs, self.calls = [], collections.Counter()
        for name, owner, function in (
            ("reads", memory.EmulatedArray, "get"),
            ("writes", memory.EmulatedArray, "__setitem__"),
            ("allocations", memory._Allocation, "__init__"),
            ("launches", launching, "_door"),
            ("replays", graph.Graph, "replay"),
            ("captures", graph.Graph, "__init__"),
        ):
            self._count(monkeypatch, name, owner, function, getattr(owner, function))

    def _count(self, monkeypatch, name, owner, function, run):
        def counted(*arguments):
            self.calls[name] += 1
            return run(*arguments)

        monkeypatch.setattr(owner, function, counted)

    def on_epoch_begin(self, epoch, logs):
        self.calls = collections.Counter()

    def on_epoch_end(self, epoch, logs):
        self.of_epochs.append(dict(self.calls))


def test_products_are_split():
    _, splits = tiles.choose(BATCH, 32, 784)
    assert splits > 1


@pytest.mark.emulated
@pytest.mark.parametrize(
    ("case", "batch_size"),
    [*(("clipped, averaged, scheduled", size) for size in (17, 5, 1)), ("split products", BATCH)],
)
def test_what_an_epoch_asks_of_the_host(case, batch_size, monkeypatch):
    """The same for 1, 4 and 17 steps. The labels are put in order by one launch; a replay takes
    them and the numbers of the steps, and gives losses and hits; one read ends the epoch."""
    model, x, y, _ = compiled(case)
    watcher = HostWork(monkeypatch)
    model.fit(x, y, batch_size, 3, 0, callbacks=watcher)
    first, *others = watcher.of_epochs
    assert first["captures"] == 1
    assert others == 2 * [{"reads": 1, "writes": 4, "launches": 1, "replays": 1}]
