"""Where data sets are found: the order, the refusals, the downloads, and the one error.

Tiny data sets stand in for the real ones; the mirrors are servers on 127.0.0.1, and the package
archive is a shell script. `test_datasets_real.py` has the real ones.
"""

import ast
import gzip
import hashlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import dnn.datasets
from dnn import datasets
from dnn.datasets import (
    Dataset,
    DatasetFileError,
    DatasetNotFoundError,
    IdxFile,
    cache,
    debian,
    mirrors,
    search,
)

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
SHAPES = ((6, 4, 4), (6,), (3, 4, 4), (3,))


def tiny(seed):
    """Four arrays and their files' contents, of the same names and shapes for every seed."""
    generator = np.random.default_rng(seed)
    arrays = [generator.integers(0, 256, shape, dtype=np.uint8) for shape in SHAPES]
    contents = {}
    for name, array in zip(NAMES, arrays, strict=True):
        header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        contents[name] = header + array.tobytes()
    return arrays, contents


ARRAYS, CONTENTS = tiny(1)
_, OTHERS = tiny(2)  # same names, same shapes, other content: what digit MNIST is to Fashion-MNIST


def tiny_dataset(**places):
    files = [
        IdxFile(name, shape, hashlib.sha256(CONTENTS[name]).hexdigest())
        for name, shape in zip(NAMES, SHAPES, strict=True)
    ]
    return Dataset("tiny", tuple("0123456789"), *files, **places)


def fill(folder, contents=CONTENTS, names=NAMES, zipped=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        content = contents[name]
        path = folder / (f"{name}.gz" if zipped else name)
        path.write_bytes(gzip.compress(content) if zipped else content)
    return folder


def load(*arguments, **places):
    """Load the tiny data set, silently, and check every array bit for bit."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(search.load(tiny_dataset(**places), *arguments))


def check(loaded):
    (x, y), (x_test, y_test) = loaded
    for got, expected in zip((x, y, x_test, y_test), ARRAYS, strict=True):
        assert got.dtype == np.uint8 and np.array_equal(got, expected)
        assert got.flags.owndata and got.flags.writeable


def files_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


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


# ------------------------------------------------------------------ the folders, and their order


@pytest.mark.parametrize("zipped", [False, True])
def test_a_folder_given_is_read(tmp_path, own, zipped):
    folder = fill(tmp_path / "data", zipped=zipped)
    load(folder)
    load(str(folder))
    assert not own.exists(), "what is on this machine already is not copied"


def test_the_dotted_spelling_and_a_folder_of_the_name_are_read(tmp_path):
    folder = fill(tmp_path / "data" / "tiny")
    for path in folder.iterdir():
        path.rename(folder / path.name.replace("-idx", ".idx"))
    assert "train-images.idx3-ubyte" in files_under(folder)
    load(tmp_path / "data")


def test_the_environment_names_a_folder_and_the_argument_wins(tmp_path, monkeypatch):
    monkeypatch.setenv("DNN_DATA_DIR", str(fill(tmp_path / "named")))
    load()
    monkeypatch.setenv("DNN_DATA_DIR", str(fill(tmp_path / "bad", OTHERS)))
    load(tmp_path / "named")
    with pytest.raises(DatasetFileError, match="bad"):
        load()
    monkeypatch.setenv("DNN_DATA_DIR", "")
    fill(cache.cache_folder("tiny"))
    load()


ORDER = ["folder", "cache", "system", "first mirror", "second mirror", "archive"]


@pytest.mark.parametrize("first", range(len(ORDER)), ids=ORDER)
def test_the_order(tmp_path, own, serve, archive, first):
    """Places before `first` lack the files; those after it are bad and must not be asked."""
    folders = [tmp_path / "data", own, tmp_path / "system"]
    servers = [serve({}), serve({})]
    for place, folder in enumerate(folders):
        if place >= first:
            fill(folder, CONTENTS if place == first else OTHERS)
    for place, server in enumerate(servers, start=3):
        if place >= first:
            server.answers = CONTENTS if place == first else OTHERS
    fill(archive.package / "usr/share", CONTENTS if first == 5 else OTHERS, zipped=True)
    load(
        folders[0],
        system_folder=str(folders[2]),
        mirrors=tuple(server.url for server in servers),
        debian_package="dataset-tiny",
    )
    for place, server in enumerate(servers, start=3):
        assert bool(server.asked) == (place <= first)
    assert archive.log.exists() == (first == 5)
    assert files_under(own) == (sorted(NAMES) if first in (1, 3, 4, 5) else []) or first == 0
    if first >= 3:
        load(debian_package=None)  # now from the cache


def test_each_file_may_come_from_another_place(tmp_path, own, serve):
    folder = fill(tmp_path / "data", names=NAMES[:1])
    fill(own, names=NAMES[1:2])
    system = fill(tmp_path / "system", names=NAMES[2:3], zipped=True)
    mirror = serve(CONTENTS)
    load(folder, system_folder=str(system), mirrors=(mirror.url,))
    assert mirror.asked == [NAMES[3]]
    assert files_under(own) == sorted((NAMES[1], NAMES[3]))


# ------------------------------------------------------------------ bad files


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_file_in_a_folder_given_is_an_error(tmp_path, own, name):
    fill(own)  # good copies elsewhere do not excuse it
    folder = fill(tmp_path / "data", zipped=True)
    fill(folder, OTHERS, [name], zipped=True)
    bad = folder / f"{name}.gz"
    with pytest.raises(DatasetFileError) as caught:
        load(folder)
    text = str(caught.value)
    assert text.startswith(f"{bad}: the SHA-256 of its payload is ") and f"rm {bad}" in text
    assert hashlib.sha256(OTHERS[name]).hexdigest() in text
    assert hashlib.sha256(CONTENTS[name]).hexdigest() in text
    assert f"folder of their own: {folder / 'tiny'}" in text
    assert caught.value.file == str(bad) and isinstance(caught.value, OSError)


@pytest.mark.parametrize("damage", ["flip", "truncated", "empty", "appended"])
def test_a_damaged_cache_is_reported_and_replaced(own, serve, damage):
    fill(own)
    bad = own / NAMES[0]
    whole = CONTENTS[NAMES[0]]
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    damages = {"flip": flipped, "truncated": whole[:-1], "empty": b"", "appended": whole + b"\0"}
    bad.write_bytes(damages[damage])

    with pytest.warns(UserWarning, match=NAMES[0]), pytest.raises(DatasetNotFoundError) as caught:
        search.load(tiny_dataset())
    assert f"rm {bad}" in str(caught.value) and str(bad) in str(caught.value)

    mirror = serve(CONTENTS)
    with pytest.warns(UserWarning, match=f"{bad}: .*Trying the next place"):
        check(search.load(tiny_dataset(mirrors=(mirror.url,))))
    assert mirror.asked == [NAMES[0]], "whole files are kept"
    assert bad.read_bytes() == whole
    load()


def test_a_mirror_of_another_data_set_is_refused(own, serve):
    wrong = serve(OTHERS)
    with pytest.raises(DatasetNotFoundError, match="the SHA-256 of its payload is") as caught:
        load(mirrors=(wrong.url,))
    assert f"{wrong.url}{NAMES[0]}.gz" in str(caught.value)
    assert files_under(own.parent.parent) == [], "nothing that fails is kept"
    load(mirrors=(wrong.url, serve(CONTENTS).url))
    assert files_under(own) == sorted(NAMES)


def test_files_already_verified_are_kept_when_a_later_one_fails(own, serve):
    mirror = serve({**CONTENTS, NAMES[2]: OTHERS[NAMES[2]]})
    with pytest.raises(DatasetNotFoundError, match="2 of 4 files found nowhere"):
        load(mirrors=(mirror.url,))
    assert files_under(own) == sorted(NAMES[:2])
    for name in NAMES[:2]:
        assert (own / name).read_bytes() == CONTENTS[name]


# ------------------------------------------------------------------ downloads that fail


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


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "HTTP 404 Not Found"),
        (truncated, "IncompleteRead"),
        (truncated_and_not_saying_so, "truncated or damaged"),
        (endless, r"sent more than 4,208 bytes"),
        (a_web_page, "not an IDX file"),
        (silent, "Read timed out"),
    ],
)
def test_a_failing_mirror_is_named_and_the_next_one_asked(own, serve, monkeypatch, answer, reason):
    monkeypatch.setattr(mirrors, "READ_S", 0.2)
    failing = serve({NAMES[0]: answer})
    began = time.monotonic()
    with pytest.raises(DatasetNotFoundError, match=reason) as caught:
        load(mirrors=(failing.url,))
    assert failing.url in str(caught.value) and time.monotonic() - began < 2
    assert failing.asked == [NAMES[0]], "a mirror that fails once is left"
    assert files_under(own.parent.parent) == []
    load(mirrors=(failing.url, serve(CONTENTS).url))


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
import test_datasets
test_datasets.load(mirrors=({url!r},))
print("loaded")
"""


def child(url, **environment):
    code = CHILD.format(paths=[*sys.path, str(Path(__file__).parent)], url=url)
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


# ------------------------------------------------------------------ the cache


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=repr)
def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch, step, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_):
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        cache.store(path, ARRAYS[0])
    monkeypatch.undo()
    assert files_under(tmp_path) == ["file"] and path.read_bytes() == b"old"


def test_what_a_killed_write_left_is_swept_a_day_later(tmp_path):
    stale, fresh, other = (tmp_path / f".{name}.part" for name in ("file.1", "file.2", "other.1"))
    for part in (stale, fresh, other):
        part.touch()
    for part in (stale, other):
        os.utime(part, (time.time() - 2 * 86400,) * 2)
    cache.store(tmp_path / "file", ARRAYS[0])
    assert files_under(tmp_path) == [".file.2.part", ".other.1.part", "file"]
    assert (tmp_path / "file").read_bytes() == CONTENTS[NAMES[0]]


def test_a_cache_that_cannot_be_written_is_reported_and_the_data_returned(own, serve):
    own.parent.mkdir(parents=True)
    own.touch()  # a file where the folder should be
    with pytest.warns(UserWarning, match=f"{own}: cannot be written .*File exists"):
        check(search.load(tiny_dataset(mirrors=(serve(CONTENTS).url,))))


# ------------------------------------------------------------------ the package archive


def test_apt_gets_configuration_is_ours_and_nothing_is_left(archive, own):
    fill(archive.package / "usr/share/datasets/tiny", zipped=True)
    archive.program(
        "apt-get",
        f'cat "$3" >>"{archive.log}"\ncase "$*" in *download*) touch dataset-tiny_1_all.deb;; esac',
    )
    load(debian_package="dataset-tiny")
    said = archive.log.read_text()
    for command in ("update", "download dataset-tiny", "dpkg-deb -x "):
        assert command in said
    for setting in ("State", "State::lists", "Cache", "Log"):
        assert f'Dir::{setting} "{archive.temporary}/dnn-apt-' in said
    assert files_under(archive.temporary) == [] and list(archive.temporary.iterdir()) == []
    assert files_under(own) == sorted(NAMES)


@pytest.mark.skipif(shutil.which("apt-config") is None, reason="this system has no apt-config")
def test_apt_understands_the_configuration(tmp_path):
    path = tmp_path / "apt.conf"
    systems = 'APT::Update::{} {{ "false"; }};\n'
    hooks = ("Pre-Invoke", "Post-Invoke", "Post-Invoke-Success")
    before = "".join(systems.format(hook) for hook in hooks) + 'Acquire::Languages { "de"; };\n'
    path.write_text(before + debian._CONFIGURATION.format(root=tmp_path))
    command = ["apt-config", "-c", str(path), "dump"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert f'Dir::State::lists "{tmp_path}/state/lists";' in lines
    assert f'Dir::Cache "{tmp_path}/cache";' in lines
    assert not [line for line in lines if re.match(r"APT::Update::\S*Invoke\S*::", line)]
    assert [line for line in lines if line.startswith("Acquire::Languages::")] == [
        'Acquire::Languages:: "none";'
    ]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            'case "$*" in *update*) echo "W: Failed to fetch the list";;'
            ' *) echo "E: Unable to locate package dataset-tiny"; exit 100;; esac',
            "apt-get download dataset-tiny ended with 100: E: Unable to locate package"
            " dataset-tiny; W: Failed to fetch the list",
        ),
        ('echo "E: no space left"; exit 100', "apt-get .*update ended with 100: E: no space left"),
        ("exit 1", "ended with 1: it said nothing"),
        ("exit 0", "left 0 packages, expected 1"),
        ("sleep 20", "nothing came for 0.3 s"),
    ],
)
def test_a_failing_apt_get_gives_its_reason(archive, own, monkeypatch, script, reason):
    monkeypatch.setattr(debian, "STALL_S", 0.3)
    archive.program("apt-get", script)
    began = time.monotonic()
    with pytest.raises(
        DatasetNotFoundError, match=f"the package archive, dataset-tiny: .*{reason}"
    ):
        load(debian_package="dataset-tiny")
    assert time.monotonic() - began < 5
    assert list(archive.temporary.iterdir()) == [] and not own.exists()


def test_a_package_with_other_files_is_refused(archive, own):
    fill(archive.package, names=NAMES[:3])
    with pytest.raises(DatasetNotFoundError, match=f"dataset-tiny lacks {NAMES[3]}"):
        load(debian_package="dataset-tiny")
    shutil.rmtree(own)
    fill(archive.package, OTHERS)
    with pytest.raises(DatasetNotFoundError, match=f"{NAMES[0]}: the SHA-256 of its payload is"):
        load(debian_package="dataset-tiny")
    assert not own.exists()


def test_a_system_without_apt_get(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DatasetNotFoundError, match="this system has no apt-get"):
        load(debian_package="dataset-tiny")


# ------------------------------------------------------------------ the one error


def test_the_one_error_lists_what_was_tried_and_what_to_type(tmp_path, own, serve, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    folder = fill(tmp_path / "data", names=NAMES[:1])
    mirror = serve({})
    places = {
        "system_folder": str(tmp_path / "system"),
        "mirrors": (mirror.url,),
        "debian_package": "dataset-tiny",
    }
    with pytest.raises(OSError) as caught:
        load(folder, **places)
    lacking = ", ".join(NAMES[1:])
    wanted = ", ".join(f"{name}.gz" for name in NAMES[1:])
    assert (
        str(caught.value)
        == f"""\
tiny: 3 of 4 files found nowhere. Tried:
  - folder={folder}: lacks {lacking}
  - the user's cache {own}: no such folder
  - {tmp_path}/system: no such folder
  - {mirror.url}{NAMES[1]}.gz: HTTP 404 Not Found
  - the package archive, dataset-tiny: this system has no apt-get
Do one of these:
  - connect this machine to the internet, and try again
  - on Debian or Ubuntu, as root: apt-get install dataset-tiny
  - put {wanted} into a folder (plain files serve too), and
      export DNN_DATA_DIR=/that/folder"""
    )
    assert isinstance(caught.value, DatasetNotFoundError) and len(caught.value.tried) == 5
    with pytest.raises(DatasetNotFoundError, match="- DNN_DATA_DIR: not set"):
        load()


# ------------------------------------------------------------------ the public face


def test_names_and_classes():
    assert datasets.NAMES == ("fashion-mnist", "mnist")
    assert datasets.class_names("fashion-mnist")[9] == "Ankle boot"
    assert datasets.class_names("mnist") == tuple("0123456789")
    assert {len(datasets.class_names(name)) for name in datasets.NAMES} == {10}
    for act in (datasets.load, datasets.class_names):
        with pytest.raises(ValueError, match=r"name: got 'cifar', .*'fashion-mnist', 'mnist'"):
            act("cifar")


@pytest.mark.parametrize(
    ("folder", "error", "came"), [(3, TypeError, "int"), ("", ValueError, "an empty path")]
)
def test_a_folder_that_is_no_path_is_refused(folder, error, came):
    for function in (datasets.fashion_mnist, datasets.mnist):
        with pytest.raises(error, match=f"folder: got {came}, expected a folder's path"):
            function(folder)


def test_the_functions_load_their_own_data_set(tmp_path):
    for name, function in (("fashion-mnist", datasets.fashion_mnist), ("mnist", datasets.mnist)):
        folder = fill(tmp_path / name)
        for load_it in (function, lambda folder, name=name: datasets.load(name, folder)):
            with pytest.raises(DatasetFileError, match="expected shape") as caught:
                load_it(folder)
            assert f"the files of {name} into" in str(caught.value)


def test_no_two_data_sets_share_a_hash():
    known = [d for d in vars(dnn.datasets).values() if isinstance(d, Dataset)]
    hashes = [file.sha256 for dataset in known for file in dataset.files]
    assert len(known) == 2 and len(set(hashes)) == 8
    assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in hashes)
    assert all(url.startswith("https://") and url.endswith("/") for d in known for url in d.mirrors)


def test_importing_needs_numpy_and_nothing_else():
    for path in Path(dnn.datasets.__file__).parent.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            else:
                continue
            outside = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names)
            assert outside <= {"numpy"}, f"{path.name} imports {outside} before it is needed"
