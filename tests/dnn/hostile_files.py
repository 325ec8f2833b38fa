"""Files that were made to harm, in families {name: bytes}, each of what it is wrong in."""

import hashlib
import json
import os

from dnn import layers, losses, optimizers, schedules
from dnn.network import MOST_LAYERS
from dnn.signed_file import MOST_HEADER_BYTES, MOST_ITEMS
from tests.dnn.helpers import small_model


def honest(optimizer="adam", loss=None, *stack):
    """(table of tensors, what is said of the model, payload) of a model that was trained a step."""
    stack = stack or (layers.Dense(2), layers.Activation("tanh"), layers.Dense(2, "softmax"))
    loss = loss or losses.SparseCategoricalCrossentropy()
    model = small_model(*stack, optimizer=optimizer, loss=loss)
    model.build(4)
    model.steps_trained = 1
    path = os.path.join(honest.folder, "m")
    model.save(path)
    with open(path, "rb") as file:
        data = file.read()
    size = int.from_bytes(data[:8], "little")
    table = json.loads(data[8 : 8 + size])
    return table, json.loads(table.pop("__metadata__")["dnn"]), data[8 + size :]


def signed(table, said, payload, text=lambda header: header):
    """The file that says so; raw("1e400") stands in it as that text."""
    said = said | {"sha256": "0" * 64}
    inner = unraw(json.dumps(said))
    header = text(unraw(json.dumps(table | {"__metadata__": {"dnn": inner}}))).encode()
    unsigned = len(header).to_bytes(8, "little") + header + payload
    digest = hashlib.sha256(unsigned).hexdigest()
    return unsigned.replace(b"0" * 64, digest.encode(), 1)


def raw(text):
    return f"@{text}@"


def unraw(text):
    return text.replace('"@', "").replace('@"', "")


def dense(n, units=1, **options):
    return [{"class": "Dense", "units": units, **options} for _ in range(n)]


def model_of(stack, inputs, tensors=(), payload=b"", **said):
    """A file of an uncompiled model: tensors {name: (shape, start, end)}."""
    table = {
        name: {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
        for name, (shape, start, end) in dict(tensors).items()
    }
    model = {"layers": stack, "input_shape": inputs, "seed": 0, "class_names": None}
    model |= {"compile": None} | said
    return signed(table, {"format": "dense-kernels 1", "model": model}, payload)


def of_tensors():
    units, n = 256, 600
    shared = {f"{i}.w": ((units, units), 0, 4 * units**2) for i in range(n)}
    yield "overlapping", model_of(dense(n, units, use_bias=False), [units], shared, bytes(2**18))
    one = dense(1, 2)
    for name, b, w, n in (
        ("a hole before", (8, 16), (16, 48), 48),
        ("a hole between", (0, 8), (16, 48), 48),
        ("a hole behind", (0, 8), (8, 40), 48),
        ("half over another", (0, 8), (4, 36), 40),
        ("one in another", (8, 16), (0, 32), 32),
        ("beyond the end", (0, 8), (8, 40), 20),
        ("backwards", (8, 0), (8, 40), 40),
    ):
        yield name, model_of(one, [4], {"0.b": ((2,), *b), "0.w": ((4, 2), *w)}, bytes(n))
    fits = {"0.b": ((2,), 0, 8), "0.w": ((4, 2), 8, 40)}
    yield "bytes at the end", model_of(one, [4], fits, bytes(44))
    yield "one too many", model_of(one, [4], fits | {"x": ((1,), 40, 44)}, bytes(44))
    of_epoch = {"epoch.hits": ((1,), 40, 44), "epoch.losses": ((1,), 44, 48)}
    yield "an epoch's values, but none trained", model_of(one, [4], fits | of_epoch, bytes(48))
    yield "half of an epoch's values", model_of(one, [4], {"epoch.hits": ((1,), 0, 4)}, bytes(4))
    yield "one of nothing", model_of(one, [4], fits | {"x": ((0,), 40, 40)}, bytes(40))
    for name, shape in (
        ("numbers that are true", (True, True)),
        ("halves", (4.0, 2)),
        ("nested", ((4,), 2)),
        ("negative", (-4, -2)),
        ("text", ("4", 2)),
        ("huge", (2**70, 0)),
        ("nothing", (None, 2)),
    ):
        yield f"shape: {name}", model_of(one, [4], fits | {"0.w": (shape, 8, 40)}, bytes(40))
    for kind in ("F64", "F16", "BF16", "I8", "f32", "", None, [], 5):
        table = {"0.b": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
        table["0.w"] = {"dtype": kind, "shape": [4, 2], "data_offsets": [8, 40]}
        _, said, _ = honest()
        yield f"dtype: {kind}", signed(table, said, bytes(40))


def of_layers():
    for n in (MOST_LAYERS + 1, 3000, 10_000, 60_000):
        yield f"{n} of flatten", model_of([{"class": "Flatten"}] * n, [4])
        yield f"{n} of activation", model_of([{"class": "Activation", "activation": "relu"}] * n, 4)
    for n in (3000, 10_000):
        places = {f"{i}.w": ((1, 1), 4 * i, 4 * i + 4) for i in range(n)}
        yield f"{n} of dense", model_of(dense(n, use_bias=False), [1], places, bytes(4 * n))
    for units in (0, -1, 10**9, 2**63, 10**400, 1.5, True, None, "2", [2], {}, raw("1e400")):
        yield f"units: {str(units)[:9]}", model_of(dense(1, units), [4])
        yield f"inputs: {str(units)[:9]}", model_of(dense(1), [units])
        yield f"inputs are {str(units)[:9]}", model_of(dense(1), units)
    yield "a billion between", model_of([*dense(1, 10**9), *dense(1)], [4])
    yield "billions", model_of(dense(MOST_LAYERS, 10**9), [10**9])
    for layer in (None, 1, "Dense", [], {}, {"class": None}, {"class": []}, {"class": "Layer"},
                  {"class": "../x"}, {"class": "os.system"}, {"class": "Input", "shape": [10**9]},
                  {"class": "Dense"}, {"class": "Dense", "units": 1, "hook": 1}):  # fmt: skip
        yield f"layer: {layer}", model_of([layer, *dense(1)], [4])
    for name in ("../../etc/passwd", "/dev/zero", "os.system", "__class__", "", "relu\0", "\x1b[2J",
                 5, [], {}, True, "x" * 10**6):  # fmt: skip
        yield f"activation: {str(name)[:20]!r}", model_of(dense(1, activation=name), [4])
    for seed in (-1, 2**63, 10**30, 10**400, 0.5, "0", None, [], raw("1e400")):
        yield f"seed: {str(seed)[:9]}", model_of(dense(1), [4], seed=seed)
    fits = {"0.b": ((2,), 0, 8), "0.w": ((4, 2), 8, 40)}
    for names in (5, "ab", {"a": 1}, [1, 2], ["a", None], ["a\x1b[2J", "b"], ["a"], ["a", "a"],
                  ["\ud800", "b"], [["a"], "b"], ["", "b"]):  # fmt: skip
        yield f"names: {names!r}", model_of(dense(1, 2), [4], fits, bytes(40), class_names=names)


MEMBERS = {
    "optimizer": [
        optimizers.Adam(schedules.OneCycle(0.1, 50)),
        optimizers.SGD(schedules.CosineDecay(0.1, 50)),
        optimizers.AdamW(schedules.ExponentialDecay(0.1, 50)),
        optimizers.RMSprop(0.1),
        optimizers.Adagrad(schedules.PiecewiseConstantDecay([5], [0.1, 0.2])),
        optimizers.Adadelta(schedules.Constant(0.1)),
    ],
    "loss": [losses.SparseCategoricalCrossentropy(), losses.CategoricalCrossentropy()],
    "layers": [
        layers.Dropout(0.5),
        layers.BatchNormalization(),
        layers.Rescaling(0.5),
        layers.Dense(2, kernel_initializer="random_normal"),
    ],
}
WRONG = ("x", [], {"class": "X"}, {}, raw("1e400"), raw("NaN"), raw("-Infinity"))


def of_fields():
    """Every field of every member, given what it is not."""
    for kind, examples in MEMBERS.items():
        for member in examples:
            if kind == "layers":
                table, said, payload = honest("adam", None, member, layers.Dense(2, "softmax"))
                place = said["model"]["layers"][0]
            else:
                table, said, payload = honest(**{kind: member})
                place = said["model"]["compile"][kind]
            rate = place.get("learning_rate")
            for fields in (place, rate) if isinstance(rate, dict) else (place,):
                for field, kept in list(fields.items()):
                    for i, value in enumerate(WRONG):
                        fields[field] = value
                        yield f"{member} {field} {i}", signed(table, said, payload)
                    fields[field] = kept
            place["hook"] = 1
            yield f"{member} with a field more", signed(table, said, payload)


def of_training():
    for name in (
        "steps_trained",
        "epochs_trained",
        "schedule_steps",
        "samples_trained",
        "epoch_samples",
        "averaged",
    ):
        for value in (-1, 2**31, 10**30, 0.5, "0", None, [], {}, raw("1e400")):
            if name == "epoch_samples" and value == 2**31:
                continue  # may be
            table, said, payload = honest()
            said["training"][name] = value
            yield f"{name}: {str(value)[:9]}", signed(table, said, payload)
    for name in ("metrics", "precision", "run_eagerly", "steps_per_execution", "hook", "loss"):
        for value in ("x", 5.5, {}, [[]], -1):
            table, said, payload = honest()
            said["model"]["compile"][name] = value
            yield f"compile {name}: {str(value)[:9]}", signed(table, said, payload)
    for value in ("x", 5, [], {"optimizer": 5}, True):
        table, said, payload = honest()
        said["model"]["compile"] = value
        if value:
            yield f"compile: {value}", signed(table, said, payload)


def of_text():
    table, said, payload = honest()
    deep = "[" * 100_000 + "]" * 100_000
    texts = {
        "a tensor twice": lambda t: t.replace('"0.b"', '"0.w"', 1),
        "a tensor twice, escaped": lambda t: t.replace('"0.b"', '"\\u0030.w"', 1),
        "a field twice": lambda t: t.replace('"dtype": "F32"', '"dtype": "F32", "dtype": "F32"', 1),
        "said twice": lambda t: t.replace('\\"seed\\": 0', '\\"seed\\": 0, \\"seed\\": 1', 1),
        "the metadata twice": lambda t: t[:-1] + ', "__metadata__": {}}',
        "NaN": lambda t: t.replace('\\"seed\\": 0', '\\"seed\\": NaN'),
        "deep": lambda t: t[:-1] + f', "x": {deep}}}',
        "deep within": lambda t: t.replace('\\"seed\\": 0', f'\\"seed\\": {deep}'),
        "deep objects": lambda t: t[:-1] + ', "x": ' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}",
        "lists": lambda t: t[:-1] + ', "x": [' + "[]," * MOST_ITEMS + "[]]}",
        "lists within": lambda t: t.replace(
            '\\"seed\\": 0', '\\"seed\\": [' + "\\\\u005b]," * 300_000 + "1]"
        ),
        "a long header": lambda t: t + " " * MOST_HEADER_BYTES,
        "a long number": lambda t: t.replace('\\"seed\\": 0', '\\"seed\\": ' + "9" * 10**6),
        "more behind it": lambda t: t + "{}",
        "UTF-16": lambda t: t.encode("utf-16-le").decode("latin-1"),
        "nothing": lambda t: "",
    }
    for name, change in texts.items():
        yield name, signed(table, said, payload, change)
    for size in (2**63, 2**64 - 1, 10**9, MOST_HEADER_BYTES + 1):
        yield f"size {size}", size.to_bytes(8, "little") + signed(table, said, payload)[8:]
    yield "long and full", (10**7).to_bytes(8, "little") + b"{" + b" " * 10**7
