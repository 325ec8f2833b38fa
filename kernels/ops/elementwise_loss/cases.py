"""elementwise_loss's battery: every loss over rows, outputs, weights and extreme values."""

import numpy as np

import kernels
from kernels import losses, reference
from kernels.battery.budgets import TINY, U, as_float32
from kernels.battery.case import Case, Output

ROWS = [1, 3, 8, 131, 257]
COLUMNS = [1, 2, 3, 4, 5, 10, 31, 32, 33, 100]  # lanes double with them, up to a warp
WIDE = [65, 97, 129, 161, 193, 225, 257]  # a lane's rounds: of an unrolled loop, every remainder


def cases(long=False):
    """`long` adds every number of outputs up to 130."""
    for loss in losses.names():
        for cols in dict.fromkeys([*COLUMNS, *(range(6, 131) if long else ())]):
            for rows in ROWS:
                for weighted in (False, True):
                    name = f"shape {rows}×{cols} {loss}{' weighted' if weighted else ''}"
                    yield case(name, loss, *data(loss, rows, cols), 1 / rows, weighted)
        for cols in (*COLUMNS, *WIDE):
            z, t = data(loss, 9, cols)
            yield case(f"alone 9×{cols} {loss}", loss, z, t, weighted=True, loss_alone=True)
        for cols in WIDE:
            yield case(f"wide 9×{cols} {loss}", loss, *data(loss, 9, cols), 1 / 9, True)
        if losses.get(loss).right:
            for cols in (3, 40, 129, 257):
                yield case(f"one wrong of {cols} {loss}", loss, *one_wrong(loss, cols))
        for cols in (1, 3, 40):
            for value in (1e4, -1e4, 1e30, -1e30, 1e-42, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan):
                z, t = data(loss, 5, cols)
                z[2, cols // 2] = value
                yield case(f"extreme {value} of {cols} {loss}", loss, z, t)
        for cols in (3, 40):  # a sum that overflows, or of squares each; the first has no weight
            z, t = data(loss, 5, cols)
            z = np.sign(z) * np.float32(1e25 if loss == "squared_error" else 3e38)
            yield case(f"overflow of {cols} {loss}", loss, z, t, weighted=True)
        z, t = data(loss, 40, 3)
        yield case(f"equal {loss}", loss, t.copy(), t)
        for offset_bytes in (4, 8, 12):
            name = f"offset {offset_bytes} {loss}"
            yield case(name, loss, *data(loss, 9, 7), weighted=True, offset_bytes=offset_bytes)
    z, t = data("binary_crossentropy", 30, 5)
    soft = np.random.default_rng(3).random(t.shape, np.float32)
    yield case("soft targets", "binary_crossentropy", z, soft)


def data(loss, rows, cols):
    """z, and targets as the loss takes them."""
    rng = np.random.default_rng((0, rows, cols))
    z, t = 2 * rng.standard_normal((2, rows, cols), dtype=np.float32)
    yes = (rng.random((rows, 1)) < 0.7) ^ (z <= 0)  # so that whole rows are right, and others not
    if loss == "binary_crossentropy":
        t = yes.astype(np.float32)
    if loss == "hinge":
        t = np.where(yes, np.float32(1), np.float32(-1))
    return z, t


def one_wrong(loss, cols):
    """z and t: a row without a mistake, and rows with one, at every place."""
    z, t = data(loss, cols + 1, cols)
    z = np.where(t > 0, abs(z), -abs(z))
    z[range(cols), range(cols)] *= -1
    return z, t


def weights_of(rows):
    w = np.random.default_rng((1, rows)).random(rows, np.float32)
    w[0] = 0
    return w


def case(name, loss, z, t, scale=1.0, weighted=False, offset_bytes=0, loss_alone=False):
    """loss_alone: neither dz nor hit is asked for."""
    inputs = {"z": z, "t": t} | ({"weights": weights_of(len(z))} if weighted else {})
    outputs = {"loss_of": Output((len(z),))} | ({} if loss_alone else {"dz": Output(z.shape)})
    if losses.get(loss).right and not loss_alone:
        outputs["hit"] = Output((len(z),), np.uint8)

    def call(z, t, loss_of, dz=False, hit=None, weights=None, **options):
        kernels.elementwise_loss(
            z, t, loss, scale=scale, weights=weights, out=(loss_of, dz), hit=hit, **options
        )

    def expected(_):
        bounded = budget(loss, z, t, scale, inputs.get("weights"))
        return dict(zip(outputs, bounded, strict=False))

    return Case(name, inputs, outputs, call, expected, offset_bytes)


def budget(loss, z, t, scale=1.0, weights=None):
    """[(value, bound)] of loss, dz and, where there is one, hit.

    ℓ and its derivative are chains of at most four calls of 2 units in the last place each, so 16 u
    of themselves, or of the two terms that the derivative of binary_crossentropy is the difference
    of. C values of one sign are summed and multiplied by a rounded share of two factors.
    """
    z, t = z.astype(np.float64), t.astype(np.float64)
    weights = None if weights is None else weights.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        value, dz, hit = reference.elementwise_loss(z, t, loss, scale, weights)
        size = abs(dz)
        if loss == "binary_crossentropy":
            share = abs(scale) * (np.ones(len(z)) if weights is None else weights) / z.shape[1]
            doubt = np.exp(-np.logaddexp(0, abs(z)))
            size = share[:, None] * (np.where(z > 0, 1 - t, t) + doubt)
        value, dz = as_float32(value), as_float32(dz)
        bounded = [
            (value, U * (z.shape[1] + 20) * value + z.shape[1] * TINY),
            (dz, U * 20 * size + TINY),
        ]
    return bounded if hit is None else [*bounded, (hit.astype(np.uint8), 0)]
