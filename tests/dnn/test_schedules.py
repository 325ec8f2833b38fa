"""Learning-rate schedules, against the rates of PyTorch and Keras themselves (figures/)."""

import math

import pytest

from dnn import optimizers, schedules
from tests.dnn.figures import stored

FIGURES = stored("schedules")
PIECES = schedules.PiecewiseConstantDecay([5], [1, 2])
ROUNDING = 1e-12  # relative: both sides are a dozen operations in float64, 1.1e-16 each


@pytest.mark.parametrize("figure", FIGURES["torch OneCycleLR"], ids=lambda f: str(f["options"]))
def test_one_cycle_is_that_of_pytorch(figure):
    options = dict(figure["options"])
    ours = schedules.OneCycle(
        options["max_lr"],
        options["total_steps"],
        options["pct_start"],
        options["div"],
        options["final_div"],
    )
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


@pytest.mark.parametrize(
    "figure", FIGURES["keras PiecewiseConstantDecay"], ids=lambda f: str(f["options"])
)
def test_piecewise_constant_is_that_of_keras(figure):
    ours = schedules.PiecewiseConstantDecay(**figure["options"])
    assert [ours(step) for step in range(len(figure["rates"]))] == figure["rates"]


@pytest.mark.parametrize(
    "figure", FIGURES["keras ExponentialDecay"], ids=lambda f: str(f["options"])
)
def test_exponential_decay_is_that_of_keras(figure):
    ours = schedules.ExponentialDecay(**figure["options"])
    rates = [ours(step) for step in range(len(figure["rates"]))]
    assert rates == pytest.approx(figure["rates"], rel=ROUNDING, abs=0)


def test_a_staircase_is_the_step_schedule_of_pytorch():
    for figure in FIGURES["torch StepLR"]:
        lr, step_size, gamma = (figure["options"][name] for name in ("lr", "step_size", "gamma"))
        ours = schedules.ExponentialDecay(lr, step_size, gamma, staircase=True)
        rates = [ours(step) for step in range(len(figure["rates"]))]
        assert rates == pytest.approx(figure["rates"], rel=ROUNDING, abs=0)


@pytest.mark.parametrize(
    ("boundaries", "values", "message"),
    [
        ([5], [0.1], "values: got 1; expected 2, one more than there are boundaries"),
        ([5, 5], [1, 2, 3], r"boundaries: got \[5, 5\]; expected ascending numbers"),
        ([9, 5], [1, 2, 3], r"boundaries: got \[9, 5\]; expected ascending numbers"),
        ([5], [0.1, math.nan], r"values\[1\]: got nan; expected a finite number"),
    ],
)
def test_pieces_that_are_none(boundaries, values, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        schedules.PiecewiseConstantDecay(boundaries, values)


def test_a_decay_over_no_steps():
    with pytest.raises(ValueError, match=r"^decay_steps: got 0; expected an integer, 1 or more"):
        schedules.ExponentialDecay(0.1, 0)


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
        (schedules.ExponentialDecay(0.1), schedules.ExponentialDecay(0.1, 70)),
        (
            schedules.PiecewiseConstantDecay([5], [1, 2]),
            schedules.PiecewiseConstantDecay([5], [1, 2]),
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


@pytest.mark.parametrize(
    "schedule", [schedules.OneCycle(), schedules.CosineDecay(), schedules.ExponentialDecay()]
)
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
    kind = repr(rate) if isinstance(rate, str) else type(rate).__name__
    with pytest.raises(TypeError, match=f"learning_rate: got {kind}; expected a number or a"):
        optimizers.Adam(rate)
