"""A file that is no model, cut off, damaged or forged is refused: ModelFileError, with its name."""

import hashlib
import json
import pickle
import random
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import save

from dnn import layers, load_model, optimizers
from dnn.loading import ModelFileError
from tests.dnn.helpers import small_model


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The bytes of a small model's file; 1e-08 in its text can be written in other ways."""
    path = tmp_path_factory.mktemp("saved") / "m"
    model = small_model(layers.Dense(2, "tanh"), optimizer=optimizers.Adam(epsilon=1e-08))
    model.build(3)
    model.save(path)
    return path.read_bytes()


@pytest.fixture
def refuses(tmp_path):
    path = tmp_path / "broken.model"

    def check(content, message=None):
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=message) as caught:
            load_model(path, device="cpu")
        assert str(path) in str(caught.value)

    return check


def test_every_truncation(data, refuses):
    for size in range(len(data)):
        refuses(data[:size])


def test_every_flipped_bit(data, refuses):
    """Not a sample of them: every one."""
    for i in range(len(data)):
        for bit in range(8):
            refuses(data[:i] + bytes([data[i] ^ 1 << bit]) + data[i + 1 :])


def test_damage_of_many_bytes(data, refuses):
    draw = random.Random(0)
    for _ in range(500):
        start = draw.randrange(len(data))
        length = draw.randrange(1, 64)
        noise = draw.randbytes(length)
        if data[start : start + length] != noise:
            refuses(data[:start] + noise + data[start + length :])
        refuses(data[:start] + data[start + length :])


def test_more_bytes(data, refuses):
    refuses(data + b"\0")
    refuses(b"\0" + data)
    refuses(data + data)


class Trap:
    """Unpickling it runs code."""

    def __reduce__(self):
        return exec, ("raise SystemError('the file was unpickled')",)


OTHERS = {
    "nothing": b"",
    "zeros": bytes(1000),
    "ones": b"\xff" * 1000,
    "a pickle": pickle.dumps(Trap()),
    "text": b"model: dense\n" * 20,
    "a zip": b"PK\x03\x04" + bytes(200),
    "deep JSON": (200_000).to_bytes(8, "little") + b"[" * 200_000,
    "a list": (2).to_bytes(8, "little") + b"[]",
    "another's safetensors": save({"w": np.zeros(3, np.float32)}),
    "another's metadata": save({"w": np.zeros(3, np.float32)}, {"format": "pt"}),
    **{f"noise {i}": random.Random(i).randbytes(500) for i in range(20)},
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_files(kind, refuses):
    refuses(OTHERS[kind])


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        load_model(tmp_path / "absent")


# Forged: the digest is right, what it signs is not


def forged(data, change, payload=None):
    """The file after change(table of tensors, what is said of the model), signed again, maybe with
    another payload."""
    size = int.from_bytes(data[:8], "little")
    table = json.loads(data[8 : 8 + size])
    said = json.loads(table.pop("__metadata__")["dnn"])
    change(table, said)
    said["sha256"] = "0" * 64
    text = json.dumps(table | {"__metadata__": {"dnn": json.dumps(said)}}).encode()
    payload = data[8 + size :] if payload is None else payload
    unsigned = len(text).to_bytes(8, "little") + text + payload
    digest = hashlib.sha256(unsigned).hexdigest()
    return unsigned.replace(b"0" * 64, digest.encode(), 1)


def test_a_forgery_that_changes_nothing_is_none(data, tmp_path):
    """So what is refused below is refused for its contents."""
    (tmp_path / "m").write_bytes(forged(data, lambda table, said: None))
    assert load_model(tmp_path / "m", device="cpu").count_params() == 8


def put(*path):
    """A change: in the table of tensors or in what is said, path[:-2][path[-2]] = path[-1]."""
    *parents, key, value = path

    def change(table, said):
        place = said if parents[:1] in (["model"], []) else table
        for name in parents:
            place = place[name]
        place[key] = value

    return change


DENSE = ("model", "layers", 0)
FORGERIES = {
    "another format": (put("format", "dense-kernels 99"), "'dense-kernels 99'"),
    "no format": (lambda table, said: said.pop("format"), "is not a file of the format"),
    "no model": (lambda table, said: said.pop("model"), "describes no model"),
    "model of text": (put("model", "Dense"), "describes no model"),
    "no layers": (put("model", "layers", []), "describes no model"),
    "layers that are none": (put("model", "layers", [1]), "describes no model"),
    "unknown layer": (put(*DENSE, "class", "Eval"), "layer: got 'Eval'"),
    "a class from elsewhere": (put(*DENSE, "class", "os.system"), "layer: got 'os.system'"),
    "unknown argument": (put(*DENSE, "hook", "x"), "describes no model"),
    "unknown activation": (put(*DENSE, "activation", "evil"), "uses the activation 'evil'"),
    "activation of a list": (put(*DENSE, "activation", []), "activation"),
    "no units": (put(*DENSE, "units", 0), "units: got 0"),
    "units of text": (put(*DENSE, "units", "2"), "units: got '2'"),
    "other units": (put(*DENSE, "units", 3), "its tensors do not fit its architecture"),
    "other inputs": (put("model", "input_shape", [4]), "its tensors do not fit"),
    "negative inputs": (put("model", "input_shape", [-3]), "describes no model"),
    "inputs of text": (put("model", "input_shape", "3"), "describes no model"),
    "seed of text": (put("model", "seed", "0"), "seed: got '0'"),
    "unknown optimizer": (put("model", "compile", "optimizer", "class", "X"), "optimizer: got 'X'"),
    "unknown schedule": (
        put("model", "compile", "optimizer", "learning_rate", {"class": "X"}),
        "describes no model",
    ),
    "unknown loss": (put("model", "compile", "loss", "class", "X"), "loss: got 'X'"),
    "unknown metric": (put("model", "compile", "metrics", ["x"]), "metric: got 'x'"),
    "unknown precision": (put("model", "compile", "precision", "x"), "precision: got 'x'"),
    "compile of text": (put("model", "compile", "x"), "describes no model"),
    "a tensor less": (lambda table, said: table.pop("0.b"), "its tensors overlap or leave holes"),
    "a tensor more": (
        lambda table, said: table.update({"9.w": table["0.w"]}),
        "its tensors overlap or leave",
    ),
    "double precision": (put("0.w", "dtype", "F64"), "the tensor '0.w' does not fit"),
    "another shape": (put("0.w", "shape", [2, 3]), "its tensors do not fit its architecture"),
    "more than there is": (put("0.w", "shape", [3, 3]), "the tensor '0.w' does not fit"),
    "negative shape": (put("0.w", "shape", [-3, -2]), "the tensor '0.w' does not fit"),
    "shape of text": (put("0.w", "shape", "32"), "the tensor '0.w' does not fit"),
    "no shape": (lambda table, said: table["0.w"].pop("shape"), "the tensor '0.w' does not fit"),
    "offsets past the end": (put("0.w", "data_offsets", [8, 32000]), "the tensor '0.w' does not"),
    "offsets backwards": (put("0.w", "data_offsets", [32, 8]), "the tensor '0.w' does not fit"),
    "negative offsets": (put("0.w", "data_offsets", [-24, 0]), "the tensor '0.w' does not fit"),
    "half an offset": (put("0.w", "data_offsets", [8.0, 32.0]), "the tensor '0.w' does not fit"),
    "a tensor of text": (lambda table, said: table.update({"0.w": "x"}), "'0.w' does not fit"),
}


@pytest.mark.parametrize("case", FORGERIES)
def test_forgeries(case, data, refuses):
    change, message = FORGERIES[case]
    refuses(forged(data, change), message)


@pytest.mark.parametrize("digest", [None, "", 0, "0" * 64, "\ud800" * 64, [], "A" * 64], ids=repr)
def test_digests_that_are_none(digest, data, refuses):
    size = int.from_bytes(data[:8], "little")
    table = json.loads(data[8 : 8 + size])
    said = json.loads(table["__metadata__"]["dnn"])
    table["__metadata__"]["dnn"] = json.dumps(said | {"sha256": digest})
    text = json.dumps(table).encode()
    refuses(len(text).to_bytes(8, "little") + text + data[8 + size :], "do not match its SHA-256")


BILLION = 10**9
HUGE = {
    "units": put(*DENSE, "units", BILLION),
    "input shape": put("model", "input_shape", [BILLION, 3]),
    "tensor": put("0.w", "shape", [BILLION, BILLION]),
    "tensor of nothing": put("0.w", "shape", [0, 2**70]),
    "offsets": put("0.w", "data_offsets", [0, 2**62]),
    "many layers": lambda table, said: said["model"]["layers"].extend(
        {"class": "Dense", "units": BILLION} for _ in range(9)
    ),
}


@pytest.mark.parametrize("case", HUGE)
def test_a_file_cannot_ask_for_memory(case, data, refuses):
    """1 kB that speaks of gigabytes takes none."""
    content = forged(data, HUGE[case])
    tracemalloc.start()
    try:
        refuses(content)
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()
