"""CSVLogger: the values of every epoch as a table on disk."""

import csv
import os
import pathlib
from os import PathLike

from dnn.callbacks.base import Callback
from dnn.files import named


class CSVLogger(Callback, reads_gradients=False):
    """One row an epoch: epoch (counted from 0), then the epoch's values by name.

    filename: a path; its folder must exist. separator: default ",". append: go on with a file that
    is there, without a second heading; default False, which begins anew. Half a row, where a full
    disk cut one off, is removed.
    Each row is on disk before the next epoch begins. A value that an epoch lacks is written "NA".
    Raises ValueError where `append` meets a file with other columns. Names and defaults are Keras'.
    """

    def __init__(self, filename: str | PathLike[str], separator: str = ",", append: bool = False):
        self.path, self.separator, self.append = pathlib.Path(filename), separator, append
        self.file = self.rows = None

    def on_train_begin(self, logs: dict[str, float]) -> None:
        self.columns = self._columns_there() if self.append else None
        self.file = open(self.path, "a" if self.append else "w", encoding="utf-8", newline="")  # noqa: SIM115
        self.rows = csv.writer(self.file, delimiter=self.separator)
        self.append = True  # what a second fit writes comes below

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        if self.columns is None:
            self.columns = ["epoch", *sorted(logs)]
            self.rows.writerow(self.columns)
        unknown = set(logs) - set(self.columns)
        if unknown:
            raise ValueError(
                f"filename: {self.path} has the columns {self.columns}; this run also gives "
                f"{sorted(unknown)}. Write to another file, or append=False"
            )
        values = {"epoch": epoch} | logs
        with named(self.path):
            self.rows.writerow([values.get(name, "NA") for name in self.columns])
            self.file.flush()
            os.fsync(self.file.fileno())

    def on_train_end(self, logs: dict[str, float]) -> None:
        if self.file is not None:
            self.file.close()
            self.file = self.rows = None

    def _columns_there(self):
        if not self.path.exists() or not self.path.stat().st_size:
            return None
        with open(self.path, encoding="utf-8", newline="") as file:
            columns = next(csv.reader(file, delimiter=self.separator))
        self._end_last_row()
        return columns

    def _end_last_row(self):
        with open(self.path, "r+b") as file:
            *rows, rest = file.read().splitlines(keepends=True)
            if rest.endswith(b"\n"):
                return
            if rows and rows[-1].endswith(b"\r\n"):  # as written here, so it was cut off
                file.truncate(sum(map(len, rows)))
            else:
                file.write(b"\r\n")
