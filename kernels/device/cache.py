"""Compiled kernels on disk, keyed by everything that went into them.

Folder: $DNN_KERNEL_CACHE, else the user's cache folder. Deleting it is always safe.

A file holds a digest of its key and code, and the code. It is taken only where its digest is right
and nobody else can have written it: it is this user's or root's, and not writable by others. What
is another's is passed over; this user's own then lies beside it. A file is written under another
name, flushed and renamed, so that a killed process leaves nothing half-written; what it leaves
under other names is removed by the next. Where nothing can be kept, all is compiled anew, with one
warning.
"""

import contextlib
import functools
import hashlib
import os
import pathlib
import shutil
import stat
import sys
import tempfile
import time

from kernels import compiling
from kernels.warning import warn

try:
    import fcntl
except ImportError:  # Windows: what killed processes left stays
    fcntl = None

BEGUN = ".dnn-kernels-unfinished-"  # how the names of unfinished things begin; nobody else's do
LOCKED_WITHIN_S = 2  # of being made, whatever has such a name is locked by its process
SET = "Set DNN_KERNEL_CACHE to a folder of your own that can be written"


def folder() -> pathlib.Path:
    """Where compiled kernels are kept. Raises FileNotFoundError where there is no home."""
    if chosen := os.environ.get("DNN_KERNEL_CACHE"):
        return pathlib.Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "~/AppData/Local")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return pathlib.Path(base).expanduser() / "dnn" / "kernels"
    except RuntimeError as cause:  # HOME is not set, and the system knows none
        raise FileNotFoundError("there is no home folder") from cause


def cached(key_parts, suffix, make, what=compiling.GPU) -> bytes:
    """The bytes stored under the key, or make() stored under it. A full or read-only disk costs
    only the caching. what: is said while it is made."""
    key = hashlib.sha256(repr(key_parts).encode()).hexdigest()
    code, target, why_not = _look_up(key, suffix)
    if code is not None:
        return code
    with compiling.going_on(what):
        code = make()
    if target is not None:
        try:
            _write(target, hashlib.sha256(key.encode() + code).digest() + code)
        except OSError as cause:
            target, why_not = None, cause
    if why_not is not None:
        _warn(f"{why_not}: compiled anew{'' if target else ' and not kept'}. {SET}")
    return code


def _look_up(key, suffix):
    """(the code or None, the file for it or None where there can be none, what was in the way)."""
    try:
        place = folder()
    except OSError as cause:
        return None, None, cause
    why_not = None
    for name in (f"{key[:32]}.{suffix}", f"{key[:32]}.{_user()}.{suffix}"):
        try:
            return _read(place / name, key), place / name, why_not
        except PermissionError as cause:
            why_not = cause
    return None, None, why_not


def is_trusted(status) -> bool:
    """Whether a file of that os.stat_result is as this user, or root, has written it."""
    if not stat.S_ISREG(status.st_mode):
        return False
    if not hasattr(os, "geteuid"):
        return True  # Windows: the user's folders are the user's
    return status.st_uid in (0, os.geteuid()) and not status.st_mode & 0o022


def _user():
    return os.geteuid() if hasattr(os, "geteuid") else "own"


def _read(path, key):
    """The code in a file; None where there is none or it is damaged. Raises PermissionError where
    it is another's."""
    try:
        # A FIFO in its place is not waited for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", os.O_RDONLY))
        with open(descriptor, "rb") as file:
            if not is_trusted(os.fstat(descriptor)):
                raise PermissionError(f"{path} is another user's or writable by others")
            stored = file.read()
    except PermissionError:
        raise
    except OSError:
        return None
    digest, code = stored[:32], stored[32:]
    return code if hashlib.sha256(key.encode() + code).digest() == digest else None


def _write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(prefix=BEGUN, dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            _lock(descriptor)
            file.write(data)
            file.flush()
            os.chmod(part, 0o644)  # others may read what they would compile alike
            os.fsync(descriptor)
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
    _sweep(path.parent)


@contextlib.contextmanager
def scratch(where=None):
    """A folder of this user's own for the length of a `with` block; in `where`, by default the
    system's for temporary files."""
    where = where or tempfile.gettempdir()
    path = tempfile.mkdtemp(prefix=BEGUN, dir=where)
    try:
        descriptor = os.open(path, os.O_RDONLY) if fcntl else None
        try:
            _lock(descriptor)
            yield pathlib.Path(path)
        finally:
            if descriptor is not None:
                os.close(descriptor)
    finally:
        shutil.rmtree(path, ignore_errors=True)
        _sweep(where)


def _lock(descriptor):
    """Held until the file is closed, so while its process lives. Not every disk has locks."""
    if fcntl:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@functools.cache  # once in a process
def _sweep(where):
    """Remove what killed processes of this user have left unfinished."""
    for path in pathlib.Path(where).glob(f"{BEGUN}*") if fcntl else ():
        with contextlib.suppress(OSError):
            status = path.lstat()
            if status.st_uid != os.geteuid() or time.time() < status.st_mtime + LOCKED_WITHIN_S:
                continue
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while it lives
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            finally:
                os.close(descriptor)


_said = []  # one warning in a process, whatever the file


def _warn(text):
    if not _said:
        _said.append(text)
        warn(f"cache of compiled kernels: {text}")
