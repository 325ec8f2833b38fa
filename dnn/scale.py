"""Whether new samples are on the scale of those that a model was trained on.

Bytes are scaled by 1/255 on their way in and other numbers are not, so the same pixels mean one
thing as uint8 and another as int64. A model that was trained on the one and is given the other
predicts nonsense; it remembers which it was: Sequential.trained_on.
"""

import numpy as np

from kernels.arrays import is_emulated
from kernels.warning import warn

BYTES, NUMBERS = "bytes", "numbers"
KNOWN = (BYTES, NUMBERS, None)


def of(model, x, name="x"):
    """BYTES or NUMBERS, for prepared samples that are trained on, or None where either may follow:
    numbers of 0 … 1, as bytes are when scaled, and a model that scales all alike itself."""
    if _scales_itself(model) or not len(x):
        return None
    least, most = _range(x)
    if x.dtype != np.uint8:
        return None if 0 <= least and most <= 1 else NUMBERS
    if most == 1:
        warn(
            f"{name}: holds bytes of 0 and 1 alone, which are scaled by 1/255 on the way in, as "
            f"pixels are. If they are no pixels write {name}.astype(np.float32)"
        )
    return BYTES


def compare(model, trained_on, name, dtype, x):
    """Refuse integers that were bytes in training, and warn of what may be on another scale.

    dtype: of the samples as they were given. x: prepared, float32 or uint8 (n, units).
    """
    if trained_on is None or _scales_itself(model) or not len(x):
        return
    if trained_on == NUMBERS and dtype == np.uint8:
        message = (
            f"{name}: got bytes, which are scaled by 1/255 on the way in; the model was trained on "
            f"other numbers, taken as they are. Write {name}.astype(np.float32) if these are alike"
        )
    elif trained_on == BYTES and dtype != np.uint8 and dtype.kind in "iu":
        raise TypeError(
            f"{name}: got dtype {dtype}; expected uint8, for the model was trained on bytes. Those "
            "are scaled by 1/255 on the way in, and others are not. Write "
            f"np.asarray({name}, np.uint8); for numbers of 0 … 1, np.asarray({name}, np.float32)"
        )
    elif trained_on == BYTES and dtype.kind == "f" and (most := _range(x)[1]) > 1:
        message = (
            f"{name}: holds numbers up to {most:g}; the model was trained on bytes, scaled to "
            f"0 … 1. If these are pixels of 0 … 255 write {name}.astype(np.uint8), or {name} / 255"
        )
    else:
        return
    warn(message)


def _range(x):
    x = x.get() if is_emulated(x) else x
    return float(x.min()), float(x.max())


def _scales_itself(model):
    """Whether a Rescaling comes before the first parameters: then bytes come in as they are."""
    computing = [layer for layer in model.layers if layer.computes]
    for layer, parameters in zip(computing, model.parameters, strict=True):
        if parameters:
            return False
        if layer.scales_input:
            return True
    return False
