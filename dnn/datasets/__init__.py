"""Image data sets in IDX files: found on this machine or fetched, and always verified.

    from dnn import datasets
    (x, y), (x_test, y_test) = datasets.fashion_mnist()     # uint8 (60000, 28, 28), (60000,), …
    datasets.load("mnist"); datasets.class_names("fashion-mnist"); datasets.NAMES
    x, y = datasets.toy.moons(200)                          # made here, not read: see toy.py

Where the files are looked for, one by one, in this order:

1. `folder=`, or the environment's DNN_DATA_DIR (in `<folder>/<name>/`, then `<folder>/`); it is an
   error where there is no such folder, or none of the files in the `folder=` given
2. the user's cache: `~/.cache/dnn/<name>/` (XDG_CACHE_HOME is honoured)
3. Debian's `/usr/share/datasets/<name>/`
4. public mirrors over https, then the system's package archive through apt-get (without root);
   what they deliver goes to the cache

Wherever a file came from, the SHA-256 of its decompressed payload is checked, so the place never
changes the data. `search.py` is this order; `idx.py` reads a file; `cache.py`, `mirrors.py` and
`debian.py` are the places. A new data set is one file like `mnist.py` and its line below.
"""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from kernels.names import named, unknown_attribute

from . import search, toy
from .dataset import Dataset, IdxFile
from .errors import DatasetError, DatasetFileError, DatasetNotFoundError
from .fashion_mnist import FASHION_MNIST, fashion_mnist
from .idx import read_idx
from .mnist import MNIST, mnist

__all__ = [
    "NAMES",
    "Dataset",
    "DatasetError",
    "DatasetFileError",
    "DatasetNotFoundError",
    "IdxFile",
    "class_names",
    "fashion_mnist",
    "load",
    "mnist",
    "read_idx",
    "toy",
    "where",
]
if not TYPE_CHECKING:  # a type checker knows what there is
    __getattr__ = unknown_attribute(__name__)

_DATASETS = {dataset.name: dataset for dataset in (FASHION_MNIST, MNIST)}
NAMES = tuple(_DATASETS)
"""The names that `load` and `class_names` know."""


def load(name: str, folder: str | PathLike[str] | None = None) -> search.Arrays:
    """The data set called `name` (one of `NAMES`); else as `fashion_mnist(folder)`.

    Raises ValueError for an unknown name.
    """
    return search.load(_dataset(name), folder)


def class_names(name: str) -> tuple[str, ...]:
    """The class names of the data set called `name`, in the order of its labels.

    Raises ValueError for an unknown name.
    """
    return _dataset(name).class_names


def where(name: str) -> Path | None:
    """The folder on this machine that holds the data set called `name`, unread; None if none does.

    Raises ValueError for an unknown name.
    """
    return search.where(_dataset(name))


def _dataset(name):
    return _DATASETS[named("name", name, NAMES, {})]
