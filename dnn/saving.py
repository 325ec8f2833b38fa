"""A model's file: its architecture, weights and compilation, and how far its training went.

The optimizer's state is there too, once it has been trained, so that training can go on from the
file as if it had never stopped. A file is written whole or not at all (dnn/files.py), in the format
of signed_file.py; loading.py reads it.
"""

import os
import pathlib

import numpy as np

from dnn import devices, metrics, scale
from dnn.catalog import config
from dnn.files import write_atomically
from dnn.signed_file import FORMAT, UNSIGNED, signed
from kernels import activations

STATE = "optimizer."  # what the names of the optimizer's tensors begin with
OF_EPOCH = ("epoch.losses", "epoch.hits", "epoch.outputs")  # of samples: TrainingState.of_epoch
OTHER_FORMATS = (
    ".h5", ".hdf5", ".keras", ".pb", ".tflite", ".pt", ".pth", ".onnx", ".pkl",
    ".pickle", ".joblib", ".npy", ".npz", ".json", ".zip",
)  # fmt: skip


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
        about["training"] = model.training_state.described()
        tensors |= {name: devices.to_host(view) for name, view in optimizer_state(model).items()}
        tensors |= _of_epoch(model)
    if model.trained_on != usually_trained_on(about):
        about["model"]["trained_on"] = model.trained_on
    write_atomically(path, signed(tensors, about))


def usually_trained_on(about):
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


def optimizer_state(model):
    """{"optimizer.m.0.w": view, …}: the optimizer's state, parameter by parameter."""
    return {
        f"{STATE}{slot}.{i}.{name}": view
        for slot, array in model.optimizer_state.items()
        for i, layer in enumerate(model.layout.views(array))
        for name, view in layer.items()
    }


def _of_epoch(model):
    """What the model has of an epoch left in its middle, by the names of the tensors."""
    state = model.training_state
    if not state.samples_trained or state.of_epoch is None:
        return {}
    known = (devices.to_host(a)[: state.samples_trained] for a in state.of_epoch)
    return {name: a.astype(np.float32) for name, a in zip(OF_EPOCH, known, strict=False)}
