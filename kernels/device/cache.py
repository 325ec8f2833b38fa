"""Compiled kernels on disk, keyed by everything that went into them.

Folder: $DNN_KERNEL_CACHE, else the user's cache folder. Deleting it is always safe. A file is
written under another name and then renamed, so that a killed process leaves nothing half-written.
"""

import functools
import hashlib
import os
import pathlib
import sys
import tempfile


def folder() -> pathlib.Path:
    """Where compiled kernels are kept."""
    if chosen := os.environ.get("DNN_KERNEL_CACHE"):
        return pathlib.Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "~/AppData/Local")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return pathlib.Path(base).expanduser() / "dnn" / "kernels"


def cached(key_parts, suffix, make) -> bytes:
    """The bytes stored under the key, or make() stored under it. A full or read-only disk costs
    only the caching."""
    key = hashlib.sha256(repr(key_parts).encode()).hexdigest()
    path = folder() / f"{key[:32]}.{suffix}"
    try:
        stored = path.read_bytes()
        digest, code = stored[:32], stored[32:]
        if hashlib.sha256(code).digest() == digest:
            return code
    except OSError:
        pass
    code = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(hashlib.sha256(code).digest() + code)
        os.replace(file.name, path)
    except OSError:
        pass
    return code


def cached_file(key_parts, suffix, make) -> pathlib.Path:
    """Path of the file stored under the key, for what must be a file (a library to load).

    make(path) writes it where there is none. Processes that make the same one at once do not
    disturb each other: each renames its own into place. Where the disk is read-only or full, the
    file lies in a temporary folder of this process.
    """
    key = hashlib.sha256(repr(key_parts).encode()).hexdigest()
    path = folder() / f"{key[:32]}.{suffix}"
    if path.exists():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            unfinished = pathlib.Path(file.name)
    except OSError:
        path = pathlib.Path(_own_folder().name) / path.name
        unfinished = path.with_suffix(".part")
        if path.exists():
            return path
    try:
        make(unfinished)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


@functools.cache
def _own_folder():
    return tempfile.TemporaryDirectory(prefix="dnn-kernels-")  # removed when the process ends
