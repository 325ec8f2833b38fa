"""Learning-rate schedules, against the rates of PyTorch and Keras themselves (figures/)."""

import math

import pytest

from dnn import optimizers, schedules
from tests.dnn.figures import stored

FIGURES = stored("schedules")
ROUNDING = 1e-12  # relative: both sides are a dozen operations in float64, 1.1e-16 each


@pytest.mark.parametrize("figure", FIGURES["torch OneCycleLR"], ids=lambda f: str(f["options"]))
def test_one_cycle_is_that_of_pytorch(figure):
    options = dict(figure["options"])
    ours = schedules.OneCycle(
        options["max_lr"], options["total_steps"], options["pct_start"], options["div"],
        options["final_div"],
    )  # fmt: skip
    rates = [ours(step) for step in range(options["total_steps"])]
    assert rates == pytest.approx(figure["rates"], rel=ROUNDING, abs=0)


def test_one_cycle_defaults_are_those_of_pytorch():
    figure = FIGURES["torch OneCycleLR"][0]
    assert figure["options"]["pct_start"] == 0.3
    ours = schedules.OneCycle(total_steps=len(figure["rates"]))
    rates = [ours(step) for step in range(len(figure["rates"]))]
    assert rates == pytest.approx(figure["rates"], rel=ROUNDING, abs=0)


def test_one_cycle_stays_at_its_last_rate():
    ours = schedules.OneCycle(1e-2, total_steps=20)
    assert ours(20) == ours(10**6) == ours(19) == pytest.approx(1e-2 / 25 / 1e4)


@pytest.mark.parametrize("figure", FIGURES["keras CosineDecay"], ids=lambda f: str(f["options"]))
def test_cosine_decay_is_that_of_keras(figure):
    ours = schedules.CosineDecay(**figure["options"])
    rates = [ours(step) for step in range(len(figure["rates"]))]
    top = max(figure["rates"])  # 1 + cos at the end of the decay is a difference of ones
    assert rates == pytest.approx(figure["rates"], rel=ROUNDING, abs=1e-16 * top)


def test_constant():
    assert schedules.Constant(0.25)(0) == schedules.Constant(0.25)(10**9) == 0.25


@pytest.mark.parametrize(
    ("open_schedule", "closed"),
    [
        (schedules.OneCycle(0.1), schedules.OneCycle(0.1, 70)),
        (schedules.CosineDecay(0.1), schedules.CosineDecay(0.1, 70)),
        (
            schedules.CosineDecay(0.0, warmup_target=0.1, warmup_steps=20),
            schedules.CosineDecay(0.0, 50, warmup_target=0.1, warmup_steps=20),
        ),
        (
            schedules.CosineDecay(0.0, warmup_target=0.1, warmup_steps=90),
            schedules.CosineDecay(0.0, 1, warmup_target=0.1, warmup_steps=90),
        ),
        (schedules.OneCycle(0.1, 5), schedules.OneCycle(0.1, 5)),
        (schedules.CosineDecay(0.1, 5), schedules.CosineDecay(0.1, 5)),
        (schedules.Constant(0.1), schedules.Constant(0.1)),
    ],
    ids=str,
)
def test_an_open_length_spans_the_whole_run(open_schedule, closed):
    assert open_schedule.spanning(70) == closed


def test_spanning_leaves_the_schedule_as_it_was():
    """One schedule may serve two models."""
    schedule = schedules.OneCycle(0.1)
    schedule.spanning(70)
    assert schedule.total_steps is None


@pytest.mark.parametrize("schedule", [schedules.OneCycle(), schedules.CosineDecay()])
def test_an_open_length_has_no_rates_of_its_own(schedule):
    with pytest.raises(ValueError, match=f"{type(schedule).__name__}: its number of steps is None"):
        schedule(0)


def test_warmup_without_a_target_changes_nothing():
    """As in Keras, which ignores warmup_steps where there is no warmup_target."""
    with_steps = schedules.CosineDecay(0.1, warmup_steps=5).spanning(20)
    plain = schedules.CosineDecay(0.1).spanning(20)
    assert [with_steps(step) for step in range(20)] == [plain(step) for step in range(20)]


def test_a_schedule_from_its_configuration():
    rate = {"class": "CosineDecay", "initial_learning_rate": 0.1, "decay_steps": 9}
    assert schedules.get(rate) == schedules.CosineDecay(0.1, 9)


@pytest.mark.parametrize("rate", [-0.1, math.nan, math.inf])
def test_a_rate_that_is_no_rate(rate):
    with pytest.raises(ValueError, match=rf"learning_rate: got {rate}; expected a finite number"):
        optimizers.SGD(rate)


@pytest.mark.parametrize("rate", ["fast", None, True])
def test_a_rate_of_another_type(rate):
    kind = type(rate).__name__
    with pytest.raises(TypeError, match=f"learning_rate: got {kind}; expected a number or a"):
        optimizers.Adam(rate)
