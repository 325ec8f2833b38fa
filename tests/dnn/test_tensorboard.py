"""TensorBoard's event files, read back record by record, and what is said without its package."""

import struct
import sys

import numpy as np
import pytest

from dnn import callbacks, optimizers, schedules
from tests.dnn.helpers import samples, small_model

X, Y = samples()
NEEDED = "tensorboardX is not installed: pip install -e '.[tensorboard]'"


@pytest.fixture
def writes_events():
    pytest.importorskip("tensorboardX", reason=NEEDED)


def events(folder):
    """[(epoch, tag, summary value)] of a folder's event files, in the order of their names, as
    TensorBoard reads them; what goes back to an earlier epoch makes it forget the later ones.

    A record: its length (uint64), a checksum of that, the data, a checksum of that; uint32 both,
    the CRC-32C turned by 15 bits and shifted, as TFRecord files have it.
    """
    from tensorboardX.crc32c import crc32c
    from tensorboardX.proto.event_pb2 import Event

    def checked(data, sum_of_data):
        crc = crc32c(data)
        masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        assert struct.pack("<I", masked) == sum_of_data
        return data

    values = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data = path.read_bytes()
        while data:
            (n,) = struct.unpack("<Q", checked(data[:8], data[8:12]))
            event = Event.FromString(checked(data[12 : 12 + n], data[12 + n : 16 + n]))
            values += [(event.step, value.tag, value) for value in event.summary.value]
            data = data[16 + n :]
    assert [epoch for epoch, *_ in values] == sorted(epoch for epoch, *_ in values)
    return values


def scalars(folder):
    """{tag: {epoch: value}}."""
    by_tag = {}
    for epoch, tag, value in events(folder):
        if value.HasField("simple_value"):
            assert epoch not in by_tag.setdefault(tag, {}), "two values of one epoch"
            by_tag[tag][epoch] = value.simple_value
    return by_tag


def test_values_of_every_epoch(tmp_path, writes_events):
    board = callbacks.TensorBoard(tmp_path / "logs")
    rates = schedules.ExponentialDecay(0.01, decay_steps=6, decay_rate=0.5)
    model = small_model(optimizer=optimizers.Adam(rates))
    options = {"batch_size": 32, "verbose": 0, "validation_split": 0.2, "callbacks": [board]}
    first = model.fit(X, Y, epochs=2, **options).history
    second = model.fit(X, Y, epochs=3, initial_epoch=2, **options).history
    steps = model.steps_trained // 3

    wanted = {name: np.float32(first[name] + second[name]) for name in first}
    train, validation = (scalars(tmp_path / "logs" / run) for run in ("train", "validation"))
    ends = [rates(steps * (epoch + 1) - 1) for epoch in range(3)]
    assert train == {
        "epoch_loss": dict(enumerate(wanted["loss"])),
        "epoch_accuracy": dict(enumerate(wanted["accuracy"])),
        "epoch_seconds": dict(enumerate(wanted["seconds"])),
        "epoch_learning_rate": dict(enumerate(np.float32(ends))),
    }
    assert validation == {
        "epoch_loss": dict(enumerate(wanted["val_loss"])),
        "epoch_accuracy": dict(enumerate(wanted["val_accuracy"])),
    }


def test_an_epoch_is_on_disk_before_the_next(tmp_path, writes_events):
    class Look(callbacks.Callback):
        def on_epoch_end(self, epoch, logs):
            assert len(scalars(tmp_path / "train")["epoch_loss"]) == epoch + 1

    watchers = [callbacks.TensorBoard(tmp_path), Look()]
    small_model().fit(X, Y, epochs=2, verbose=0, callbacks=watchers)


def test_histograms_of_the_weights(tmp_path, writes_events):
    model = small_model()

    class Break(callbacks.Callback):
        """A weight that is no number does not end the run."""

        def on_epoch_end(self, epoch, logs):
            if epoch == 2:
                model.parameters[0]["w"][0, 0] = np.nan

    watchers = [Break(), callbacks.TensorBoard(tmp_path, histogram_freq=2)]
    model.fit(X, Y, epochs=4, verbose=0, callbacks=watchers)
    histograms = [
        (epoch, tag, value.histo)
        for epoch, tag, value in events(tmp_path / "train")
        if value.HasField("histo")
    ]
    tags = ["0_dense/w", "0_dense/b", "1_dense/w", "1_dense/b"]
    assert [(epoch, tag) for epoch, tag, _ in histograms] == [
        (e, tag) for e in (0, 2) for tag in tags
    ]
    shapes = [np.size(w) for w in model.get_weights()]
    assert [histo.num for *_, histo in histograms] == [*shapes, shapes[0] - 1, *shapes[1:]]
    for *_, histo in histograms:
        assert sum(histo.bucket) == histo.num and histo.min <= histo.max


def test_without_the_package(tmp_path, monkeypatch):
    """Said before anything is trained, with the line to type."""
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"tensorboardX, .* Type: pip install -e '\.\[tensorb"):
        callbacks.TensorBoard(tmp_path)


@pytest.mark.parametrize("freq", [-1, 0.5, "epoch"])
def test_a_frequency_that_is_none(tmp_path, freq, writes_events):
    with pytest.raises(
        ValueError, match=r"^histogram_freq: got .*; expected an integer, 0 or more"
    ):
        callbacks.TensorBoard(tmp_path, histogram_freq=freq)
