"""Model files: safetensors, with the architecture and a digest of everything in the metadata.

The optimizer's state is there too, once it has been trained, so that training can go on from the
file as if it had never stopped. Nothing is unpickled. safetensors refuses truncated files but not
changed bytes; the SHA-256 of the whole file, with zeros where it stands itself, does. A file is
written whole or not at all (dnn/files.py).

The digest says that a file was not damaged, not who made it. So all that it says is checked before
it is believed: its tensors lie end to end and fill it, so that no file asks for more memory than it
has bytes, and the numbers of its text have the types that their places ask for. Tensors are written
from where they lie and read to where they will lie, without a copy of the file in memory.
"""

import hashlib
import json
import math
import os
import pathlib
import stat
import types
import typing

import numpy as np

from dnn import devices, metrics, scale
from dnn.catalog import config, members
from dnn.files import write_atomically
from dnn.keywords import keywords_checked
from dnn.optimizers.base import AVERAGE
from kernels import activations
from kernels.arrays import one_of
from kernels.numbers import MOST_STEPS, whole_number

FORMAT = "dense-kernels 1"
METADATA = "dnn"  # the key of the file's metadata
UNSIGNED = "0" * 64
PROGRESS = ("steps_trained", "epochs_trained", "schedule_steps")  # attributes of a model
WITHIN = ("samples_trained", "epoch_samples")  # likewise, 0 in files of older versions
LATER = ("schedule_start",)  # likewise, written where it is not 0
STATE = "optimizer."  # what the names of the optimizer's tensors begin with
OF_EPOCH = ("epoch.losses", "epoch.hits", "epoch.outputs")  # of samples: Sequential.of_epoch
MOST_HEADER_BYTES = 4 << 20  # of the text, in which a tensor takes 100: parsing multiplies it
MOST_ITEMS, MOST_TABLES = 200_000, 20_000  # likewise; a tensor and a layer are one or some each
PIECE_BYTES = 1 << 20
OTHER_FORMATS = (
    ".h5", ".hdf5", ".keras", ".pb", ".tflite", ".pt", ".pth", ".onnx", ".pkl",
    ".pickle", ".joblib", ".npy", ".npz", ".json", ".zip",
)  # fmt: skip
BEGINNINGS = {
    b"\x89HDF": "an HDF5 file, as Keras writes",
    b"PK\x03\x04": "a zip archive, as Keras, PyTorch and numpy.savez write",
    b"\x80": "a pickle, which may run code",
    b"\x93NUMPY": "a NumPy array",
    b"\x1f\x8b": "a gzip file",
}


class ModelFileError(ValueError):
    """A file that is not a model, is damaged, or was changed."""


def save(model, path, include_optimizer=True):
    """See Sequential.save."""
    named_as_ours("path", path)
    model._require_built()
    tensors = {
        f"{i}.{name}": devices.to_host(view)
        for i, layer in enumerate(model.arrays())
        for name, view in layer.items()
    }
    about = {"format": FORMAT, "sha256": UNSIGNED, "model": describe(model)}
    if (
        include_optimizer
        and model.loss is not None
        and (model.steps_trained or model.epochs_trained)
    ):
        about["training"] = {name: getattr(model, name) for name in PROGRESS + WITHIN}
        about["training"] |= {name: getattr(model, name) for name in LATER if getattr(model, name)}
        about["training"] |= {"averaged": True} if model.averaged else {}
        tensors |= {name: devices.to_host(view) for name, view in _state(model).items()}
        tensors |= _of_epoch(model)
    if model.trained_on != _usual(about):
        about["model"]["trained_on"] = model.trained_on
    pieces = _serialized(tensors, json.dumps(about, allow_nan=False))
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    pieces[0] = pieces[0].replace(UNSIGNED.encode(), digest.hexdigest().encode(), 1)
    write_atomically(path, pieces)


def _usual(about):
    """What a model was trained on, where its file does not say."""
    return scale.BYTES if about.get("training") is not None else None


def named_as_ours(name, path):
    """Refuse the suffix of another program's format, which the file would not have."""
    suffix = pathlib.PurePath(path).suffix
    if suffix.lower() in OTHER_FORMATS:
        ours = pathlib.PurePath(path).with_suffix(".safetensors")
        raise ValueError(
            f"{name}: got {os.fspath(path)!r}; expected another suffix than {suffix}, for a "
            f"model's file is in the format safetensors: {os.fspath(ours)!r}"
        )


def _serialized(tensors, about):
    """A safetensors file as [what comes before the payload, the payload's parts, without a copy].

    The bytes are those of the library safetensors, which would hold the payload twice in memory.
    """
    # One key: safetensors writes several in an order that changes from run to run.
    table, end = {"__metadata__": {METADATA: about}}, 0
    tensors = dict(sorted(tensors.items()))
    for name, array in tensors.items():
        start, end = end, end + array.nbytes
        table[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [start, end]}
    text = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MOST_HEADER_BYTES:
        raise ValueError(
            f"class_names, layers: take {len(text):,} bytes of a file's text; expected at most "
            f"{MOST_HEADER_BYTES:,}. Use fewer or shorter class_names"
        )
    parts = [np.ascontiguousarray(a, "<f4").reshape(-1).view(np.uint8) for a in tensors.values()]
    return [len(text).to_bytes(8, "little") + text, *parts]


def describe(model) -> dict:
    """What is needed to make the model again, as JSON."""
    compilation = None
    if model.loss is not None:
        compilation = {
            "optimizer": config(model.optimizer),
            "loss": config(model.loss),
            "metrics": [metrics.described(metric) for metric in model.metrics],
            "precision": model.precision,
        }
        if model.run_eagerly:
            compilation["run_eagerly"] = True
        if model.steps_per_execution != "auto":
            compilation["steps_per_execution"] = model.steps_per_execution
    return {
        "layers": [_nameless(config(layer)) for layer in model.layers],
        "input_shape": list(model.input_shape),
        "seed": model.seed,
        "class_names": model.class_names and list(model.class_names),
        "compile": compilation,
    }


def _nameless(layer):
    """An activation goes into the file by name; a user's own comes back by custom_activations."""
    activation = layer.get("activation")
    if isinstance(activation, dict):
        layer["activation"] = name = activation["name"]
        if name in activations.names() and activation["forward"] != activations.get(name).forward:
            raise ValueError(
                f"activation: yours is named {name!r} like one of the library's, which would come "
                "back in its place; give it another name"
            )
    return layer


@keywords_checked
def load_model(path, *, device="auto", custom_activations=(), custom_metrics=()):
    """The Sequential that Sequential.save wrote.

    custom_activations: the kernels.Activation objects of the user's own that it uses.
    custom_metrics: the user's own functions and metrics that it was compiled with; one that is not
    among them is left out, with a warning.
    device: as in Sequential. Raises ModelFileError, naming the file, if it is not a model file or
    any byte of it was changed; FileNotFoundError if there is none.
    """
    path, device = pathlib.Path(path), devices.resolve(device)
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe would wait for ever, a device never end
        raise ModelFileError(f"{path}: {_no_file(path)}")
    own = {activation.name: activation for activation in custom_activations}
    with open(path, "rb") as file:
        try:
            return _load(file, device, own, [metrics.get(metric) for metric in custom_metrics])
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as cause:
            raise ModelFileError(f"{path}: {_short(cause)}") from cause
        except RecursionError as cause:
            raise ModelFileError(f"{path}: describes no model: it is nested too deep") from cause


def _no_file(path):
    if not path.is_dir():
        return "is a device or a pipe; expected a file that Sequential.save wrote"
    inside = path / "model.safetensors"
    return "is a folder; expected a file" + (f": {inside}" if inside.is_file() else "")


def _short(cause):
    """One line of what may hold text out of the file."""
    text = str(cause)
    return text if len(text) <= 600 else text[:600] + " ..."


def _load(file, device, own, own_metrics):
    """The model in an open file. What is raised here names the file above."""
    header, table, payload_bytes = _parse(file)
    about = _about(table.pop("__metadata__", None))
    sha256 = about.get("sha256")
    if not isinstance(sha256, str) or sha256 != _digest(file, header, payload_bytes, sha256):
        raise ValueError(
            "its contents do not match its SHA-256, so it was damaged or changed after it was "
            "saved. Restore it from a copy, or train again"
        )
    places = _places(table, payload_bytes)
    try:
        model = _model(about["model"], places, device, own, own_metrics)
        _resume(model, about.get("training"), places)
        trained_on = about["model"].get("trained_on", _usual(about))
        model.trained_on = one_of("trained_on", trained_on, scale.KNOWN)
    except UnknownActivation:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as cause:
        raise ValueError(f"describes no model that can be made: {_short(cause)}") from cause
    trained = model.loss is not None and about.get("training") is not None
    arrays = _state(model) if trained else {}
    for i, layer in enumerate(model.arrays()):
        arrays |= {f"{i}.{name}": view for name, view in layer.items()}
    _read(file, 8 + len(header), places, arrays, device)
    of_epoch = {name: np.empty(places[name][1], np.float32) for name in OF_EPOCH if name in places}
    _read(file, 8 + len(header), places, of_epoch, "cpu")
    if of_epoch:
        losses, hits, *outputs = of_epoch.values()
        model.of_epoch = [losses, (hits > 0).astype(np.uint8), *outputs]
    return model


class UnknownActivation(ValueError):
    """Of the user's own, and not given to load_model."""


def _model(described, places, device, own, own_metrics):
    """The model, built and compiled; its arrays hold zeros yet."""
    from dnn.model import MOST_LAYERS, Sequential

    layers = described["layers"]
    if not isinstance(layers, list) or len(layers) > MOST_LAYERS:  # before any is made
        raise ValueError(f"layers: expected a list of at most {MOST_LAYERS}")
    model = Sequential(
        [_layer(layer, own) for layer in layers], seed=described["seed"], device=device
    )
    for layer in model.layers:
        _typed(layer)
    given = {
        name: shape
        for name, (_, shape) in places.items()
        if not name.startswith(STATE) and name not in OF_EPOCH
    }
    if given != _shapes(model, described["input_shape"]):  # before memory is taken
        raise ValueError("its tensors do not fit its architecture")
    zeros = lambda layout, computing: devices.zeros(device, (layout.size,))  # noqa: E731
    model._build(described["input_shape"], zeros)
    model.class_names = described["class_names"]
    compilation = described["compile"]
    if compilation:
        if not isinstance(compilation["metrics"], list):
            raise TypeError(f"metrics: got {compilation['metrics']!r}; expected a list")
        one_of("run_eagerly", compilation.get("run_eagerly", False), (True, False))
        of_user = {metric.name: metric for metric in own_metrics}
        kept = (metrics.restored(metric, of_user) for metric in compilation["metrics"])
        kept = [metric for metric in kept if metric is not None]
        # As if for the CPU, which would warn of another precision than its own
        model.compile(**compilation | {"metrics": kept, "precision": "float32"})
        model.precision = one_of("precision", compilation["precision"], devices.PRECISIONS)
        _typed(model.optimizer)
        _typed(model.loss)
    return model


def _shapes(model, input_shape):
    """{"0.w": (I, O), …}: of every parameter and of the layers' state."""
    units, expected = math.prod(input_shape), {}
    for i, layer in enumerate(layer for layer in model.layers if layer.computes):
        shapes = layer.parameter_shapes(units) | layer.state_shapes(units)
        for name, shape in shapes.items():
            expected[f"{i}.{name}"] = shape
        units = layer.output_units(units)
    return expected


def _state(model):
    """{"optimizer.m.0.w": view, …}: the optimizer's state, parameter by parameter."""
    return {
        f"{STATE}{slot}.{i}.{name}": view
        for slot, array in model.optimizer_state.items()
        for i, layer in enumerate(model.layout.views(array))
        for name, view in layer.items()
    }


def _of_epoch(model):
    """What the model has of an epoch left in its middle, by the names of the tensors."""
    if not model.samples_trained or model.of_epoch is None:
        return {}
    known = (devices.to_host(a)[: model.samples_trained] for a in model.of_epoch)
    return {name: a.astype(np.float32) for name, a in zip(OF_EPOCH, known, strict=False)}


def _resume(model, progress, places):
    """Give the model the progress of its file, where it holds any."""
    given = {name: shape for name, (_, shape) in places.items() if name.startswith(STATE)}
    if progress is None and not given and not any(name in places for name in OF_EPOCH):
        return
    expected = _state(model) if model.loss is not None else {}
    if given != {name: view.shape for name, view in expected.items()}:
        raise ValueError("its optimizer's state does not fit its optimizer and architecture")
    progress = dict.fromkeys(WITHIN + LATER, 0) | progress
    counts = PROGRESS + LATER
    found = {name: whole_number(name, progress[name], 0, MOST_STEPS) for name in counts}
    found |= {name: whole_number(name, progress[name], 0, 2**63 - 1) for name in WITHIN}
    if found["schedule_start"] > found["steps_trained"]:
        raise ValueError(
            f"schedule_start: got {found['schedule_start']}; expected steps_trained, "
            f"{found['steps_trained']}, or less"
        )
    if found["samples_trained"] >= max(1, found["epoch_samples"]):
        raise ValueError(
            f"samples_trained: got {found['samples_trained']}; expected less than epoch_samples, "
            f"{found['epoch_samples']}, or 0"
        )
    of_epoch = {name: places[name][1] for name in OF_EPOCH if name in places}
    k = found["samples_trained"]
    expected = dict(zip(OF_EPOCH, ((k,), (k,), (k, model.units[-1])), strict=True))
    if of_epoch and of_epoch not in (expected, {name: expected[name] for name in OF_EPOCH[:2]}):
        raise ValueError("the values of its epoch's samples do not fit samples_trained")
    found["averaged"] = one_of("averaged", progress.get("averaged", False), (True, False))
    if found["averaged"] and AVERAGE not in model.optimizer_state:
        raise ValueError("its weights are an average, but its optimizer keeps none")
    for name, value in found.items():
        setattr(model, name, value)


def _layer(fields, own):
    if not isinstance(fields, dict):
        raise TypeError(f"layers: got {fields!r}; expected tables")
    name = fields.get("activation")
    if isinstance(name, str) and name in own:
        return fields | {"activation": own[name]}
    if name is not None and name not in activations.names():
        raise UnknownActivation(
            f"uses the activation {name!r}, which is not part of the library. Pass "
            f"custom_activations=[kernels.Activation({name!r}, …)]"
        )
    return fields


def _typed(member):
    """Refuse a field whose value is of another type than it is declared with; also in members."""
    for field, value in members(member):
        if not _is_a(value, field.type):
            expected = getattr(field.type, "__name__", field.type)
            raise TypeError(
                f"{type(member).__name__}.{field.name}: got {value!r}; expected {expected}"
            )
        if hasattr(value, "__dataclass_fields__"):
            _typed(value)


def _is_a(value, declared):
    origin, arguments = typing.get_origin(declared), typing.get_args(declared)
    if origin in (typing.Union, types.UnionType):
        return any(_is_a(value, one) for one in arguments)
    if origin in (list, tuple):
        return isinstance(value, list | tuple) and all(_is_a(v, arguments[0]) for v in value)
    if declared is float:
        return type(value) in (float, int)
    if declared in (int, bool, str):
        return type(value) is declared
    return isinstance(value, declared)


def _parse(file):
    """(all before the payload but its first 8 bytes, its table, bytes of payload) of a safetensors
    file."""
    try:
        beginning = file.read(8)
        size, left = int.from_bytes(beginning, "little"), os.fstat(file.fileno()).st_size - 8
        if len(beginning) < 8 or size > left:
            raise ValueError("it ends before its header does")
        if size > MOST_HEADER_BYTES:
            raise ValueError(f"its header is longer than {MOST_HEADER_BYTES:,} bytes")
        header = file.read(size)
        return header, _table(str(header, "utf-8")), left - size
    except (ValueError, RecursionError) as cause:
        kinds = [kind for start, kind in BEGINNINGS.items() if beginning.startswith(start)]
        kind = f"is {kinds[0]}: " if kinds else ""
        raise ValueError(
            f"{kind}is not a safetensors file, or was cut off or damaged ({_short(cause)})"
        ) from cause


def _table(text):
    """A table of JSON, in which no name stands twice and every number is finite."""

    def table(pairs):
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name stands twice in it")
        return found

    def no(constant):
        raise ValueError(f"{constant} stands in it")

    def finite(digits):
        return value if math.isfinite(value := float(digits)) else no(digits)

    if text.count("{") > MOST_TABLES or text.count(",") + text.count("[") > MOST_ITEMS:
        raise ValueError(f"it lists more than {MOST_ITEMS:,} things, or {MOST_TABLES:,} tables")
    found = json.loads(text, object_pairs_hook=table, parse_constant=no, parse_float=finite)
    if not isinstance(found, dict):
        raise ValueError("its header is not a table")
    return found


def _about(metadata):
    """What the file says of its model: a table of the format."""
    try:
        about = _table(metadata[METADATA])
        if about["format"] != FORMAT:
            raise ValueError(f"its format is {about['format']!r}")
        return about
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as cause:
        raise ValueError(
            f"is not a file of the format {FORMAT!r}, which Sequential.save writes, or was "
            f"damaged ({type(cause).__name__}: {_short(cause)})"
        ) from cause


def _digest(file, header, payload_bytes, sha256):
    """SHA-256 of a file's bytes, with zeros in the place of the digest that it holds."""
    signed = len(header).to_bytes(8, "little") + header
    digest = hashlib.sha256(signed.replace(sha256.encode(errors="replace"), UNSIGNED.encode(), 1))
    file.seek(len(signed))
    piece = bytearray(min(PIECE_BYTES, payload_bytes))
    while n := file.readinto(piece):
        digest.update(memoryview(piece)[:n])
    return digest.hexdigest()


def _places(table, payload_bytes):
    """{name: (where its bytes begin, shape)}: float32 tensors that lie end to end and fill the
    payload. The digest holds, but a well-signed file may still be nonsense."""
    found, spans = {}, []
    for name, entry in table.items():
        try:
            start, end = entry["data_offsets"]
            shape = tuple(entry["shape"])
            if entry["dtype"] != "F32" or any(type(n) is not int for n in (start, end, *shape)):
                raise ValueError("dtype, offsets or shape")
            if not 0 <= start <= end <= payload_bytes or min(shape, default=1) < 1:
                raise ValueError("offsets or shape")
            if 4 * math.prod(shape) != end - start:
                raise ValueError("shape")
        except (KeyError, TypeError, ValueError) as cause:
            raise ValueError(f"the tensor {name!r} does not fit ({cause})") from cause
        found[name] = start, shape
        spans.append((start, end))
    behind = 0
    for start, end in sorted(spans):
        if start != behind:
            raise ValueError("its tensors overlap or leave holes")
        behind = end
    if behind != payload_bytes:
        raise ValueError("its tensors leave a hole at its end")
    return found


def _read(file, payload_start, places, arrays, device):
    """Read each tensor into its array."""
    for name, array in arrays.items():
        start, shape = places[name]
        here = array if device == "cpu" else np.empty(shape, np.float32)
        file.seek(payload_start + start)
        view = memoryview(here).cast("B")
        done = 0
        while done < len(view):
            n = file.readinto(view[done:])
            if not n:
                raise ValueError("became shorter while it was read")
            done += n
        if device != "cpu":
            array[...] = devices.to_device(here, device)
