"""What a callback watches: which value is better, and one that is not there."""

import math
import re

import pytest

from dnn import callbacks
from dnn.callbacks.monitor import Monitor
from tests.dnn.helpers import small_model
from tests.dnn.scripted import X, Y


@pytest.mark.parametrize(
    "name, mode, higher_is_better",
    [
        ("val_loss", "auto", False),
        ("accuracy", "auto", True),
        ("val_accuracy", "auto", True),
        ("mean_absolute_error", "auto", False),
        ("val_loss", "max", True),
        ("accuracy", "min", False),
    ],
)
def test_what_is_better(name, mode, higher_is_better):
    monitor = Monitor(name, mode)
    assert monitor.better(2.0, 1.0) is higher_is_better
    assert monitor.better(1.0, 2.0) is not higher_is_better
    assert not monitor.better(1.0, 1.0)
    assert monitor.better(1.0, monitor.worst)
    assert not monitor.better(math.nan, 1.0) and not monitor.better(math.nan, monitor.worst)


def test_an_improvement_is_more_than_min_delta():
    monitor = Monitor("loss", min_delta=0.5)
    assert monitor.better(0.4, 1.0) and not monitor.better(0.5, 1.0)


MISSING = {
    "no validation": (
        callbacks.EarlyStopping(),
        "monitor: got 'val_loss'; expected one of ['accuracy', 'loss', 'seconds']. "
        "Pass validation_data or validation_split to fit",
    ),
    "no metric": (
        callbacks.ReduceLROnPlateau("f1_accuracy"),
        "expected one of ['accuracy', 'loss', 'seconds']. Pass metrics=[\"accuracy\"] to compile",
    ),
    "best": (callbacks.ModelCheckpoint("x", save_best_only=True), "monitor: got 'val_loss'"),
}


@pytest.mark.parametrize("case", MISSING)
def test_a_value_that_is_not_there(case):
    callback, message = MISSING[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        small_model().fit(X, Y, verbose=0, callbacks=callback)
