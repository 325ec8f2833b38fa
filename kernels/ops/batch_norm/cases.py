"""batch_norm's battery: training, inference and backward over shapes, layouts and values."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery import budgets
from kernels.battery.budgets import TINY, U
from kernels.battery.case import Case, Output
from kernels.battery.numbers import normal

ROWS = [1, 2, 3, 63, 64, 65, 130, 300]  # around a block's rows, a chunk's rows and twice as many
COLUMNS = [1, 7, 8, 9, 19]  # around a block's columns
CENTRES = [(0, 1), (1e4, 1), (-1e6, 1e-1), (0, 1e-12), (3, 1e12)]  # mean and deviation of a column


def cases(long=False):
    """`long` adds every number of rows up to 200."""
    shapes = [(rows, COLUMNS[i % len(COLUMNS)]) for i, rows in enumerate(ROWS)]
    shapes += [(67, columns) for columns in COLUMNS] + [(128, 128)]
    shapes += [(rows, 9) for rows in range(4, 201)] if long else []
    for rows, columns in dict.fromkeys(shapes):
        yield from each(f"shape {rows}×{columns}", rows, columns)
    for mean, deviation in CENTRES:
        yield from each(f"centre {mean:g} ± {deviation:g}", 70, 10, mean, deviation)
    for value in (np.nan, np.inf, -np.inf, 1e6, 1e-42):
        for row in (0, 68):
            yield from each(f"value {value} in row {row}", 70, 10, put=(row, value))
    for left_out in ("gamma", "beta", "z", "gamma beta"):
        for passes in (training, inference):
            yield passes(f"without {left_out}", 70, 10, without=left_out.split())
    for left_out in ("moving", "saved", "gamma beta moving saved z"):
        yield training(f"without {left_out}", 70, 10, without=left_out.split())
    for left_out in ("gamma", "dx", "dgamma", "dbeta", "s", "dgamma dbeta", "dx dgamma"):
        yield backward(f"without {left_out}", 70, 10, without=left_out.split())
    for offset_bytes in (4, 8, 12):
        yield from each(f"offset {offset_bytes}", 66, 12, offset_bytes=offset_bytes)
    for k in range(1, 10):  # rounds of a block's rows, of a loop that is unrolled
        rows = 64 * k + 29
        for left_out in ([], ["z"]):
            yield training(f"rounds {k} without {left_out}", rows, 3, without=left_out)
            name = f"rounds {k} of one block without {left_out}"
            yield inference(name, rows, 3, without=left_out, most_blocks=1)
        for left_out in ([], ["s"]):
            yield backward(f"rounds {k} without {left_out}", rows, 3, without=left_out)


def each(name, *shape, **options):
    for passes in (training, inference, backward):
        yield passes(name, *shape, **options)


def data(rows, columns, mean=0, deviation=1, put=None):
    """{"x", "gamma", "beta", "moving_mean", "moving_variance", "dz", "s"}."""
    rng = np.random.default_rng((rows, columns))
    x = mean + deviation * rng.standard_normal((rows, columns))
    x = x.astype(np.float32)
    x[:, columns // 2] = x[0, columns // 2]  # a column of one value
    if put is not None:
        x[put[0], columns // 3] = put[1]
    parameters = {name: normal(rng, columns) for name in ("gamma", "beta", "moving_mean")}
    parameters["moving_variance"] = normal(rng, columns) ** 2
    dz, s = normal(rng, rows, columns), np.maximum(normal(rng, rows, columns), 0)
    return {"x": x, **parameters, "dz": dz, "s": s}


def training(name, *shape, without=(), offset_bytes=0, **made):
    given = data(*shape, **made)
    x = given["x"]
    inputs = {"x": x} | {n: given[n] for n in ("gamma", "beta") if n not in without}
    outputs = {"y": Output(x.shape)}
    if "z" not in without:
        outputs["z"] = Output(x.shape)
    if "saved" not in without:
        outputs["saved"] = Output((2, x.shape[1]))
    if "moving" not in without:
        moving = ("moving_mean", "moving_variance")
        outputs |= {n: Output(given[n].shape, start=given[n]) for n in moving}

    def call(y, z=None, saved=None, **rest):
        kernels.batch_norm(activation="relu", momentum=0.9, saved_out=saved, z_out=z, out=y, **rest)

    def expected(precision=None):
        budget = training_budget(x, given, inputs)
        return {output: budget[output] for output in outputs}

    return Case(f"{name} training", inputs, outputs, call, expected, offset_bytes)


def inference(name, *shape, without=(), offset_bytes=0, most_blocks=None, **made):
    given = data(*shape, **made)
    names = ("x", "gamma", "beta", "moving_mean", "moving_variance")
    inputs = {n: given[n] for n in names if n not in without}
    outputs = {n: Output(given["x"].shape) for n in ("y", "z") if n not in without}

    def call(y, z=None, **rest):
        kernels.batch_norm(activation="relu", training=False, z_out=z, out=y, **rest)

    def expected(precision=None):
        float64 = {n: a.astype(np.float64) for n, a in inputs.items()}
        with np.errstate(invalid="ignore"):
            _, z, (_, inverse), *_ = reference.batch_norm(**float64, training=False)
            x, mean = float64["x"], float64["moving_mean"]
            scaled = abs(float64.get("gamma", 1) * inverse * (x - mean))
            error = 6 * U * scaled + 2 * U * abs(z) + TINY
            error = np.where(np.isfinite(z), error, 0)
            budget = {"z": (z, error), "y": budgets.through("relu", z, error)}
        return {output: budget[output] for output in outputs}

    return Case(f"{name} inference", inputs, outputs, call, expected, offset_bytes, most_blocks)


def backward(name, *shape, without=(), offset_bytes=0, **made):
    given = data(*shape, **made)
    x, dz = given["x"], given["dz"]
    with np.errstate(invalid="ignore"):
        saved = reference.batch_norm(x.astype(np.float64))[2].astype(np.float32)
    inputs = {"dy": dz, "x": x, "saved": saved, "gamma": given["gamma"], "s": given["s"]}
    inputs = {n: a for n, a in inputs.items() if n not in without}
    shapes = {"dx": x.shape, "dgamma": x.shape[1:], "dbeta": x.shape[1:]}
    outputs = {n: Output(shape) for n, shape in shapes.items() if n not in without}

    def call(dy, x, saved, gamma=None, s=None, dx=None, dgamma=None, dbeta=None, **options):
        kernels.batch_norm_backward(
            dy, x, gamma, saved, x_activation=None if s is None else "relu", x_saved=s,
            need_dx=dx is not None, need_dgamma=dgamma is not None, need_dbeta=dbeta is not None,
            out=(dx, dgamma, dbeta), **options,
        )  # fmt: skip

    def expected(precision=None):
        budget = backward_budget(dz, x, inputs.get("gamma", 1), saved, inputs.get("s"))
        return {output: budget[output] for output in outputs}

    return Case(f"{name} backward", inputs, outputs, call, expected, offset_bytes)


def roundings(rows):
    """Of the longest chain of additions in a column's sum: a thread's rows and its block, or a
    chunk's and those of the chunks."""
    return min(rows, 64) + rows / 64 + 20


def training_budget(x, given, used, momentum=0.9, epsilon=1e-3):
    """{"y", "z", "saved", "moving_mean", "moving_variance": (value, bound)}.

    x − x[0] is rounded once, and the mean of it as a sum is; less the mean it is rounded again. The
    variance is off by twice these errors, weighted, and as a sum is; the mean's own error comes in
    squared. 1 / √(v + ε) takes half of that and three roundings.
    """
    x = x.astype(np.float64)
    gamma, beta = used.get("gamma", 1), used.get("beta", 0)
    moving = [given[n].astype(np.float64) for n in ("moving_mean", "moving_variance")]
    n = roundings(len(x)) * U
    with np.errstate(invalid="ignore"):
        _, z, saved, moved_mean, moved_variance = reference.batch_norm(
            x, gamma, beta, *moving, momentum=momentum, epsilon=epsilon
        )
        offset, inverse = saved
        variance, d = x.var(axis=0), abs(x - x[0])
        c = abs(x - x.mean(axis=0))
        mean_error = n * d.mean(axis=0)
        c_error = U * (d + c) + mean_error
        variance_error = (2 * c * c_error).mean(axis=0) + n * variance + mean_error**2 + TINY
        relative = variance_error / (2 * (variance + epsilon)) + 4 * U
        error = abs(gamma) * inverse * (c_error + c * (relative + 3 * U)) + 2 * U * abs(z) + TINY
        take = 1 - momentum
        mean_part = abs(momentum * moving[0]) + take * (abs(x[0]) + abs(offset))
        variance_part = abs(momentum * moving[1]) + take * variance
        moved_mean = np.where(np.isfinite(x[0]), moved_mean, np.nan)  # ∞ − ∞ in every row
        return {
            "z": (z, error),
            "y": budgets.through("relu", z, error),
            "saved": (saved, np.stack([mean_error + U * abs(offset), inverse * relative])),
            "moving_mean": (moved_mean, take * mean_error + 5 * U * mean_part + TINY),
            "moving_variance": (moved_variance, take * variance_error + 5 * U * variance_part),
        }


def backward_budget(dz, x, gamma, saved, s):
    """{"dx", "dgamma", "dbeta": (value, bound)}: x̂ is rounded four times, sums as sums are."""
    dz, x, saved = (a.astype(np.float64) for a in (dz, x, saved))
    rows, n = len(x), roundings(len(x)) * U
    with np.errstate(invalid="ignore"):
        dx, dgamma, dbeta = reference.batch_norm_backward(dz, x, gamma, saved)
        d, normal = abs(x - x[0]), abs((x - x[0] - saved[0]) * saved[1])
        normal_error = U * (d * saved[1] + 3 * normal) + TINY
        dbeta_error = n * abs(dz).sum(axis=0) + TINY
        dgamma_error = (abs(dz) * normal_error).sum(axis=0) + n * (abs(dz) * normal).sum(axis=0)
        error = (dbeta_error + normal * dgamma_error + normal_error * abs(dgamma)) / rows
        error += 6 * U * (abs(dz) + (abs(dbeta) + normal * abs(dgamma)) / rows)
        error = abs(gamma) * saved[1] * error + 3 * U * abs(dx) + TINY
        of_parameters = {"dgamma": (dgamma, dgamma_error + TINY), "dbeta": (dbeta, dbeta_error)}
        if s is None:
            return of_parameters | {"dx": (dx, error)}
        return of_parameters | {"dx": budgets.times_derivative("relu", dx, error, s)}
