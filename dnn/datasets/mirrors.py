"""A public mirror: four files under one URL prefix, over https.

A download goes to a temporary file without a name, so a killed process leaves nothing behind. An
offline machine must find out in seconds: looking up a name and connecting get `CONNECT_S` each, and
every pause in the data `READ_S`. A mirror that sends a byte now and then pauses never; `pace.py`
bounds the whole.
"""

import contextlib
import socket
import tempfile
import threading
import time
from urllib.parse import urlsplit

import numpy as np

from . import pace
from .download_bar import download_bar
from .idx import read_idx_stream

CONNECT_S = 3.0
READ_S = 10.0
_CHUNK_BYTES = 1 << 16


def deliver(mirror, files):
    """Yield `(file, array)` for each IdxFile of `files`, downloaded and verified.

    mirror: a URL prefix ending in "/"
    Raises OSError, with the reason in its text, at the first file that does not come; it is a
    DatasetFileError where the file came but is not the right one.
    """
    for file in files:
        url = f"{mirror}{file.name}.gz"
        with tempfile.TemporaryFile() as archive:
            # deflate never expands by more than 5 bytes in 16,383, plus the file's name
            most_bytes = file.payload_bytes + file.payload_bytes // 1000 + 4096
            _download(url, _Bounded(archive, most_bytes))
            array = read_idx_stream(archive, url, file.shape, file.sha256, np.uint8)
        yield file, array


def _download(url, out):
    import requests

    _look_up(url)
    with download_bar(url.rsplit("/", 1)[-1]) as bar:
        fetch, began = _Fetch(url, out, bar), time.monotonic()
        fetch.start()
        try:
            while fetch.join(0.1) or fetch.is_alive():
                pace.require(out.bytes, time.monotonic() - began, url)
        finally:
            fetch.stop()
    if isinstance(fetch.error, requests.RequestException):
        raise OSError(f"{url}: {_reason(fetch.error)}") from fetch.error
    if fetch.error:
        raise fetch.error


class _Fetch(threading.Thread):
    """A download that can be left: no limit of requests or urllib3 is one on the whole."""

    def __init__(self, url, out, bar):
        super().__init__(daemon=True)
        self.url, self.out, self.bar = url, out, bar
        self.error = self._response = None

    def run(self):
        import pooch

        fetch = pooch.HTTPDownloader(
            progressbar=self.bar,
            chunk_size=_CHUNK_BYTES,
            timeout=(CONNECT_S, READ_S),
            hooks={"response": self._answered},
        )
        try:
            fetch(self.url, self.out, None)
        except Exception as error:
            self.error = error
        finally:
            if self._response is not None:
                self._response.close()

    def _answered(self, response, **_):
        self._response = response
        self.out.require_open()

    def stop(self):
        """Nothing more is written, and what waits for more data ends."""
        self.out.closed = True
        with contextlib.suppress(Exception):  # it has ended, or never began
            self._response.raw.shutdown()


def _look_up(url):
    """Refuse a host whose name does not resolve in time; getaddrinfo itself knows no limit."""
    from requests.utils import get_environ_proxies, select_proxy

    if select_proxy(url, get_environ_proxies(url)):
        return  # the proxy looks it up
    host = urlsplit(url).hostname
    thread = threading.Thread(target=_resolve, args=(host,), daemon=True)
    thread.start()
    thread.join(CONNECT_S)
    if thread.is_alive():
        raise OSError(f"{url}: the name {host} did not resolve within {CONNECT_S:g} s")


def _resolve(host):
    with contextlib.suppress(OSError):  # the request that follows says it better
        socket.getaddrinfo(host, None)


def _reason(error):
    """The innermost reason; requests' own text repeats the URL and the classes around it."""
    if error.response is not None:
        return f"HTTP {error.response.status_code} {error.response.reason}"
    inner = error.args[0] if error.args else error
    text = str(getattr(inner, "reason", inner)) or type(error).__name__
    return text.split("): ", 1)[-1] if text.startswith("HTTP") else text


class _Bounded:
    """A file that refuses to grow beyond what the data set can need, or once it is closed."""

    def __init__(self, file, most_bytes):
        self._file, self._most_bytes, self.bytes, self.closed = file, most_bytes, 0, False

    def write(self, chunk):
        self.require_open()
        self.bytes += len(chunk)
        if self.bytes > self._most_bytes:
            raise OSError(f"sent more than {self._most_bytes:,} bytes, the most that is possible")
        try:
            self._file.write(chunk)
            self._file.flush()
        except OSError as error:
            folder = tempfile.gettempdir()
            raise OSError(
                f"{folder}, for temporary files, cannot be written ({error.strerror or error}). "
                "Make room there, or name another folder: export TMPDIR=/a/folder"
            ) from error

    def require_open(self):
        if self.closed:
            raise OSError("the download was left")

    def flush(self):
        """pooch asks for it after each chunk; write has done it."""
