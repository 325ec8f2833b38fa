"""What there is to know about a data set before having it: files, shapes, hashes, mirrors."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class IdxFile:
    """One file: its usual name (without .gz), the shape of its uint8 array, and the SHA-256 of its
    decompressed payload (header and data). Archives recompress .gz files, so those have no fixed
    hash; payloads do."""

    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def payload_bytes(self) -> int:
        return 4 + 4 * len(self.shape) + math.prod(self.shape)

    @property
    def spellings(self) -> tuple[str, ...]:
        """`train-images-idx3-ubyte` and `train-images.idx3-ubyte` are both common."""
        dotted = self.name.replace("-idx", ".idx")
        return (self.name, f"{self.name}.gz", dotted, f"{dotted}.gz")


@dataclass(frozen=True)
class Dataset:
    """A data set of four IDX files, and where the public keeps them.

    `mirrors` are URL prefixes ending in "/", each followed by `<file name>.gz`. `debian_package`
    installs into `system_folder`.
    """

    name: str
    class_names: tuple[str, ...]
    x_train: IdxFile
    y_train: IdxFile
    x_test: IdxFile
    y_test: IdxFile
    mirrors: tuple[str, ...] = ()
    debian_package: str | None = None
    system_folder: str | None = None

    @property
    def files(self) -> tuple[IdxFile, ...]:
        return (self.x_train, self.y_train, self.x_test, self.y_test)
