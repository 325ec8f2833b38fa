"""The names of classes, checked when they are set, when the model is built, and in files."""

import numpy as np
import pytest

from dnn import Sequential, layers, load_model
from dnn.loading import ModelFileError
from tests.dnn.test_loading import forged


def network(units=3, names=None):
    model = Sequential([layers.Input(4), layers.Dense(units)], device="cpu")
    model.class_names = names
    return model


@pytest.mark.parametrize(
    "names",
    [
        ["cat", "dog", "猫 \U0001f469‍\U0001f680"],
        ("cat", "dog", "owl"),
        np.unique(["dog", "cat", "owl"]),
        np.array(["dog", "cat", "owl"], object),
        [np.str_("cat"), "dog", "owl"],
    ],
    ids=lambda names: type(names).__name__,
)
def test_they_are_kept_as_a_list(names, tmp_path):
    model = network(names=names)
    assert model.class_names == [str(name) for name in names]
    assert {type(name) for name in model.class_names} == {str}
    model.save(tmp_path / "m")
    assert load_model(tmp_path / "m", device="cpu").class_names == model.class_names


REFUSED = {
    "text": ("cat", TypeError, "class_names: got str; expected a list of str"),
    "a set": ({"cat", "dog"}, TypeError, "class_names: got set"),
    "numbers": ([0, 1, 2], TypeError, r"class_names\[0\]: got 0; expected str. Write \[str"),
    "an array of numbers": (np.arange(3), TypeError, r"class_names\[0\]: got 0; expected str"),
    "an array without axes": (np.array("cat"), TypeError, "class_names: got str"),
    "two axes": (np.array([["a", "b"]]), TypeError, r"class_names\[0\]: got \['a', 'b'\]"),
    "None among them": (["a", None, "c"], TypeError, r"class_names\[1\]: got None"),
    "nothing": (["a", " ", "c"], ValueError, r"class_names\[1\]: got ' '"),
    "a control character": (["a\x1b[2J", "b", "c"], ValueError, "without control characters"),
    "a new line": (["a", "b\n", "c"], ValueError, r"class_names\[1\].*'\\n' is one"),
    "half a pair": (["a", "b", "\ud83d"], ValueError, r"class_names\[2\]"),
    "one twice": (["a", "b", "a"], ValueError, r"class_names\[2\]: got 'a', as class_names\[0\]"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_they_are_refused_when_they_are_set(case):
    names, error, message = REFUSED[case]
    model = network()
    with pytest.raises(error, match=message):
        model.class_names = names
    assert model.class_names is None


@pytest.mark.parametrize(
    ("units", "names", "expected"),
    [
        (3, "ab", "got 2; expected 3, for the last layer has 3 outputs"),
        (1, "abc", "got 3; expected 1 or 2, for the last layer has 1 output"),
    ],
)
def test_as_many_as_there_are_outputs(units, names, expected):
    model = network(units, list(names))  # not known yet
    with pytest.raises(ValueError, match=expected):
        model.build()
    assert not model.built
    model.class_names = None
    model.build()
    with pytest.raises(ValueError, match=expected):
        model.class_names = list(names)
    model.class_names = list("abc"[:units])


def test_one_output_answers_no_or_yes():
    model = network(1, ["no", "yes"])
    model.build()
    assert model.class_names == ["no", "yes"]


@pytest.mark.parametrize("names", [[1, 2, 3], ["a"], "abc", {"a": 1}, ["a", "a", "b"], ["\n"] * 3])
def test_a_file_with_other_names_is_refused(names, tmp_path):
    network().save(tmp_path / "m")

    def change(table, said):
        said["model"]["class_names"] = names

    (tmp_path / "forged").write_bytes(forged((tmp_path / "m").read_bytes(), change))
    with pytest.raises(ModelFileError, match="class_names"):
        load_model(tmp_path / "forged", device="cpu")
