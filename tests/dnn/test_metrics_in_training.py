"""Metrics in training: which samples and outputs `fit` hands to them, what `compile` takes, what
files keep and callbacks ask."""

import functools
import warnings

import numpy as np
import pytest

from dnn import Sequential, callbacks, layers, load_model, losses, metrics, optimizers
from dnn.callbacks.monitor import Monitor
from tests.dnn.helpers import LOGITS, samples

N, CLASSES = 203, 4
X, Y = samples(N, 12, CLASSES)
NUMBERS = X[:, :2] * 2
RNG = np.random.default_rng(0)
SCORES = np.round(RNG.standard_normal((60, CLASSES)), 1).astype(np.float32)  # with ties
LABELS = RNG.integers(0, CLASSES, 60)


# In training


class Seen:
    """Keeps what it is given."""

    __name__ = "seen"

    def __init__(self):
        self.calls = []

    def __call__(self, y_true, y_pred):
        self.calls.append((y_true, y_pred))
        return len(self.calls)


def model(loss=LOGITS, chosen=(), units=CLASSES, ending=None, rate=0.0, device="cpu", **options):
    stack = [layers.Dense(8, "relu"), layers.Dense(units, ending)]
    made = Sequential(stack, seed=3, device=device)
    made.compile(optimizers.SGD(rate), loss, list(chosen), **options)
    return made


@pytest.mark.parametrize(
    ("loss", "ending"),
    [
        (LOGITS, None),
        (losses.SparseCategoricalCrossentropy(), "softmax"),
        (losses.SparseCategoricalCrossentropy(label_smoothing=0.1), "softmax"),
    ],
)
@pytest.mark.parametrize("run_eagerly", [False, True])
def test_targets_and_predictions_belong_to_one_sample(loss, ending, run_eagerly):
    """Shuffled, split, in batches: each pair is a sample's own target, as it was given, and what
    the model predicts for it; the rate is 0, so the weights are those at the end."""
    seen = Seen()
    numbers = np.arange(N) % CLASSES
    made = model(loss, [seen], ending=ending, run_eagerly=run_eagerly)
    history = made.fit(X, numbers, 32, 2, 0, validation_split=0.2).history
    assert history["seen"] == [1, 3] and history["val_seen"] == [2, 4]
    lengths = [len(y) for y, _ in seen.calls]
    assert lengths[:2] == lengths[2:] and sum(lengths) == 2 * N
    predicted = made.predict(X)
    for y_true, y_pred in seen.calls:
        assert y_true.dtype == numbers.dtype and y_pred.dtype == np.float32
        for y, p in zip(y_true, y_pred, strict=True):
            distance = abs(predicted - p).max(axis=1)
            assert distance.min() < 1e-5 and numbers[distance.argmin()] == y
    first, third = seen.calls[0][1], seen.calls[2][1]
    assert not np.array_equal(first, third), "epochs have orders of their own"


def test_training_evaluation_and_logs_agree():
    """At a rate of 0 the epoch's values are those of `evaluate`; order and names are compile's."""
    chosen = ["auc", "acc", metrics.Precision(name="p"), "top_2_accuracy", metrics.Recall()]
    made = model(chosen=chosen)
    history = made.fit(X, Y, verbose=0, validation_data=(X, Y)).history
    names = ["loss", "auc", "acc", "p", "top_2_accuracy", "recall"]
    assert list(history) == [*names, "seconds", *(f"val_{name}" for name in names)]
    told = made.evaluate(X, Y, return_dict=True)
    assert list(told) == names and made.evaluate(X, Y) == list(told.values())
    for name, value in told.items():
        assert history[f"val_{name}"] == [value]
        assert history[name] == pytest.approx([value], rel=1e-5)


def test_an_epoch_that_goes_on_has_the_outputs_of_its_first_part_too():
    class StopAfterTwo(callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            self.model.stop_training = batch == 1

    seen, numbers = Seen(), np.arange(N)
    made = model(losses.MeanSquaredError(), [seen], units=1)
    made.fit(X, numbers[:, None], 50, 1, 0, StopAfterTwo())
    made.fit(X, numbers[:, None], 50, 1, 0)
    (first, before), (whole, outputs) = seen.calls
    assert len(first) == 100 and np.array_equal(first, whole[:100])
    assert np.array_equal(before, outputs[:100]) and sorted(whole[:, 0]) == list(numbers)


def test_weights_change_the_loss_alone():
    made = model(chosen=["auc", "accuracy"])
    plain, weighted = (
        made.evaluate(X, Y, sample_weight=w, return_dict=True) for w in (None, np.arange(N))
    )
    assert plain.pop("loss") != weighted.pop("loss") and plain == weighted


def test_outputs_are_kept_where_a_metric_reads_them():
    from dnn.data import truth_for
    from dnn.per_sample import PerSample

    for chosen, kept in ((["accuracy"], False), ([], False), (["accuracy", "auc"], True)):
        made = model(chosen=chosen)
        made.build(12)
        per_sample = PerSample(made, N, truth_for(made, Y))
        assert len(per_sample.every) == 2 + kept


def test_the_same_bits_with_and_without():
    one, other = model(rate=0.1), model(rate=0.1, chosen=["auc", "f1"])
    for made in (one, other):
        made.fit(X, Y, verbose=0)
    assert one.arena.tobytes() == other.arena.tobytes()


@pytest.mark.emulated
def test_the_emulated_device_hands_on_the_same():
    """In graphs of several steps, the last batch smaller."""
    calls = []
    for device in ("cpu", "emulated"):
        seen = Seen()
        made = model(chosen=[seen, "auc"], rate=0.05, device=device)
        made.fit(X[:40], Y[:40], 16, 1, 0)
        calls += seen.calls
    (y, p), (y_there, p_there) = calls
    assert np.array_equal(y, y_there) and np.allclose(p, p_there, rtol=0, atol=1e-5)


def test_a_function_that_gives_no_number():
    def both(y_true, y_pred):
        return y_pred[:, 0]

    made = model(chosen=[both])
    with pytest.raises(
        TypeError, match=r"^metric 'both': got an array of shape \(203,\); expected one number$"
    ):
        made.evaluate(X, Y)
    made = model(chosen=[lambda y_true, y_pred: np.float32([[0.5]])])
    assert made.evaluate(X, Y, return_dict=True)["<lambda>"] == 0.5


# What compile takes

REFUSED = {
    "a loss of classes": (
        ["mae"],
        LOGITS,
        "'mae' with SparseC.* are classes; expected some of 'ac",
    ),
    "numbers": (["auc"], losses.Huber(), "'auc' with Huber, whose targets are numbers; .*'mae'"),
    "accuracy of numbers": (["acc"], losses.MeanSquaredError(), "got 'acc' with MeanSquaredError"),
    "yes or no": (["top_5"], losses.Hinge(), "'top_5' with Hinge, .* are yes or no"),
    "a threshold": ([metrics.Recall(0.3)], LOGITS, "threshold: got 0.3 .* the largest output"),
    "of hinge": ([metrics.Recall(0.3)], losses.Hinge(), "threshold: got 0.3 .* over 0 means yes"),
    "two": (["acc", "acc"], LOGITS, "metrics: got two named 'acc'"),
    "reserved": ([metrics.AUC(name="val_a")], LOGITS, "metrics: one is named 'val_a'"),
    "unknown": (["acuracy"], LOGITS, "metric: got 'acuracy'.* Did you mean 'accuracy'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    chosen, loss, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        model(loss, chosen)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ("auc", r"^metrics: got 'auc'; expected a list of names: \['auc'\]$"),
        (metrics.AUC(), "^metrics: got AUC; expected a list of names, metrics and functions"),
        ([metrics.AUC], r"^metric: got the class AUC; expected an instance: metrics.AUC\(\)$"),
        ([3], "^metric: got int; expected a name or an instance"),
    ],
)
def test_other_types(chosen, message):
    with pytest.raises(TypeError, match=message):
        Sequential([layers.Dense(4)]).compile("adam", LOGITS, chosen)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.Precision(1.5), "^threshold: got 1.5; expected"),
        (lambda: metrics.Precision(average="weighted"), "^average: got 'weighted'; expected one"),
        (lambda: metrics.TopKAccuracy(0), "^k: got 0; expected an integer"),
        (lambda: metrics.Recall(class_id=7)(LABELS, SCORES), "^class_id: got 7; expected 0 … 3"),
        (
            lambda: metrics.AUC()([1, 0], [[0.1]]),
            r"^y_true, y_pred: got shapes \(2,\) and \(1, 1\)",
        ),
    ],
)
def test_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_none_is_no_metrics():
    made = Sequential([layers.Dense(4)])
    made.compile("adam", LOGITS, None)
    assert made.metrics == ()


# Files and callbacks


def test_in_a_model_file(tmp_path):
    def own(y_true, y_pred):
        return 1.0

    partial = functools.partial(own)
    chosen = ["acc", metrics.Precision(average="micro", name="p"), "top_3", own]
    made = model(chosen=chosen)
    made.fit(X, Y, verbose=0)
    made.save(tmp_path / "m")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = load_model(tmp_path / "m", device="cpu", custom_metrics=[own])
    assert loaded.metrics == made.metrics
    assert loaded.evaluate(X, Y) == made.evaluate(X, Y)
    with pytest.warns(UserWarning, match="^metric 'own': is your own .*custom_metrics="):
        loaded = load_model(tmp_path / "m", device="cpu")
    assert loaded.metrics == made.metrics[:3]
    assert metrics.get(partial).name == "own"


def test_a_metric_class_of_the_users():
    class Bias(metrics.Metric):
        def __call__(self, y_true, y_pred):
            return (y_pred - y_true).mean()

    made = model(losses.MeanSquaredError(), [Bias()], units=2)
    want = (made.fit(X, NUMBERS, verbose=0) and made.predict(X) - NUMBERS).mean()
    assert made.evaluate(X, NUMBERS, return_dict=True)["bias"] == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "mode"),
    [("val_auc", "max"), ("precision", "max"), ("val_acc", "max"), ("val_accuracy", "max"),
     ("top_5_accuracy", "max"), ("rmse", "min"), ("val_loss", "min"), ("mine", "min")],
)  # fmt: skip
def test_what_is_better(name, mode):
    assert Monitor(name).mode == mode


def test_callbacks_ask_the_models_metric_what_is_better(tmp_path):
    def own(y_true, y_pred):
        return 1.0

    made = model(chosen=[metrics.AUC(name="mine"), own])
    stop = callbacks.EarlyStopping("mine", patience=5)
    best = callbacks.ModelCheckpoint(tmp_path / "m", "mine", save_best_only=True)
    made.fit(X, Y, epochs=1, verbose=0, callbacks=[stop, best])
    assert stop.monitor.mode == "max" and stop.best == best.best > 0
    for mode in ("auto", "max"):
        stop = callbacks.EarlyStopping("own", mode=mode)
        if mode == "auto":
            with pytest.raises(ValueError, match=r"^mode: got 'auto' for 'own'.*'min' or 'max'"):
                made.fit(X, Y, verbose=0, callbacks=[stop])
        else:
            made.fit(X, Y, verbose=0, callbacks=[stop])
