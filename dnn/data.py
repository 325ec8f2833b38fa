"""What a user hands to fit, evaluate and predict, checked and made ready for the kernels."""

import math

import numpy as np

from dnn import devices, inputs, random, scale
from kernels.arrays import is_emulated, one_of
from kernels.numbers import MOST, Number
from kernels.numbers import whole_number as whole_number
from kernels.warning import warn

SCALE_OF_BYTES = 1 / 255
EXACT, EXACT_OF_FLOAT64 = 2**24, 2**53  # every integer up to these is held by float32, by float64
WEIGHT = Number(low=0)
SPLIT = Number(above=0, below=1)


def samples(name, x, shape=None):
    """x as (n, units), and the shape of one sample as it was given: uint8 as it is (the gather
    kernel scales it by 1/255), else float32.

    Other integers, bool and float64 are converted here, once. shape: of one sample, or None.
    Raises on NaN and infinity, naming the first sample that has one; warns of integers that
    float32 rounds.
    """
    x = inputs.as_array(name, x)
    if x.ndim < 2:
        raise ValueError(
            f"{name}: got shape {x.shape}; expected (samples, …). One sample is {name}[None], one "
            f"number of each np.reshape({name}, (-1, 1))"
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
    rows = x.astype(np.float32, copy=False)
    warn_of_rounding(name, x, rows)
    return rows, given


def warn_of_rounding(name, given, converted):
    """Where float32 does not hold an integer: of ids and times it makes equal ones of many. In a
    float64 array they are integers still, as beside other columns of a frame."""
    if given.dtype.kind not in "iuf" or given.itemsize < 4 or given.dtype == np.float32:
        return
    given, converted = (a.get() if is_emulated(a) else a for a in (given, converted))
    if not given.size or (-EXACT <= given.min() and given.max() <= EXACT):
        return
    rounded = converted != given
    if given.dtype.kind == "f":
        rounded &= (given % 1 == 0) & (abs(given) <= EXACT_OF_FLOAT64)
    rounded = rounded.reshape(len(given), -1).any(axis=1)
    if rounded.any():
        first = int(rounded.argmax())
        warn(
            f"{name}[{first}]: holds an integer beyond 2²⁴ that float32 rounds "
            f"({int(rounded.sum())} of {len(given)} samples do). Of times or amounts subtract the "
            f"least first, {name} - {name}.min(axis=0), and scale; of ids make a column each"
        )


def _shape(sizes):
    return "(" + ", ".join(map(str, sizes)) + ")"


def same_length(x, y, names=("x", "y")):
    if len(x) != len(y):
        raise ValueError(
            f"{names[0]}, {names[1]}: got {len(x)} samples and {len(y)} targets; expected as many"
        )
    if len(x) == 0:
        raise ValueError(f"{names[0]}: got 0 samples; expected at least one")


def one_number(name, value) -> float:
    """A number, or an array of one."""
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "biuf":
        got = f"an array of shape {array.shape}" if array.size > 1 else repr(value)
        raise TypeError(f"{name}: got {got}; expected one number")
    return float(array.reshape(()))


def sample_weights(loss, y, sample_weight, name="sample_weight"):
    """float32 (n,), finite, 0 or more; None for None. y: the prepared targets."""
    if sample_weight is None:
        return None
    _require_weighted(loss, name)
    weights = np.asarray(sample_weight)
    if weights.shape != (len(y),):
        hint = f". Write {name}.ravel()" if weights.shape == (len(y), 1) else ""
        raise ValueError(f"{name}: got shape {weights.shape}; expected ({len(y)},){hint}")
    if weights.dtype.kind not in "biuf":
        raise TypeError(f"{name}: got dtype {weights.dtype}; expected numbers")
    bad = np.flatnonzero(~((weights >= 0) & (weights <= MOST)))
    if bad.size:
        raise ValueError(
            f"{name}[{bad[0]}]: got {weights[bad[0]]}; expected a finite number, 0 or more"
        )
    return weights.astype(np.float32)


def class_weighted(loss, y, classes, weights, class_weight):
    """The weights (n,), or None for ones, times those of each sample's class.

    y: the prepared targets that are trained on. classes: how many there are for a loss of integer
    labels or one-hot targets. class_weight: as Sequential.fit's; None changes nothing.
    """
    if class_weight is None:
        return weights
    _require_weighted(loss, "class_weight")
    members = loss.classes(y)
    if members is None:
        raise ValueError(
            f"class_weight: got weights; expected None, for {loss} has no classes here. Give each "
            "sample its weight: sample_weight"
        )
    of_classes = _of_classes(class_weight, members, max(classes, 2))  # one output says no or yes
    with np.errstate(over="ignore"):
        weights = of_classes[members] * (np.float32(1) if weights is None else weights)
    if not np.isfinite(weights).all():
        raise ValueError(
            "class_weight: got weights whose products with sample_weight float32 cannot hold; "
            "expected smaller ones"
        )
    return weights


def _require_weighted(loss, name):
    if not loss.takes_weights:
        raise ValueError(f"{name}: got weights; expected None, for {loss} takes none")


def _of_classes(given, members, classes):
    """float32 (classes,): the weight of each."""
    if isinstance(given, str):
        one_of("class_weight", given, ("balanced",))
        counts = np.bincount(members, minlength=classes)
        there = counts > 0  # a class without samples weighs nothing anyway
        return np.where(there, len(members) / (there.sum() * np.maximum(counts, 1)), 1).astype(
            np.float32
        )
    weights = np.ones(classes, np.float32)
    for label, weight in _pairs(given, classes):
        weights[label] = WEIGHT(f"class_weight[{label}]", weight)
    return weights


def _pairs(given, classes):
    """(class, weight) of every one that is given: by a mapping, or one a class in their order."""
    if hasattr(given, "keys"):  # a dict, a pandas Series
        return [(_label(key, classes), given[key]) for key in iter(given.keys())]
    values = given if isinstance(given, tuple | list) else np.asarray(given)
    if np.shape(values) != (classes,):
        raise ValueError(
            f"class_weight: got {_kind(given)}; expected {{class: weight}}, 'balanced', or a list "
            f"of {classes} weights, one a class in the order 0 … {classes - 1}"
        )
    return list(enumerate(values))


def _label(key, classes):
    """The class that a key means: False and True are 0 and 1, and 1.0 is 1."""
    label = key.item() if isinstance(key, np.generic) else key
    if isinstance(label, bool | float) and label == label // 1:
        label = int(label)
    if not isinstance(label, int) or not 0 <= label < classes:
        raise ValueError(
            f"class_weight: got class {key!r}; expected 0 … {classes - 1}, the labels in y"
        )
    return label


def _kind(given):
    shape = np.shape(given) if hasattr(given, "__len__") else ()
    return type(given).__name__ + (f" of shape {shape}" if shape else "")


def split(classes, fraction, seed):
    """Row numbers (kept, held out): `fraction` of all, and as nearly of every class, drawn by
    `seed`, in data order.

    classes: int (n,). round(fraction · n) rows are held out: of every class as many whole ones as
    are in its share, and one more of those whose share leaves the largest remainders, a class's
    last sample last. (Keras takes the last rows as they stand, which is a biased sample wherever
    the data is sorted.) Source: Hamilton's method of apportionment.
    """
    n = len(classes)
    fraction = SPLIT("validation_split", fraction)
    wanted = round(fraction * n)
    if not 0 < wanted < n:
        raise ValueError(
            f"validation_split: {fraction!r} of {n} samples leaves one part empty: {wanted} held "
            f"out, {n - wanted} to train on; expected one or more of both"
        )
    order = random.permutation(seed, 2**63, n)
    drawn = classes[order]
    _, first, counts = np.unique(drawn, return_index=True, return_counts=True)
    share = fraction * counts
    held = np.floor(share).astype(np.int64)
    more = np.lexsort((first, held - share, held + 1 == counts))[: wanted - held.sum()]
    held[more] += 1
    by_class = np.argsort(drawn, kind="stable")  # each class's members, in the order drawn
    rank = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = rank < np.repeat(held, counts)
    return np.sort(order[by_class[~chosen]]), np.sort(order[by_class[chosen]])


def prepared(model, x, y, sample_weight=None, names=("x", "y", "sample_weight"), trained_on=None):
    """Samples, targets and weights (or None) after every check; builds the model if need be.

    trained_on: as Sequential.trained_on, where that is not set yet."""
    x = samples_for(model, names[0], x, trained_on)
    model.require_compiled()
    y = targets_for(model, names[1], y)
    same_length(x, y, names)
    return x, y, sample_weights(model.loss, y, host(names[2], sample_weight), names[2])


def samples_for(model, name, x, trained_on=None):
    """x as rows, float32 or uint8; builds the model for samples of its shape, if need be."""
    x = inputs.as_array(name, x)
    rows, shape = samples(name, x, model.input_shape)
    if not model.built:
        model.build(shape)
    scale.compare(model, trained_on or model.trained_on, name, x.dtype, rows)
    return rows


def targets_for(model, name, y):
    """y as the loss takes it."""
    if y is None:
        raise ValueError(f"{name}: got None; expected the targets, one of each sample")
    given = host(name, y)
    prepared = model.loss.prepare(given, model.units[-1])
    if prepared.dtype == np.float32 and prepared.shape == given.shape:
        warn_of_rounding(name, given, prepared)
    return prepared


def host(name, a):
    """What a user gave as targets or weights, as an array on the host; None stays None."""
    return None if a is None else devices.to_host(inputs.as_array(name, a))


def truth_for(model, y, name="y"):
    """The targets as they were given, on the host, or None where no metric asks for them."""
    return host(name, y) if any(m.reads_outputs for m in model.metrics) else None


def rows_of(rows, *arrays):
    """Those rows of each array; None stays None."""
    return tuple(None if a is None else a[rows] for a in arrays)


def on_device(model, *arrays):
    """Each array on the model's device; None stays None."""
    return tuple(None if a is None else devices.to_device(a, model.device) for a in arrays)
