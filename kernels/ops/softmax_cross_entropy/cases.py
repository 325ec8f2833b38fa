"""softmax_cross_entropy's battery: rows, classes, kinds of target and extreme logits."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.budgets import TINY, U
from kernels.battery.case import Case, Output

ROWS = [1, 4, 5, 130]
CLASSES = [1, 2, 10, 31, 32, 33, 1023, 1024, 1025]
KINDS = ("labels", "one-hot", "soft")
# Where gpu.cu gives a row more threads, and where it no longer fits in shared memory
NARROW = [7, 8, 9, 63, 64, 65, 68, 127, 128, 129, 2047, 2048, 2049, 2052]
WIDE = [8192, 8193, 8196, 24576, 24577, 24580, 65537, 131072]


def cases(long=False):
    """`long` adds every number of classes up to 300."""
    for classes in dict.fromkeys([*CLASSES, *(range(3, 301) if long else ())]):
        for rows in ROWS:
            for kind in KINDS:
                z, targets = logits(rows, classes), targets_of(kind, rows, classes)
                yield case(f"shape {rows}×{classes} {kind}", z, targets, 1 / rows)
    for i, classes in enumerate(NARROW + WIDE):
        rows, kind = 17 if classes < 2000 else 2, KINDS[i % 3]
        z, targets = logits(rows, classes), targets_of(kind, rows, classes)
        yield case(f"shape {rows}×{classes} {kind}", z, targets, 1 / rows)
    for classes in (3, 40, 1030):
        for value in (1e4, -1e4, 1e30, -1e30, 1e-42, -np.inf, np.inf, np.nan):
            for where in ("label", "another"):
                z, labels = logits(5, classes), integer_labels(5, classes)
                z[2, labels[2] - (0 if where == "label" else 1)] = value
                yield case(f"extreme {value} at {where} of {classes}", z, labels)
    for classes in (1, 3, 40, 1030):
        z = logits(5, classes)
        z[2] = -np.inf
        yield case(f"minus infinity {classes}", z, integer_labels(5, classes))
    z, targets = logits(9, 7), 3 * soft(9, 7)
    targets[4] = 0
    yield case("sums other than one", z, targets)
    for classes in (10, 40, 100, 1030, 2500):
        # The largest logit in every place of a row's threads; the others differ little, so that
        # every thread's part of the sum counts.
        for kind in KINDS:
            z, labels = tops(classes)
            targets = labels if kind == "labels" else one_hot(labels, classes)
            targets = 0.5 * targets + 0.5 * soft(*z.shape) if kind == "soft" else targets
            yield case(f"top of {classes} {kind}", z, targets)
        z, labels = tops(classes, height=200)  # or exp overflows
        yield case(f"high top of {classes}", z, labels)
        # Many are the largest: the first counts, of logits and of targets.
        z, labels, targets = ties(classes)
        yield case(f"ties of {classes} labels", z, labels)
        yield case(f"ties of {classes} targets", z, targets)
        z, labels, targets = pairs(classes)
        yield case(f"pairs of {classes} labels", z, labels)
        yield case(f"pairs of {classes} targets", z, targets)
        for where in ("in place", "loss alone"):
            z = logits(5, classes)
            labels = integer_labels(5, classes)
            yield case(f"{where} of {classes}", z, labels, **{where.replace(" ", "_"): True})
    classes = 9000  # a row a block of 512 threads
    yield case(f"top of {classes} labels", *tops(classes, apart=classes // 33))
    warps = np.arange(0, 2048, 128)
    z, labels, targets = _pairs(classes, warps[:-1], warps[1:])
    yield case(f"pairs of {classes} labels", z, labels)
    yield case(f"pairs of {classes} targets", z, targets)
    yield case(f"in place of {classes}", z[:2], labels[:2], in_place=True)
    targets = np.zeros((2, classes), np.float32)
    targets[:, warps] = 1
    yield case(f"a target a warp of {classes}", logits(2, classes), targets)
    # The two largest in any two places; in a thread's first and third step; beyond shared memory
    for classes, firsts, seconds in (
        (19, range(19), range(19)),
        (260, range(4), range(256, 260)),
        (24600, range(24576, 24592, 5), (24593, 24599)),
    ):
        z, labels, targets = pairs_of(classes, firsts, seconds)
        yield case(f"pairs at {firsts} {seconds} of {classes} labels", z, labels)
        yield case(f"pairs at {firsts} {seconds} of {classes} targets", z, targets)
    for classes in (1, 10, 40, 1030):
        for rows in ROWS:
            for kind in KINDS:
                z, targets = logits(rows, classes), targets_of(kind, rows, classes)
                name = f"weighted {rows}×{classes} {kind}"
                yield case(name, z, targets, 1 / rows, weights=weights_of(rows))
    for classes in (3, 40, 1030):  # a difference that overflows before it is weighted
        for kind in KINDS:
            name, targets = f"overflow of {classes} {kind}", targets_of(kind, 5, classes)
            yield case(name, far_apart(5, classes), targets, weights=weights_of(5) / 8)
    for offset_bytes in (4, 8, 12):
        for classes in (10, 1028):
            z, labels = logits(9, classes), integer_labels(9, classes).astype(np.int32)
            name = f"offset {offset_bytes} of {classes}"
            yield case(name, z, labels, offset_bytes=offset_bytes)
    for name in ("z", "labels", "dz"):
        offset_bytes = {name: 4}
        yield case(f"offset {offset_bytes}", logits(3, 36), soft(3, 36), offset_bytes=offset_bytes)


def logits(rows, classes):
    rng = np.random.default_rng((0, rows, classes))
    return 5 * rng.standard_normal((rows, classes), dtype=np.float32)


def far_apart(rows, classes):
    z = np.full((rows, classes), -3e38, np.float32)
    z[:, 1] *= -1
    return z


def targets_of(kind, rows, classes):
    if kind == "soft":
        return soft(rows, classes)
    labels = integer_labels(rows, classes)
    return labels if kind == "labels" else one_hot(labels, classes)


def integer_labels(rows, classes):
    return np.random.default_rng((rows, classes)).integers(0, classes, rows)


def one_hot(labels, classes):
    t = np.zeros((len(labels), classes), np.float32)
    t[range(len(labels)), labels] = 1
    return t


def soft(rows, classes):
    t = np.random.default_rng((2, rows, classes)).random((rows, classes), np.float32)
    return t / t.sum(axis=1, keepdims=True)


def tops(classes, height=2, apart=None):
    """(z, labels): every other row hits; the largest logits stand 37 apart, or closer."""
    apart = apart or (37 if classes > 100 else 3)
    places = np.unique(np.append(np.arange(0, classes, apart), classes - 1))
    z = logits(len(places), classes) / 50
    z[range(len(places)), places] += height
    return z, np.where(np.arange(len(places)) % 2, (places + 1) % classes, places)


def ties(classes, rows=24):
    """(z, labels, targets) of few different numbers; labels stand at a first or a last largest."""
    rng = np.random.default_rng((3, classes))
    z = rng.integers(-2, 3, (rows, classes)).astype(np.float32)
    z[:, : classes // 3] = np.minimum(z[:, : classes // 3], 1)  # the first one anywhere
    targets = rng.integers(0, 3, (rows, classes)).astype(np.float32)
    targets[::2] *= z[::2] == z[::2].max(axis=1, keepdims=True)
    first, last = z.argmax(axis=1), classes - 1 - z[:, ::-1].argmax(axis=1)
    return z, np.where(np.arange(rows) % 2, last, first), targets


def pairs(classes):
    """(z, labels, targets): the two largest stand in any two of a row's first eight parts, in both
    orders; labels stand at the first one or, in every third row, at the second."""
    part = max(1, min(32, classes // 16))
    first, second = np.divmod(np.arange(64), 8) * np.array([[part], [part]])
    first, second = first + part - 1, (second + 8 * part) % classes
    return _pairs(classes, first, second)


def pairs_of(classes, firsts, seconds):
    """The same with the two largest at each of `firsts` and each of `seconds`."""
    places = np.array([(i, j) for i in firsts for j in seconds if i != j])
    return _pairs(classes, *places.T)


def _pairs(classes, one, other):
    rows = np.arange(len(one))
    first, second = np.minimum(one, other), np.maximum(one, other)
    z = logits(len(rows), classes) / 50
    z[rows, first] = z[rows, second] = 3
    labels = np.where(rows % 3, first, second)
    targets = one_hot(labels, classes)
    targets[rows, second] = 1
    return z, labels, targets


def weights_of(rows):
    w = 3 * np.random.default_rng((3, rows)).random(rows, np.float32)
    w[0] = 0
    return w


def case(
    name, z, labels, scale=1.0, offset_bytes=0, weights=None, in_place=False, loss_alone=False
):
    """in_place: dz is z. loss_alone: neither dz nor hit is asked for."""
    if in_place or loss_alone:
        return _with_less(name, z, labels, in_place)

    def call(z, labels, loss, dz, hit, weights=None, **options):
        kernels.softmax_cross_entropy(
            z, labels, scale=scale, weights=weights, out=(loss, dz), hit=hit, **options
        )

    outputs = {
        "loss": Output((len(z),)),
        "dz": Output(z.shape),
        "hit": Output((len(z),), np.uint8),
    }
    inputs = {"z": z, "labels": labels} | ({} if weights is None else {"weights": weights})

    def expected(_):
        return budget(z, labels, scale, weights)

    return Case(name, inputs, outputs, call, expected, offset_bytes)


def _with_less(name, z, labels, in_place):
    outputs = {"loss": Output((len(z),))} | ({"z": Output(z.shape, start=z)} if in_place else {})
    inputs = {"labels": labels} | ({} if in_place else {"z": z})

    def call(z, labels, loss, **options):
        kernels.softmax_cross_entropy(z, labels, out=(loss, z if in_place else False), **options)

    def expected(_):
        budget_of = budget(z, labels)
        return {"loss": budget_of["loss"]} | ({"z": budget_of["dz"]} if in_place else {})

    return Case(name, inputs, outputs, call, expected)


def budget(z, labels, scale=1.0, weights=None):
    """{"loss", "dz", "hit": (value, bound)}.

    Each of C exponentials carries 4 u and is rescaled to the row's maximum as often as that grows,
    so Σ exp is within (4 C + 16) u of itself; log makes that absolute. Targets are summed, and
    multiplied by logits, in n + 2 operations for n of them, none of which rounds for a single 1.
    """
    z = z.astype(np.float64)
    t = labels if labels.ndim == 2 else one_hot(labels, z.shape[1])
    t = t.astype(np.float64)
    with np.errstate(invalid="ignore"):
        loss, dz, hit = reference.softmax_cross_entropy(z, t, scale)
        largest = z.max(axis=1, keepdims=True)
        below = largest - z
        total = np.exp(-below).sum(axis=1, keepdims=True)
        p = np.exp(-below) / total
        weight, dot = (
            abs(a).sum(axis=1) for a in (t, np.where(t == 0, 0, t) * np.where(t == 0, 0, z))
        )
        sums = 4 * z.shape[1] + 16
        terms = np.where((t != 0).sum(axis=1) == t.max(axis=1), 0, (t != 0).sum(axis=1) + 2)
        row = largest[:, 0]
        known = sums * weight * (1 + np.log(total[:, 0])) + terms * (abs(row) * weight + dot)
        margin = abs(row * t.sum(axis=1) - (t * np.where(t == 0, 0, z)).sum(axis=1))
        for_loss = U * (known + 2 * margin + 2 * abs(loss)) + TINY
        for_p = (sums + np.where(p > 0, below, 0)) * p * weight[:, None]
        for_dz = abs(scale) * U * (for_p + (terms[:, None] + 4) * p * weight[:, None] + 4 * abs(t))
    if weights is not None:  # each is a factor, and a rounding more
        w = weights.astype(np.float64)
        loss, for_loss = w * loss, w * (for_loss + 2 * U * abs(loss)) + TINY
        dz, for_dz = w[:, None] * dz, w[:, None] * (for_dz + 2 * U * abs(dz))
    return {"loss": (loss, for_loss), "dz": (dz, for_dz + TINY), "hit": (hit.astype(np.uint8), 0)}
