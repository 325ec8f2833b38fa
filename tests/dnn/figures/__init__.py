"""What PyTorch and Keras compute, stored: see make_figures.py and make_loss_figures.py."""

import json
import pathlib


def stored(name):
    """The figures of <name>.json, without their provenance."""
    return json.loads((pathlib.Path(__file__).parent / f"{name}.json").read_text())["figures"]
