"""Every mistake is refused with an error that names the argument, what came, what was expected."""

import re

import numpy as np
import pytest

from dnn import Sequential, initializers, layers, losses, optimizers
from kernels import Activation
from kernels.arrays import gpu_available
from kernels.device import NoGPUError
from tests.dnn.helpers import LOGITS, bits, samples, small_model, trained_model

X, Y = samples()
ONE_HOT = np.eye(4)[Y]
WORDS = np.array(["cat", "dog"])[Y % 2]


def spoiled(value):
    """X with one number that is none, in sample 7, and one more in sample 9."""
    x = X.astype(np.float64)
    x[7, 3] = x[9, 0] = value
    return x


def refused(error, message, call):
    with pytest.raises(error, match=re.escape(message)):
        call()


# Samples

SAMPLES = {
    "other width": (X[:, :11], ValueError, "x: got samples of shape (n, 11); expected (n, 12)"),
    "one sample": (X[0], ValueError, "x: got shape (12,); expected (samples, …). One sample is x"),
    "a number": (1.0, ValueError, "x: got shape (); expected (samples, …)"),
    "objects": (X.astype(object), TypeError, "x: got dtype object; expected numbers"),
    "text": (X.astype(str), TypeError, "x: got dtype <U32; expected numbers"),
    "complex": (X.astype(complex), TypeError, "x: got dtype complex128; expected numbers"),
    "None": (None, TypeError, "x: got None; expected an array of numbers, (n, …)"),
    "NaN": (spoiled(np.nan), ValueError, "x[7]: holds NaN, infinity or a value too large for fl"),
    "infinity": (spoiled(-np.inf), ValueError, "(2 of 203 samples do); expected finite numbers"),
    "over float32": (spoiled(1e39), ValueError, "x[7]: holds NaN, infinity or a value too large"),
}


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict", "encodings"])
@pytest.mark.parametrize("case", SAMPLES)
def test_samples(case, method):
    x, error, message = SAMPLES[case]
    targets = [Y] if method in ("fit", "evaluate") else []
    model = small_model()
    model.build(12)
    refused(error, message, lambda: getattr(model, method)(x, *targets))


@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_no_samples(method):
    message = "x: got 0 samples; expected at least one"
    refused(ValueError, message, lambda: getattr(small_model(), method)(X[:0], Y[:0]))


def test_half_precision_infinity():
    x = X.astype(np.float16)
    x[0, 0] = np.inf
    refused(ValueError, "x[0]: holds NaN", lambda: small_model().predict(x))


# Targets

LABELS = {
    "out of range": (np.where(np.arange(203) >= 5, Y, 4), IndexError,
                     "y[0]: got label 4; expected 0 … 3, for the last layer has 4 outputs (5 of"),
    "negative": (np.where(np.arange(203) == 8, -1, Y), IndexError, "y[8]: got label -1; expected"),
    "too large for int32": (Y + 2**32, IndexError, "expected 0 … 3"),
    "a column": (Y[:, None], ValueError,
                 "y: got shape (203, 1); expected (samples,). Write y.ravel()"),
    "one-hot": (ONE_HOT, ValueError,
                "y: got shape (203, 4); expected (samples,). For one-hot targets use Categorical"),
    "halves": (Y + 0.5, ValueError, "y[0]: got 3.5; expected a label, a whole number (203 of 203"),
    "NaN": (np.where(np.arange(203) == 8, np.nan, Y), ValueError, "y[8]: got nan; expected a lab"),
    "infinity": (np.where(np.arange(203) == 8, np.inf, Y), IndexError, "y[8]: got label inf; exp"),
    "complex": (Y.astype(complex), TypeError, "y: got dtype complex128; expected numbers"),
    "text": (WORDS, TypeError, "expected numbers. y[0] is 'dog'. For labels write names, y = np"),
    "objects": (WORDS.astype(object), TypeError, "names, y = np.unique(y, return_inverse=True)"),
    "figures": (Y.astype(str), TypeError, "write np.asarray(y).astype(np.float32), or .astype(np"),
    "None": (None, ValueError, "y: got None; expected the targets, one of each sample"),
    "too few": (Y[:-1], ValueError, "x, y: got 203 samples and 202 targets; expected as many"),
    "too many": (np.append(Y, 0), ValueError, "x, y: got 203 samples and 204 targets"),
    "none at all": (Y[:0], ValueError, "x, y: got 203 samples and 0 targets"),
}  # fmt: skip

PROBABILITIES = {
    "integer labels": (
        Y,
        ValueError,
        "y: got shape (203,); expected (samples, 4). For integer "
        "labels use SparseCategoricalCrossentropy",
    ),
    "other classes": (ONE_HOT[:, :3], ValueError, "y: got shape (203, 3); expected (samples, 4)"),
    "negative": (ONE_HOT * 2 - 0.5, ValueError, "expected probabilities that sum to 1"),
    "sums of 2": (ONE_HOT * 2, ValueError, "(203 of 203 rows do not)"),
    "NaN": (np.where(ONE_HOT > 0, np.nan, 0), ValueError, "y[0]: got ["),
    "text": (ONE_HOT.astype(str), TypeError, "expected numbers"),
    "a number": (1.0, ValueError, "y: got shape (); expected (samples, 4)"),
    "too few": (ONE_HOT[:-1], ValueError, "x, y: got 203 samples and 202 targets"),
}


@pytest.mark.parametrize("method", ["fit", "evaluate"])
@pytest.mark.parametrize("case", LABELS)
def test_labels(case, method):
    y, error, message = LABELS[case]
    refused(error, message, lambda: getattr(small_model(), method)(X, y))


@pytest.mark.parametrize("method", ["fit", "evaluate"])
@pytest.mark.parametrize("case", PROBABILITIES)
def test_probabilities(case, method):
    y, error, message = PROBABILITIES[case]
    model = small_model(loss=losses.CategoricalCrossentropy(from_logits=True))
    refused(error, message, lambda: getattr(model, method)(X, y))


# Arguments of fit, evaluate and predict

NO_COUNTS = [0, -1, 2.0, True, "32"]


@pytest.mark.parametrize("value", NO_COUNTS)
def test_batch_size(value):
    message = f"batch_size: got {value!r}; expected an integer, 1 or more"
    model = small_model()
    refused(ValueError, message, lambda: model.fit(X, Y, batch_size=value))
    refused(ValueError, message, lambda: model.evaluate(X, Y, batch_size=value))
    refused(ValueError, message, lambda: model.predict(X, batch_size=value))


@pytest.mark.parametrize("name", ["epochs", "initial_epoch"])
@pytest.mark.parametrize("value", [-1, 1.0, True, None])
def test_epochs(name, value):
    message = f"{name}: got {value!r}; expected an integer, 0 or more"
    refused(ValueError, message, lambda: small_model().fit(X, Y, **{name: value}))


FIT = {
    "verbose": ({"verbose": 3}, ValueError, "verbose: got 3; expected 'auto', 0, 1 or 2"),
    "no callback": ({"callbacks": [print]}, TypeError,
                    "callbacks: got builtin_function_or_method; expected dnn.callbacks.Callback"),
    "both validations": ({"validation_split": 0.1, "validation_data": (X, Y)}, ValueError,
                         "validation_split, validation_data: got both; expected one of them"),
    "validation x alone": ({"validation_data": X}, ValueError,
                           "validation_data: got ndarray; expected (x, y) or (x, y, s"),
    "four of validation": ({"validation_data": (X, Y, Y, Y)}, ValueError,
                            "validation_data: got tuple; expected (x, y) or (x, y, s"),
}  # fmt: skip


@pytest.mark.parametrize("case", FIT)
def test_fit(case):
    options, error, message = FIT[case]
    refused(error, message, lambda: small_model().fit(X, Y, **options))


@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_before_compile(method):
    model = Sequential([layers.Dense(4)], device="cpu")
    message = "the model is not compiled; call model.compile(optimizer, loss)"
    refused(RuntimeError, message, lambda: getattr(model, method)(X, Y))


@pytest.mark.parametrize("loss", [LOGITS, losses.CategoricalCrossentropy(from_logits=True)])
def test_a_refused_fit_changes_no_weights(loss):
    model = small_model(loss=loss)
    model.build(12)
    before = bits(model.get_weights())
    with pytest.raises((ValueError, IndexError)):
        model.fit(X, Y + 4)
    assert bits(model.get_weights()) == before


# Names, with the near miss


def compiled(**options):
    given = {"optimizer": "adam", "loss": LOGITS} | options
    return lambda: Sequential([layers.Dense(4)]).compile(**given)


NAMES = {
    "activation": (lambda: layers.Dense(4, activation="rellu"), "got 'rellu'", "relu"),
    "activation layer": (lambda: layers.Activation("sigmod"), "activation: got 'sig", "sigmoid"),
    "initializer": (
        lambda: layers.Dense(4, kernel_initializer="he_norml"),
        "got 'he_norml'",
        "he_normal",
    ),
    "bias initializer": (lambda: layers.Dense(4, bias_initializer="zero"), "got 'zero'", "zeros"),
    "loss": (compiled(loss="categorical_crossentrpy"), "loss: got", "categorical_crossentropy"),
    "optimizer": (compiled(optimizer="sgdd"), "optimizer: got 'sgdd'", "sgd"),
    "metric": (compiled(metrics=["acuracy"]), "metric: got 'acuracy'", "accuracy"),
    "precision": (compiled(precision="bfloat"), "precision: got 'bfloat'", "bfloat16"),
    "float16": (compiled(precision="float16"), "precision: got 'float16'", "bfloat16"),
    "device": (lambda: Sequential(device="cpuu"), "device: got 'cpuu'", "cpu"),
    "layer": (lambda: Sequential(["flaten"]), "layer: got 'flaten'", "flatten"),
}


@pytest.mark.parametrize("case", NAMES)
def test_unknown_names(case):
    call, got, near = NAMES[case]
    with pytest.raises(ValueError, match=re.escape(got)) as caught:
        call()
    assert "; expected one of " in str(caught.value)
    assert str(caught.value).endswith(f"Did you mean {near!r}?")


@pytest.mark.parametrize(
    ("family", "base"),
    [(optimizers, "optimizer"), (losses, "loss"), (initializers, "initializer"), (layers, "layer")],
)
def test_the_base_of_a_family_is_no_member(family, base):
    refused(ValueError, f"{base}: got {base!r}; expected one of ", lambda: family.get(base))


OTHER_TYPES = {
    "activation": (lambda: layers.Dense(4, activation=3), "activation: got int; expected a name"),
    "optimizer": (compiled(optimizer=0.1), "optimizer: got float; expected a name or an instance"),
    "a class": (compiled(optimizer=optimizers.Adam), "optimizer: got the class Adam; expected an"),
    "loss": (compiled(loss=len), "loss: got builtin_function_or_method; expected a name"),
    "layer": (lambda: Sequential([4]), "layer: got int; expected a name or an instance of dnn.lay"),
    "metrics": (compiled(metrics="accuracy"), "expected a list of names: ['accuracy']"),
}


@pytest.mark.parametrize("case", OTHER_TYPES)
def test_other_types(case):
    call, message = OTHER_TYPES[case]
    refused(TypeError, message, call)


# Models that make no sense

MODELS = {
    "no loss": (lambda: Sequential([layers.Dense(4)]).compile("adam"), "loss: got None; expected"),
    "no layers": (lambda: Sequential().build(3), "layers: got none that computes; add a Dense"),
    "no shape": (lambda: Sequential([layers.Dense(4)]).build(), "input_shape: got None; begin"),
    "shape of zero": (lambda: layers.Input((28, 0)), "shape: got (28, 0); expected sizes of 1 or"),
    "no sizes": (lambda: layers.Input(()), "shape: got (); expected sizes of 1 or more"),
    "half a size": (lambda: layers.Input(2.5), "shape: got 2.5; expected sizes of 1 or more"),
    "negative size": (lambda: small_model().build(-3), "shape: got -3; expected sizes of 1 or"),
    "another shape": (
        lambda: Sequential([layers.Input(3), layers.Dense(4)]).build(4),
        "input_shape: got (4,); the model expects (3,)",
    ),
    "Input later": (
        lambda: Sequential([layers.Dense(4), layers.Input(4)]),
        "layer: Input comes first or not at all",
    ),
    "a layer twice": (
        lambda: Sequential([dense := layers.Dense(4), dense]),
        "layer: this Dense is in the model; make another",
    ),
    "negative seed": (lambda: Sequential(seed=-1), "seed: got -1; expected an integer, 0 ≤ seed"),
    "half a seed": (lambda: Sequential(seed=0.5), "seed: got 0.5; expected an integer"),
    "large seed": (lambda: Sequential(seed=2**63), "expected an integer, 0 ≤ seed < 2⁶³"),
}


@pytest.mark.parametrize("case", MODELS)
def test_models(case):
    call, message = MODELS[case]
    refused(ValueError, message, call)


@pytest.mark.parametrize("units", [*NO_COUNTS, None, [4]])
def test_units(units):
    message = f"units: got {units!r}; expected an integer, 1 or more"
    refused(ValueError, message, lambda: layers.Dense(units))


def test_adding_to_a_model_that_is_built():
    model = small_model()
    model.build(12)
    refused(RuntimeError, "layer: the model is built already", lambda: model.add("flatten"))


@pytest.mark.parametrize("use", ["get_weights", "count_params", "summary"])
def test_before_building(use):
    message = "the model has no parameters yet; begin with layers.Input(shape), call"
    refused(RuntimeError, message, getattr(small_model(), use))


@pytest.mark.parametrize("activation", [None, "tanh", "sigmoid"])
def test_probabilities_come_from_softmax(activation):
    """from_logits=False, the default, on a last layer whose outputs are none."""
    model = small_model(layers.Dense(4, activation), loss="sparse_categorical_crossentropy")
    message = (
        "loss: SparseCategoricalCrossentropy(from_logits=False) expects probabilities, but the "
        f"last layer's activation is {activation or 'identity'}. End with activation='softmax', "
        "or, if its outputs are logits, pass from_logits=True: "
        "loss=losses.SparseCategoricalCrossentropy(from_logits=True)"
    )
    refused(ValueError, message, lambda: model.fit(X, Y))
    refused(ValueError, message, lambda: model.evaluate(X, Y))


def test_a_step_cannot_be_trained():
    """Its derivative says nothing; predicting and evaluating work."""
    model = small_model(layers.Dense(8, activation="binary_step"), layers.Dense(4))
    message = "activation 'binary_step' cannot be trained by gradient: its derivative is 0 wherever"
    refused(ValueError, message, lambda: model.fit(X, Y))
    assert model.predict(X).shape == (203, 4)
    assert model.evaluate(X, Y)[0] > 0


def test_a_function_without_derivative_cannot_be_trained():
    square = Activation("square", lambda z: z * z, None)
    model = small_model(layers.Dense(8, activation=square), layers.Dense(4))
    message = "activation 'square' cannot be trained by gradient: it was given no derivative"
    refused(ValueError, message, lambda: model.fit(X, Y))


def test_gpu_without_a_gpu():
    if gpu_available():
        pytest.skip("there is a GPU")
    refused(NoGPUError, "device='cpu'", lambda: Sequential(device="gpu"))
    assert Sequential(device="auto").device == "cpu"


def test_set_weights():
    model = small_model()
    model.build(12)
    w = model.get_weights()
    refused(ValueError, "weights: got 3 arrays; expected 4", lambda: model.set_weights(w[:3]))
    w[0] = w[0].T
    message = "weights[0]: got shape (8, 12); expected (12, 8)"
    refused(ValueError, message, lambda: model.set_weights(w))


@pytest.mark.parametrize(("change", "missing"), [("use_ema", "average"), ("momentum", "u")])
def test_an_optimizer_that_needs_state_which_compile_did_not_make(change, missing):
    model = trained_model(optimizer=optimizers.SGD(0.1))
    before = model.get_weights()
    setattr(model.optimizer, change, 0.9 if change == "momentum" else True)
    with pytest.raises(RuntimeError, match=f"needs state for {missing} that .* compile it again"):
        model.fit(X, Y, verbose=0)
    assert bits(model.get_weights()) == bits(before)
    model.compile(model.optimizer, model.loss)
    model.fit(X, Y, verbose=0)
