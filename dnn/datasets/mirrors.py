"""A public mirror: four files under one URL prefix, over https.

A download goes to a temporary file without a name, so a killed process leaves nothing behind. An
offline machine must find out in seconds: looking up a name and connecting get `CONNECT_S` each, and
every pause in the data `READ_S`.
"""

import contextlib
import socket
import tempfile
import threading
from urllib.parse import urlsplit

from . import progress
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
            array = read_idx_stream(archive, url, file.shape, file.sha256)
        yield file, array


def _download(url, out):
    import pooch
    import requests

    try:
        _look_up(url)
        with progress.download_bar(url.rsplit("/", 1)[-1]) as bar:
            fetch = pooch.HTTPDownloader(
                progressbar=bar, chunk_size=_CHUNK_BYTES, timeout=(CONNECT_S, READ_S)
            )
            fetch(url, out, None)
    except requests.RequestException as error:
        raise OSError(f"{url}: {_reason(error)}") from error


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
    """A file that refuses to grow beyond what the data set can need."""

    def __init__(self, file, most_bytes):
        self._file, self._most_bytes, self._bytes = file, most_bytes, 0

    def write(self, chunk):
        self._bytes += len(chunk)
        if self._bytes > self._most_bytes:
            raise OSError(f"sent more than {self._most_bytes:,} bytes, the most that is possible")
        return self._file.write(chunk)

    def flush(self):
        """pooch flushes each chunk; only the end needs it, and seek does that."""
