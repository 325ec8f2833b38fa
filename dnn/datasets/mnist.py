"""MNIST: handwritten digits (LeCun, Cortes, Burges 1998), made from NIST's databases 1 and 3.

LeCun, Bottou, Bengio, Haffner: "Gradient-based learning applied to document recognition",
Proc. IEEE 86 (1998). The licence usually given for it is CC BY-SA 3.0, by LeCun and Cortes; the
original page, which could confirm it, no longer serves the files. No Debian package has them.

The payload hashes below are published by many projects next to the well-known hashes of the .gz
files (440fcabf…, 3552534a…, 8d422c7b…, f7ae60f9…). Those of the labels and of the test images were
also computed from .gz files that have these hashes.
"""

from os import PathLike

from . import search
from .dataset import Dataset, IdxFile

MNIST = Dataset(
    name="mnist",
    class_names=tuple("0123456789"),
    x_train=IdxFile(
        "train-images-idx3-ubyte",
        (60_000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    y_train=IdxFile(
        "train-labels-idx1-ubyte",
        (60_000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    x_test=IdxFile(
        "t10k-images-idx3-ubyte",
        (10_000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    y_test=IdxFile(
        "t10k-labels-idx1-ubyte",
        (10_000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)


def mnist(folder: str | PathLike[str] | None = None) -> search.Arrays:
    """Digit MNIST as `((x_train, y_train), (x_test, y_test))`.

    Shapes, dtypes, memory, `folder` and errors as `fashion_mnist`; labels are the digits 0 to 9.

    Source and licence: LeCun, Cortes, Burges 1998 (see the head of this file).
    """
    return search.load(MNIST, folder)
