"""The system's package archive as one more mirror: apt-get, without root and leaving no trace.

The archives are those the system's own sources name, and apt checks their signatures. apt's state,
package lists and cache lie in a temporary folder of ours, and the hooks that a system runs after an
update (some empty the system's own cache) are switched off. The package is unpacked, not installed.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from . import pace
from .download_bar import spinner
from .idx import read_idx_stream

STALL_S = 20.0  # apt's own timeouts do not cover the look-up of names

_CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::Languages;
Dir::State "{root}/state";
Dir::State::lists "{root}/state/lists";
Dir::Cache "{root}/cache";
Dir::Log "{root}/log";
Acquire::Languages {{ "none"; }};
Acquire::GzipIndexes "true";
Acquire::Retries "0";
Acquire::http::Timeout "5";
Acquire::https::Timeout "5";
"""


def deliver(package, files):
    """Yield `(file, array)` for each IdxFile of `files`, from the Debian package, verified.

    Raises OSError, with the reason in its text, where there is no apt-get, no network, no such
    package, or it lacks a file; it is a DatasetFileError where a file is not the right one.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise OSError(f"this system has no {tool}")
    with tempfile.TemporaryDirectory(prefix="dnn-apt-") as root:
        with spinner(f"{package}: fetching it with apt-get"):
            unpacked = _unpack(package, Path(root))
        for file in files:
            path = _find(unpacked, file, package)
            with path.open("rb") as stream:
                array = read_idx_stream(stream, path.name, file.shape, file.sha256, np.uint8)
            yield file, array


def _unpack(package, root):
    for folder in ("state/lists/partial", "cache/archives/partial", "log"):
        (root / folder).mkdir(parents=True)
    configuration = root / "apt.conf"
    configuration.write_text(_CONFIGURATION.format(root=root), "utf-8")
    apt_get = ["apt-get", "-q", "-c", str(configuration)]
    updated = _run([*apt_get, "update"], root)
    try:
        _run([*apt_get, "download", package], root)
    except OSError as error:  # an update that reached no archive still ends with success
        raise OSError("; ".join(dict.fromkeys([str(error), *_complaints(updated)]))) from error
    archives = list(root.glob(f"{package}_*.deb"))
    if len(archives) != 1:
        raise OSError(f"apt-get download {package} left {len(archives)} packages, expected 1")
    _run(["dpkg-deb", "-x", str(archives[0]), str(root / "unpacked")], root)
    return root / "unpacked"


def _find(unpacked, file, package):
    for spelling in file.spellings:
        for path in unpacked.rglob(spelling):
            return path
    raise OSError(f"the package {package} lacks {file.name}")


def _run(command, root):
    """Run it, return what it said; OSError when it fails, when nothing moves for STALL_S, or when
    too little comes (pace.py)."""
    log = root / "output"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=root,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(process, root, _shown(command))
        finally:
            if process.poll() is None:
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)  # apt-get's own helpers too
                process.wait()
    said = log.read_text("utf-8", errors="replace")
    if process.returncode:
        reason = "; ".join(_complaints(said)) or said.strip()[-300:] or "it said nothing"
        raise OSError(f"{_shown(command)} ended with {process.returncode}: {reason}")
    return said


def _wait(process, root, command):
    """Wait for the process while its folder grows."""
    began = moved = time.monotonic()
    size_bytes = -1
    while True:
        try:
            process.wait(timeout=0.5)
            return
        except subprocess.TimeoutExpired:
            now, now_bytes = time.monotonic(), _bytes_under(root)
            if now_bytes != size_bytes:
                size_bytes, moved = now_bytes, now
            elif now - moved > STALL_S:
                raise OSError(f"{command}: nothing came for {STALL_S:g} s") from None
            pace.require(now_bytes, now - began, command)


def _bytes_under(root):
    total_bytes = 0
    for path in root.rglob("*"):
        with contextlib.suppress(OSError):  # apt renames its files as it goes
            total_bytes += path.stat().st_size
    return total_bytes


def _complaints(said):
    """apt's errors, and its warnings where there are none."""
    lines = [line.strip() for line in said.splitlines()]
    errors = [line for line in lines if line.startswith("E:")]
    return (errors or [line for line in lines if line.startswith("W: Failed")])[:3]


def _shown(command):
    return " ".join(word for word in command[:1] + command[-2:] if "/" not in word)
