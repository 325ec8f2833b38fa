"""Fashion-MNIST: Zalando's article images. MIT licence, Copyright 2017 Zalando SE.

Xiao, Rasul, Vollgraf: "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms", arXiv:1708.07747. Plain-http mirrors are left out: some have been seen redirecting to
digit MNIST, whose files have the same names and sizes.
"""

from os import PathLike

from . import search
from .dataset import Dataset, IdxFile

FASHION_MNIST = Dataset(
    name="fashion-mnist",
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    x_train=IdxFile(
        "train-images-idx3-ubyte",
        (60_000, 28, 28),
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    y_train=IdxFile(
        "train-labels-idx1-ubyte",
        (60_000,),
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    x_test=IdxFile(
        "t10k-images-idx3-ubyte",
        (10_000, 28, 28),
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    y_test=IdxFile(
        "t10k-labels-idx1-ubyte",
        (10_000,),
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    mirrors=(
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
    ),
    debian_package="dataset-fashion-mnist",
    system_folder="/usr/share/datasets/fashion-mnist",
)


def fashion_mnist(folder: str | PathLike[str] | None = None) -> search.Arrays:
    """Fashion-MNIST as `((x_train, y_train), (x_test, y_test))`.

    Returns
      x_train (60000, 28, 28), y_train (60000,), x_test (10000, 28, 28), y_test (10000,), all uint8
      and C-contiguous. Each owns its memory, freshly allocated, and is writable. Pixels are 0
      (background) to 255, labels 0 to 9 in the order of `class_names("fashion-mnist")`. The order
      of the samples is that of the files.

    folder: str, path or None
      Looked into first, in place of the environment's DNN_DATA_DIR. A file there that is damaged or
      belongs to another data set is an error, and so is a folder that is not there or has none of
      the files (DNN_DATA_DIR may lack them all). If it lacks some, a UserWarning says which, and
      they are looked for in the user's cache, in Debian's folder, and on the public mirrors. Every
      file is verified by its SHA-256, so the data are the same wherever they come from.

    Raises
      DatasetFileError       a file in `folder` (or DNN_DATA_DIR) is damaged or another's
      DatasetNotFoundError   `folder` (or DNN_DATA_DIR) is not there, or `folder` has none of the
                             files; or no place had the data: it lists what was tried, what to type
      TypeError, ValueError  `folder` is not a path
      A damaged file in the cache or in Debian's folder gives a UserWarning and the next place is
      tried; so does a cache that cannot be written, and the data are returned all the same.

    Source and licence: Zalando SE 2017, MIT (see the head of this file).
    """
    return search.load(FASHION_MNIST, folder)
