"""linear_backward_adam's battery: shapes, tiles, alignments, hyperparameters and values.

dw has linear's budget, and adam's is that of a gradient known so well.
"""

import numpy as np

import kernels
from kernels.battery.case import Case, Output
from kernels.battery.numbers import product_shapes
from kernels.ops.adam.cases import budget, exact
from kernels.ops.linear import tiles
from kernels.ops.linear.cases import SIZES, backward_budget, gradients, only, tiled

EDGES = (2, 9, 18, 25)  # an edge of the output at each of a lane's columns
SHAPES = [(1, 1, 1), (2, 1, 3), (13, 7, 11), (33, 31, 17), (65, 64, 63), (128, 130, 10)]
SHAPES += [(5, 25, n) for n in EDGES]
SHAPES += [(197, 66, 12), (230, 35, 11)]  # many tiles along K, copied by 16 bytes and by 4
WIDE, NARROW = tiles.TILES[3], tiles.NARROW  # 64 × 32 and 64 × 16
LAYERS = (128, 784, 128), (128, 128, 10)


def cases(long=False):
    """`long` adds every tile, every size around them, and random shapes, and has every case at
    every precision."""
    for one_case in _cases(long):
        left_out = not long and one_case.family != "shape"  # as in linear's
        yield from only([one_case], but="float16" if left_out else None)


def _cases(long):
    shape = (17, 33, 12)  # the narrow tile's; it comes first, for what runs the first family alone
    for step in (1, 2, 10**6):
        for beta1, beta2 in ((0.9, 0.999), (0.0, 0.0), (0.99, 0.99999)):
            name = f"rule betas {beta1}, {beta2} at step {step}"
            yield case(name, shape, step=step, beta1=beta1, beta2=beta2)
    for options in ({"eps": 0.1}, {"eps": 1e-3, "lr": 0.5}, {"lr": 0.0}):
        yield case(f"rule {options}", shape, **options)
    for on_device in (False, True):
        for weight_decay in (0.0, 0.004, 10.0):
            name = f"rule decay {weight_decay}" + (" and device step" if on_device else "")
            yield case(name, shape, lr=0.05, weight_decay=weight_decay, on_device=on_device)
    for offset_bytes in (4, 8, 12, *({a: 4} for a in ("x", "dz", *"wmv")), {"w": 8}):
        options = {"lr": 0.05, "weight_decay": 10.0, "offset_bytes": offset_bytes}
        yield case(f"offset {offset_bytes}", shape, **options)
    for value in (np.nan, np.inf, -np.inf, 1e17):  # v holds dw²
        yield case(f"value {value}", shape, put=value)
    random = np.random.default_rng(6).integers(1, 151, (100, 3)).tolist() if long else []
    sizes = [*product_shapes("linear", long), *map(tuple, random)] if long else LAYERS
    for shape in dict.fromkeys((*SHAPES, *sizes)):
        of_shape = [case(f"shape {SIZES(shape)}", shape)]
        if shape[2] in EDGES:
            of_shape.append(case(f"shape {SIZES(shape)} without a bias", shape, bias=False))
        wide = shape[2] > NARROW.n and not long
        yield from only(of_shape, precision="float32" if wide else None)
    some = {WIDE: "float32", NARROW: None}  # the other cases have that one compiled already
    for tile, precision in (dict.fromkeys(tiles.TILES) if long else some).items():
        m, n = tile.m, tile.n
        for splits, shapes in (
            (1, [(m + 1, n - 1, n + 1), (m - 1, m, n)]),
            (2, [(m + 4, 100, n), (m + 4, 37, n + 1)]),
            (3, [(70, m + 1, n + 4)]),  # of few tiles along K, a part has none
        ):
            for i, shape in enumerate(shapes):
                name = f"tile {m}×{n} splits {splits} of {SIZES(shape)}"
                tiled = case(
                    name, shape, tiling=(tile, splits), bias=i == 0, lr=0.05, weight_decay=10.0
                )
                yield from only([tiled], file="gpu.cu", precision=precision)
    # An operand's last row among those of each 16-byte copy, the first ones and those in the loop
    for B in range(4, 64, 8):
        yield case(f"rows {B}", (B, 24, 12), lr=0.05)
    with_dx = case("dx of 17×33×20", (17, 33, 20), f="relu", need_dx=True)
    yield from only([with_dx], precision=None if long else "float32")


def problem(B, I, O):
    """dz, x, w, b as in linear, and moments (I, O), (I, O), (O,), (O,) as after some steps."""
    dz, x, w = gradients(B, I, O)
    rng = np.random.default_rng((B, I, O, 2))
    b, m, m_b = (rng.standard_normal(s, dtype=np.float32) for s in (O, (I, O), O))
    v, v_b = (rng.standard_normal(s, dtype=np.float32) ** 2 for s in ((I, O), O))
    return {"dz": dz, "x": x, "w": w, "m": m, "v": v, "b": b, "m_b": m_b, "v_b": v_b}


def case(
    name, shape, *, step=7, lr=1e-3, bias=True, f=None, need_dx=False, on_device=False, put=None,
    tiling=None, offset_bytes=0, **options,
):  # fmt: skip
    """f: the activation of the layer before. on_device: step and lr lie there. put: a value for one
    element of dz. tiling: gpu.cu's (tile, splits), in place of its choice."""
    B, I, O = shape
    given = problem(B, I, O)
    if put is not None:
        given["dz"][B // 2, O // 2] = put
    inputs = {name: given[name] for name in ("dz", "x")}
    written = ("w", "m", "v", "b", "m_b", "v_b") if bias else ("w", "m", "v")
    outputs = {name: Output(given[name].shape, start=given[name]) for name in written}
    if need_dx:
        outputs["dx"] = Output((B, I))
    if on_device:
        inputs |= {"step": np.array([step], np.int32), "lr": np.array([lr], np.float32)}

    def call(step=step, lr=lr, dx=None, **arguments):
        with tiled(tiling):
            kernels.linear_backward_adam(
                step=step, lr=lr, x_activation=f, need_dx=need_dx, out=dx, **options, **arguments
            )

    def expected(precision=None):
        dz, x, w = (given[name] for name in ("dz", "x", "w"))
        dx, dw, db = backward_budget(dz, x, w, precision, x_activation=f)
        budget_of = {"dx": dx} if need_dx else {}
        for names, g in ((written[:3], dw), (written[3:], db)):
            if names:
                p, m, v = exact(*(given[name] for name in names))
                after = budget([p, g, m, v], step, lr, **options)
                budget_of |= dict(zip(names, after, strict=True))
        return budget_of

    return Case(name, inputs, outputs, call, expected, offset_bytes)
