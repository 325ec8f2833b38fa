"""CPU kernels on disk: Numba's cache, made to end no program and to hand out no wrong kernel.

Numba's own raises what it meets: a cut or an empty file, a full disk, a file that it may not read,
no folder that it may write. Here all of these cost only the caching: the kernel is compiled, and
what was damaged is overwritten. Every file begins with its SHA-256 and says what it belongs to, so
that no flipped bit is run, nor the code of another kernel where two processes wrote at once. A file
is a pickle, which runs what its writer wants: one of another user's is passed over, but the
administrator's and that of whoever owns the source, who could change that as well.
"""

import functools
import hashlib
import os
import pathlib
import pickle
import tempfile

import numba
from numba.core import config
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    IndexDataCacheFile,
    NullCache,
)
from numba.misc.appdirs import AppDirs

from kernels import sources, warning

PACKAGE = pathlib.Path(__file__).parent
DIGEST_BYTES = hashlib.sha256().digest_size


_lost = []  # what was not kept


def keeps() -> bool:
    """Whether the next process, too, has what this one compiles."""
    return not _lost


def of(function):
    """The cache of a function's compiled code."""
    try:
        return DiskCache(function)
    except (RuntimeError, OSError):  # there is no folder that can be written
        _lost.append(function.__name__)
        warn(
            "CPU kernels are compiled anew in every process, which takes about half a minute: "
            "neither the package's folder nor one of the user's can be written"
        )
        return NullCache()


@functools.cache
def warn(problem):
    """Once a process and problem."""
    text = f"{problem}. Type: export NUMBA_CACHE_DIR=/a/folder/of/yours"
    warning.warn(text, RuntimeWarning)


class Place(CompileResultCacheImpl):
    """Where a function's files lie: NUMBA_CACHE_DIR, beside the source, or the user's own folder,
    which without a home would be one named ~ in the current folder."""

    _locator_classes = tuple(
        locator
        for locator in CompileResultCacheImpl._locator_classes
        if "UserWide" not in locator.__name__
        or os.path.isabs(AppDirs(appname="numba", appauthor=False).user_cache_dir)
    )


class DiskCache(FunctionCache):
    """Numba stamps a cached kernel with the file it stands in, not with what that file imports."""

    _impl_class = Place

    def __init__(self, function):
        super().__init__(function)
        chosen = config.CACHE_DIR
        if chosen and not self.cache_path.startswith(os.path.join(chosen, "")):
            warn(f"NUMBA_CACHE_DIR: {chosen} cannot be written; {self.cache_path} takes its place")
        owner = os.stat(function.__code__.co_filename).st_uid
        stamp = numba.__version__, sources.stamp(function)
        self._cache_file = Files(self.cache_path, self._impl.filename_base, stamp, owner)
        self._closure_stamp = sources.closure_stamp(function)

    def _index_key(self, sig, codegen):
        return *super()._index_key(sig, codegen), self._closure_stamp

    def save_overload(self, sig, data):
        try:
            super().save_overload(sig, data)
        except OSError as cause:
            _lost.append(self._name)
            warn(f"CPU kernels cannot be kept for the next process: {cause}")


class Files(IndexDataCacheFile):
    """An index {key: name} and a file for each key. What is damaged is not there."""

    def __init__(self, folder, name, stamp, owner):
        super().__init__(folder, name, stamp)
        self._owners = {0, owner, *({os.geteuid()} if hasattr(os, "geteuid") else ())}

    def load(self, key):
        of, data = super().load(key) or (None, None)
        return data if of == key else None

    def save(self, key, data):
        super().save(key, (key, data))

    def _load_index(self):
        try:
            stamp, names = self._read(self._index_path)
        except OSError:
            return {}
        return names if stamp == self._source_stamp else {}

    def _save_index(self, names):
        self._write(self._index_path, (self._source_stamp, names))

    def _load_data(self, name):
        stamp, data = self._read(self._data_path(name))
        return data if stamp == self._source_stamp else None

    def _save_data(self, name, data):
        self._write(self._data_path(name), (self._source_stamp, data))

    def _read(self, path):
        """Raises OSError, which stands for a missing file, where its bytes are not to be used."""
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_uid not in self._owners:
                raise PermissionError(f"{path} is another user's")
            stored = file.read()
        if not intact(stored):
            raise OSError(f"{path} is damaged")
        try:
            return pickle.loads(stored[DIGEST_BYTES:])
        except (ImportError, AttributeError) as cause:  # it names what is no longer there
            raise OSError(f"{path}: {cause}") from cause

    def _write(self, path, content):
        content = self._dump(content)
        with self._open_for_write(path) as file:
            file.write(hashlib.sha256(content).digest() + content)


def intact(stored) -> bool:
    """Whether these bytes of a file are those that were written."""
    return hashlib.sha256(stored[DIGEST_BYTES:]).digest() == stored[:DIGEST_BYTES]


def condition() -> tuple[str, int]:
    """(where kernels are kept, how many files there are damaged), for `dnn doctor`. Raises
    RuntimeError or OSError where they cannot be kept."""
    locator = Place(condition).locator
    with tempfile.TemporaryFile(dir=locator.get_cache_path()) as file:
        file.write(bytes(2**20))  # a full disk takes a file, but nothing into it
    sources = map(str, PACKAGE.rglob("*.py"))
    folders = {type(locator)(condition, source).get_cache_path() for source in sources}
    files = [path for folder in folders for path in pathlib.Path(folder).glob("*.nb[ic]")]
    return locator.get_cache_path(), sum(not intact(path.read_bytes()) for path in files)
