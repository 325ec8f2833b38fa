"""What an optimizer, schedule, layer, loss, initializer or callback is given is a number it can
work with: when it is made, when it is set, and when it comes from a file."""

import json
import math

import numpy as np
import pytest

from dnn import callbacks, catalog, initializers, layers, losses, optimizers, schedules
from dnn.datasets import toy
from tests.dnn.helpers import LOGITS, bits, samples, small_model

X, Y = samples()
NAN, INF = math.nan, math.inf
SHARE = (-0.1, 1.0, NAN, "0.5", True)  # of what may not be all
PART = (-0.1, 1.1, NAN, None, True)
SIZE = (-1.0, NAN, INF, 1e308, None, True)  # 0 is one
RATE = (-1.0, NAN, INF, 1e308)
OVER_0 = (0.0, *SIZE)
COUNT = (0, -1, 2.5, NAN, INF, 2**31, True)

FIELDS = [  # an object, and values that a field of it is never to have
    *(
        (of(), {"weight_decay": SIZE, "learning_rate": RATE, "ema_momentum": PART,
                "use_ema": ("yes", 2), "clipnorm": (0.0, -1.0, NAN, INF, 1e308, True),
                "clipvalue": (0.0, -1.0, NAN, INF), "global_clipnorm": (0.0, -1.0, NAN, INF)})
        for of in optimizers.catalog.classes.values()
    ),
    *(
        (of(), {"epsilon": OVER_0})
        for of in optimizers.catalog.classes.values() if hasattr(of, "epsilon")
    ),
    (optimizers.SGD(), {"momentum": SHARE, "nesterov": (None, "no")}),
    (optimizers.Adam(), {"beta_1": SHARE, "beta_2": SHARE}),
    (optimizers.AdamW(), {"beta_1": SHARE, "beta_2": SHARE}),
    (optimizers.RMSprop(), {"rho": SHARE, "momentum": SHARE, "centered": (None, "no")}),
    (optimizers.Adagrad(), {"initial_accumulator_value": SIZE}),
    (optimizers.Adadelta(), {"rho": SHARE}),
    (schedules.Constant(), {"learning_rate": SIZE}),
    (schedules.PiecewiseConstantDecay([5], [1, 2]),
     {"boundaries": ([-1], [2.5], [NAN], "5", 5), "values": ([1, -1], [1, NAN], [1, 1e308], 1)}),
    (schedules.ExponentialDecay(),
     {"initial_learning_rate": SIZE, "decay_steps": COUNT, "decay_rate": OVER_0,
      "staircase": (None,)}),
    (schedules.CosineDecay(),
     {"initial_learning_rate": SIZE, "decay_steps": COUNT, "alpha": PART,
      "warmup_target": RATE, "warmup_steps": (-1, 2.5, 2**31, None)}),
    (schedules.OneCycle(),
     {"max_learning_rate": SIZE, "total_steps": COUNT, "pct_start": PART,
      "div_factor": (0.0, 0.5, NAN, INF), "final_div_factor": OVER_0}),
    (layers.Dense(3), {"units": (*COUNT, None, 10**12), "use_bias": (None, "no"),
                       "activation": ("rellu",), "kernel_initializer": ("no_such",)}),
    (layers.Dropout(0.5), {"rate": (*SHARE, None), "seed": (-1, 0.5, True, 2**63)}),
    (layers.Rescaling(1.0), {"scale": (NAN, INF, 1e308, "1", True), "offset": (NAN, None)}),
    (layers.RandomTranslation(0, 0), {"height_factor": PART, "width_factor": PART,
                                      "seed": (-1, 0.5), "fill_mode": ("reflect",)}),
    (layers.RandomFlip(), {"mode": ("up",), "seed": (-1, 0.5)}),
    (layers.BatchNormalization(), {"momentum": PART, "epsilon": OVER_0, "center": (None,),
                                   "scale": ("no",), "gamma_initializer": ("one",)}),
    (layers.Input(3), {"shape": ((), (3, 0), True, 2.5, (3, NAN))}),
    (losses.BinaryCrossentropy(), {"label_smoothing": SHARE, "from_logits": ("False", None)}),
    (losses.CategoricalCrossentropy(), {"label_smoothing": SHARE, "from_logits": (2,)}),
    (losses.SparseCategoricalCrossentropy(), {"label_smoothing": SHARE}),
    (losses.Hinge(), {"labels": ((1, 2), (1, 1), 0, None, "01")}),
    (initializers.Constant(), {"value": (NAN, INF, 1e308, None)}),
    (initializers.RandomNormal(), {"mean": (NAN, INF), "stddev": SIZE}),
    (initializers.RandomUniform(), {"minval": (NAN, -INF), "maxval": (NAN, -1e308)}),
]  # fmt: skip
CASES = [
    pytest.param(made, field, value, id=f"{type(made).__name__}.{field}={value!r}")
    for made, fields in FIELDS
    for field, values in fields.items()
    for value in values
]


@pytest.mark.parametrize(("made", "field", "value"), CASES)
def test_refused(made, field, value):
    """When it is made, as from a file, and when it is set; then nothing has changed."""
    kept, config = getattr(made, field), catalog.config(made)
    with pytest.raises((TypeError, ValueError), match=f"^{field}|^activation|^initializer"):
        setattr(made, field, value)
    assert getattr(made, field) == kept and catalog.config(made) == config
    fields = {name: v for name, v in config.items() if name != "class"} | {field: value}
    with pytest.raises((TypeError, ValueError)):
        type(made)(**fields)


NUMPY = [
    (layers.Dropout, {"rate": np.float32(0.1), "seed": np.int32(7)}),
    (layers.Rescaling, {"scale": np.float32(1 / 255), "offset": np.array(-1)}),
    (layers.RandomTranslation, {"height_factor": np.float32(0.1), "width_factor": np.int64(0)}),
    (layers.Dense, {"units": np.int64(3), "use_bias": np.False_}),
    (layers.BatchNormalization, {"momentum": np.float32(0.9), "scale": np.True_}),
    (optimizers.SGD, {"learning_rate": np.float32(0.1), "momentum": np.float16(0.5)}),
    (optimizers.AdamW, {"weight_decay": np.float32(0.1), "clipnorm": np.int64(1)}),
    (schedules.OneCycle, {"max_learning_rate": np.float32(0.1), "total_steps": np.int64(9)}),
    (schedules.PiecewiseConstantDecay, {"boundaries": np.arange(2), "values": np.ones(3, "f4")}),
    (losses.BinaryCrossentropy, {"label_smoothing": np.float32(0.1), "from_logits": np.True_}),
    (losses.Hinge, {"labels": np.array([0.0, 1.0])}),
    (initializers.RandomNormal, {"stddev": np.float32(0.1)}),
]


@pytest.mark.parametrize(("of", "fields"), NUMPY, ids=lambda value: getattr(value, "__name__", ""))
def test_what_numpy_gives_is_kept_as_plain_numbers(of, fields):
    """So that a file holds it, and what comes from the file is equal, to the bit."""
    made = of(**fields)
    config = json.loads(json.dumps(catalog.config(made)))
    config.pop("class")
    assert of(**config) == made
    for field, value in fields.items():
        assert np.array_equal(getattr(made, field), value)
        assert type(getattr(made, field)) in (int, float, bool, list, tuple)


def test_a_schedule_within_an_optimizer_comes_back():
    made = optimizers.Adam(schedules.OneCycle(np.float32(0.1)))
    back = optimizers.get(json.loads(json.dumps(catalog.config(made))))
    assert back == made and type(made.learning_rate.max_learning_rate) is float
    with pytest.raises(ValueError, match="Did you mean 'OneCycle'"):
        schedules.get({"class": "OneCycl"})


def test_changed_together():
    """Two fields that must fit each other may be set one after the other."""
    made = initializers.RandomUniform()
    made.minval, made.maxval = 1, 2
    assert (made((2, 2), 0, 0) >= 1).all()
    made.minval = 3
    with pytest.raises(ValueError, match=r"minval, maxval: got 3.0, 2.0; expected minval ≤ maxval"):
        made((2, 2), 0, 0)
    pieces = schedules.PiecewiseConstantDecay([5], [1, 2])
    pieces.boundaries = [5, 9]
    with pytest.raises(ValueError, match="values: got 2; expected 3"):
        pieces(0)
    pieces.values = [1, 2, 3]
    assert pieces(10) == 3
    rule = optimizers.SGD(clipnorm=1.0)
    with pytest.raises(ValueError, match="clipnorm, clipvalue: got values for each"):
        rule.clipvalue = 1.0
    rule.clipnorm, rule.clipvalue = None, 1.0
    assert rule.clipping() == ("clipvalue", 1.0)


def test_a_rate_that_leaves_what_float32_holds():
    with pytest.raises(
        ValueError, match=r"^max_learning_rate / div_factor / final_div_factor: got"
    ):
        schedules.OneCycle(1.0, final_div_factor=1e-300)
    growing = schedules.ExponentialDecay(1.0, 1, decay_rate=1e9)
    assert schedules.rates(growing, range(4)) == [1.0, 1e9, 1e18, 1e27]
    for steps, got in (([5], "1e.45"), ([99], "inf")):
        with pytest.raises(
            ValueError, match=f"^learning_rate, by Exponential.* step .*: got {got}"
        ):
            schedules.rates(growing, steps)


class Own(schedules.Schedule):
    """A user's own, which may give anything."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return self.rate


@pytest.mark.parametrize("rate", [-0.1, NAN, "0.1", None, 1e39])
def test_what_a_schedule_of_ones_own_gives(rate):
    model = small_model(optimizer=optimizers.SGD(Own(rate)))
    with pytest.raises(ValueError, match=r"^learning_rate, by Own in step 0: got"):
        model.fit(X, Y, verbose=0)
    assert schedules.rates(Own(np.float32(0.1)), [3]) == [float(np.float32(0.1))]


CALLBACKS = {
    "factor": (callbacks.ReduceLROnPlateau, (0.0, 1.0, NAN, "0.1", True)),
    "min_lr": (callbacks.ReduceLROnPlateau, SIZE),
    "cooldown": (callbacks.ReduceLROnPlateau, (-1, 2.5)),
    "min_delta": (callbacks.EarlyStopping, (NAN, INF, "0", True)),
    "patience": (callbacks.EarlyStopping, (-1, 2.5, True)),
    "baseline": (callbacks.EarlyStopping, (NAN, "0.5", True)),
    "restore_best_weights": (callbacks.EarlyStopping, ("no", None)),
    "every": (callbacks.GradientWatch, (0, 2.5)),
    "swap_on_epoch": (callbacks.SwapEMAWeights, ("no",)),
    "raise_error": (callbacks.TerminateOnNaN, ("no",)),
    "initial_value_threshold": (lambda **o: callbacks.ModelCheckpoint("m", **o), (NAN, "0.5")),
    "save_best_only": (lambda **o: callbacks.ModelCheckpoint("m", **o), ("no",)),
}


@pytest.mark.parametrize("name", CALLBACKS)
def test_callbacks(name):
    of, values = CALLBACKS[name]
    for value in values:
        with pytest.raises(ValueError, match=f"^{name}: got .*; expected"):
            of(**{name: value})


def test_callbacks_take_what_numpy_gives():
    made = callbacks.ReduceLROnPlateau(factor=np.float32(0.5), min_lr=np.float32(0.25))
    model = small_model(optimizer=optimizers.SGD(1.0))
    made.model = model
    made.on_train_begin({})
    made._reduce(0)
    assert type(model.optimizer.learning_rate) is float and model.optimizer.learning_rate == 0.5
    assert callbacks.EarlyStopping(baseline=np.float32(0.5), patience=np.int64(3)).patience == 3


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: toy.moons(4, noise=NAN), "noise"),
        (lambda: toy.moons(4, noise="0.1"), "noise"),
        (lambda: toy.circles(4, factor=NAN), "factor"),
        (lambda: toy.spirals(4, turns=INF), "turns"),
        (lambda: toy.red_blue(4, margin=NAN), "margin"),
        (lambda: toy.xor(2.5), "n"),
        (lambda: toy.blobs(4, seed=True), "seed"),
    ],
)
def test_toy_data(call, name):
    with pytest.raises(ValueError, match=f"^{name}: got .*; expected"):
        call()


def test_toy_data_take_what_numpy_gives():
    for one, other in zip(toy.moons(6, 0.5), toy.moons(np.int64(6), np.float32(0.5)), strict=True):
        assert bits([one]) == bits([other])


def test_more_steps_than_the_kernels_count():
    """Their counter is an int32; what is refused changes nothing."""
    model = small_model()
    model.build(12)
    with pytest.raises(ValueError, match=r"^epochs: got 306783379 of 7 steps each; expected 2,147"):
        model.fit(X, Y, epochs=306_783_379, verbose=0)
    model.steps_trained = 2**31 - 7
    before = bits(model.get_weights()), model.schedule_steps
    with pytest.raises(ValueError, match="with the 2,147,483,641 taken since compile"):
        model.fit(X, Y, verbose=0)
    assert before == (bits(model.get_weights()), model.schedule_steps)
    model.steps_trained -= 1
    model.fit(X, Y, verbose=0)
    assert model.steps_trained == 2**31 - 1


SQUASHED = {
    "Dense": ([layers.Dense(3, activation="softmax")], "softmax"),
    "Softmax": ([layers.Dense(3), layers.Softmax()], "softmax"),
    "Activation": ([layers.Dense(3), layers.Activation("softmax")], "softmax"),
    "BatchNormalization": (
        [layers.Dense(3), layers.BatchNormalization(activation="softmax")],
        "softmax",
    ),
    "before Dropout": ([layers.Dense(3, "softmax"), layers.Dropout(0.1)], "softmax"),
    "before a linear": ([layers.Dense(3, "softmax"), layers.Activation("identity")], "softmax"),
    "sigmoid": ([layers.Dense(3, activation="sigmoid")], "sigmoid"),
}


@pytest.mark.parametrize("case", SQUASHED)
@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (LOGITS, np.arange(6) % 3),
        (losses.CategoricalCrossentropy(from_logits=True), np.eye(3)[np.arange(6) % 3]),
        (losses.BinaryCrossentropy(from_logits=True), np.eye(3)[np.arange(6) % 3]),
        (losses.Hinge((0, 1)), np.eye(3)[np.arange(6) % 3]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_softmax_or_sigmoid_twice(case, loss, y):
    stack, name = SQUASHED[case]
    model = small_model(*stack, loss=loss)
    for use in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=f"the last activation is {name}, which makes prob"):
            use(np.ones((6, 4), np.float32), y)
    assert model.predict(np.ones((6, 4), np.float32)).shape == (6, 3)


def test_softmax_and_sigmoid_where_they_belong():
    x, y = np.eye(6, dtype=np.float32), np.eye(3)[np.arange(6) % 3]
    middle = layers.Dense(4, "softmax"), layers.Dense(4, "sigmoid"), layers.Dense(3)
    small_model(*middle, loss=losses.CategoricalCrossentropy(from_logits=True)).fit(x, y, verbose=0)
    model = small_model(layers.Dense(3, "softmax"))
    model.compile("sgd", losses.MeanSquaredError())
    model.fit(x, y, verbose=0)
    for activation, loss in (
        ("softmax", losses.CategoricalCrossentropy()),
        ("tanh", losses.Hinge((0, 1))),
    ):
        small_model(layers.Dense(3, activation), loss=loss).fit(x, y, verbose=0)
