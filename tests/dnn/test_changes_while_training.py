"""What a callback, or another thread, may change while a model trains, and what is refused."""

import threading

import numpy as np
import pytest

from dnn import callbacks, layers, learning_rate_finder, optimizers
from tests.dnn.helpers import LOGITS, bits, small_model
from tests.dnn.scripted import X, Y


class Do(callbacks.Callback):
    def __init__(self, act):
        self.act = act

    def on_epoch_end(self, epoch, logs):
        self.act(self.model)


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize(
    ("what", "act"),
    [
        ("compile", lambda model: model.compile("sgd", LOGITS)),
        ("build", lambda model: model.build()),
        ("fit", lambda model: model.fit(X, Y, verbose=0)),
        ("learning_rate_finder", lambda model: learning_rate_finder(model, X, Y, steps=3)),
        ("optimizer", lambda model: setattr(model, "optimizer", optimizers.Adam(0.1))),
        ("loss", lambda model: setattr(model, "loss", LOGITS)),
        ("run_eagerly", lambda model: setattr(model, "run_eagerly", not model.run_eagerly)),
        ("layers", lambda model: setattr(model, "layers", list(model.layers))),
    ],
)
def test_refused_while_it_trains(what, act, run_eagerly):
    model = small_model(run_eagerly=run_eagerly)
    with pytest.raises(RuntimeError, match=f"{what}: a fit of this model is under way; "):
        model.fit(X, Y, verbose=0, callbacks=Do(act))
    assert model.optimizer == optimizers.Adam()
    act(model)  # and afterwards it goes


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_another_activation_while_it_trains_is_refused(run_eagerly):
    model = small_model(run_eagerly=run_eagerly)
    change = Do(lambda model: setattr(model.layers[0], "activation", "tanh"))
    with pytest.raises(RuntimeError, match="activation: that of Dense was changed while"):
        model.fit(X, Y, epochs=2, verbose=0, callbacks=change)
    model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_what_a_callback_may_change_counts_from_the_next_step(run_eagerly):
    """Weights, the rate and a layer's numbers, captured or not."""

    def change(model):
        model.set_weights([np.zeros_like(w) for w in model.get_weights()])
        model.layers[1].rate, model.optimizer.learning_rate = 0.75, 0.125

    stack = layers.Dense(8), layers.Dropout(0.25), layers.Dense(4)
    changed = small_model(*stack, optimizer=optimizers.SGD(0.5), run_eagerly=run_eagerly)
    changed.fit(X, Y, epochs=2, verbose=0, callbacks=Do(change))  # at the end of both epochs
    changed.fit(X, Y, epochs=3, initial_epoch=2, verbose=0)
    stack = layers.Dense(8), layers.Dropout(0.75), layers.Dense(4)
    other = small_model(*stack, optimizer=optimizers.SGD(0.125))
    other.build(X.shape[1:])
    other.set_weights([np.zeros_like(w) for w in other.get_weights()])
    other.steps_trained, other.epochs_trained = changed.steps_trained // 3 * 2, 2
    other.fit(X, Y, epochs=3, initial_epoch=2, verbose=0)
    assert bits(other.get_weights()) == bits(changed.get_weights())


def test_two_threads_do_not_train_one_model():
    model, refused = small_model(), []

    def fit(model):
        try:
            model.fit(X, Y, verbose=0)
        except RuntimeError as error:
            refused.append(str(error))

    def in_a_thread(model):
        thread = threading.Thread(target=fit, args=(model,))
        thread.start()
        thread.join()

    model.fit(X, Y, verbose=0, callbacks=Do(in_a_thread))
    assert len(refused) == 1 and refused[0].startswith("fit: a fit of this model is under way")


def test_an_average_left_in_place_is_not_trained():
    """use_average and set_weights in a callback count from the next step, captured or not."""
    weights = set()
    for act in (lambda model: None, lambda model: model.use_average(True)):
        model = small_model(optimizer=optimizers.Adam(use_ema=True))
        model.fit(X, Y, epochs=3, verbose=0, callbacks=Do(act))
        weights.add(bits(model.get_weights()))
    assert len(weights) == 1


def test_a_refused_compile_leaves_the_model_as_it_was():
    model = small_model()
    with pytest.raises(ValueError, match="precision"):
        model.compile("sgd", LOGITS, precision="float8")
    assert isinstance(model.optimizer, optimizers.Adam) and model.metrics[0].name == "accuracy"
