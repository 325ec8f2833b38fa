"""What PyTorch and Keras compute, stored as <name>.json; each make_….py here writes its own."""

import json
import os
import pathlib
import platform

import numpy as np

FOLDER = pathlib.Path(__file__).parent


def stored(name):
    """The figures of <name>.json, without their provenance."""
    return json.loads((FOLDER / f"{name}.json").read_text())["figures"]


def store(maker, **computations):
    """Write <name>.json of each name=function: what it returns, {name: figures}, a line each, and
    where that comes from: the file `maker`, and libraries that compute in float64."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras
    import torch

    keras.config.set_floatx("float64")
    provenance = {
        "made by": f"tests/dnn/figures/{pathlib.Path(maker).name}",
        "torch": torch.__version__,
        "keras": f"{keras.__version__}, {keras.backend.backend()} backend",
        "numpy": np.__version__,
        "python": platform.python_version(),
        "precision": "float64",
    }
    for name, compute in computations.items():
        lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in compute().items())
        text = f'{{"provenance": {json.dumps(provenance)},\n"figures": {{\n{lines}\n}}}}\n'
        (FOLDER / f"{name}.json").write_text(text)
