"""python -m bench prediction: what a training step costs by count."""

import pytest

from bench import prediction
from bench.shapes import Net

pytestmark = [pytest.mark.emulated, pytest.mark.usefixtures("toolchain")]
NET = Net((20, 12, 8, 3), 16)
LAUNCHES = {
    "gather_uint8": 1,
    "linear_forward": 2,
    "linear_cross_entropy": 1,
    "linear_backward_dx": 1,
    "linear_backward_adam": 3,
}


def test_a_step_is_counted():
    rows = prediction.step(NET, "float32")
    assert {row.kernel: row.launches for row in rows} == LAUNCHES
    assert sum(row.operations for row in rows) == NET.step_operations(NET.batch)
    for row in rows:
        assert row.bytes_asked >= row.fewest_bytes > 0, row


def test_what_the_limits_allow():
    row = prediction.Row("linear_forward", 2, 10**9, 43 * 10**6, 67 * 10**6)
    least, with_launches = row.seconds(prediction.H200, "float32")
    assert least == pytest.approx(10e-6) and with_launches == pytest.approx(13e-6)  # by bytes
    row = prediction.Row("linear_forward", 1, 10**9, 1, 67 * 10**9)
    assert row.seconds(prediction.H200, "float32")[0] == pytest.approx(1e-3)  # by operations


def test_the_tables_are_written(tmp_path):
    path = tmp_path / "prediction.md"
    text = prediction.write(path, [NET], ["float32"])
    assert path.read_text() == text and "### 20-12-8-3, batch 16, float32" in text
    (last,) = (line for line in text.splitlines() if "**step**" in line)
    launches, *numbers = (float(cell.replace(",", "")) for cell in last.split("|")[2:-1])
    assert launches == sum(LAUNCHES.values()) and all(number > 0 for number in numbers)
