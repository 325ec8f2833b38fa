"""Nothing that a user sets is ignored: a name that nothing would read is refused."""

import dataclasses

import pytest

from dnn import callbacks, initializers, layers, losses, optimizers, schedules
from tests.dnn.helpers import samples, small_model

X, Y = samples(40)

MISTAKES = {
    "an optimizer's lr": (optimizers.Adam(), "lr", "Did you mean 'learning_rate'"),
    "an optimizer": (optimizers.Adam(), "beta1", "Did you mean 'beta_1'"),
    "a layer": (layers.Dense(3), "activaton", "Did you mean 'activation'"),
    "a frozen layer": (layers.Dense(3), "trainable", "no layer is frozen here. Train those behind"),
    "a frozen model": (small_model(), "trainable", "no layer is frozen here"),
    "a model": (small_model(), "stop_trainig", "Did you mean 'stop_training'"),
    "a model's rate": (small_model(), "learning_rate", "model.optimizer.learning_rate"),
    "a model's names": (small_model(), "classnames", "Did you mean 'class_names'"),
    "a loss": (losses.BinaryCrossentropy(), "label_smooth", "Did you mean 'label_smoothing'"),
    "a schedule": (schedules.CosineDecay(), "decay_step", "Did you mean 'decay_steps'"),
    "an initializer": (initializers.Constant(1.0), "values", "Did you mean 'value'"),
    "a callback": (callbacks.EarlyStopping(), "patiance", "Did you mean 'patience'"),
    "a history": (callbacks.History(), "epochs", "Did you mean 'epoch'"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_refused_by_name(case):
    thing, name, message = MISTAKES[case]
    with pytest.raises(AttributeError, match=f"^{name}: {type(thing).__name__} has no .*{message}"):
        setattr(thing, name, 1)
    assert not hasattr(thing, name)


def test_what_is_there_may_be_set():
    model = small_model()
    model.stop_training = model.run_eagerly = True
    model.optimizer.learning_rate = 0.5
    model.fit(X, Y, verbose=0)
    stop = callbacks.EarlyStopping()
    stop.patience = 3
    layer = layers.Dropout(0.5)
    layer.rate = 0.25
    assert (model.optimizer.schedule(0), stop.patience, layer.rate) == (0.5, 3, 0.25)


def test_a_users_own_classes_have_attributes_of_their_own():
    @dataclasses.dataclass
    class Mine(layers.Dense):
        extra: int = 0

        def __post_init__(self):
            self.seen = []

    class Watch(callbacks.EarlyStopping):
        def __init__(self):
            super().__init__("loss")
            self.told = 0

        def on_train_batch_end(self, batch, logs):
            self.told += 1
            self.last = batch

    watch, layer = Watch(), Mine(4, extra=2)
    layer.note = "mine"
    small_model(layer).fit(X, Y, verbose=0, callbacks=watch)
    assert (watch.told, watch.last, layer.seen, layer.note) == (2, 1, [], "mine")
    with pytest.raises(AttributeError, match="no layer is frozen here"):
        layer.trainable = False  # nothing would read it here either


def test_whose_a_class_is_does_not_hang_on_the_module_it_names():
    class Mine(callbacks.EarlyStopping):
        __module__ = callbacks.EarlyStopping.__module__

    Mine().note = "mine"
    namespace = {"layer": layers.Dense(3), "__name__": "dnn.layers.dense"}
    with pytest.raises(AttributeError, match="Did you mean 'activation'"):
        exec("layer.activaton = 1", namespace)
