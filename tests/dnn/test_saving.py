"""Model files: what is saved comes back, bit for bit."""

import os
import pathlib
import stat
import warnings

import numpy as np
import pytest

import kernels
from dnn import Sequential, initializers, layers, load_model, losses, optimizers, schedules
from dnn.loading import ModelFileError
from tests.dnn.helpers import LOGITS, bits, samples, small_model, trained_model
from tests.kernels.mish import mish

X, Y = samples()


def reloaded(model, tmp_path, **options):
    model.save(tmp_path / "model.safetensors")
    return load_model(tmp_path / "model.safetensors", device="cpu", **options)


def test_weights_and_predictions(tmp_path):
    model = trained_model()
    restored = reloaded(model, tmp_path)
    assert bits(restored.get_weights()) == bits(model.get_weights())
    assert bits([restored.predict(X)]) == bits([model.predict(X)])
    assert restored.evaluate(X, Y) == model.evaluate(X, Y)


def test_numbers_that_are_hard_to_keep(tmp_path):
    """−0, denormals, infinities and NaN with its payload."""
    model = small_model(layers.Dense(2, use_bias=False))
    model.build(3)
    words = np.array([0x80000000, 1, 0x7F800000, 0xFF800000, 0x7FC12345, 0x00800000], np.uint32)
    model.set_weights([words.view(np.float32).reshape(3, 2)])
    assert bits(reloaded(model, tmp_path).get_weights()) == words.tobytes()


STACK = [
    layers.Input((3, 4)),
    layers.Flatten(),
    layers.Dense(6, "tanh", False, "he_normal"),
    layers.Activation("leaky_relu"),
    layers.Dense(4, "softmax", True, initializers.RandomNormal(0.1, 0.2), initializers.Ones()),
]


@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.Adam(),
        optimizers.Adam(1e-4, 0.8, 0.99, 1e-6),
        optimizers.SGD(0.5, momentum=0.9, nesterov=True),
        optimizers.SGD(np.float32(0.5), momentum=np.float64(0.25)),
        optimizers.Adam(schedules.Constant(0.25)),
        optimizers.Adam(schedules.OneCycle(0.1, None, 0.2)),
        optimizers.SGD(schedules.CosineDecay(0.1, 70, 0.01, 0.2, 5)),
        optimizers.SGD(schedules.PiecewiseConstantDecay([5, 9], (0.1, 0.2, 0.3)), clipnorm=1),
        optimizers.AdamW(schedules.ExponentialDecay(0.1, 70, 0.5, True), 0.01, clipvalue=0.5),
        optimizers.RMSprop(0.1, 0.8, 0.5, 1e-5, True, 0.01, global_clipnorm=np.float32(2)),
        optimizers.Adagrad(0.1, 0.25, 1e-5, 0.01),
        optimizers.Adadelta(0.1, 0.8, 1e-5, 0.01),
    ],
    ids=str,
)
@pytest.mark.parametrize("loss", [losses.SparseCategoricalCrossentropy(), LOGITS])
def test_architecture_and_compilation(optimizer, loss, tmp_path):
    model = Sequential(STACK, seed=2**63 - 1, device="cpu")
    with pytest.warns(UserWarning, match="precision: 'bfloat16' is for a GPU's products; on the"):
        model.compile(optimizer, loss, ["accuracy"], precision="bfloat16")
    model.class_names = ["a", "ä", "猫", "\U0001f600"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        restored = reloaded(model, tmp_path)
    assert restored.layers == model.layers
    assert restored.optimizer == model.optimizer
    assert restored.optimizer.schedule == model.optimizer.schedule
    assert restored.loss == model.loss
    assert restored.precision == "bfloat16"
    for name in ("metrics", "seed", "input_shape", "units", "class_names"):
        assert getattr(restored, name) == getattr(model, name)


def test_what_was_loaded_trains_as_what_was_saved(tmp_path):
    """Before its first step; test_resuming.py has what comes later."""
    model = small_model(optimizer=optimizers.Adam(schedules.OneCycle(0.1)))
    model.build(12)
    restored = reloaded(model, tmp_path)
    for each in (model, restored):
        each.fit(X, Y, epochs=2, verbose=0)
    assert bits(restored.get_weights()) == bits(model.get_weights())


def test_a_model_that_was_never_compiled(tmp_path):
    model = Sequential([layers.Input(3), layers.Dense(2)], device="cpu")
    restored = reloaded(model, tmp_path)
    assert restored.optimizer is None and restored.loss is None
    assert bits(restored.get_weights()) == bits(model.get_weights())


def test_a_model_without_parameters(tmp_path):
    model = Sequential([layers.Input(3), layers.Activation("tanh")], device="cpu")
    restored = reloaded(model, tmp_path)
    assert restored.predict([[0, 0, 1]]).tolist() == model.predict([[0, 0, 1]]).tolist()


# A user's own activation


@pytest.mark.parametrize("layer", [layers.Dense(8, activation=mish), layers.Activation(mish)])
def test_own_activations_come_back_by_name(layer, tmp_path):
    model = small_model(layer, layers.Dense(4))
    model.fit(X, Y, verbose=0)
    restored = reloaded(model, tmp_path, custom_activations=[mish])
    assert bits([restored.predict(X)]) == bits([model.predict(X)])
    message = r"model.safetensors: uses the activation 'mish', .* Pass custom_activations="
    with pytest.raises(ModelFileError, match=message):
        load_model(tmp_path / "model.safetensors")


def test_own_activations_may_not_take_a_name_of_the_library(tmp_path):
    """They would come back as the library's."""
    own = kernels.Activation("relu", lambda z: 2.0 * z, lambda y: 2.0)
    model = small_model(layers.Dense(8, activation=own), layers.Dense(4))
    model.build(12)
    with pytest.raises(ValueError, match="activation: yours is named 'relu' like one of the libr"):
        model.save(tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_the_librarys_own_activation_objects_are_saved_by_name(tmp_path):
    model = small_model(layers.Dense(4, activation=kernels.activations.get("tanh")))
    model.build(12)
    assert reloaded(model, tmp_path).layers[0].activation == "tanh"


# The file


def test_the_same_model_is_the_same_file(tmp_path):
    model = trained_model()
    for name in "abcde":
        model.save(tmp_path / name)
    load_model(tmp_path / "a").save(tmp_path / "again")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_other_programs_can_read_it(tmp_path):
    from safetensors.numpy import load_file

    model = trained_model()
    model.save(tmp_path / "m.safetensors")
    tensors = load_file(tmp_path / "m.safetensors")
    names = ["0.b", "0.w", "1.b", "1.w"]
    state = [f"optimizer.{slot}.{name}" for slot in ("m", "v") for name in names]
    assert sorted(tensors) == names + state
    assert bits(tensors[name] for name in ("0.w", "0.b", "1.w", "1.b")) == bits(model.get_weights())


@pytest.mark.parametrize("name", ["model.safetensors", "no suffix", "grüße-猫"])
def test_paths(name, tmp_path, monkeypatch):
    model = trained_model()
    model.save(str(tmp_path / name))
    monkeypatch.chdir(tmp_path)
    model.save(name)  # over the first
    assert bits(load_model(pathlib.Path(name)).get_weights()) == bits(model.get_weights())
    assert os.listdir() == [name]


def test_who_may_read_it(tmp_path):
    """Whoever may read the user's other new files: no temporary file's privacy."""
    trained_model().save(tmp_path / "m")
    (tmp_path / "other").touch()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()]
    assert modes[0] == modes[1]


def test_no_such_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        trained_model().save(tmp_path / "nowhere" / "m")


def test_nothing_to_save(tmp_path):
    with pytest.raises(RuntimeError, match="the model has no parameters yet"):
        small_model().save(tmp_path / "m")
    assert not list(tmp_path.iterdir())
