"""Training steps as graphs: the same bits as eagerly, and nothing frozen that may change."""

import copy
from dataclasses import dataclass

import numpy as np
import pytest

from dnn import callbacks, layers, learning_rate_finder, load_model, losses, optimizers, schedules
from dnn.graphs import GRAPH_STEPS
from kernels.device import graph
from tests.dnn.helpers import bits, samples, small_model


def trained(*stack, optimizer="adam", options=None, **arguments):
    """(weights, history) of a fit on samples(); options: of compile."""
    model = small_model(*stack, optimizer=optimizer, **(options or {}))
    arguments = {"epochs": 3, "verbose": 0} | arguments
    history = model.fit(*samples(), **arguments).history
    del history["seconds"]
    return bits(model.get_weights()), history


def eagerly(*stack, options=None, **arguments):
    return trained(*stack, options={"run_eagerly": True} | (options or {}), **arguments)


@pytest.fixture
def captures(monkeypatch):
    """The graphs that are recorded."""
    recorded = []

    class Noted(graph.Graph):
        def __init__(self, device):
            super().__init__(device)
            recorded.append(self)

    monkeypatch.setattr(graph, "Graph", Noted)
    return recorded


@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.Adam(0.01),
        optimizers.Adam(0.01, clipvalue=0.01),
        optimizers.AdamW(schedules.OneCycle(0.02), clipnorm=0.1),
        optimizers.SGD(0.1, 0.5, True),
        optimizers.SGD(schedules.CosineDecay(0.1), weight_decay=0.03, global_clipnorm=0.1),
        optimizers.Adagrad(0.1),
        optimizers.RMSprop(0.01),
        optimizers.RMSprop(0.01, momentum=0.5, centered=True, weight_decay=0.03),
        optimizers.Adadelta(),
        optimizers.Adam(0.01, use_ema=True),
    ],
    ids=str,
)
@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_the_same_bits_as_eagerly(optimizer, batch_size):
    """With ragged last batches."""
    options = {"optimizer": optimizer, "batch_size": batch_size}
    assert trained(**options) == eagerly(**options)


def test_eager_steps_are_not_recorded(captures):
    eagerly()
    assert captures == []
    trained()
    assert len(captures) == 2  # of a whole batch and of the last


# How many steps at once


class Noted(callbacks.Callback):
    def __init__(self):
        self.seen = []

    def on_train_batch_end(self, batch, logs):
        running = self.model.running
        loss = running.losses.mean()
        self.seen.append((batch, running.steps, running.rows, self.model.steps_trained, loss))


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_steps_per_execution(run_eagerly):
    """203 samples, batches of 30: seven steps an epoch, the last of 23."""
    runs = {}
    for steps in ("auto", 1, 3, 7, 1000):
        options, watcher = {"steps_per_execution": steps, "run_eagerly": run_eagerly}, Noted()
        weights = trained(options=options, batch_size=30, epochs=2, callbacks=watcher)
        runs[steps] = weights, watcher.seen
    weights, each = runs[1]
    assert [seen[:4] for seen in each[:7]] == [
        (i, 1, 23 if i == 6 else 30, i + 1) for i in range(7)
    ]
    assert runs["auto"] == runs[1]  # the callback wants to see every batch
    for steps, lasts in ((3, [2, 5, 6, 9, 12, 13]), (7, [6, 13]), (1000, [6, 13])):
        assert runs[steps][0] == weights
        seen = runs[steps][1]
        assert [(batch, *rest) for batch, _, *rest in seen] == [
            (batch, *rest) for batch, _, *rest in (each[i] for i in lasts)
        ]
        assert sum(steps for _, steps, *_ in seen) == 14


def test_graphs_of_several_steps(captures, monkeypatch):
    """203 steps an epoch, in graphs of 8 and one of 3, each recorded once."""
    one = trained(batch_size=1)
    (of_a_step,) = [g.launches for g in captures]
    monkeypatch.setitem(GRAPH_STEPS, "cpu", 8)
    assert trained(batch_size=1) == one
    assert [g.launches for g in captures[1:]] == [8 * of_a_step, 3 * of_a_step]


def test_by_default_callbacks_say_how_often_they_are_called(monkeypatch):
    """Those that override on_train_batch_end are called after each batch, unless they say that the
    ends of graphs will do; so does the bar."""

    class Seldom(Noted):
        every_batch = False

    monkeypatch.setitem(GRAPH_STEPS, "cpu", 4)
    for watchers, batches in (([Seldom()], [3, 6]), ([Noted(), Seldom()], [*range(7)])):
        trained(batch_size=30, epochs=1, callbacks=watchers)
        for watcher in watchers:
            assert [batch for batch, *_ in watcher.seen] == batches
    assert not callbacks.Callback().every_batch
    (bar,) = callbacks.progress(1)
    assert not bar.every_batch


def test_what_steps_per_execution_may_be():
    for wrong in (0, 2.5, "all"):
        with pytest.raises(ValueError, match=rf"^steps_per_execution: got {wrong!r}; expected"):
            small_model(steps_per_execution=wrong)


def test_a_file_keeps_how_steps_are_run(tmp_path):
    for options in ({}, {"steps_per_execution": 5, "run_eagerly": True}):
        model = small_model(**options)
        model.build(12)
        model.save(tmp_path / "model")
        back = load_model(tmp_path / "model")
        assert back.steps_per_execution == options.get("steps_per_execution", "auto")
        assert back.run_eagerly == options.get("run_eagerly", False)


def test_a_run_that_stops_within_an_epoch_goes_on_there(tmp_path):
    """Stopped and saved after the fourth of seven steps; what is left are three, and not 3 + 1."""

    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            self.model.stop_training = batch >= 3

    model = small_model(steps_per_execution=2)
    model.fit(*samples(), 30, 2, 0, callbacks=Stop())
    assert (model.steps_trained, model.samples_trained) == (4, 120)
    model.save(tmp_path / "model")
    back = load_model(tmp_path / "model")
    back.fit(*samples(), 30, 2, 0)
    assert bits(back.get_weights()) == eagerly(batch_size=30, epochs=2)[0]


@pytest.mark.parametrize(("steps", "batches"), [(1, {"5", "3"}), (3, {"6", "3"})])
def test_model_checkpoint_by_steps(steps, batches, tmp_path):
    """Two epochs of seven steps, a file at every fifth, or behind the execution that reaches it."""
    watcher = callbacks.ModelCheckpoint(str(tmp_path / "{batch}"), save_freq=5)
    trained(options={"steps_per_execution": steps}, batch_size=30, epochs=2, callbacks=watcher)
    assert {file.name for file in tmp_path.iterdir()} == batches


@pytest.mark.parametrize(("steps", "measured"), [(1, [1, 3, 5, 7]), (3, [3, 6, 7])])
def test_gradient_watch(steps, measured):
    watcher = callbacks.GradientWatch(every=2)
    trained(options={"steps_per_execution": steps}, batch_size=30, epochs=1, callbacks=watcher)
    assert watcher.records["step"] == measured


# What may change while a model trains


class Change(callbacks.Callback):
    """Sets an attribute of `part(model)` to `value` after the fourth batch of the first epoch."""

    def __init__(self, part, name, value):
        self.part, self.name, self.value = part, name, value

    def on_train_batch_end(self, batch, logs):
        if batch == 3:
            setattr(self.part(self.model), self.name, self.value)


STACK = (
    layers.Dense(8),
    layers.BatchNormalization(activation="relu"),
    layers.Dropout(0.2),
    layers.Dense(4),
)


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        (lambda model: model.optimizer, "epsilon", 0.01),
        (lambda model: model.optimizer, "weight_decay", 0.1),
        (lambda model: model.optimizer, "clipnorm", 0.01),
        (lambda model: model.optimizer, "learning_rate", 0.05),
        (lambda model: model.layers[1], "momentum", 0.5),
        (lambda model: model.layers[2], "rate", 0.7),
    ],
)
@pytest.mark.parametrize("steps", [1, 2])
def test_a_change_counts_from_the_next_step_on(part, name, value, steps):
    def run(train, watchers):
        optimizer, stack = optimizers.AdamW(0.01), copy.deepcopy(STACK)
        options = {"steps_per_execution": steps}
        return train(
            *stack, optimizer=optimizer, options=options, batch_size=16, callbacks=watchers
        )

    changed = run(trained, [Change(part, name, value)])
    assert changed == run(eagerly, [Change(part, name, value)])
    assert changed != run(trained, [])


def test_a_new_learning_rate_needs_no_new_graph(captures):
    class Halve(callbacks.Callback):
        def on_epoch_end(self, epoch, logs):
            self.model.optimizer.learning_rate = 0.01 / (epoch + 2)

    trained(optimizer=optimizers.Adam(0.01), batch_size=203, callbacks=Halve())
    assert len(captures) == 1


def test_the_learning_rate_finder_sees_every_step():
    model = small_model(steps_per_execution=7)
    sweep = learning_rate_finder(model, *samples(), batch_size=30, steps=10)
    assert len(sweep.rates) == 10
    assert model.steps_per_execution == 7


@dataclass
class Squared(losses.Loss):
    """A user's own loss, in NumPy."""

    from_logits = True

    def prepare(self, y, units):
        return np.asarray(y, np.float32)

    def __call__(self, z, targets, scale, loss, dz, hit):
        error = z[:, 0] - targets
        loss[:], hit[:] = error**2, 0
        if dz is not None:
            dz[:], dz[:, 0] = 0, 2 * scale * error


def test_a_loss_in_numpy_is_run_at_every_step(captures):
    model = small_model()
    model.compile(optimizers.Adam(0.01), Squared())
    x, _ = samples()
    losses = model.fit(x, x[:, 0], epochs=30, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * losses[0]
    assert not captures


@dataclass
class OwnAdam(optimizers.Adam):
    """A user's own, which may do anything."""


@dataclass
class KernelsAlone(optimizers.Adam, recordable=True):
    """A user's own that says it calls kernels alone."""


def test_a_class_says_of_itself_that_its_steps_can_be_recorded(captures):
    own = eagerly(optimizer=optimizers.Adam(0.01))
    assert trained(optimizer=OwnAdam(0.01)) == own and not captures
    assert trained(optimizer=KernelsAlone(0.01)) == own and captures


def test_every_class_of_the_library_is_recordable():
    for family in (layers, losses, optimizers):
        for cls in family.catalog.classes.values():
            assert cls.recordable == getattr(cls, "computes", True), cls
