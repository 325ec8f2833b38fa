"""A copy of a model is a model: it trains on to the bits of the original and shares nothing with
it, however and whenever it was made."""

import concurrent.futures
import copy
import io
import math
import multiprocessing
import pickle

import numpy as np
import pytest

from dnn import Sequential, callbacks, layers, losses, optimizers, schedules
from kernels import activations
from tests.dnn.helpers import LOGITS, bits, samples, small_model

X, Y = samples()


def soft(z):
    return z / (1 + abs(z))


def soft_derivative(y):
    return (1 - abs(y)) * (1 - abs(y))


SOFT = activations.Activation("soft", soft, soft_derivative)


def by_joblib(model):
    joblib = pytest.importorskip("joblib")
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


WAYS = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "protocol 2": lambda model: pickle.loads(pickle.dumps(model, 2)),
    "joblib": by_joblib,
}


def network(**options):
    return small_model(
        layers.Rescaling(0.5, offset=0.1),
        layers.Dense(8, use_bias=False),
        layers.BatchNormalization(momentum=0.9, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(4),
        optimizer=optimizers.RMSprop(
            schedules.OneCycle(0.01), momentum=0.9, clipnorm=0.5, use_ema=True, ema_momentum=0.9
        ),
        **options,
    )


def fit(model, epochs=3, **options):
    return model.fit(X, Y, 32, epochs, 0, initial_epoch=model.epochs_trained, **options)


def arrays_of(model):
    views = (model.parameters, model.states, model.gradients)
    of_layers = [a for of in views for layer in of for a in layer.values()]
    return [*of_layers, *model.optimizer_state.values()]


def all_of(model):
    return bits(arrays_of(model)), model.steps_trained, model.epochs_trained, model.averaged


def trained_alike(model, twin):
    """Both go on, the copy first; their values and everything else is the same."""
    assert all_of(twin) == all_of(model)
    shared = [np.may_share_memory(a, b) for a in arrays_of(twin) for b in arrays_of(model)]
    assert not any(shared)
    before = all_of(model)
    of_twin = fit(twin, callbacks=callbacks.GradientWatch(1)).history  # reads the gradients
    assert all_of(model) == before != all_of(twin)
    expected = fit(model).history
    for history in (of_twin, expected):
        del history["seconds"]
    assert of_twin == expected and all_of(twin) == all_of(model)
    assert bits([twin.predict(X)]) == bits([model.predict(X)])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("run_eagerly", [False, True])
def test_a_copy_learns_as_the_original_does(way, run_eagerly):
    model = network(run_eagerly=run_eagerly)
    fit(model, 1)
    trained_alike(model, WAYS[way](model))


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_made_in_the_middle_of_an_epoch(way):
    """By a callback: it goes on at the next batch, as the original does."""
    made = {}

    class Copy(callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            if self.model.steps_trained == 10:
                made["twin"] = WAYS[way](self.model)
                self.model.stop_training = True

    model = network()
    fit(model, callbacks=Copy())
    twin = made["twin"]
    assert twin.samples_trained == 3 * 32 and twin.running is None and not twin.fitting
    model.use_average(False)  # which fit put there as it ended
    trained_alike(model, twin)


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_of_what_is_not_trained_yet(way):
    for model in (Sequential([layers.Dense(3)]), network(), Sequential([layers.Input(3)])):
        twin = WAYS[way](model)
        assert not twin.built and [type(a) for a in twin.layers] == [type(a) for a in model.layers]
    model = network()
    model.build(12)
    trained_alike(model, WAYS[way](model))
    model = Sequential([layers.Dense(3)])
    model.build(4)  # and is not compiled
    twin = WAYS[way](model)
    twin.compile("sgd", LOGITS)
    twin.fit(X[:, :4], Y % 3, verbose=0)
    assert bits(twin.get_weights()) != bits(model.get_weights())


def test_a_copy_lies_on_whole_cache_lines():
    twin = pickle.loads(pickle.dumps(small_model_trained()))
    for array in arrays_of(twin):
        assert array.ctypes.data % 64 == 0 and array.flags.writeable


def small_model_trained():
    model = small_model()
    fit(model, 1)
    return model


@pytest.mark.emulated
@pytest.mark.parametrize("way", WAYS)
def test_a_copy_on_the_emulated_device(way):
    """What it views is its own arena, of that device."""
    model = Sequential([layers.Input(12), layers.Dense(4)], device="emulated")
    model.compile("adam", LOGITS)
    model.build()
    twin = WAYS[way](model)
    assert bits(twin.get_weights()) == bits(model.get_weights())
    assert bits([twin.optimizer_state["m"].get()]) == bits([np.zeros(twin.layout.size, "f")])
    twin.arena.fill(3)
    assert {float(a.max()) for a in twin.get_weights()} == {3.0}
    assert float(max(a.max() for a in model.get_weights())) < 3


def test_a_model_goes_to_another_process_and_comes_back_trained():
    """By spawn: nothing is inherited."""
    model, own = small_model(), small_model(layers.Dense(8, activation=SOFT), layers.Dense(4))
    model.build(12)
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        twin, back = pool.map(_trained, (model, own), (3, 0))
    assert bits(_trained(model, 3).get_weights()) == bits(twin.get_weights())
    assert back.layers[0].function is SOFT


def _trained(model, epochs):
    if epochs:
        fit(model, epochs)
    return model


# What a model is made of


def test_activations_are_carried_by_name():
    for name in activations.names():
        member = activations.get(name)
        assert pickle.loads(pickle.dumps(member)) is member is copy.deepcopy(member)
    assert pickle.loads(pickle.dumps(SOFT)) is SOFT is copy.deepcopy(SOFT)


def test_an_activation_of_lambdas():
    """Copies hold it; pickle says what is missing."""
    own = activations.Activation("own", lambda z: z * math.exp(z), lambda z: z, reads="z")
    model = small_model(layers.Dense(8, activation=own), layers.Dense(4))
    assert copy.deepcopy(model).layers[0].function is own
    with pytest.raises(pickle.PicklingError, match=r"Activation 'own': its forward is .*<lambda>"):
        pickle.dumps(model)
    cloudpickle = pytest.importorskip("cloudpickle")
    there = pickle.loads(cloudpickle.dumps(model))
    assert there.layers[0].function.forward(1.0) == math.e


MEMBERS = [
    optimizers.Adam(schedules.CosineDecay(0.1), clipnorm=1.0),
    optimizers.SGD(0.5, momentum=0.9),
    losses.SparseCategoricalCrossentropy(from_logits=True),
    losses.MeanSquaredError(),
    losses.get("mean_absolute_error"),
    schedules.PiecewiseConstantDecay([3], [0.1, 0.01]),
    layers.Rescaling(2.0, offset=1.0),
    layers.BatchNormalization(activation="tanh"),
    layers.RandomFlip("horizontal"),
]


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: type(member).__name__)
@pytest.mark.parametrize("way", WAYS)
def test_members(way, member):
    twin = WAYS[way](member)
    assert twin == member and twin is not member
    assert getattr(twin, "function", None) is getattr(member, "function", None)
    if isinstance(member, optimizers.Optimizer):
        assert twin.schedule == member.schedule
        twin.learning_rate = 0.25
        assert twin.schedule(0) == 0.25 and member.schedule != twin.schedule


@pytest.mark.parametrize("way", WAYS)
def test_a_history_is_its_values(way, tmp_path, monkeypatch):
    """Not the model with them; that of a copied model is of the copy."""
    monkeypatch.setattr("sys.stdout", io.StringIO())
    model = network()
    model.build(12)
    watchers = [
        callbacks.EarlyStopping("loss", restore_best_weights=True),
        callbacks.CSVLogger(tmp_path / "log.csv"),
        callbacks.GradientWatch(),
        callbacks.ModelCheckpoint(tmp_path / "m"),
    ]
    history = model.fit(X, Y, verbose=1, callbacks=watchers)
    twin = WAYS[way](history)
    assert twin.history == history.history and twin.epoch == history.epoch
    assert twin.model is None and history.model is model
    assert len(pickle.dumps(history)) < 1000
    for watcher in watchers:
        assert vars(WAYS[way](watcher)).keys() == vars(watcher).keys()
    other = WAYS[way](model)
    assert other.history.model is other and other.history.history == history.history
