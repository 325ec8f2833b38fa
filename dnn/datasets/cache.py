"""The user's own copies: plain IDX files, written whole or not at all.

Plain, because reading and hashing 47 MB takes a fraction of the time of unpacking them.
"""

from pathlib import Path

from dnn import files

from .idx import idx_header


def cache_folder(name) -> Path:
    """Where the data set called `name` is kept: `~/.cache/dnn/<name>` on Linux (XDG honoured)."""
    import pooch

    return Path(pooch.os_cache("dnn")).expanduser() / name


def store(path, array):
    """Write the uint8 `array` as an IDX file at `path`; its folder is made.

    A reader sees the old file or the whole new one, and of two processes writing at once the last
    one wins. Raises OSError.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(path, [idx_header(array.shape), memoryview(array.reshape(-1))])
