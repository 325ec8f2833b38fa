"""The user's own copies: plain IDX files, written whole or not at all.

Plain, because reading and hashing 47 MB takes a fraction of the time of unpacking them.
"""

import contextlib
import os
import tempfile
import time
from pathlib import Path

from .idx import idx_header

_STALE_S = 24 * 3600


def cache_folder(name) -> Path:
    """Where the data set called `name` is kept: `~/.cache/dnn/<name>` on Linux (XDG honoured)."""
    import pooch

    return Path(pooch.os_cache("dnn")).expanduser() / name


def store(path, array):
    """Write the uint8 `array` as an IDX file at `path`.

    A temporary file in the same folder, fsync, then a rename: a reader sees the old file or the
    whole new one, and of two processes writing at once the last one wins. Raises OSError.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(idx_header(array.shape))
            out.write(memoryview(array.reshape(-1)))
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder):
    if os.name != "posix":  # elsewhere a folder can't be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(path):
    """Remove what a process killed in the middle of `store` left, once it is surely dead."""
    for part in path.parent.glob(f".{path.name}.*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > _STALE_S:
                part.unlink()
