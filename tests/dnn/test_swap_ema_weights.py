"""use_ema and SwapEMAWeights: the average of the weights over the training."""

import numpy as np
import pytest

from dnn import callbacks, learning_rate_finder, load_model, optimizers
from dnn.loading import ModelFileError
from tests.dnn.figures import stored
from tests.dnn.figures.make_average_figures import MOMENTUM, RATE, START, STEPS, TARGET
from tests.dnn.helpers import StopAfterTwoEpochs, bits, samples, small_model
from tests.dnn.test_loading import forged

FIGURES = stored("average")
X, Y = samples()


def model(run_eagerly=False, **options):
    options = {"use_ema": True, "ema_momentum": 0.9, **options}
    return small_model(optimizer=optimizers.Adam(2**-6, **options), run_eagerly=run_eagerly)


def fit(made, epochs=4, **options):
    history = made.fit(X, Y, epochs=epochs, verbose=0, validation_split=0.2, **options).history
    return {name: values for name, values in history.items() if name != "seconds"}


class Weights(callbacks.Callback):
    """The model's weights after every step, and at the end of every epoch."""

    def __init__(self):
        self.of_steps, self.of_epochs = [], []

    def on_train_batch_end(self, batch, logs):
        self.of_steps.append(self.model.get_weights())

    def on_epoch_end(self, epoch, logs):
        self.of_epochs.append(self.model.get_weights())


def averaged(steps, momentum=0.9):
    """In float64, of a list of lists of arrays."""
    average = [w.astype(float) for w in steps[0]]
    for weights in steps[1:]:
        average = [momentum * a + (1 - momentum) * w for a, w in zip(average, weights, strict=True)]
    return average


def close(got, want):
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("library", FIGURES)
def test_figures(library):
    """SGD on ½ Σ (p − target)², of which the gradient is p − target."""
    optimizer = optimizers.SGD(RATE, use_ema=True, ema_momentum=MOMENTUM)
    p = START.astype(np.float32)
    state = {"average": np.full_like(p, np.nan)}
    for step in range(1, STEPS + 1):
        optimizer.update(p, p - np.float32(TARGET), state, step, RATE)
        optimizer.average(p, state, step)
        np.testing.assert_allclose(state["average"], FIGURES[library][step - 1], rtol=2e-6)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_when_fit_ends_the_model_is_the_average_of_its_steps(run_eagerly):
    made, weights = model(run_eagerly=run_eagerly), Weights()
    fit(made, callbacks=[weights])
    assert made.averaged
    close(made.get_weights(), averaged(weights.of_steps))
    made.use_average(False)
    assert bits(made.get_weights()) == bits(weights.of_steps[-1])


@pytest.mark.emulated
def test_on_the_emulated_device():
    weights = []
    for device in ("cpu", "emulated"):
        made = small_model(optimizer=optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5))
        made.device = device  # before it is built
        fit(made, 1, callbacks=[callbacks.SwapEMAWeights()])
        weights.append(made.get_weights())
    close(*weights)


def test_training_is_that_without_an_average():
    plain, watched = Weights(), Weights()
    fit(model(use_ema=False), callbacks=[plain])
    fit(model(), callbacks=[callbacks.SwapEMAWeights(swap_on_epoch=True), watched])
    assert [bits(w) for w in plain.of_steps] == [bits(w) for w in watched.of_steps]


def test_validation_is_of_the_average():
    """Of each epoch, and of that alone unless swap_on_epoch shows it to the next callbacks too."""
    plain = fit(model())
    for swap_on_epoch in (False, True):
        made, weights = model(), Weights()
        swap = callbacks.SwapEMAWeights(swap_on_epoch)
        history = fit(made, callbacks=[swap, weights])
        assert history["loss"] == plain["loss"] and history["val_loss"] != plain["val_loss"]
        steps = len(weights.of_steps) // 4
        for epoch, seen in enumerate(weights.of_epochs):
            until = weights.of_steps[: (epoch + 1) * steps]
            close(seen, averaged(until) if swap_on_epoch else until[-1])
    (x, y), held = (X, Y), (X[:50], Y[:50])
    made = model()
    history = made.fit(
        x, y, epochs=2, verbose=0, validation_data=held, callbacks=[callbacks.SwapEMAWeights()]
    )
    means = made.evaluate(*held, return_dict=True)
    assert means["loss"] == history.history["val_loss"][-1]


@pytest.mark.parametrize("swap_on_epoch", [False, True])
@pytest.mark.parametrize("after_fit", [False, True], ids=["in an epoch's end", "after fit"])
def test_resumed_bit_for_bit(swap_on_epoch, after_fit, tmp_path):
    """Whether the file was written while the weights or their average stood in the model."""
    swap, path = callbacks.SwapEMAWeights(swap_on_epoch), tmp_path / "m"
    whole, first = model(), model()
    history = fit(whole, callbacks=[swap])
    begun = fit(first, callbacks=[swap, StopAfterTwoEpochs(path)])
    if after_fit:
        first.save(path)
    second = load_model(path, device="cpu")
    assert second.averaged == (swap_on_epoch or after_fit)
    ended = fit(second, initial_epoch=2, callbacks=[swap])
    assert {name: begun[name] + ended[name] for name in history} == history
    second.save(tmp_path / "second"), whole.save(tmp_path / "whole")
    assert (tmp_path / "second").read_bytes() == (tmp_path / "whole").read_bytes()


def test_early_stopping_keeps_the_best_average():
    made, weights = model(), Weights()
    stopping = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    swap = callbacks.SwapEMAWeights(swap_on_epoch=True)
    history = fit(made, 60, callbacks=[swap, weights, stopping])
    best = int(np.argmin(history["val_loss"]))
    assert best < len(weights.of_epochs) - 1
    assert bits(made.get_weights()) == bits(weights.of_epochs[best])
    assert not made.averaged  # what was restored are its weights from now on


def test_weights_that_are_set_are_the_weights():
    made = model()
    fit(made)
    chosen = [w + 1 for w in made.get_weights()]
    made.set_weights(chosen)
    assert bits(made.get_weights()) == bits(chosen)
    weights = Weights()
    made.fit(X, Y, batch_size=len(X), verbose=0, callbacks=[weights])
    for began, after in zip(chosen, weights.of_steps[0], strict=True):
        assert 0 < abs(after - began).max() < 0.1  # one step of Adam, from there


def test_the_learning_rate_finder_leaves_the_average_as_it_was():
    made = model()
    fit(made)
    before = made.averaged, bits(made.get_weights()), bits([made.optimizer_state["average"]])
    learning_rate_finder(made, X, Y, steps=10)
    after = made.averaged, bits(made.get_weights()), bits([made.optimizer_state["average"]])
    assert after == before


def test_without_an_average():
    made = model(use_ema=False)
    with pytest.raises(ValueError, match=r"keeps no average .* use_ema=True"):
        fit(made, callbacks=[callbacks.SwapEMAWeights()])
    with pytest.raises(ValueError, match=r"^ema_momentum: got 99; expected 0 ≤ ema_momentum ≤ 1"):
        optimizers.SGD(ema_momentum=99)


def test_a_file_whose_average_is_missing_is_refused(tmp_path):
    made = model(use_ema=False)
    fit(made)
    made.save(tmp_path / "m")
    data = forged(
        (tmp_path / "m").read_bytes(), lambda _, said: said["training"].update(averaged=1)
    )
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(ModelFileError, match="its weights are an average, but its optimizer keeps"):
        load_model(tmp_path / "m")
