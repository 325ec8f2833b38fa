"""Files written whole or not at all, whatever happens meanwhile.

The data goes to a hidden file in the same folder, which is synced and renamed. A process holds a
lock on its own hidden file (flock) for as long as it writes, so the next one that saves to the same
path knows which of them were left by a process that was killed, and removes these.
"""

import contextlib
import errno
import os
import pathlib
import re
import secrets
import stat
import time

try:
    import fcntl
except ImportError:  # Windows, where nobody can rename or remove a file that is open
    fcntl = None

MOST_NAME_BYTES = 255  # of the usual file systems
STALE_S = 24 * 3600  # how old a hidden file must be where nothing can be locked
RETRY_S = (0.05, 0.2, 0.5, 1.0) if os.name == "nt" else ()  # while another program has it open


def write_atomically(path, data):
    """The file at `path` holds all of `data`, or what it held before.

    data: bytes, or an iterable of buffers that follow one another. Through a symbolic link the file
    that it points to is replaced. Mode and owner of a file that is replaced are kept; a new one's
    mode is as the umask says. Of hard links only this one is replaced.
    Raises OSError with the path that was given: also where its folder does not exist, where it is
    write-protected, and where it is no file, but a folder or a device.
    """
    pieces = [data] if isinstance(data, bytes | bytearray | memoryview) else data
    target = pathlib.Path(os.path.realpath(path))
    with named(path):
        there = _replaceable(target, path)
        sweep(target)
        _write(target, pieces, there)
    _sync_folder(target.parent)


@contextlib.contextmanager
def named(path):
    """An OSError in the block names this path."""
    try:
        yield
    except OSError as error:
        if error.filename == os.fspath(path):
            raise
        raise OSError(error.errno, error.strerror or str(error), os.fspath(path)) from None


def sweep(path):
    """Remove what processes that were killed while they saved to `path` left beside it."""
    target = pathlib.Path(os.path.realpath(path))
    hidden = re.compile(re.escape(_stem(target.name)) + r"\.[0-9a-f]{16}\.part")
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if hidden.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    _remove_stale(entry.path)


@contextlib.contextmanager
def locked(path):
    """Holds the folder at `path` for the block; another process that asks is refused with a
    BlockingIOError. Where folders cannot be locked, the block runs all the same."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows
        yield
        return
    try:
        if fcntl:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise
            except OSError:
                pass  # a file system without locks
        yield
    finally:
        os.close(handle)


def _replaceable(target, path):
    """The stat of the file that is to be replaced, None where there is none."""
    try:
        there = target.stat()
    except FileNotFoundError:
        if not target.parent.is_dir():
            problem = f"there is no folder {target.parent}; make it first"
            raise FileNotFoundError(errno.ENOENT, problem, os.fspath(path)) from None
        return None
    if stat.S_ISDIR(there.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder; expected a file", os.fspath(path))
    if not stat.S_ISREG(there.st_mode):
        problem = "is a device or a pipe; expected a file"
        raise OSError(errno.EINVAL, problem, os.fspath(path))
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "is write-protected", os.fspath(path))
    return there


def _write(target, pieces, there):
    part, file = _begin(target)
    try:
        with file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            if there is not None:
                _keep_owner_and_mode(file, there)
            os.fsync(file.fileno())
            if fcntl:  # before the lock goes
                os.replace(part, target)
        if not fcntl:
            _replace(part, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


def _begin(target):
    """A new hidden file, which is held."""
    while True:
        part = target.with_name(f"{_stem(target.name)}.{secrets.token_hex(8)}.part")
        # Not tempfile, whose files nobody else may read
        file = open(part, "xb")  # noqa: SIM115
        try:
            if not fcntl:
                return part, file
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_nlink:  # nobody swept it before it was held
                return part, file
            file.close()
        except BaseException:
            file.close()
            with contextlib.suppress(OSError):
                os.unlink(part)
            raise


def _stem(name):
    """What the names of hidden files for `name` begin with, cut so that they are not too long."""
    most = MOST_NAME_BYTES - len(".") - len(f".{'0' * 16}.part")
    encoded = os.fsencode(name)
    return "." + (name if len(encoded) <= most else encoded[:most].decode(errors="ignore"))


def _remove_stale(part):
    if not fcntl:
        if time.time() - os.stat(part).st_mtime > STALE_S:
            os.unlink(part)
        return
    with open(part, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while its process lives
        os.unlink(part)


def _keep_owner_and_mode(file, there):
    if not hasattr(os, "fchown"):
        return
    now = os.fstat(file.fileno())
    if (now.st_uid, now.st_gid) != (there.st_uid, there.st_gid):
        with contextlib.suppress(PermissionError):  # only root may give a file away
            os.fchown(file.fileno(), there.st_uid, there.st_gid)
    os.fchmod(file.fileno(), stat.S_IMODE(there.st_mode))


def _replace(part, target):
    for wait_s in RETRY_S:
        with contextlib.suppress(PermissionError):
            return os.replace(part, target)
        time.sleep(wait_s)
    os.replace(part, target)


def _sync_folder(folder):
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # on Windows no folder can be opened; here one that nobody may list
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
