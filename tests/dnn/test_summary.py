"""The table that Sequential.summary prints."""

from dnn import Sequential, layers
from tests.dnn.helpers import small_model


def test_summary():
    """The exact text, of layers with and without parameters, and two of a kind."""
    model = Sequential(
        [
            layers.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10),
            layers.Activation("softmax"),
        ],
        device="cpu",
    )
    printed = []
    model.summary(print_fn=printed.append)
    expected = """
Layer (type)             Output Shape    Param #
──────────────────────────────────────────────────
input (Input)            (None, 28, 28)  0
flatten (Flatten)        (None, 784)     0
dense (Dense)            (None, 128)     100,480
dense_1 (Dense)          (None, 10)      1,290
activation (Activation)  (None, 10)      0
──────────────────────────────────────────────────
Total params: 101,770 (397.54 KiB)
Trainable params: 101,770
Non-trainable params: 0"""
    assert printed == [expected.lstrip("\n")]


def test_summary_prints(capsys):
    model = small_model()
    model.build(12)
    model.summary()
    assert capsys.readouterr().out.startswith("Layer (type)")
