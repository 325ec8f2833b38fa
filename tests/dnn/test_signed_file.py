"""Files that were made to harm, their digests right: refused within a second, in little memory."""

import os
import time
import tracemalloc

import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save

from dnn import Sequential, callbacks, layers, load_model, optimizers
from dnn.loading import ModelFileError
from dnn.network import MOST_LAYERS
from tests.dnn.helpers import bits, fresh_process, small_model
from tests.dnn.hostile_files import honest, of_fields, of_layers, of_tensors, of_text, of_training

SECONDS = 1.0
FIXED_BYTES = 8e6  # beside 1.5 times the file
SAMPLE = 6  # the default run takes each so-many-th file of a family

FAMILIES = of_tensors, of_layers, of_fields, of_training, of_text


def refused(path, content):
    """(seconds, bytes of memory) that the refusal of it took."""
    with open(path, "wb") as file:
        file.write(content)
    size = len(content)
    del content
    tracemalloc.start()
    began = time.process_time()  # others may have the processor
    try:
        load_model(path, device="cpu")
    except ModelFileError as error:
        assert str(error).startswith(f"{path}: ") and len(str(error)) < 2000
    else:
        raise AssertionError("was loaded")
    finally:
        seconds, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1.5 * size + FIXED_BYTES, f"took {peak / 1e6:.1f} MB, the file {size / 1e6:.1f}"
    return seconds, peak


def all_refused(family, folder, every=1):
    honest.folder = folder
    failed, n = [], 0
    for i, (name, content) in enumerate(family()):
        if i % every:
            continue
        n += 1
        try:
            seconds, _ = refused(os.path.join(folder, "hostile"), content)
            assert seconds < SECONDS, f"took {seconds:.1f} s"
        except AssertionError as error:
            failed.append(f"{name}: {error}")
    assert not failed, f"{len(failed)} of {n}:\n" + "\n".join(failed)
    return n


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_a_sample_of_each_kind(family, tmp_path):
    all_refused(family, tmp_path, SAMPLE)


@pytest.mark.sweep
def test_all(tmp_path):
    assert sum(all_refused(family, tmp_path) for family in FAMILIES) >= 200


def test_what_is_no_file(tmp_path):
    """A pipe, which nobody writes to, would be waited for; the zeros never end."""
    (tmp_path / "folder").mkdir()
    kinds = {"folder": "is a folder; expected a file$"}
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        kinds |= {"pipe": "is a device or a pipe", "/dev/zero": "is a device or a pipe"}
        (tmp_path / "link").symlink_to("pipe")
        kinds["link"] = "link: is a device or a pipe"
    for name, words in kinds.items():
        with pytest.raises(ModelFileError, match=words):
            load_model(tmp_path / name)
    (tmp_path / "folder" / "model.safetensors").touch()
    with pytest.raises(ModelFileError, match=r"expected a file: .*folder/model.safetensors"):
        load_model(tmp_path / "folder")


OTHERS = {
    "m.h5": (b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
    "m.keras": (b"PK\x03\x04", "is a zip archive"),
    "m.pkl": (b"\x80\x04\x95", "is a pickle"),
    "m.npy": (b"\x93NUMPY", "is a NumPy array"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_formats_are_named(name, tmp_path):
    beginning, words = OTHERS[name]
    (tmp_path / name).write_bytes(beginning + bytes(100))
    with pytest.raises(ModelFileError, match=words):
        load_model(tmp_path / name)


@pytest.mark.parametrize("name", ["m.h5", "m.keras", "m.PT", "m.pkl", "m.weights.h5"])
def test_suffixes_of_other_formats(name, tmp_path):
    """A file of that name would be none; a training finds out when it begins."""
    model, path = small_model(), tmp_path / name
    model.build(3)
    for write in (model.save, callbacks.ModelCheckpoint):
        with pytest.raises(ValueError, match=r"path: got .*another suffix.*\.safetensors'"):
            write(path)
    assert not os.listdir(tmp_path)


MEMORY = """
import os, pathlib, sys
import numpy as np
from dnn import Sequential, layers, load_model, losses

def peak():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

def used(call, *arguments):
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = peak()
    kept = call(*arguments)
    return (peak() - before) / os.path.getsize(path), kept

path = sys.argv[1]
model = Sequential([layers.Input(2000), layers.Dense(3000), layers.Dense(10)], device="cpu")
model.build()
model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
for steps in (0, 1):  # without the optimizer's state, and with it
    model.steps_trained = steps
    for array in model.optimizer_state.values():
        array[:] = 1.0
    model.save(path)
    saving, _ = used(model.save, path)
    loading, restored = used(load_model, path)
    assert restored.arena.tobytes() == model.arena.tobytes()
    assert saving < 0.1, f"saving took {saving:.2f} times the file"
    assert loading < 1.1, f"loading took {loading:.2f} times the file"
    del restored
print("ok")
"""


def test_memory_of_honest_files(tmp_path):
    """Saving takes none, loading that of the arrays; 24 and 72 MB."""
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("no /proc here to read the peak from")
    assert fresh_process(MEMORY, tmp_path / "m") == "ok\n"


@pytest.mark.sweep
def test_the_largest_header(tmp_path):
    """As many layers and tensors as there can be come back."""
    stack = [layers.BatchNormalization(activation="relu") for _ in range(MOST_LAYERS - 1)]
    rule = optimizers.RMSprop(momentum=0.5, centered=True, use_ema=True)
    model = small_model(*stack, layers.Dense(2), optimizer=rule)
    model.build(2)
    model.steps_trained = 1
    model.save(tmp_path / "m")
    assert bits(load_model(tmp_path / "m").get_weights()) == bits(model.get_weights())
    with pytest.raises(ValueError, match="layers: expected at most 1000"):
        Sequential([*stack, layers.Dense(2), layers.Dense(2)])
    model = small_model(layers.Dense(50_000))
    model.build(1)
    model.class_names = [f"{i:0100}" for i in range(50_000)]
    with pytest.raises(ValueError, match=r"class_names, layers: take .* bytes"):
        model.save(tmp_path / "m")


def test_the_bytes_are_those_of_safetensors(tmp_path):
    model = small_model()
    model.build(3)
    model.steps_trained = 1
    model.class_names = ["a", "\u00e4\u732b", 'quoted "b"', "back\\slash"]
    model.save(tmp_path / "m")
    data = (tmp_path / "m").read_bytes()
    with safe_open(tmp_path / "m", framework="np") as file:
        metadata = file.metadata()
    assert save(load_file(tmp_path / "m"), metadata) == data
