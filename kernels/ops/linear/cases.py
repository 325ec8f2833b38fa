"""linear's battery: forward and backward over shapes, layouts and values, with their budgets."""

import contextlib
import dataclasses
import functools
import itertools
import math

import numpy as np

import kernels
from kernels import activations, reference
from kernels.battery import budgets
from kernels.battery.case import Case, Output
from kernels.battery.numbers import (
    REAL_LAYERS,
    integers,
    normal,
    product_shapes,
    residue_shapes,
)
from kernels.ops.linear import PRECISIONS, tiles

OP = "linear"
RANDOM_SHAPES = 8  # in the short battery; 300 in the long one
SIZES = "{0[0]}×{0[1]}×{0[2]}".format
# One of each kind in the short battery: what its derivative reads, or that it has none, or a row
ACTIVATIONS = ("identity", "relu", "tanh", "gelu", "binary_step", "softmax")

# Families of the short battery at float16: but for two instructions it is the code of bfloat16
FLOAT16 = ("scale", "float16")


def cases(long=False):
    """Each as a forward and a backward case; `long` adds large layers and random shapes, and every
    case at every precision."""
    for case in _cases(long):
        left_out = not long and case.family not in FLOAT16
        yield from only([case], but="float16" if left_out else None)


def _cases(long):
    rng = np.random.default_rng(2)
    random = rng.integers(1, 151, (300 if long else RANDOM_SHAPES, 3)).tolist()
    for family, shapes in (
        ("shape", product_shapes(OP, long)),
        ("residue", residue_shapes(OP, long)),
        ("random", random),
    ):
        for shape in map(tuple, shapes):
            pair = both(f"{family} {SIZES(shape)}", shape)
            large = not long and shape == max(REAL_LAYERS, key=math.prod)
            yield from on_emulated("gpu.cu", "float32", pair) if large else pair
    for shape in ((1, 1, 1), (31, 33, 10), (65, 300, 66)):
        yield from both(f"whole {SIZES(shape)}", shape, draw=integers)
    for shape in ((37, 70, 35), (37, 72, 36)):  # stored one by one, and by four
        name = f"whole splits 2 of {SIZES(shape)}"
        yield from both(name, shape, draw=integers, tiling=(tiles.TILES[3], 2))
    for tile, precision in zip(tiles.TILES, itertools.cycle(PRECISIONS), strict=False):
        m, n = tile.m, tile.n
        for splits, shapes in (
            (1, [(m + 1, n - 1, n + 1), (m - 1, m, n)]),
            (2, [(m + 4, 20, n)]),  # of few tiles along K, a part has none
            (3, [(70, m + 1, n + 3), (64, 36, 96)]),
        ):
            for shape in shapes:
                name = f"tile {m}×{n} splits {splits} of {SIZES(shape)}"
                pair = both(name, shape, tiling=(tile, splits))
                yield from only(pair, file="gpu.cu", precision=None if long else precision)
    # An operand's last row among those of each 16-byte copy, the first ones and those in the loop,
    # and the result's of each 16-byte store
    few = ((4, 24, 20), (12, 40, 36), (20, 24, 52), (28, 56, 20), (40, 24, 36), (56, 40, 20))
    many = (
        (76, 100, 108),
        (84, 124, 116),
        (100, 108, 116),
        (108, 116, 124),
        (116, 124, 100),
        (124, 100, 108),
    )
    for splits, shapes in ((1, few + many), (2, few)):
        for shape in shapes:
            name = f"rows splits {splits} of {SIZES(shape)}"
            pair = both(name, shape, tiling=(tiles.TILES[3], splits))
            yield from only(pair, file="gpu.cu")
    for f in activations.names() if long else ACTIVATIONS:
        pair = both(f"activation {f}", (19, 33, 10), f)
        yield from only(pair, precision=None if long or f == "relu" else "float32")
    for offset_bytes in (4, 8, 12):
        yield from both(f"offset {offset_bytes}", (17, 32, 12), offset_bytes=offset_bytes)
    # An edge of the output at each of a lane's rows and columns, in every epilogue
    edges = [(25, n) for n in (1, 2, 9, 10, 17, 18, 25, 26)] + [(m, 32) for m in (1, 9, 17, 25)]
    for m, n in edges:
        for f in ("relu", None):  # with a derivative in the epilogue, and without
            yield backward(f"edge of dx {f} {m}×{n}", (m, n, 5), f)
        yield backward(f"edge of dw {m}×{n}", (5, m, n), "relu", bias=False)
    for bias, keep in ((True, True), (False, True), (True, False), (False, False)):
        for shape in (*((m, 5, n) for m, n in edges), (65, 33, 71), (63, 5, 129), (130, 40, 62)):
            name = f"epilogue bias={bias} z={keep} of {SIZES(shape)}"
            yield forward(name, shape, "relu", bias=bias, keep=keep)
    yield backward("no db", (65, 66, 67), "relu", bias=False)
    for make, arrays in ((forward, "x w b z y"), (backward, "dy x w dx dw")):
        for array in arrays.split():
            yield make(f"offset 4 of {array} alone", (17, 32, 12), "relu", offset_bytes={array: 4})
    for value in (np.nan, np.inf, -np.inf):
        for f in (None, "relu", "tanh"):
            pair = both(f"value {value} {f}", (19, 33, 10), f, put=value)
            yield from only(pair, precision="float32" if f == "tanh" and not long else None)
    # The last three: beyond float16's range, its denormals, and the least of them
    for scale in (1e30, 1e-40, 3e4, 2**-20, 2**-24):
        yield from both(f"scale {scale}", (19, 33, 10), None, scale=np.float32(scale))
    for value in (65504, 65519, 65520, -65520):  # its largest; rounded down to that; to infinity
        yield from both(f"float16 {value}", (19, 33, 10), None, put=np.float32(value))


def both(name, shape, f="relu", **options):
    yield forward(name, shape, f, **options)
    if f != "binary_step":  # it has no derivative
        yield backward(name, shape, f, **options)


def only(battery, file=None, precision=None, but=None):
    """The cases for that file and, of one that knows several, that precision alone, None standing
    for any; and not for the precision `but`.

    Every precision, tile and activation is compiled code of its own, which takes seconds on the
    emulated device; so the short battery has not every combination.
    """

    def concerns(before, variant):
        return (
            before(variant)
            and file in (None, variant.file)
            and (precision is None or variant.precision in (None, precision))
            and (but is None or variant.precision != but)
        )

    for case in battery:
        yield dataclasses.replace(case, concerns=functools.partial(concerns, case.concerns))


def on_emulated(file, precision, battery):
    """The cases, on the emulated device, where they take seconds, for that variant alone."""

    def concerns(before, variant):
        elsewhere = variant.device != "emulated"
        return before(variant) and (elsewhere or (variant.file, variant.precision) == wanted)

    wanted = file, precision
    for case in battery:
        yield dataclasses.replace(case, concerns=functools.partial(concerns, case.concerns))


def operands(B, I, O, draw=normal):
    """x, w, b."""
    rng = np.random.default_rng((B, I, O))
    return draw(rng, B, I), draw(rng, I, O), draw(rng, O)


def gradients(B, I, O, draw=normal):
    """dy, x, w."""
    rng = np.random.default_rng((B, I, O, 1))
    return draw(rng, B, O), draw(rng, B, I), draw(rng, I, O)


def forward(
    name, shape, f, draw=normal, offset_bytes=0, put=None, scale=None, bias=True, keep=True,
    tiling=None,
):  # fmt: skip
    """z and y = f(z). put: a value for one element of x; scale: of all of x. bias: there is one;
    keep: z is asked for. tiling: gpu.cu's (tile, splits), in place of its choice."""
    x, w, b = operands(*shape, draw)
    x, b = _spoiled(x, put, scale), b if scale is None else np.zeros_like(b)
    y = Output((shape[0], shape[2]))
    inputs, outputs = {"x": x, "w": w}, {"y": y}
    if bias:
        inputs["b"] = b
    if keep:
        outputs["z"] = y

    def call(x, w, y, b=None, z=None, **options):
        with tiled(tiling):
            kernels.linear(x, w, b, f, z_out=z, out=y, **options)

    def expected(precision):
        for_z, for_y = forward_budget(x, w, inputs.get("b"), f, precision)
        if draw is integers:
            for_z, for_y = (for_z[0], 0), (for_y[0], 0)
        return {"z": for_z, "y": for_y} if keep else {"y": for_y}

    return Case(f"{name} forward", inputs, outputs, call, expected, offset_bytes)


def backward(
    name, shape, f, draw=normal, offset_bytes=0, put=None, scale=None, bias=True, tiling=None
):
    """dx, dw and, with a bias, db; the derivative of f, the activation of the layer before, is in
    dx, and x is that layer's output, or its input where the derivative reads that. put, scale: of
    dy."""
    dy, x, w = gradients(*shape, draw)
    dy = _spoiled(dy, put, scale)
    if draw is not integers:
        x = reference.activation(x, f).astype(np.float32)
    B, I, O = shape

    def call(dy, x, w, dx, dw, db=None, **options):
        with tiled(tiling):
            kernels.linear_backward(
                dy, x, w, x_activation=f, bias=bias, out=(dx, dw, db), **options
            )

    def expected(precision):
        budget = backward_budget(dy, x, w, precision, x_activation=f)
        if draw is integers:
            budget = [(value, 0) for value, _ in budget]
        return dict(zip(outputs, budget, strict=False))

    outputs = {"dx": Output((B, I)), "dw": Output((I, O))} | ({"db": Output((O,))} if bias else {})
    inputs = {"dy": dy, "x": x, "w": w}
    return Case(f"{name} backward", inputs, outputs, call, expected, offset_bytes)


def tiled(tiling):
    """tiles.forced, or nothing."""
    return tiles.forced(*tiling) if tiling else contextlib.nullcontext()


def _spoiled(a, put, scale):
    if scale is not None:
        a = a * scale
    if put is not None:
        a[a.shape[0] // 2, a.shape[1] // 2] = put
    return a


def forward_budget(x, w, b, f, precision=None):
    """(value, bound) of z and of y. A row with a NaN or an infinity has no budget of its own."""
    z, z_bound = _product(x, w, precision)
    if b is not None:
        with np.errstate(invalid="ignore"):
            z, z_bound = z + b, np.where(np.isfinite(z), budgets.plus(z, z_bound, b)[1], 0)
    with np.errstate(invalid="ignore"):
        return (z, z_bound), budgets.through(f, z, z_bound)


def backward_budget(dy, x, w, precision=None, dz_error=None, x_activation=None, x_saved=None):
    """(value, bound) of dx, dw and db from dz = dy, known to ± dz_error."""
    dx = _product(dy, w.T, precision, dz_error)
    if x_activation is not None:
        with np.errstate(invalid="ignore"):
            dx = budgets.times_derivative(x_activation, *dx, x if x_saved is None else x_saved)
    dw, dw_bound = _product(dy.T, x, precision, None if dz_error is None else dz_error.T)
    db, db_bound = _product(np.ones((1, len(dy)), np.float32), dy)
    if dz_error is not None:
        db_bound = db_bound + dz_error.sum(axis=0)
    return dx, (dw.T, dw_bound.T), (db[0], db_bound[0])


def _product(a, b, precision=None, a_error=None):
    """budgets.product; the bound is that of the finite numbers, denormals flushed or not."""
    with np.errstate(invalid="ignore"):
        value, _ = budgets.product(a, b, precision, a_error)
        finite = [np.where(np.isfinite(m), m, 0) for m in (a, b)]
        _, bound = budgets.product(*finite, precision, a_error)
        tiny = [np.where(abs(m) < budgets.TINY, abs(m), 0) for m in finite]
        flushed = tiny[0] @ abs(finite[1]) + abs(finite[0]) @ tiny[1]
    return value, bound + 1.01 * flushed
