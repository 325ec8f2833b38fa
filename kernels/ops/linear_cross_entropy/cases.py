"""linear_cross_entropy's battery: shapes of the product, kinds of target, and extreme logits.

Every shape runs a row a warp and, with most_blocks, several rows a warp. Where w is the identity
the logits are x itself, to the bit, so that the cases of softmax_cross_entropy hold here too.
"""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.budgets import times_derivative
from kernels.battery.case import Case, Output
from kernels.battery.numbers import integers, normal
from kernels.ops.linear.cases import SIZES, _product, forward_budget, operands
from kernels.ops.softmax_cross_entropy import cases as softmax

SHAPES = [
    (1, 1, 1), (2, 1, 3), (13, 7, 11), (5, 3, 4), (17, 31, 10), (4, 33, 16), (6, 64, 17),
    (3, 128, 10), (18, 129, 12), (9, 127, 9), (7, 130, 20), (3, 513, 10), (17, 300, 6),
    (5, 300, 33), (20, 65, 64), (6, 70, 65), (5, 100, 100), (33, 40, 128), (3, 130, 127),
    (2, 784, 10), (4, 265, 10), (12, 133, 40),
]  # fmt: skip


def cases(long=False):
    """`long` adds every number of classes and random shapes."""
    rng = np.random.default_rng(5)
    random = np.stack([rng.integers(1, most, 300) for most in (40, 700, 129)], axis=1).tolist()
    every = [(5, 37, classes) for classes in range(1, 129)]
    for i, shape in enumerate([*SHAPES, *(map(tuple, [*every, *random]) if long else ())]):
        for name, most_blocks in (("few", None), ("many", 0)):
            kind = softmax.KINDS[(i + (most_blocks == 0)) % 3]
            options = {"scale": 1 / shape[0], "most_blocks": most_blocks, "number": i}
            yield case(f"shape {SIZES(shape)} {kind} {name}", *problem(shape, kind), **options)
    for shape in ((1, 1, 1), (9, 33, 10), (6, 130, 33)):
        for name, most_blocks in (("few", None), ("many", 0)):
            x, w, b, labels = problem(shape, "labels", integers)
            yield case(
                f"whole {SIZES(shape)} {name}",
                x / 8,
                w,
                b,
                labels,
                exact=True,
                most_blocks=most_blocks,
            )
    for classes, value in (
        (3, 1e4),
        (10, -1e4),
        (40, 1e30),
        (10, np.inf),
        (40, np.nan),
        (128, 1e4),
    ):
        for where in ("label", "another"):
            z, labels = softmax.logits(5, classes), softmax.integer_labels(5, classes)
            z[2, labels[2] - (0 if where == "label" else 1)] = value
            yield of_logits(f"extreme {value} at {where} of {classes}", z, labels)
    for classes in (3, 10, 40):
        for name, columns in (
            ("the first", [0]),
            ("one", [1]),
            ("all but one", np.r_[1:classes]),
            ("all", np.r_[:classes]),
        ):
            x, w, b, labels = problem((5, 8, classes), "labels")
            b[columns] = -np.inf
            yield case(f"minus infinity in {name} of {classes}", x, w, b, labels)
    for classes in (10, 40, 128):
        z, labels = softmax.tops(classes)
        yield of_logits(f"top of {classes}", z, labels)
        yield of_logits(f"high top of {classes}", *softmax.tops(classes, height=200))
        z, labels, targets = softmax.ties(classes)
        yield of_logits(f"ties of {classes} labels", z, labels)
        yield of_logits(f"ties of {classes} targets", z, targets, most_blocks=0)
    # Each pair in every row of a warp
    z, labels, targets = (
        np.concatenate([a[i:] for i in range(4)])
        for a in softmax.pairs_of(11, range(11), range(11))
    )
    for name, most_blocks in (("few", None), ("many", 0)):
        yield of_logits(f"pairs labels {name}", z, labels, most_blocks=most_blocks)
        yield of_logits(f"pairs targets {name}", z, targets, most_blocks=most_blocks)
    z, targets = softmax.logits(9, 7), 3 * softmax.soft(9, 7)
    targets[4] = 0
    yield of_logits("sums other than one", z, targets)
    for i, (shape, kind) in enumerate(
        zip(((5, 12, 10), (9, 40, 33)), ("labels", "soft"), strict=True)
    ):
        x, w, b, labels = problem(shape, kind)
        weights = softmax.weights_of(shape[0])
        yield case(f"weighted {kind}", x, w, b, labels, weights=weights, most_blocks=(None, 0)[i])
    for kind in ("labels", "soft"):  # a difference that overflows before it is weighted
        labels, weights = softmax.targets_of(kind, 5, 10), softmax.weights_of(5) / 8
        yield of_logits(f"overflow {kind}", softmax.far_apart(5, 10), labels, weights=weights)
    # Derivatives at x_saved, which is x or not, from shared memory or not; and none
    for shape in (*((5, I, 10) for I in range(16, 20)), (6, 520, 12), (18, 260, 7), (7, 36, 100)):
        for most_blocks in (None, 0):
            x, w, b, labels = problem(shape, "labels")
            name = f"{SIZES(shape)} {'few' if most_blocks is None else 'many'}"
            saved = normal(np.random.default_rng(shape), *shape[:2])
            yield case(f"saved {name}", x, w, b, labels, saved=saved, most_blocks=most_blocks)
            yield case(f"plain {name}", x, w, None, labels, f=None, most_blocks=most_blocks)
    for less in ("no dx", "no z and no hit"):
        for name, most_blocks in (("few", None), ("many", 0)):
            options = {"f": None, "most_blocks": most_blocks, less.replace(" ", "_"): True}
            yield case(f"{less} {name}", *problem((6, 12, 10), "labels"), **options)
    for offset_bytes in (4, 8, 12, *({a: 4} for a in ("x", "w", "saved", "dx")), {"w": 8}):
        x, w, b, labels = problem((17, 32, 12), "labels")
        saved = normal(np.random.default_rng(3), *x.shape)
        for name, most_blocks in (("few", None), ("many", 0)):
            yield case(f"offset {offset_bytes} {name}", x, w, b, labels.astype(np.int32),
                       saved=saved, offset_bytes=offset_bytes, most_blocks=most_blocks)  # fmt: skip


def problem(shape, kind, draw=normal):
    """x, w, b and labels or targets; logits of a size where every class has its share."""
    x, w, b = operands(*shape, draw)
    if draw is normal:
        w = (2 * w / np.sqrt(shape[1])).astype(np.float32)
    return x, w, b, softmax.targets_of(kind, shape[0], shape[2])


def of_logits(name, z, labels, **options):
    """Logits by way of a w that is the identity."""
    return case(name, z, np.eye(z.shape[1], dtype=np.float32), None, labels, exact=True, **options)


def case(
    name, x, w, b, labels, *, scale=1.0, weights=None, f="relu", saved=None, no_dx=False,
    no_z_and_no_hit=False, exact=False, offset_bytes=0, most_blocks=None, number=0,
):  # fmt: skip
    """exact: z is known to the bit. saved: for g'; else x. number: every third has no bias."""
    B, I, O = *x.shape, w.shape[1]
    b = None if number % 3 == 2 else b
    inputs = {"x": x, "w": w, "b": b, "labels": labels, "weights": weights, "saved": saved}
    inputs = {name: array for name, array in inputs.items() if array is not None}
    outputs = {"loss": Output((B,)), "dz": Output((B, O))}
    if not no_dx:
        outputs["dx"] = Output((B, I))
    if not no_z_and_no_hit:
        outputs |= {"z": Output((B, O)), "hit": Output((B,), np.uint8)}

    def call(x, w, labels, loss, dz, b=None, weights=None, saved=None, dx=None, z=None, hit=None,
             **options):  # fmt: skip
        kernels.linear_cross_entropy(
            x, w, b, labels, scale=scale, weights=weights, x_activation=f, x_saved=saved,
            need_dx=not no_dx, out=(loss, dz, dx), hit=hit, z_out=z, **options,
        )  # fmt: skip

    def expected(_):
        budget_of = budget(x, w, b, labels, scale, weights, f, saved, exact)
        return {name: budget_of[name] for name in outputs}

    return Case(name, inputs, outputs, call, expected, offset_bytes, most_blocks)


def budget(x, w, b, labels, scale=1.0, weights=None, f=None, saved=None, exact=False):
    """{"z", "loss", "dz", "dx", "hit": (value, bound)}.

    Logits that are each off by at most e ≤ d change softmax by a factor within exp(±2 d), and the
    loss by at most Σ (Σt p exp(2 d) + t) e. To that comes what the loss is off by with exact ones.
    """
    wide = [None if a is None else a.astype(np.float64) for a in (x, w, b)]
    t = labels if labels.ndim == 2 else softmax.one_hot(labels, w.shape[1])
    with np.errstate(invalid="ignore"):
        z, loss, dz, dx, hit = reference.linear_cross_entropy(
            *wide, labels, scale, weights, f, None if saved is None else saved.astype(np.float64)
        )
        (_, error), _ = forward_budget(x, w, b, None)
        error = np.where(np.isfinite(z) & (not exact), error, 0)
        most = np.exp(2 * error.max(axis=1, keepdims=True))
        of_loss = softmax.budget(z, labels, scale, weights)
        p = np.nan_to_num(np.exp(z - z.max(axis=1, keepdims=True)))
        p = t.sum(axis=1, keepdims=True) * p / np.maximum(p.sum(axis=1, keepdims=True), 1)
        factor = np.ones(len(x)) if weights is None else weights.astype(np.float64)
        for_loss = of_loss["loss"][1] * most[:, 0] + factor * ((p * most + t) * error).sum(axis=1)
        for_dz = of_loss["dz"][1] * most + abs(scale) * factor[:, None] * p * (most - 1)
        for_dz = np.nan_to_num(for_dz)
        _, for_dx = _product(dz, w.T, None, for_dz)
        if f is not None:
            _, for_dx = times_derivative(
                f, _product(dz, w.T)[0], for_dx, x if saved is None else saved
            )
    return {
        "z": (z, error),
        "loss": (loss, for_loss),
        "dz": (dz, for_dz),
        "dx": (dx, for_dx),
        "hit": (hit.astype(np.uint8), 0),
    }
