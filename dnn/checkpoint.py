"""Model files: safetensors, with the architecture and a digest of everything in the metadata.

The optimizer's state is there too, once it has been trained, so that training can go on from the
file as if it had never stopped. Nothing is unpickled. safetensors refuses truncated files but not
changed bytes; the SHA-256 of the whole file, with zeros where it stands itself, does. A file is
written under another name in the same folder, synced, and renamed, so that whatever happens while
saving, the previous file survives.
"""

import contextlib
import hashlib
import json
import math
import os
import pathlib
import secrets

import numpy as np

from dnn import devices
from dnn.catalog import config
from dnn.data import whole_number
from dnn.optimizers.base import AVERAGE
from kernels import activations
from kernels.arrays import one_of

FORMAT = "dense-kernels 1"
METADATA = "dnn"  # the key of the file's metadata
UNSIGNED = "0" * 64
PROGRESS = ("steps_trained", "epochs_trained", "schedule_steps")  # attributes of a model
WITHIN = ("samples_trained", "epoch_samples")  # likewise, 0 in files of older versions
STATE = "optimizer."  # what the names of the optimizer's tensors begin with


class ModelFileError(ValueError):
    """A file that is not a model, is damaged, or was changed."""


def save(model, path, include_optimizer=True):
    """See Sequential.save."""
    from safetensors.numpy import save as serialize

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
        about["training"] |= {"averaged": True} if model.averaged else {}
        tensors |= {name: devices.to_host(view) for name, view in _state(model).items()}
    # One key: safetensors writes several in an order that changes from run to run.
    data = serialize(tensors, {METADATA: json.dumps(about)})
    signed = data.replace(UNSIGNED.encode(), _digest(data, UNSIGNED).encode(), 1)
    write_atomically(pathlib.Path(path), signed)


def describe(model) -> dict:
    """What is needed to make the model again, as JSON."""
    compilation = None
    if model.loss is not None:
        compilation = {
            "optimizer": config(model.optimizer),
            "loss": config(model.loss),
            "metrics": list(model.metrics),
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


def load_model(path, *, device="auto", custom_activations=()):
    """The Sequential that Sequential.save wrote.

    custom_activations: the kernels.Activation objects of the user's own that it uses.
    device: as in Sequential. Raises ModelFileError, naming the file, if it is not a model file or
    any byte of it was changed; FileNotFoundError if there is none.
    """
    from dnn.model import Sequential

    path, device = pathlib.Path(path), devices.resolve(device)
    data = path.read_bytes()
    header, payload = _parse(data, path)
    try:
        about = json.loads(header.pop("__metadata__")[METADATA])
        if about["format"] != FORMAT:
            raise ValueError(f"its format is {about['format']!r}")
    except (KeyError, TypeError, ValueError, RecursionError) as cause:
        raise ModelFileError(
            f"{path}: is not a file of the format {FORMAT!r}, which Sequential.save writes, or was "
            f"damaged ({type(cause).__name__}: {cause})"
        ) from cause
    if about.get("sha256") != _digest(data, str(about.get("sha256"))):
        raise ModelFileError(
            f"{path}: its contents do not match its SHA-256, so it was damaged or changed after "
            "it was saved. Restore it from a copy, or train again"
        )
    tensors = _tensors(header, payload, path)
    weights = {name: tensors[name] for name in tensors if not name.startswith(STATE)}
    state = {name: tensors[name] for name in tensors if name.startswith(STATE)}
    own = {activation.name: activation for activation in custom_activations}
    try:
        described = about["model"]
        model = Sequential(
            [_layer(layer, own, path) for layer in described["layers"]],
            seed=described["seed"],
            device=device,
        )
        expected = _shapes(model, described["input_shape"])
        if {name: w.shape for name, w in weights.items()} != expected:  # before memory is taken
            raise ValueError("its tensors do not fit its architecture")
        model.build(described["input_shape"])
        model.set_weights([weights[name] for name in expected])
        model.class_names = described["class_names"]
        if described["compile"]:
            model.compile(**described["compile"])
        _resume(model, about.get("training"), state)
    except ModelFileError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as cause:
        raise ModelFileError(f"{path}: describes no model that can be made: {cause}") from cause
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


def _resume(model, progress, state):
    """Give the model the progress and the optimizer's state of its file, where it holds any."""
    if progress is None and not state:
        return
    places = _state(model) if model.loss is not None else {}
    if {name: a.shape for name, a in state.items()} != {n: a.shape for n, a in places.items()}:
        raise ValueError("its optimizer's state does not fit its optimizer and architecture")
    given = dict.fromkeys(WITHIN, 0) | progress
    found = {name: whole_number(name, given[name], least=0) for name in PROGRESS + WITHIN}
    if found["samples_trained"] >= max(1, found["epoch_samples"]):
        raise ValueError(
            f"samples_trained: got {found['samples_trained']}; expected less than epoch_samples, "
            f"{found['epoch_samples']}, or 0"
        )
    found["averaged"] = one_of("averaged", progress.get("averaged", False), (True, False))
    if found["averaged"] and AVERAGE not in model.optimizer_state:
        raise ValueError("its weights are an average, but its optimizer keeps none")
    for name, value in found.items():
        setattr(model, name, value)
    for name, view in places.items():
        view[...] = devices.to_device(state[name], model.device)


def _layer(fields, own, path):
    name = fields.get("activation")
    if name in own:
        return fields | {"activation": own[name]}
    if name is not None and name not in activations.names():
        raise ModelFileError(
            f"{path}: uses the activation {name!r}, which is not part of the library. Pass "
            f"custom_activations=[kernels.Activation({name!r}, …)]"
        )
    return fields


def _parse(data, path):
    """(header as a dict, payload bytes) of a safetensors file."""
    size = int.from_bytes(data[:8], "little")
    try:
        if len(data) < 8 or size > len(data) - 8:
            raise ValueError("it ends before its header does")
        header = json.loads(data[8 : 8 + size])
        if not isinstance(header, dict):
            raise ValueError("its header is not a table")
    except (ValueError, RecursionError) as cause:
        raise ModelFileError(
            f"{path}: is not a safetensors file, or was cut off or damaged ({cause})"
        ) from cause
    return header, memoryview(data)[8 + size :]


def _digest(data, sha256):
    """SHA-256 of a file's bytes, with zeros in the place of the digest that it holds."""
    return hashlib.sha256(
        data.replace(sha256.encode(errors="replace"), UNSIGNED.encode(), 1)
    ).hexdigest()


def _tensors(header, payload, path):
    """{name: float32 array}. The digest holds, but a well-signed file may still be nonsense."""
    found = {}
    for name, entry in header.items():
        try:
            start, end = entry["data_offsets"]
            shape = tuple(entry["shape"])
            if entry["dtype"] != "F32" or not 0 <= start <= end <= len(payload):
                raise ValueError("dtype or offsets")
            if 4 * math.prod(shape) != end - start:
                raise ValueError("shape")
            found[name] = np.frombuffer(payload[start:end], np.float32).reshape(shape)
        except (KeyError, OverflowError, TypeError, ValueError) as cause:
            raise ModelFileError(f"{path}: the tensor {name!r} does not fit ({cause})") from cause
    return found


def write_atomically(path, data):
    """The file holds all of `data`, or what it held before."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb") as file:  # not tempfile: nobody else may read what that makes
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
