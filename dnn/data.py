"""What a user hands to fit, evaluate and predict, checked and made ready for the kernels."""

import math

import numpy as np

from dnn import random
from kernels.arrays import adopt, is_cupy, is_emulated

SCALE_OF_BYTES = 1 / 255


def samples(name, x, shape=None):
    """x as (n, units), and the shape of one sample as it was given: uint8 as it is (the gather
    kernel scales it by 1/255), else float32.

    Other integers, bool and float64 are converted here, once. shape: of one sample, or None.
    Raises on NaN and infinity, naming the first sample that has one.
    """
    if not (is_cupy(x) or is_emulated(x)):
        x = np.asarray(adopt(name, x) if hasattr(x, "__dlpack__") else x)
    if x.dtype.kind not in "biuf":
        raise TypeError(f"{name}: got dtype {x.dtype}; expected numbers")
    if x.ndim < 2:
        raise ValueError(
            f"{name}: got shape {x.shape}; expected (samples, …). One sample is {name}[None]"
        )
    if shape is not None and math.prod(x.shape[1:]) != math.prod(shape):
        got, want = ((n, *s) for n, s in (("n", x.shape[1:]), ("n", shape)))
        raise ValueError(
            f"{name}: got samples of shape {_shape(got)}; expected {_shape(want)}, "
            f"{math.prod(shape)} values each"
        )
    given = x.shape[1:]
    x = x.reshape(len(x), math.prod(given))  # −1 cannot be told for no samples
    if x.dtype == np.uint8:
        return x, given
    if x.dtype.kind == "f":
        numbers = x.get() if is_emulated(x) else x
        finite = (abs(numbers) <= np.finfo(np.float32).max).all(axis=1)
        if not bool(finite.all()):
            first = int((~finite).argmax())
            raise ValueError(
                f"{name}[{first}]: holds NaN, infinity or a value too large for float32 "
                f"({int((~finite).sum())} of {len(x)} samples do); expected finite numbers. "
                "Remove or repair them"
            )
    return x.astype(np.float32, copy=False), given


def _shape(sizes):
    return "(" + ", ".join(map(str, sizes)) + ")"


def same_length(x, y, names=("x", "y")):
    if len(x) != len(y):
        raise ValueError(
            f"{names[0]}, {names[1]}: got {len(x)} samples and {len(y)} targets; expected as many"
        )
    if len(x) == 0:
        raise ValueError(f"{names[0]}: got 0 samples; expected at least one")


def whole_number(name, value, least=1):
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name}: got {value!r}; expected an integer, {least} or more")
    return int(value)


def sample_weights(loss, y, classes, sample_weight, class_weight, name="sample_weight"):
    """float32 (n,), the product of both, or None for neither. y: the prepared targets.

    classes: how many there are for a loss of integer labels or one-hot targets.
    """
    if sample_weight is None and class_weight is None:
        return None
    given = name if sample_weight is not None else "class_weight"
    if not loss.takes_weights:
        raise ValueError(f"{given}: got weights; expected None, for {loss} takes none")
    weights = np.ones(len(y), np.float32)
    if sample_weight is not None:
        weights = np.asarray(sample_weight)
        if weights.shape != (len(y),):
            raise ValueError(f"{name}: got shape {weights.shape}; expected ({len(y)},)")
        if weights.dtype.kind not in "biuf":
            raise TypeError(f"{name}: got dtype {weights.dtype}; expected numbers")
        bad = np.flatnonzero(~((weights >= 0) & (weights <= np.finfo(np.float32).max)))
        if bad.size:
            raise ValueError(
                f"{name}[{bad[0]}]: got {weights[bad[0]]}; expected a finite number, 0 or more"
            )
        weights = weights.astype(np.float32)
    return weights if class_weight is None else weights * of_classes(loss, y, classes, class_weight)


def of_classes(loss, y, classes, class_weight):
    """float32 (n,): the weight of each sample's class, 1 where none is given."""
    members = loss.classes(y)
    if members is None:
        raise ValueError(
            f"class_weight: got weights; expected None, for {loss} has no classes here. Give each "
            "sample its weight: sample_weight"
        )
    classes = max(classes, 2)  # one output says no or yes
    weights = np.ones(classes, np.float32)
    for label, weight in dict(class_weight).items():
        if label not in range(classes):
            raise ValueError(f"class_weight: got class {label!r}; expected 0 … {classes - 1}")
        if not 0 <= weight <= np.finfo(np.float32).max:
            raise ValueError(
                f"class_weight[{label}]: got {weight!r}; expected a finite number, 0 or more"
            )
        weights[label] = weight
    return weights[members]


def split(classes, fraction, seed):
    """Row numbers (kept, held out): `fraction` of every class, drawn by `seed`, in data order.

    classes: int (n,). Keras takes the last rows as they stand, which is a biased sample wherever
    the data is sorted.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"validation_split: got {fraction!r}; expected 0 ≤ validation_split < 1")
    order = random.permutation(seed, 2**63, len(classes))
    held = []
    for c in np.unique(classes):
        members = order[classes[order] == c]
        held.append(members[: round(fraction * len(members))])
    held = np.sort(np.concatenate(held))
    kept = np.setdiff1d(np.arange(len(classes)), held, assume_unique=True)
    if not len(held) or not len(kept):
        raise ValueError(
            f"validation_split: {fraction!r} of {len(classes)} samples leaves one part empty"
        )
    return kept, held
