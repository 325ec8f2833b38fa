"""Names of Keras, PyTorch and the articles, in any spelling; what is near to one that is none."""

import copy
import inspect
import pickle
import re

import pytest

import dnn
from dnn import callbacks, datasets, initializers, layers, losses, optimizers, plots, schedules
from dnn.catalog import config

NAMES = [
    (optimizers, "RMSProp", optimizers.RMSprop()),
    (optimizers, "SGD", optimizers.SGD()),
    (optimizers, "gradient descent", optimizers.SGD()),
    (optimizers, "AdamW", optimizers.AdamW()),
    (losses, "mse", losses.MeanSquaredError()),
    (losses, "MAE", losses.MeanAbsoluteError()),
    (losses, "l1_loss", losses.MeanAbsoluteError()),
    (losses, "rmse", losses.RootMeanSquaredError()),
    (losses, "bce", losses.BinaryCrossentropy()),
    (losses, "binary_cross_entropy", losses.BinaryCrossentropy()),
    (losses, "Huber", losses.Huber()),
    (losses, "smooth_l1", losses.Huber(1.0)),
    (losses, "SquaredError", losses.Elementwise("squared_error")),
    (initializers, "xavier", initializers.GlorotUniform()),
    (initializers, "kaiming_normal", initializers.HeNormal()),
    (initializers, "Uniform", initializers.RandomUniform()),
    (layers, "batch_normalization", layers.BatchNormalization()),
]


@pytest.mark.parametrize(("family", "name", "member"), NAMES, ids=str)
def test_other_names(family, name, member):
    ours = family.get(name)
    assert type(ours) is type(member) and config(ours) == config(member)


@pytest.mark.parametrize("family", [optimizers, losses, initializers, layers])
def test_no_spelling_means_two_things(family):
    """A class name and its snake case are one; aliases are of one class each."""
    catalog = family.catalog
    owners = {}
    for alias, name in [*catalog.aliases.items(), *((n, n) for n in catalog.by_name)]:
        owners.setdefault(dnn.catalog.plain(alias), set()).add(name)
    assert all(len(names) == 1 for names in owners.values())
    assert not owners.keys() & catalog.elsewhere.keys()


@pytest.mark.parametrize(
    ("family", "name", "ours"),
    [
        (optimizers, "momentum", "optimizers.SGD(momentum=0.9)"),
        (losses, "CrossEntropyLoss", "losses.SparseCategoricalCrossentropy(from_logits=True) for"),
        (losses, "bce_with_logits", "losses.BinaryCrossentropy(from_logits=True)"),
        (layers, "dense", "layers.Dense(units)"),
        (layers, "Linear", "layers.Dense(units)"),
    ],
)
def test_what_has_no_name_alone(family, name, ours):
    message = f"^.*: got '{name}'.*; expected an instance: {re.escape(ours)}"
    with pytest.raises(ValueError, match=message):
        family.get(name)


@pytest.mark.parametrize(
    ("cls", "written"),
    [(optimizers.Adam, "optimizers.Adam()"), (layers.Dense, "layers.Dense(units)")],
)
def test_a_class_in_place_of_an_instance(cls, written):
    family = optimizers if cls is optimizers.Adam else layers
    message = rf"got the class {cls.__name__}; expected an instance: {re.escape(written)}$"
    with pytest.raises(TypeError, match=message):
        family.get(cls)


@pytest.mark.parametrize("name", ["Linear", "ReLU", "step", "swish"])
def test_a_file_has_the_librarys_own_name(name):
    ours = layers.Dense(3, name).function.name
    for layer in (
        layers.Dense(3, name),
        layers.Activation(name),
        layers.BatchNormalization(activation=name),
    ):
        assert layer.function.name == layer.activation == config(layer)["activation"] == ours
    assert layers.Dense(3).activation is None


KEYWORDS = [
    (lambda: layers.Dense(unit=3), "Dense", "unit", "units"),
    (
        lambda: layers.Dense(3, kernel_initialiser="zeros"),
        "Dense",
        "kernel_initialiser",
        "kernel_initializer",
    ),
    (lambda: layers.Dropout(p=0.5), "Dropout", "p", "rate"),
    (lambda: optimizers.Adam(lr=1e-3), "Adam", "lr", "learning_rate"),
    (lambda: losses.BinaryCrossentropy(logits=True), "BinaryCrossentropy", "logits", "from_logits"),
    (lambda: initializers.RandomNormal(std=1.0), "RandomNormal", "std", "stddev"),
    (lambda: schedules.OneCycle(lr=1e-3), "OneCycle", "lr", "max_learning_rate"),
    (lambda: callbacks.EarlyStopping(patiense=3), "EarlyStopping", "patiense", "patience"),
]


@pytest.mark.parametrize(("call", "name", "got", "near"), KEYWORDS, ids=lambda v: str(v)[:20])
def test_unknown_keywords(call, name, got, near):
    message = f"^{name}: got an unknown keyword argument '{got}'; expected one of .*{near}"
    with pytest.raises(TypeError, match=rf"{message}.* Did you mean '{near}'\?$"):
        call()


def test_a_keyword_that_is_near_to_none():
    with pytest.raises(TypeError, match=r"got an unknown keyword argument 'qqq'; .*rate, seed\.$"):
        layers.Dropout(0.5, qqq=1)


def test_whoever_takes_any_keywords_gets_them():
    class Own(layers.Layer):
        def __init__(self, **options):
            self.options = options

    assert Own(qqq=3).options == {"qqq": 3}


def test_members_are_copied_and_described_as_before():
    layer = layers.Dense(3, "relu")
    assert copy.deepcopy(layer) == pickle.loads(pickle.dumps(layer)) == layer
    assert list(inspect.signature(layers.Dense).parameters)[:2] == ["units", "activation"]


@pytest.mark.parametrize(
    ("module", "name", "near"),
    [
        (dnn, "optimisers", "dnn.optimizers"),
        (layers, "Dens", "dnn.layers.Dense"),
        (layers, "Linear", "layers.Dense(units)"),
        (layers, "LeakyReLU", "layers.Activation('leakyrelu')"),
        (optimizers, "RMSProp", "optimizers.RMSprop"),
        (losses, "MSE", "losses.MeanSquaredError"),
        (initializers, "he_normal", "initializers.HeNormal"),
        (callbacks, "EarlyStop", "dnn.callbacks.EarlyStopping"),
        (datasets, "fashion_mnst", "dnn.datasets.fashion_mnist"),
        (plots, "confusion_matrx", "dnn.plots.confusion_matrix"),
    ],
    ids=str,
)
def test_attributes(module, name, near):
    with pytest.raises(AttributeError, match=rf"has no attribute '{name}'\. Did you mean ") as e:
        getattr(module, name)
    assert str(e.value).endswith(f"Did you mean {near}?")


def test_pictures_and_tour_are_there_after_import_dnn():
    assert dnn.plots is plots and {"plots", "tour"} <= set(dir(dnn))
    assert callable(dnn.tour.run)


def test_data_sets_in_another_spelling():
    assert datasets.class_names("Fashion_MNIST") == datasets.class_names("fashion-mnist")
    with pytest.raises(ValueError, match=r"^name: got 'mnst'; expected .* Did you mean 'mnist'\?$"):
        datasets.class_names("mnst")


def test_a_schedule_is_no_name():
    with pytest.raises(TypeError, match=r"^learning_rate: got 'cosine_decay'; .*CosineDecay\(…\)$"):
        optimizers.Adam("cosine_decay")
