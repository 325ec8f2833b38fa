"""The optimizer's step in the backward kernels, or after them: the same training, bit for bit."""

from dataclasses import dataclass

import pytest

from dnn import Sequential, callbacks, devices, layers, losses, optimizers
from dnn.fusion import plan
from kernels.device import emulated
from tests.dnn.helpers import LOGITS, bits, samples


def stack():
    hidden = layers.Dense(8, activation="relu", use_bias=False)
    return [hidden, layers.Dropout(0.3), layers.Dense(4)]


ADAM = optimizers.Adam(0.01, beta_1=0.8, epsilon=1e-3)
ADAMW = optimizers.AdamW(0.01, weight_decay=0.1, use_ema=True, ema_momentum=0.9)


class Reader(callbacks.Callback):
    """A user's own, which reads the gradients: it keeps those of the last weights."""

    def __init__(self):
        self.gradients = []

    def on_train_batch_end(self, batch, logs):
        self.gradients.append(devices.to_host(self.model.gradients[-1]["w"]).copy())


class Counter(callbacks.Callback):
    """A user's own that says it reads none."""

    reads_gradients = False


def model_of(*chosen, optimizer=None, loss=LOGITS, device="emulated", **options):
    model = Sequential(chosen or stack(), seed=3, device=device)
    model.compile(optimizer or optimizers.Adam(0.01), loss, **options)
    return model


def trained(optimizer, *watchers, epochs=2, **options):
    """(the model, {kernel: launches}) after two epochs, the last batch of each a smaller one."""
    model = model_of(optimizer=optimizer, **options)
    with emulated.session() as session:
        model.fit(*samples(40), batch_size=16, epochs=epochs, verbose=0, callbacks=watchers)
    return model, {name: counters.launches for name, counters in session.kernels.items()}


@pytest.mark.emulated
@pytest.mark.usefixtures("toolchain")
@pytest.mark.parametrize("optimizer", [ADAM, ADAMW], ids=lambda rule: type(rule).__name__)
def test_the_same_bits_as_a_step_of_its_own(optimizer):
    reader = Reader()
    after, launches_after = trained(optimizer, reader)
    within, launches = trained(optimizer)
    assert launches_after["adam"] == 6 and "linear_backward_adam" not in launches_after
    assert launches["linear_backward_adam"] == 2 * 6
    assert not {"adam", "linear_backward_dw"} & launches.keys()
    assert bits(within.get_weights()) == bits(after.get_weights())
    for slot, array in after.optimizer_state.items():
        assert bits([within.optimizer_state[slot].get()]) == bits([array.get()])
    eager, _ = trained(optimizer, run_eagerly=True)
    assert bits(eager.get_weights()) == bits(within.get_weights())
    assert all(g.any() for g in reader.gradients), "whoever reads them gets them"
    assert not within.gradient_arena.get().any(), "nobody stored them"


class Clipping(callbacks.Callback):
    """Clips from the second step on."""

    reads_gradients = False

    def on_train_batch_end(self, batch, logs):
        self.model.optimizer.clipvalue = 0.01


@pytest.mark.emulated
@pytest.mark.usefixtures("toolchain")
def test_clipping_that_begins_in_the_middle():
    """From the next step on the gradients are stored, to be clipped."""
    _, launches = trained(optimizers.Adam(0.01), Clipping(), epochs=1)
    assert (launches["linear_backward_adam"], launches["adam"]) == (2, 2)
    assert launches["clip_by_value"] == 2


def applies(model, gradients_read=False):
    model.build(12)
    return plan(model, 8, training=True, gradients_read=gradients_read).update_in_backward


@dataclass
class OwnAdam(optimizers.Adam):
    """A user's own."""

    def update(self, p, g, state, step, rate):
        super().update(p, g, state, step, 2 * rate)


class OwnDense(layers.Dense):
    """A user's own, whose backward may do anything."""


@dataclass
class OwnLoss(losses.MeanSquaredError):
    """A user's own."""


def test_where_it_applies():
    assert applies(model_of())
    assert applies(model_of(optimizer=optimizers.AdamW()))
    assert applies(model_of(layers.Dropout(0.5), layers.Dense(4, use_bias=False)))
    assert applies(model_of(loss=losses.MeanSquaredError()))


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": optimizers.SGD()},
        {"optimizer": optimizers.RMSprop()},
        {"optimizer": OwnAdam()},
        {"optimizer": optimizers.Adam(clipvalue=1.0)},
        {"optimizer": optimizers.Adam(clipnorm=1.0)},
        {"optimizer": optimizers.AdamW(global_clipnorm=1.0)},
        {"loss": OwnLoss()},
        {"device": "cpu"},
    ],
    ids=str,
)
def test_where_it_does_not(options):
    assert not applies(model_of(**options))


def test_other_layers_with_parameters():
    assert not applies(model_of(layers.Dense(8), layers.BatchNormalization(), layers.Dense(4)))
    assert not applies(model_of(OwnDense(8), layers.Dense(4)))


@pytest.mark.parametrize(("batch", "expected"), [(128, True), (8192, False)])
@pytest.mark.parametrize("side", [512, 2048])  # there dw is faster with dx, here by itself too
def test_not_where_another_kernel_makes_a_better_dw(side, batch, expected):
    """gpu_hopper.cu, of a large batch in bfloat16."""
    model = model_of(layers.Dense(side), precision="bfloat16")
    model.build(side)
    assert model.optimizer.is_fused_faster("emulated", "float32", batch, side, side)
    assert model.optimizer.is_fused_faster("emulated", "bfloat16", batch, side, side) == expected
    planned = plan(model, batch, training=True, gradients_read=False)
    assert planned.update_in_backward == expected


def test_gradients_that_are_kept():
    assert not applies(model_of(), gradients_read=True)
    model = model_of()
    model.build(12)
    assert not plan(model, 8, training=True).update_in_backward, "unless told otherwise"
    assert not plan(model, 8, gradients_read=False).update_in_backward, "evaluating"


def test_which_callbacks_read_them():
    """A user's own, unless it says that it does not, also of a library's; none of the library's."""

    class Stopping(callbacks.EarlyStopping):
        pass

    assert Reader().reads_gradients and not Counter().reads_gradients
    assert Stopping().reads_gradients
    for cls in callbacks.catalog.classes.values():
        assert not cls.__new__(cls).reads_gradients
