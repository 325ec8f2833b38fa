"""Sessions: how launches on the emulated device run, and what is collected of them."""

import numpy as np
import pytest

import kernels
from kernels.device import EmulationError, Entry, KernelFile, emulated, launch

pytestmark = [pytest.mark.emulated, pytest.mark.usefixtures("toolchain")]
RACE = """
extern "C" __global__ void reverse(float* y, const float* x) {
  __shared__ float tile[64];
  tile[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = tile[63 - threadIdx.x];
}
"""


@pytest.fixture
def racing(tmp_path):
    """reverse(y, x), a launch that the checker reports."""
    (tmp_path / "gpu.cu").write_text(RACE)
    reverse = Entry("reverse", "float* y, const float* x")
    file = KernelFile(str(tmp_path), "gpu.cu", (reverse,), threads=64)
    x = emulated.asarray(np.arange(64, dtype=np.float32))
    return lambda y: launch(file, "reverse", (1,), (y, x))


def product():
    x = emulated.asarray(np.ones((5, 4), np.float32))
    return kernels.linear(x, emulated.asarray(np.ones((4, 3), np.float32)))


def test_launches_and_counters_are_collected():
    with emulated.session() as session:
        product()
        product()
    assert session.launches == session.counters.launches == 2 and session.reports == []
    assert session.counters.total.global_bytes > 0
    assert session.kernels["linear_forward"].launches == 2
    with emulated.session() as nothing:
        pass
    assert nothing.launches == 0 and nothing.counters is None


def test_sessions_may_be_nested():
    with emulated.session(arch="sm_80") as outer:
        product()
        with emulated.session(seed=4) as inner:
            product()
    assert (outer.launches, inner.launches) == (2, 1)


def test_a_report_is_raised(racing):
    with pytest.raises(EmulationError, match=r"^reverse: \d+ reported\n") as raised:
        racing(emulated.empty(64))
    reports = raised.value.reports
    assert {report.line for report in reports} <= {4, 5}
    assert "race" in {report.kind for report in reports}
    assert str(reports[0]) in str(raised.value)


def test_reports_may_be_collected_instead(racing):
    y = emulated.empty(64)
    with emulated.session(raises=False) as session:
        racing(y)
        racing(y)
    assert session.launches == 2 and len(session.reports) >= 2


def test_without_the_checker(racing):
    with emulated.session(check=False) as session:
        racing(emulated.empty(64))
    assert session.reports == []


@pytest.mark.parametrize("seed", range(10))
def test_every_seed_finds_the_race(racing, seed):
    with pytest.raises(EmulationError), emulated.session(seed=seed):
        racing(emulated.empty(64))


def test_the_same_seed_is_the_same_run(racing):
    """To the words of its reports."""

    def texts(seed):
        with emulated.session(seed=seed, raises=False) as session:
            racing(emulated.empty(64))
        return [str(report) for report in session.reports]

    assert texts(5) == texts(5)
    assert len({tuple(texts(seed)) for seed in range(6)}) > 1


@pytest.mark.parametrize("arch", ["sm_80", "sm_90", "sm_90a", "sm_100"])
def test_architectures(arch):
    with emulated.session(arch=arch):
        assert (product().get() == 4).all()


def test_unknown_schedule():
    message = r"^schedule: got 'revers'; .* Did you mean 'reverse'\?"
    with pytest.raises(ValueError, match=message), emulated.session(schedule="revers"):
        pass


def test_perturbed_instructions_err_by_the_seed():
    z = emulated.asarray(np.linspace(-3, 3, 500, dtype=np.float32))

    def tanh(**settings):
        with emulated.session(**settings):
            return kernels.activation(z, "tanh").get()

    exact, one, other = tanh(), tanh(perturb=True, seed=1), tanh(perturb=True, seed=2)
    assert (one != exact).any() and (one != other).any()
    np.testing.assert_allclose(one, exact, rtol=1e-5)
    np.testing.assert_array_equal(one, tanh(perturb=True, seed=1))
