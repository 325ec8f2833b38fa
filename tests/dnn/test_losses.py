"""Losses: the trajectories of PyTorch and Keras, whole models trained with each, their arguments.

Figures: full-batch gradient descent of a small network, 50 steps, computed by PyTorch and Keras in
float64 (figures/make_loss_figures.py). Losses and weights are of order 1. float32 rounds each of 50
steps by 2⁻²⁴ or two of what it adds to: 50 · 2 · 2⁻²⁴ = 6e-6; measured 1e-6 at most.
"""

import types

import numpy as np
import pytest

import dnn
from dnn import Sequential, data, layers, losses, optimizers
from dnn.catalog import config
from tests.dnn.figures import stored
from tests.dnn.figures.make_loss_figures import (
    CLASS_WEIGHTS,
    RATE,
    SAMPLES,
    SMOOTHING,
    STEPS,
    problem,
)
from tests.dnn.helpers import bits

FIGURES = stored("losses")
ROUNDING = 6e-6
DIFFERENT = 1e-3  # what a difference of formula amounts to at least, here
X, TARGETS, WEIGHTS, START = problem()

MSE, MAE, RMSE = losses.MeanSquaredError, losses.MeanAbsoluteError, losses.RootMeanSquaredError
BINARY, HINGE = losses.BinaryCrossentropy, losses.Hinge
SPARSE, ONE_HOT = losses.SparseCategoricalCrossentropy, losses.CategoricalCrossentropy
LOGITS, SMOOTHED = {"from_logits": True}, {"from_logits": True, "label_smoothing": SMOOTHING}
OF_SAMPLES = {"sample_weight": WEIGHTS}


def network(loss, device="cpu", ending=None, optimizer=None, **options):
    """That of the figures, with its weights; compiled."""
    stack = [layers.Dense(4, "tanh"), layers.Dense(2, ending)]
    model = Sequential([layers.Input(3), *stack], device=device)
    model.compile(optimizer or optimizers.SGD(RATE), loss, **options)
    model.set_weights(START)
    return model


def descent(loss, kind, epochs=STEPS, **options):
    """(loss before each step, weights after the last): what is in FIGURES."""
    model = network(loss, **{k: options.pop(k) for k in ("device", "ending") if k in options})
    found = model.fit(X, TARGETS[kind], SAMPLES, epochs, 0, shuffle=False, **options).history
    return np.array(found["loss"]), model.get_weights()


def distance(found, figures):
    (a, weights), (b, wanted) = found, figures
    pairs = [(a, b), *zip(weights, wanted, strict=True)]
    return max(float(np.max(np.abs(np.subtract(x, y)))) for x, y in pairs)


def figures(name):
    return np.array(FIGURES[name]["losses"]), [np.array(w) for w in FIGURES[name]["weights"]]


@pytest.mark.parametrize(
    ("name", "loss", "kind", "options"),
    [
        ("torch mse_loss", MSE(), "numbers", {}),
        ("keras MeanSquaredError", MSE(), "numbers", {}),
        ("keras MeanSquaredError", losses.Elementwise("squared_error"), "numbers", {}),
        ("keras MeanSquaredError, weighted", MSE(), "numbers", OF_SAMPLES),
        ("torch l1_loss", MAE(), "numbers", {}),
        ("keras MeanAbsoluteError", MAE(), "numbers", {}),
        ("torch sqrt(mse_loss)", RMSE(), "numbers", {}),
        ("torch huber_loss, δ 0.5", losses.Huber(0.5), "numbers", {}),
        ("keras Huber", losses.Huber(), "numbers", {}),
        ("torch binary_cross_entropy_with_logits", BINARY(True), "yes or no", {}),
        ("torch binary_cross_entropy_with_logits, probabilities", BINARY(True), "probabilities",
         {}),
        ("keras BinaryCrossentropy", BINARY(True), "yes or no", {}),
        ("keras BinaryCrossentropy, smoothed", BINARY(**SMOOTHED), "yes or no", {}),
        ("keras BinaryCrossentropy, weighted", BINARY(True), "yes or no", OF_SAMPLES),
        ("keras BinaryCrossentropy", BINARY(), "yes or no", {"ending": "sigmoid"}),
        ("keras Hinge", HINGE(), "±1", {}),
        ("keras Hinge, 0 and 1", HINGE((0, 1)), "yes or no", {}),
        ("torch cross_entropy, smoothed", SPARSE(**SMOOTHED), "labels", {}),
        ("keras CategoricalCrossentropy, smoothed", ONE_HOT(**SMOOTHED), "one-hot", {}),
        ("keras SparseCategoricalCrossentropy, weighted", SPARSE(True), "labels", OF_SAMPLES),
    ],
)  # fmt: skip
def test_trajectory(name, loss, kind, options):
    found = descent(loss, kind, **options)
    assert distance(found, figures(name)) <= ROUNDING
    assert found[0][-1] < 0.9 * found[0][0]


def test_every_loss_has_a_trajectory():
    (mark,) = test_trajectory.pytestmark
    told = {type(loss).__name__ for _, loss, *_ in mark.args[1]}
    assert told == losses.catalog.classes.keys()


def test_class_weights_differ_from_pytorch_by_what_they_are_divided_by():
    """Ours, as Keras', by the number of samples; PyTorch's by the sum of their weights."""
    theirs = figures("torch cross_entropy, class weights")
    options = {"class_weight": dict(enumerate(CLASS_WEIGHTS))}
    assert distance(descent(SPARSE(True), "labels", **options), theirs) >= DIFFERENT
    share = SAMPLES / np.take(CLASS_WEIGHTS, TARGETS["labels"]).sum()
    options["class_weight"] = {c: w * share for c, w in enumerate(CLASS_WEIGHTS)}
    assert distance(descent(SPARSE(True), "labels", **options), theirs) <= ROUNDING


# Whole models


def curve(n=200):
    """A noisy curve: x (n, 1) in ±1, y (n, 1) with noise of deviation 0.1."""
    rng = np.random.default_rng(0)
    x = np.linspace(-1, 1, n)[:, None]
    return x, np.sin(4 * x) + 0.1 * rng.standard_normal(x.shape)


@pytest.mark.parametrize("loss", [MSE(), MAE(), RMSE()], ids=lambda loss: type(loss).__name__)
def test_regression(loss):
    """Down to about the noise, whose root mean square is 0.1."""
    x, y = curve()
    model = Sequential([layers.Dense(16, "tanh"), layers.Dense(1)], device="cpu")
    model.compile(optimizers.Adam(0.01), loss)
    model.fit(x, y, batch_size=20, epochs=100, verbose=0)
    assert np.sqrt(np.mean((model.predict(x) - np.sin(4 * x)) ** 2)) < 0.1
    assert np.std(y) > 0.5


def ring(n=300):
    """x (n, 2), and whether it lies in the unit disc (n, 1): no line separates the two."""
    x = 1.5 * np.random.default_rng(1).standard_normal((n, 2))
    return x, (np.linalg.norm(x, axis=1) < 1.5)[:, None]


@pytest.mark.parametrize(
    ("loss", "ending"),
    [(BINARY(), "sigmoid"), (BINARY(True), None), (HINGE((0, 1)), None), (HINGE(), None)],
    ids=str,
)
def test_yes_or_no(loss, ending):
    x, y = ring()
    y = np.where(y, 1, -1) if loss == HINGE() else y
    model = Sequential([layers.Dense(12, "relu"), layers.Dense(1, ending)], device="cpu")
    model.compile(optimizers.Adam(0.02), loss, metrics=["accuracy"])
    history = model.fit(x, y, batch_size=25, epochs=40, verbose=0, validation_split=0.2).history
    assert history["accuracy"][-1] > 0.93 and history["val_accuracy"][-1] > 0.85
    threshold = 0.5 if ending else 0.0
    found = model.evaluate(x, y, return_dict=True)
    right = (model.predict(x) > threshold) == (y > 0)
    assert found["accuracy"] == pytest.approx(right.mean(), abs=1e-12)


def test_accuracy_of_several_answers_asks_for_all():
    model = network(BINARY(True), metrics=["accuracy"])
    y = TARGETS["yes or no"]
    right = (model.predict(X) > 0) == (y > 0.5)
    assert model.evaluate(X, y)[1] == right.all(axis=1).mean() != right.mean()


EACH = {
    "mse": (MSE(), "numbers", {}),
    "mae": (MAE(), "numbers", {}),
    "rmse": (RMSE(), "numbers", {}),
    "binary": (BINARY(), "yes or no", {"ending": "sigmoid"}),
    "binary, weighted": (BINARY(**SMOOTHED), "yes or no", OF_SAMPLES),
    "hinge": (HINGE(), "±1", {}),
    "sparse, weighted": (SPARSE(**SMOOTHED), "labels", OF_SAMPLES),
    "sparse, classes": (SPARSE(True), "labels", {"class_weight": {1: 3.0}}),
}


@pytest.mark.emulated
@pytest.mark.parametrize("case", EACH)
def test_the_emulated_device_agrees_with_the_cpu(case):
    """Five steps: five times the rounding of one, 2⁻²³ of what is of order 1."""
    loss, kind, options = EACH[case]
    cpu, emulated = (
        descent(loss, kind, epochs=5, device=device, **options) for device in ("cpu", "emulated")
    )
    assert distance(cpu, emulated) <= 5 * 2.0**-23 * 4


@pytest.mark.parametrize("case", EACH)
def test_a_graph_gives_the_same_bits_as_eager_steps(case):
    """With ragged batches, too: 16 samples in batches of 5."""
    loss, kind, options = EACH[case]
    found = []
    for eagerly in (False, True):
        ending, rule = options.get("ending"), optimizers.SGD(0.1)
        model = network(loss, ending=ending, optimizer=rule, run_eagerly=eagerly)
        given = {k: v for k, v in options.items() if k != "ending"}
        history = model.fit(X, TARGETS[kind], 5, 4, 0, **given).history["loss"]
        found.append((history, bits(model.get_weights())))
    assert found[0] == found[1]


# Root mean squared error


def test_rmse_is_of_all_samples_whatever_the_batch():
    model = network(RMSE())
    want = np.sqrt(np.mean((model.predict(X) - TARGETS["numbers"]) ** 2))
    for batch_size in (1, 3, 16):
        assert model.evaluate(X, TARGETS["numbers"], batch_size) == pytest.approx(want, rel=1e-6)


def test_a_perfect_fit_stays():
    model = network(RMSE())
    before = bits(model.get_weights())
    history = model.fit(X, model.predict(X), SAMPLES, 3, 0).history
    assert history["loss"] == [0, 0, 0] and bits(model.get_weights()) == before


# Weights


def test_weights_of_one_are_none():
    ones = descent(SPARSE(True), "labels", sample_weight=np.ones(SAMPLES))
    assert bits(ones[1]) == bits(descent(SPARSE(True), "labels")[1])


def test_a_weight_follows_its_sample():
    """Samples of weight 0 are not there, in whatever order the rest comes."""
    kept = np.arange(SAMPLES) % 2 == 0
    model, half = network(SPARSE(True)), network(SPARSE(True), optimizer=optimizers.SGD(RATE / 2))
    y = TARGETS["labels"]
    model.fit(X, y, SAMPLES, 20, 0, sample_weight=kept)
    half.fit(X[kept], y[kept], SAMPLES, 20, 0)
    for a, b in zip(model.get_weights(), half.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize(
    ("loss", "kind"),
    [(SPARSE(True), "labels"), (ONE_HOT(True), "one-hot"), (ONE_HOT(**SMOOTHED), "one-hot")],
    ids=str,
)
def test_class_weights_are_sample_weights(loss, kind):
    of_class = {0: 0.25, 1: 2.0}
    weights = np.array([of_class[c] for c in TARGETS["labels"]])
    one = descent(loss, kind, class_weight=of_class)
    assert bits(one[1]) == bits(descent(loss, kind, sample_weight=weights)[1])
    both = descent(loss, kind, class_weight=of_class, sample_weight=WEIGHTS)
    assert bits(both[1]) == bits(descent(loss, kind, sample_weight=weights * WEIGHTS)[1])
    alone = descent(loss, kind, class_weight={0: 0.25})
    assert bits(alone[1]) == bits(descent(loss, kind, class_weight={0: 0.25, 1: 1.0})[1])


@pytest.mark.parametrize(("loss", "labels"), [(BINARY(True), (0, 1)), (HINGE(), (-1, 1))], ids=str)
def test_class_weights_of_yes_and_no(loss, labels):
    x, y = ring()
    y = np.where(y, labels[1], labels[0])

    def trained(**options):
        model = Sequential([layers.Dense(1)], device="cpu")
        model.compile(optimizers.SGD(0.1), loss)
        model.fit(x, y, 50, 3, 0, **options)
        return bits(model.get_weights())

    weights = np.where(y[:, 0] > 0, 3.0, 0.5)
    assert trained(class_weight={0: 0.5, 1: 3.0}) == trained(sample_weight=weights) != trained()


def test_weights_of_an_evaluation():
    model, y = network(SPARSE(True), metrics=["accuracy"]), TARGETS["labels"]
    each = [model.evaluate(X[i : i + 1], y[i : i + 1])[0] for i in range(SAMPLES)]
    found = model.evaluate(X, y, sample_weight=WEIGHTS)
    assert found[0] == pytest.approx(np.mean(WEIGHTS * each), rel=1e-6)
    assert found[1] == model.evaluate(X, y)[1]
    given = {"validation_data": (X, y, WEIGHTS), "epochs": 1, "verbose": 0}
    history = model.fit(X, y, **given).history
    assert history["val_loss"] == [model.evaluate(X, y, sample_weight=WEIGHTS)[0]]


def test_a_validation_split_splits_the_weights():
    model, y = network(SPARSE(True)), TARGETS["labels"]
    history = model.fit(X, y, 5, 2, 0, validation_split=0.25, sample_weight=WEIGHTS).history
    kept, held = dnn.data.split(y, 0.25, 0)
    same = network(SPARSE(True))
    given = (X[held], y[held], WEIGHTS[held])
    expected = same.fit(
        X[kept], y[kept], 5, 2, 0, validation_data=given, sample_weight=WEIGHTS[kept]
    )
    assert history["val_loss"] == expected.history["val_loss"]
    assert bits(model.get_weights()) == bits(same.get_weights())


# Splitting


def test_yes_and_no_give_their_shares():
    y = np.repeat([0.0, 1.0], (90, 10))[:, None].astype(np.float32)
    _, held = dnn.data.split(BINARY().classes(y), 0.2, 0)
    assert y[held].sum() == 2 and len(held) == 20
    assert HINGE().classes(2 * y - 1).tolist() == y[:, 0].tolist()
    assert BINARY(label_smoothing=0.5).classes(0.5 * y + 0.25).tolist() == y[:, 0].tolist()


def test_numbers_are_split_as_one_class():
    x, y = curve()
    model = Sequential([layers.Dense(1)], device="cpu")
    model.compile("sgd", "mean_squared_error")
    history = model.fit(x, y, validation_split=0.25, verbose=0).history
    assert len(history["val_loss"]) == 1


# What is refused


ERRORS = {
    "one dimension": (MSE(), np.zeros(16), ValueError, r"y: got shape \(16,\); expected \(samples"),
    "too many": (MSE(), np.zeros((16, 3)), ValueError, r"expected \(samples, 2\), for the last"),
    "words": (MSE(), np.full((16, 2), "a"), TypeError, "y: got dtype <U1; expected numbers"),
    "NaN": (MSE(), np.full((16, 2), np.nan), ValueError, r"y\[0\]: got .*; expected finite num"),
    "too large": (MAE(), np.full((16, 2), 1e39), ValueError, r"y\[0\]: .*finite numbers \(16 of"),
    "no probability": (BINARY(True), np.full((16, 2), 1.5), ValueError, r"y\[0\]: .* 0 \(no\) to"),
    "±1 as 0/1": (BINARY(True), TARGETS["±1"], ValueError, r"expected 0 \(no\) to 1 \(yes\)"),
    "hinge of 0/1": (HINGE(), TARGETS["yes or no"], ValueError,
                     r"expected -1 \(no\) or 1 \(yes\); .*losses.Hinge\(labels=\(0, 1\)\)"),
    "hinge of ±1": (HINGE((0, 1)), TARGETS["±1"], ValueError,
                    r"expected 0 \(no\) or 1 \(yes\); .*losses.Hinge\(labels=\(-1, 1\)\)"),
    "hinge of a share": (HINGE(), 0.5 * TARGETS["±1"], ValueError, r"expected -1 \(no\) or 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_targets_that_do_not_fit(case):
    loss, y, error, message = ERRORS[case]
    model = network(loss)
    for use in (model.fit, model.evaluate):
        with pytest.raises(error, match=message):
            use(X, y)


def test_the_axis_that_is_missing_is_told():
    model = Sequential([layers.Input(3), layers.Dense(1)], device="cpu")
    model.compile("sgd", BINARY(True))
    with pytest.raises(ValueError, match=r"shape \(16,\); expected \(samples, 1\).*y\[:, None\]"):
        model.fit(X, TARGETS["labels"])


WRONG_WEIGHTS = {
    "too few": ({"sample_weight": WEIGHTS[1:]}, r"sample_weight: got shape \(15,\); expected \(16"),
    "negative": ({"sample_weight": -WEIGHTS - 1}, r"sample_weight\[0\]: got .*; expected a finite"),
    "NaN": ({"sample_weight": np.nan * WEIGHTS}, r"sample_weight\[0\]: got nan; expected a finite"),
    "no such class": ({"class_weight": {2: 1.0}}, "class_weight: got class 2; expected 0 … 1"),
    "a word for a class": ({"class_weight": {"1": 1.0}}, "class_weight: got class '1'; expected 0"),
    "half a class": ({"class_weight": {0.5: 1.0}}, "class_weight: got class 0.5; expected 0 … 1"),
    "another word": ({"class_weight": "balance"}, "Did you mean 'balanced'"),
    "too few classes": ({"class_weight": [1.0]}, r"class_weight: got list of shape \(1,\); expect"),
    "a number": ({"class_weight": 2.0}, r"class_weight: got float; expected .* or a list of 2 wei"),
    "no weight": ({"class_weight": [1.0, None]}, r"class_weight\[1\]: got None; expected a finite"),
    "a product": ({"class_weight": [1, 3e38], "sample_weight": 9 * WEIGHTS + 9}, "float32 cannot"),
    "negative class": ({"class_weight": {1: -1.0}}, r"class_weight\[1\]: got -1.0; expected a fin"),
    "of validation": ({"validation_data": (X, TARGETS["labels"], WEIGHTS[1:])},
                      r"validation sample_weight: got shape \(15,\)"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_WEIGHTS)
def test_wrong_weights(case):
    options, message = WRONG_WEIGHTS[case]
    with pytest.raises(ValueError, match=message):
        network(SPARSE(True)).fit(X, TARGETS["labels"], **options)


HALF, THREE = np.float32(0.5), 3
SAME = {  # all {0: 0.5, 1: 3.0}
    "truth values": {False: 0.5, True: 3.0},
    "of NumPy": dict(zip(np.unique([False, True]), (HALF, THREE), strict=True)),
    "integers of NumPy": {np.int64(0): HALF, np.uint8(1): np.int64(3)},
    "floats": {0.0: 0.5, np.float32(1): 3.0},
    "a list": [0.5, 3],
    "a tuple": (HALF, THREE),
    "an array": np.array([0.5, 3]),
    "a mapping": types.MappingProxyType({1: 3.0, 0: 0.5}),
}


@pytest.mark.parametrize("case", SAME)
def test_a_class_by_any_name(case):
    y = TARGETS["labels"]
    for loss, targets in ((SPARSE(), y), (HINGE(), 2 * y[:, None] - 1), (BINARY(), y[:, None])):
        found = data.class_weighted(loss, targets, targets.ndim, None, SAME[case])
        assert found.dtype == np.float32 and found.tolist() == np.where(y, 3.0, 0.5).tolist()


def test_balanced_is_that_of_scikit_learn():
    """compute_sample_weight("balanced", y) of scikit-learn 1.7, of the samples trained on."""
    y = np.repeat([0, 1], [4, 12])
    weights = data.class_weighted(SPARSE(True), y, 2, None, "balanced")
    assert weights.tolist() == np.float32([2.0] * 4 + [2 / 3] * 12).tolist()
    some = data.class_weighted(SPARSE(True), np.array([0, 2, 2]), 4, None, "balanced")
    assert some.tolist() == [1.5, 0.75, 0.75]
    kept, _ = data.split(y, 0.4, 0)
    counts = np.bincount(y[kept])
    assert counts[0] * 3 != counts[1], "other shares than in y"
    losses_of = [
        network(SPARSE(True)).fit(X, y, verbose=0, class_weight=weight, validation_split=0.4)
        for weight in ("balanced", len(kept) / (2 * counts))
    ]
    assert losses_of[0].history["loss"] == losses_of[1].history["loss"]


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", "float64", "bool"])
def test_labels_of_any_kind(dtype):
    for smoothing in (0.0, 0.1):
        loss = SPARSE(label_smoothing=smoothing)
        wanted = loss.prepare(TARGETS["labels"], 2)
        found = loss.prepare(TARGETS["labels"].astype(dtype), 2)
        assert found.dtype == wanted.dtype and found.tolist() == wanted.tolist()


def test_losses_that_take_no_weights():
    with pytest.raises(ValueError, match=r"sample_weight: got weights; .*RootMeanSquaredError\(\)"):
        network(RMSE()).fit(X, TARGETS["numbers"], sample_weight=WEIGHTS)
    for loss, kind in ((MSE(), "numbers"), (BINARY(True), "yes or no")):
        with pytest.raises(ValueError, match=r"class_weight: got weights; .*has no classes here"):
            network(loss).fit(X, TARGETS[kind], class_weight={1: 2.0})


@pytest.mark.parametrize("loss", [MSE(), MAE(), RMSE()], ids=lambda loss: type(loss).__name__)
def test_numbers_have_no_accuracy(loss):
    message = f"^metrics: got 'accuracy' with {type(loss).__name__}; expected .*the loss is the mea"
    with pytest.raises(ValueError, match=message):
        network(loss, metrics=["accuracy"])


@pytest.mark.parametrize("ending", [None, "tanh", "softmax"])
def test_probabilities_of_yes_come_from_sigmoid(ending):
    model = network(BINARY(), ending=ending)
    message = rf"activation is {ending or 'identity'}. End with activation='sigmoid', or, if"
    with pytest.raises(ValueError, match=message):
        model.fit(X, TARGETS["yes or no"])


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
@pytest.mark.parametrize("make", [BINARY, SPARSE, ONE_HOT])
def test_a_smoothing_out_of_range(make, share):
    with pytest.raises(ValueError, match=f"^label_smoothing: got {share}; expected 0 ≤ label_smo"):
        make(label_smoothing=share)


def test_labels_of_hinge_are_stated():
    with pytest.raises(ValueError, match=r"^labels: got \(1, 2\); expected \(-1, 1\) or \(0, 1\)"):
        HINGE((1, 2))


@pytest.mark.parametrize("delta", [0, -1.0, float("nan"), float("inf"), 1e-60, "1"])
def test_a_delta_of_huber_that_is_none(delta):
    with pytest.raises(ValueError, match=f"^delta: got {delta!r}; expected a finite number, 1"):
        losses.Huber(delta)


# By name


@pytest.mark.parametrize("name", losses.catalog.classes)
def test_found_by_name_and_by_configuration(name):
    loss = losses.get(name)
    assert type(loss) is getattr(losses, name)
    assert losses.get(config(loss)) == loss


def test_a_file_of_kernels_needs_no_class():
    assert losses.get("squared_error") == losses.Elementwise("squared_error")
    assert losses.get("hinge") == losses.Hinge()  # a class of that name comes first
    with pytest.raises(ValueError, match=r"^elementwise loss: got 'hinges'.* Did you mean 'hinge'"):
        losses.Elementwise("hinges")
