"""CSVLogger: the history, row by row, on disk before the next epoch."""

import csv
import errno
import os

import pytest

from dnn import callbacks
from tests.dnn.helpers import small_model
from tests.dnn.scripted import VALIDATION, X, Y


@pytest.mark.parametrize(
    ("there", "left"),
    [
        (b"epoch,loss\r\n0,0.5\r\n1,0.2", b"epoch,loss\r\n0,0.5\r\n"),  # cut off by a full disk
        (b"epoch,loss\r\n0,0.5\r\n1,0.25\r", b"epoch,loss\r\n0,0.5\r\n"),
        (b"epoch,loss\n0,0.5", b"epoch,loss\n0,0.5\r\n"),  # another program's
        (b"epoch,loss\r\n0,0.5\r\n", b"epoch,loss\r\n0,0.5\r\n"),
    ],
)
def test_csv_logger_goes_on_below_a_whole_row(there, left, tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(there)
    log = callbacks.CSVLogger(path, append=True)
    log.on_train_begin({})
    log.on_epoch_end(7, {"loss": 0.125})
    log.on_train_end({})
    assert path.read_bytes() == left + b"7,0.125\r\n"


def test_csv_logger_names_the_file_on_a_full_disk(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    log = callbacks.CSVLogger(tmp_path / "log.csv")
    log.on_train_begin({})
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: .*log\.csv"):
        log.on_epoch_end(0, {"loss": 0.125})
    log.on_train_end({})


def table(path, separator=","):
    with open(path, newline="") as file:
        return list(csv.reader(file, delimiter=separator))


def test_csv_holds_the_history(tmp_path):
    path, model = tmp_path / "log.csv", small_model()
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=callbacks.CSVLogger(path))
    head, *rows = table(path)
    assert head == ["epoch", "accuracy", "loss", "seconds"]
    assert [row[0] for row in rows] == ["0", "1", "2"]
    for i, name in enumerate(head[1:], 1):
        assert [float(row[i]) for row in rows] == history.history[name]


def test_csv_is_on_disk_before_the_next_epoch(tmp_path):
    path, seen = tmp_path / "log.csv", []

    class Look(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs):
            seen.append(len(table(path)))

    small_model().fit(X, Y, epochs=3, verbose=0, callbacks=[callbacks.CSVLogger(path), Look()])
    assert seen == [0, 2, 3]


@pytest.mark.parametrize("append", [False, True])
def test_csv_of_two_runs(tmp_path, append):
    path = tmp_path / "log.csv"
    for epochs in (range(2), range(2, 4)):
        log = callbacks.CSVLogger(path, separator=";", append=append)
        small_model().fit(
            X, Y, initial_epoch=epochs[0], epochs=epochs[-1] + 1, verbose=0, callbacks=log
        )
    rows = table(path, ";")
    assert [row[0] for row in rows] == ["epoch", *("0123" if append else "23")]


def test_csv_with_other_columns_is_not_continued(tmp_path):
    path = tmp_path / "log.csv"
    small_model().fit(X, Y, verbose=0, callbacks=callbacks.CSVLogger(path))
    before = path.read_text()
    again = callbacks.CSVLogger(path, append=True)
    with pytest.raises(ValueError, match=r"this run also gives \['val_accuracy', 'val_loss'\]"):
        small_model().fit(X, Y, verbose=0, validation_data=VALIDATION, callbacks=again)
    assert path.read_text() == before
