"""Mirrors that fail in every way, and downloads that are killed."""

import contextlib
import errno
import gzip
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from dnn.datasets import (
    DatasetNotFoundError,
    mirrors,
    pace,
)
from tests.dnn.datasets.conftest import Mirror
from tests.dnn.datasets.tiny import CONTENTS, NAMES, files_under, fill, load
from tests.dnn.helpers import ROOT


def truncated(handler):
    content = gzip.compress(CONTENTS[NAMES[0]])
    Mirror.send(handler, content[:-5], promised_bytes=len(content))


def truncated_and_not_saying_so(handler):
    Mirror.send(handler, gzip.compress(CONTENTS[NAMES[0]])[:-5])


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(bytes(1 << 16))


def a_web_page(handler):
    Mirror.send(handler, b"<!DOCTYPE html><title>Sign in</title>")


def silent(handler):
    Mirror.send(handler, b"\x1f", promised_bytes=100)
    time.sleep(1)


def dripping(handler):
    handler.send_response(200)
    handler.end_headers()
    drip(handler)


def dripping_what_it_promised(handler):
    Mirror.send(handler, b"\x1f", promised_bytes=1000)
    drip(handler)


def dripping_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    drip(handler)


def drip(handler):
    """A byte now and then, so that no pause is ever too long, until nobody reads any more."""
    with contextlib.suppress(ConnectionError):
        for _ in range(100):
            handler.wfile.write(b"x")
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "HTTP 404 Not Found"),
        (truncated, "IncompleteRead"),
        (truncated_and_not_saying_so, "truncated or damaged"),
        (endless, r"sent more than 4,208 bytes"),
        (a_web_page, "not an IDX file"),
        (silent, "Read timed out"),
        (dripping, r"sent \d+ bytes in 0.\d s; expected 8,192 a second after the first 0.3"),
        (dripping_what_it_promised, "sent 0 bytes in 0"),
        (dripping_headers, "sent 0 bytes in 0"),
    ],
)
def test_a_failing_mirror_is_named_and_the_next_one_asked(own, serve, monkeypatch, answer, reason):
    monkeypatch.setattr(mirrors, "READ_S", 0.2)
    monkeypatch.setattr(pace, "GRACE_S", 0.3)
    failing = serve({NAMES[0]: answer})
    began = time.monotonic()
    with pytest.raises(DatasetNotFoundError, match=reason) as caught:
        load(mirrors=(failing.url,))
    assert failing.url in str(caught.value) and time.monotonic() - began < 2
    assert failing.asked == [NAMES[0]], "a mirror that fails once is left"
    assert files_under(own.parent.parent) == []
    load(mirrors=(failing.url, serve(CONTENTS).url))


def test_a_download_that_is_left_ends(serve, monkeypatch):
    """Its thread, which waits for the rest, does not wait on."""
    monkeypatch.setattr(pace, "GRACE_S", 0.1)
    before = set(threading.enumerate())
    mirror = serve({NAMES[0]: dripping_what_it_promised})
    with pytest.raises(DatasetNotFoundError, match="sent 0 bytes"):
        load(mirrors=(mirror.url,))
    for thread in set(threading.enumerate()) - before:
        if isinstance(thread, mirrors._Fetch):
            thread.join(2)
            assert not thread.is_alive()


def test_a_full_disk_is_named(serve, monkeypatch):
    """That of the temporary files, which no mirror is to be blamed for."""

    class Full:
        def write(self, chunk):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    bounded = mirrors._Bounded
    monkeypatch.setattr(mirrors, "_Bounded", lambda file, most: bounded(Full(), most))
    with pytest.raises(
        DatasetNotFoundError, match=r"cannot be written \(No space left on device\)"
    ):
        load(mirrors=(serve(CONTENTS).url,))


def test_a_mirror_that_nobody_answers_for():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(DatasetNotFoundError, match=f"{url}.*Connection refused"):
            load(mirrors=(url,))


def test_a_name_that_does_not_resolve_costs_seconds(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(mirrors, "CONNECT_S", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(10) and [])
    began = time.monotonic()
    with pytest.raises(DatasetNotFoundError, match=r"host\.invalid did not resolve within 0\.1 s"):
        load(mirrors=("https://host.invalid/",))
    release.set()
    assert time.monotonic() - began < 2


def test_a_server_that_unpacks_gzip_on_the_way_is_fine(serve):
    def unpack(name):
        return lambda handler: Mirror.send(handler, CONTENTS[name])

    load(mirrors=(serve({name: unpack(name) for name in NAMES}).url,))


CHILD = """
import sys
sys.path[:0] = {paths!r}
from tests.dnn.datasets import tiny
tiny.load(mirrors=({url!r},))
print("loaded")
"""


def child(url, **environment):
    code = CHILD.format(paths=[str(ROOT), *sys.path], url=url)
    return subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, **environment}, stdout=subprocess.PIPE
    )


def test_a_killed_download_leaves_nothing(tmp_path, own, serve):
    began = threading.Event()

    def stall(handler):
        content = gzip.compress(CONTENTS[NAMES[1]])
        Mirror.send(handler, content[:-5], promised_bytes=len(content))
        began.set()
        mirror.release.wait(10)

    mirror = serve({**CONTENTS, NAMES[1]: stall})
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = child(mirror.url, TMPDIR=str(temporary))
    try:
        assert began.wait(20)
        time.sleep(0.1)
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert files_under(temporary) == []
    assert files_under(own) == [NAMES[0]], "the file before it had come whole"
    load(mirrors=(serve(CONTENTS).url,))


def test_two_processes_at_once(own, serve):
    both = threading.Barrier(2, timeout=20)

    def together(name):
        def answer(handler):
            both.wait()
            Mirror.send(handler, gzip.compress(CONTENTS[name]))

        return answer

    mirror = serve({name: together(name) for name in NAMES})
    processes = [child(mirror.url) for _ in range(2)]
    assert [process.communicate()[0].split() for process in processes] == [[b"loaded"]] * 2
    assert files_under(own) == sorted(NAMES)
    load()


@pytest.mark.parametrize("terminal", [False, True])
def test_a_bar_is_shown_on_a_terminal_only(serve, archive, monkeypatch, capsys, terminal):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    fill(archive.package, names=NAMES[2:])
    mirror = serve({name: CONTENTS[name] for name in NAMES[:2]})
    load(mirrors=(mirror.url,), debian_package="dataset-tiny")
    shown = capsys.readouterr()
    assert shown.out == "" and bool(shown.err) == terminal
    for label in (*NAMES[:2], "dataset-tiny: fetching it with apt-get"):
        assert (label in shown.err) == terminal
