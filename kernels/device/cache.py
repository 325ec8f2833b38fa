"""Compiled kernels on disk, keyed by everything that went into them.

Folder: $DNN_KERNEL_CACHE, else the user's cache folder. Deleting it is always safe. A file is
written under another name and then renamed, so that a killed process leaves nothing half-written.
"""

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
