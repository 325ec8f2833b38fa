"""The real data sets, from wherever this machine can obtain them; skipped, saying why, if it can't.

They are fetched into the user's own cache, so only the first run takes seconds.
"""

import numpy as np
import pytest

from dnn import datasets


@pytest.mark.parametrize(
    ("name", "mean", "deviation", "labels"),
    [
        ("fashion-mnist", 0.2860, 0.3530, [9, 0, 0, 3, 0, 2, 7, 2]),
        ("mnist", 0.1307, 0.3081, [5, 0, 4, 1, 9, 2, 1, 3]),
    ],
)
def test_the_real_data(name, mean, deviation, labels):
    """The published mean and deviation, class counts and first labels: no hash is used here."""
    try:
        (x, y), (x_test, y_test) = datasets.load(name)
    except datasets.DatasetNotFoundError as error:
        assert "SHA-256" not in str(error), "it was obtainable, and refused"
        pytest.skip(f"not obtainable here: {'; '.join(error.tried)}")
    assert x.shape == (60_000, 28, 28) and x_test.shape == (10_000, 28, 28)
    assert y.shape == (60_000,) and y_test.shape == (10_000,)
    assert {a.dtype for a in (x, y, x_test, y_test)} == {np.dtype(np.uint8)}
    pixels = np.bincount(x.reshape(-1), minlength=256) / x.size
    values = np.arange(256) / 255
    assert abs(pixels @ values - mean) <= 5e-5
    assert abs(np.sqrt(pixels @ values**2 - (pixels @ values) ** 2) - deviation) <= 5e-5
    assert y[:8].tolist() == labels
    if name == "fashion-mnist":
        assert np.bincount(y).tolist() == [6000] * 10
        assert np.bincount(y_test).tolist() == [1000] * 10
    else:
        assert np.bincount(y)[1] == 6742 and np.bincount(y_test)[1] == 1135
