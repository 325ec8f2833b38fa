"""Whatever happens while saving, the file holds the whole new model or the whole old one."""

import errno
import os

import pytest

from dnn import load_model
from tests.dnn.helpers import bits, fresh_process, trained_model


@pytest.fixture
def saved(tmp_path):
    """A model, and its file's path."""
    model, path = trained_model(), tmp_path / "m"
    model.save(path)
    return model, path


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_alone(call, error, saved, monkeypatch):
    model, path = saved
    before = path.read_bytes()
    model.arena += 1

    def fail(*arguments):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(type(error)):
            model.save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["m"]
    model.save(path)
    assert bits(load_model(path).get_weights()) == bits(model.get_weights())


def test_the_data_are_on_the_disk_before_the_name_is(saved, monkeypatch):
    """fsync of the file, then the rename, then fsync of the folder."""
    model, path = saved
    calls, fsync, replace = [], os.fsync, os.replace

    def synced(handle):
        calls.append(os.path.basename(os.readlink(f"/proc/self/fd/{handle}")))
        fsync(handle)

    def replaced(source, target):
        calls.append("replace")
        assert os.path.getsize(source) == path.stat().st_size
        replace(source, target)

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no /proc here to see which file is synced")
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    model.save(path)
    assert calls[0].startswith(".m.") and calls[1:] == ["replace", path.parent.name]


PREAMBLE = """
import os, pathlib, random, resource, signal, sys, time
from dnn import Sequential, layers, load_model
path = pathlib.Path(sys.argv[1])
model = Sequential([layers.Input(400), layers.Dense(512)], device="cpu")
model.build()
"""

# A write that fails half way through, as on a full disk: the process may write 100 kB to a file.
FULL = """
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    model.save(path)
except OSError as error:
    print(error.strerror)
"""

# A child saves 1, 2, 3, … of 800 kB, and says each when it is done, until it is killed.
KILLED = """
draw, last = random.Random(0), 0
for _ in range(20):
    said, tell = os.pipe()
    child = os.fork()
    if not child:
        for number in range(last + 1, last + 10**6):
            model.arena[:] = number
            model.save(path)
            os.write(tell, b"%d " % number)
    os.close(tell)
    os.read(said, 1)  # it has begun
    time.sleep(draw.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    told = b"0" + os.read(said, 10**6)
    os.close(said)
    arena = load_model(path, device="cpu").arena
    assert arena.min() == arena.max(), "half of one model and half of another"
    assert arena[0] >= max(map(int, told.split())), "a save that had returned was lost"
    last = int(arena[0])
print("saved", last)
"""


def test_a_full_disk(saved):
    pytest.importorskip("resource")
    _, path = saved
    before = path.read_bytes()
    assert fresh_process(PREAMBLE + FULL, path) == os.strerror(errno.EFBIG) + "\n"
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["m"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_kill(saved):
    """20 processes killed at random moments of a save; the file is whole and up to date."""
    _, path = saved
    word, last = fresh_process(PREAMBLE + KILLED, path).split()
    assert word == "saved" and int(last) >= 20
