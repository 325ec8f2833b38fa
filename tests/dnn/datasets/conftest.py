"""A machine with nothing set, mirrors that are servers on 127.0.0.1, and a package archive that is
a shell script. `../test_datasets_real.py` has the real ones."""

import gzip
import os
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dnn.datasets import (
    cache,
)


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """The user's cache of the tiny data set, and a machine where nothing else is set."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("DNN_DATA_DIR", raising=False)
    folder = cache.cache_folder("tiny")
    if not folder.is_relative_to(tmp_path):
        pytest.skip("the cache folder follows XDG_CACHE_HOME on Linux only")
    return folder


class Mirror:
    """A server on 127.0.0.1. `answers[name]` is content to gzip and send, or a function of the
    request handler; `asked` lists what was asked for."""

    def __init__(self, answers):
        self.answers, self.asked, self.release = answers, [], threading.Event()
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.removeprefix("/set/").removesuffix(".gz")
                mirror.asked.append(name)
                answer = mirror.answers.get(name)
                if answer is None:
                    self.send_error(404)
                elif callable(answer):
                    answer(self)
                else:
                    mirror.send(self, gzip.compress(answer))

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/set/"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @staticmethod
    def send(handler, content, promised_bytes=None):
        handler.send_response(200)
        handler.send_header("Content-Length", str(promised_bytes or len(content)))
        handler.end_headers()
        handler.wfile.write(content)
        handler.wfile.flush()

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def serve():
    """serve(answers) starts a mirror; all are closed at the end."""
    started = []

    def start(answers):
        started.append(Mirror(answers))
        return started[-1]

    yield start
    for mirror in started:
        mirror.close()


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """An apt-get and a dpkg-deb of our own, first in PATH; they unpack `archive.package`."""
    return Archive(tmp_path, monkeypatch)


class Archive:
    def __init__(self, tmp_path, monkeypatch):
        self.package = tmp_path / "package"
        self.log = tmp_path / "apt.log"
        self.temporary = tmp_path / "tmp"
        self.programs = tmp_path / "bin"
        for folder in (self.package, self.temporary, self.programs):
            folder.mkdir()
        self.program("apt-get", 'case "$*" in *download*) touch dataset-tiny_1_all.deb;; esac')
        self.program("dpkg-deb", f'mkdir "$3"; cp -R "{self.package}/." "$3"')
        monkeypatch.setenv("PATH", f"{self.programs}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("TMPDIR", str(self.temporary))
        monkeypatch.setattr(tempfile, "tempdir", None)

    def program(self, name, script):
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.log}"\n{script}\n')
        path.chmod(0o755)
