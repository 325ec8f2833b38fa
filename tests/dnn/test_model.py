"""Sequential: predictions, evaluation, and Keras' names in Keras' order."""

import inspect

import numpy as np
import pytest

import kernels
from dnn import Sequential, layers, losses, optimizers
from kernels import reference
from tests.dnn.helpers import LOGITS, bits, samples, small_model, trained_model

# The parameters of Keras 3.15's Sequential, by inspect.signature
KERAS = {
    "compile": "optimizer loss loss_weights metrics weighted_metrics run_eagerly "
    "steps_per_execution jit_compile auto_scale_loss",
    "fit": "x y batch_size epochs verbose callbacks validation_split validation_data shuffle "
    "class_weight sample_weight initial_epoch steps_per_epoch validation_steps "
    "validation_batch_size validation_freq",
    "evaluate": "x y batch_size verbose sample_weight steps callbacks return_dict",
    "predict": "x batch_size verbose steps callbacks",
    "build": "input_shape",
    "set_weights": "weights",
}
COMMON = " clipnorm clipvalue global_clipnorm use_ema ema_momentum"
KERAS_CLASSES = {
    layers.Dense: "units activation use_bias kernel_initializer bias_initializer",
    layers.Activation: "activation",
    layers.Input: "shape",
    optimizers.Adam: "learning_rate beta_1 beta_2 epsilon weight_decay" + COMMON,
    optimizers.AdamW: "learning_rate weight_decay beta_1 beta_2 epsilon" + COMMON,
    optimizers.SGD: "learning_rate momentum nesterov weight_decay" + COMMON,
    optimizers.Adagrad: "learning_rate initial_accumulator_value epsilon weight_decay" + COMMON,
    optimizers.RMSprop: "learning_rate rho momentum epsilon centered weight_decay" + COMMON,
    optimizers.Adadelta: "learning_rate rho epsilon weight_decay" + COMMON,
    losses.SparseCategoricalCrossentropy: "from_logits label_smoothing",  # the second is ours
    losses.CategoricalCrossentropy: "from_logits label_smoothing",
    losses.BinaryCrossentropy: "from_logits label_smoothing",
    losses.Hinge: "labels",  # ours
    losses.MeanSquaredError: "",
    losses.MeanAbsoluteError: "",
    losses.RootMeanSquaredError: "",
}


@pytest.mark.parametrize("method", KERAS)
def test_arguments_have_keras_names_in_keras_order(method):
    """Left out are those that we lack; `precision` is ours alone and goes by name."""
    parameters = inspect.signature(getattr(Sequential, method)).parameters.values()
    shared = [p.name for p in parameters if p.name not in ("self", "precision")]
    keras = KERAS[method].split()
    assert shared == [name for name in keras if name in shared]
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters if p.name == "precision")


@pytest.mark.parametrize("cls", KERAS_CLASSES, ids=lambda cls: cls.__name__)
def test_classes_have_keras_names_in_keras_order(cls):
    assert list(inspect.signature(cls).parameters) == KERAS_CLASSES[cls].split()


def test_fit_has_keras_defaults():
    defaults = {p.name: p.default for p in inspect.signature(Sequential.fit).parameters.values()}
    expected = {"batch_size": None, "epochs": 1, "verbose": "auto", "callbacks": None}
    expected |= {"validation_split": 0.0, "validation_data": None, "shuffle": True}
    expected |= {"class_weight": None, "sample_weight": None, "initial_epoch": 0}
    assert expected.items() <= defaults.items()


def built(shape=12):
    model = small_model()
    model.build(shape)
    return model


# Predictions


def test_predict_is_the_network():
    model, (x, _) = trained_model(), samples()
    w1, b1, w2, b2 = (w.astype(float) for w in model.get_weights())
    hidden = reference.linear(x.astype(float), w1, b1, "relu")
    predicted = model.predict(x)
    assert predicted.dtype == np.float32
    np.testing.assert_allclose(predicted, reference.linear(hidden, w2, b2), atol=1e-5)


def test_predict_ends_in_softmax_where_the_layer_does():
    """Although the loss is computed from what goes into that softmax."""
    stack = (layers.Dense(8, "tanh"), layers.Dense(4, "softmax"))
    model = small_model(*stack, loss="sparse_categorical_crossentropy")
    x, y = samples()
    model.fit(x, y, verbose=0)
    predicted = model.predict(x)
    np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-6)
    loss = -np.log(predicted[np.arange(len(y)), y]).mean()
    assert model.evaluate(x, y)[0] == pytest.approx(loss, rel=1e-5)


def test_encodings_are_the_outputs_of_every_layer():
    stack = [layers.Flatten(), layers.Dense(8, "relu"), layers.Dense(5), layers.Activation("tanh")]
    model, (x, _) = small_model(*stack), samples()
    encodings = model.encodings(x)
    assert [y.shape for y in encodings] == [(203, 8), (203, 5), (203, 5)]
    assert bits([encodings[-1]]) == bits([model.predict(x)])
    np.testing.assert_allclose(encodings[2], np.tanh(encodings[1]), atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 50, 203, 5000])
def test_predictions_do_not_depend_on_the_batch(batch_size):
    """Beyond the order of BLAS' sums: 12 and 8 products of order 1, each rounded by 6e-8."""
    model, (x, y) = trained_model(), samples()
    np.testing.assert_allclose(model.predict(x, batch_size), model.predict(x), atol=5e-6)
    loss, accuracy = model.evaluate(x, y, batch_size)
    assert loss == pytest.approx(model.evaluate(x, y)[0], rel=1e-5)
    assert accuracy == model.evaluate(x, y)[1]


def test_no_samples_no_predictions():
    model = built()
    assert model.predict(np.empty((0, 12), np.float32)).shape == (0, 4)
    assert [y.shape for y in model.encodings(np.empty((0, 3, 4)))] == [(0, 8), (0, 4)]


def test_evaluate():
    """A number, a list with metrics, or a dict; against NumPy."""
    model, (x, y) = trained_model(), samples()
    z = model.predict(x).astype(float)
    loss, _, hit = reference.softmax_cross_entropy(z, y)
    means = model.evaluate(x, y)
    assert means == pytest.approx([loss.mean(), hit.mean()], rel=1e-6)
    assert model.evaluate(x, y, return_dict=True) == {"loss": means[0], "accuracy": means[1]}
    model.compile("adam", LOGITS)
    assert model.evaluate(x, y) == means[0]
    assert model.evaluate(x, y, return_dict=True) == {"loss": means[0]}


def test_evaluating_changes_nothing():
    model, (x, y) = trained_model(), samples()
    before = bits([model.arena, *model.optimizer_state.values()])
    model.evaluate(x, y), model.predict(x), model.encodings(x)
    assert bits([model.arena, *model.optimizer_state.values()]) == before


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_the_cpu_is_always_float32(precision):
    """A lower precision is a permission, which the CPU makes no use of."""
    assert bits(trained_model(precision=precision).get_weights()) == bits(
        trained_model().get_weights()
    )


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
def test_every_product_is_told_the_precision(precision, monkeypatch):
    told = []
    for name in ("linear", "linear_cross_entropy", "linear_backward"):
        op = getattr(kernels, name)

        def spy(*operands, op=op, **options):
            told.append(options["precision"])
            return op(*operands, **options)

        monkeypatch.setattr(kernels, name, spy)
    model = small_model(precision=precision)
    model.fit(*samples(5), verbose=0)
    model.predict(samples(5)[0])
    assert told == [precision] * 6  # two layers: forward, backward, and forward again


def test_the_threshold_unit():
    """Weights −1, 3, 3 and threshold 5: a neuron set by hand predicts, though it cannot learn."""
    model = Sequential([layers.Dense(1, activation="binary_step")], device="cpu")
    model.build(3)
    model.set_weights([[[-1], [3], [3]], [-5]])
    assert model.predict([[1, 0, 1], [0, 1, 1]]).tolist() == [[0], [1]]
