"""A model out of its file, which saving.py wrote: nothing is unpickled, and nothing is believed
before it is checked. The numbers of the file's text have the types that their places ask for.
"""

import math
import pathlib
import stat
import types
import typing
from collections.abc import Iterable
from os import PathLike
from typing import Any

import numpy as np

from dnn import devices, metrics, scale
from dnn.catalog import members
from dnn.keywords import keywords_checked
from dnn.model import Sequential
from dnn.network import MOST_LAYERS
from dnn.optimizers.base import AVERAGE
from dnn.saving import OF_EPOCH, STATE, optimizer_state, usually_trained_on
from dnn.signed_file import opened, read, short
from dnn.training_state import TrainingState
from kernels import activations
from kernels.activations import Activation
from kernels.arrays import one_of


class ModelFileError(ValueError):
    """A file that is not a model, is damaged, or was changed."""


@keywords_checked
def load_model(
    path: str | PathLike[str],
    *,
    device: str = "auto",
    custom_activations: Iterable[Activation] = (),
    custom_metrics: Iterable[Any] = (),
) -> Sequential:
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
            raise ModelFileError(f"{path}: {short(cause)}") from cause
        except RecursionError as cause:
            raise ModelFileError(f"{path}: describes no model: it is nested too deep") from cause


def _no_file(path):
    if not path.is_dir():
        return "is a device or a pipe; expected a file that Sequential.save wrote"
    inside = path / "model.safetensors"
    return "is a folder; expected a file" + (f": {inside}" if inside.is_file() else "")


def _load(file, device, own, own_metrics):
    """The model in an open file. What is raised here names the file above."""
    about, payload, places = opened(file)
    try:
        model = _model(about["model"], places, device, own, own_metrics)
        _resume(model, about.get("training"), places)
        trained_on = about["model"].get("trained_on", usually_trained_on(about))
        model.trained_on = one_of("trained_on", trained_on, scale.KNOWN)
    except UnknownActivation:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as cause:
        raise ValueError(f"describes no model that can be made: {short(cause)}") from cause
    trained = model.loss is not None and about.get("training") is not None
    arrays = optimizer_state(model) if trained else {}
    for i, layer in enumerate(model.arrays()):
        arrays |= {f"{i}.{name}": view for name, view in layer.items()}
    read(file, payload, places, arrays, device)
    of_epoch = {name: np.empty(places[name][1], np.float32) for name in OF_EPOCH if name in places}
    read(file, payload, places, of_epoch, "cpu")
    if of_epoch:
        losses, hits, *outputs = of_epoch.values()
        model.training_state.of_epoch = [losses, (hits > 0).astype(np.uint8), *outputs]
    return model


class UnknownActivation(ValueError):
    """Of the user's own, and not given to load_model."""


def _model(described, places, device, own, own_metrics):
    """The model, built and compiled; its arrays hold zeros yet."""
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


def _resume(model, described, places):
    """Give the model the training state of its file, where it holds any."""
    given = {name: shape for name, (_, shape) in places.items() if name.startswith(STATE)}
    if described is None and not given and not any(name in places for name in OF_EPOCH):
        return
    expected = optimizer_state(model) if model.loss is not None else {}
    if given != {name: view.shape for name, view in expected.items()}:
        raise ValueError("its optimizer's state does not fit its optimizer and architecture")
    state = TrainingState.of_file(described)
    of_epoch = {name: places[name][1] for name in OF_EPOCH if name in places}
    k = state.samples_trained
    expected = dict(zip(OF_EPOCH, ((k,), (k,), (k, model.units[-1])), strict=True))
    if of_epoch and of_epoch not in (expected, {name: expected[name] for name in OF_EPOCH[:2]}):
        raise ValueError("the values of its epoch's samples do not fit samples_trained")
    if state.averaged and AVERAGE not in model.optimizer_state:
        raise ValueError("its weights are an average, but its optimizer keeps none")
    model.training_state = state


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
