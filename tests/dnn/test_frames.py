"""Frames and columns of pandas are arrays of numbers, or are refused with the column named."""

import re

import numpy as np
import pytest

from dnn import inputs
from tests.dnn.helpers import samples, small_model

X = np.arange(6).reshape(3, 2)
FRAME = {"age": [30, 40, 50], "share": [0.5, 0.25, 1.0], "member": [True, False, True]}
NUMBERS = np.array([[30, 0.5, 1], [40, 0.25, 0], [50, 1, 1]])


def test_frames_of_numbers():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(FRAME)
    assert np.array_equal(inputs.as_array("x", frame), NUMBERS)
    nullable = frame.convert_dtypes()
    assert np.array_equal(inputs.as_array("x", nullable), NUMBERS)
    assert inputs.as_array("y", nullable["age"]).dtype == np.int64
    assert inputs.as_array("y", frame["age"]).tolist() == [30, 40, 50]
    assert inputs.as_array("y", pd.Index([1, 2])).tolist() == [1, 2]
    twice = pd.concat([frame, frame], axis=1)
    assert np.array_equal(inputs.as_array("x", twice), np.hstack([NUMBERS] * 2))
    dummies = pd.get_dummies(pd.DataFrame({"age": [30, 40], "city": ["Rome", "Oslo"]}))
    assert inputs.as_array("x", dummies).tolist() == [[30, 0, 1], [40, 1, 0]]
    pixels = pd.DataFrame(X.astype(np.uint8))
    assert inputs.as_array("x", pixels).dtype == np.uint8, "pixels"
    pixels["member"] = True
    assert inputs.as_array("x", pixels).dtype == np.float32, "no pixels"


def test_frames_of_other_things():
    pd = pytest.importorskip("pandas")
    dates = pd.to_datetime(["2020-01-01", "2020-01-02"])
    for column, message in (
        (
            ["Rome", "Oslo"],
            "'Rome'; expected numbers. Encode it, pd.get_dummies(x), or leave it ou",
        ),
        (pd.Categorical(["Rome", "Oslo"]), "'Rome'; expected numbers. Encode it"),
        (pd.array(["Rome", None], dtype="string"), "'Rome'; expected numbers"),
        ([1, "Oslo"], "'Oslo'; expected numbers"),
        (dates, "dates, 2020-01-01T00:00:00"),
        (dates - dates[0], "durations, "),
        (
            pd.Series([1, 2.5], dtype=object),
            "numbers as text or objects; expected numbers. Write x",
        ),
        ([1 + 2j, 3], "(1+2j)"),
    ):
        frame = pd.DataFrame({"age": [30, 40], "city": column})
        with pytest.raises(TypeError, match=re.escape(f"x: column 'city' holds {message}")):
            inputs.as_array("x", frame)
    for column in ([1, np.nan], pd.array([1, None], dtype="Int64"), [True, None]):
        frame = pd.DataFrame({"age": [30, 40], "city": column})
        with pytest.raises(
            (TypeError, ValueError), match=r"x: column 'city' (lacks 1 of 2|holds num)"
        ):
            inputs.as_array("x", frame)
    with pytest.raises(
        TypeError, match=r"^y: Series holds 'a'; expected numbers. For labels write"
    ):
        inputs.as_array("y", pd.Series(["a", "b"]))


def test_a_frame_trains_as_its_numbers_do():
    pd = pytest.importorskip("pandas")
    x, y = samples(40)
    losses = [
        small_model().fit(*data, epochs=1, verbose=0).history["loss"]
        for data in ((x, y), (pd.DataFrame(x), pd.Series(y, index=range(40, 0, -1))))
    ]
    assert losses[0] == losses[1]
