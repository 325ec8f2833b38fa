"""What an optimizer is set to: its rate, also while a model trains; by name; defaults; refusals."""

import pytest

from dnn import callbacks, optimizers, schedules
from tests.dnn.figures.make_figures import RATES
from tests.dnn.helpers import bits, samples, small_model
from tests.dnn.optimizer_problem import ours


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_a_new_rate_counts_from_the_next_step(run_eagerly):
    class Lower(callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            if batch == 2:
                self.model.optimizer.learning_rate = 2**-9

    class Falling(schedules.Schedule):
        def __call__(self, step):
            return 2**-5 if step < 3 else 2**-9

    one = small_model(optimizer=optimizers.Adam(2**-5), run_eagerly=run_eagerly)
    other = small_model(optimizer=optimizers.Adam(Falling()), run_eagerly=run_eagerly)
    one.fit(*samples(), verbose=0, callbacks=[Lower()])
    other.fit(*samples(), verbose=0)
    assert bits(one.get_weights()) == bits(other.get_weights())
    assert one.optimizer == optimizers.Adam(2**-9)
    assert one.optimizer.schedule == one.schedule == schedules.Constant(2**-9)


def test_what_is_no_rate_cannot_be_set():
    optimizer = optimizers.Adam()
    with pytest.raises(ValueError, match=r"^learning_rate: got -1"):
        optimizer.learning_rate = -1
    with pytest.raises(TypeError, match=r"^learning_rate: got 'fast'"):
        optimizer.learning_rate = "fast"
    assert optimizer.schedule == schedules.Constant(1e-3)


def test_the_accumulator_starts_where_it_is_told():
    model = small_model(optimizer=optimizers.Adagrad(initial_accumulator_value=0.25))
    model.build(12)
    for views in model.layout.views(model.optimizer_state["a"]):
        for view in views.values():
            assert (view == 0.25).all()
    with pytest.raises(
        ValueError, match=r"^initial_accumulator_value: got -1; expected a finite number, 0"
    ):
        optimizers.Adagrad(initial_accumulator_value=-1)


@pytest.mark.parametrize("name", ["adagrad", "rmsprop", "adadelta", "adamw", "AdamW", "RMSprop"])
def test_by_name(name):
    assert type(optimizers.get(name)).__name__.lower() == name.lower()


def test_defaults_are_the_documented_ones():
    assert optimizers.AdamW() == optimizers.AdamW(1e-3, 0.004, 0.9, 0.999, 1e-8)
    assert optimizers.Adagrad() == optimizers.Adagrad(1e-3, 0.1, 1e-7, 0.0)
    assert optimizers.RMSprop() == optimizers.RMSprop(1e-3, 0.9, 0.0, 1e-8, False, 0.0)
    assert optimizers.Adadelta() == optimizers.Adadelta(1.0, 0.95, 1e-6, 0.0)
    assert optimizers.Adam() == optimizers.Adam(1e-3, 0.9, 0.999, 1e-8)
    assert optimizers.SGD() == optimizers.SGD(1e-2, 0.0, False)


def test_plain_sgd_needs_no_state():
    assert optimizers.SGD().used_slots() == ()
    assert optimizers.SGD(momentum=0.5).used_slots() == ("u",)
    assert optimizers.Adam().used_slots() == ("m", "v")
    assert optimizers.RMSprop().used_slots() == ("v",)
    assert optimizers.RMSprop(centered=True, momentum=0.5).used_slots() == ("v", "m", "u")


@pytest.mark.parametrize("momentum", [-0.1, 1.0])
def test_a_momentum_out_of_range(momentum):
    with pytest.raises(ValueError, match=f"momentum: got {momentum}; expected 0 ≤ momentum < 1"):
        ours(optimizers.SGD(momentum=momentum), RATES["constant"])


@pytest.mark.parametrize("name", ["beta_1", "beta_2"])
def test_a_beta_out_of_range(name):
    with pytest.raises(ValueError, match=f"{name}: got 1.0; expected 0 ≤ {name} < 1"):
        ours(optimizers.Adam(**{name: 1.0}), RATES["constant"])
