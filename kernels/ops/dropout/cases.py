"""dropout's battery: sizes, layouts, rates, counters and values, forward and backward."""

import numpy as np

import kernels
from kernels import reference
from kernels.battery.budgets import TINY, U, as_float32, times_derivative
from kernels.battery.case import Case, Output
from kernels.battery.numbers import FLAT_SIZES, flat_layouts
from kernels.ops.dropout.reference import words

BEFORE = "tanh"  # the activation whose derivative is folded in; all come by the same door
RATES = [0, 1e-9, 0.1, 0.5, 0.9, 1 - 2.0**-24, 1 - 2.0**-40]
COUNTERS = [  # seed, step, stream
    (0, 0, 0),
    (1, 1, 1),
    (2**32 - 1, 2**31 - 1, 2**31 - 1),
    (2**63 - 1, 1, 0),
    (0x243F6A8885A308D3, 0x13198A2E, 0x03707344),
]


def cases(long=False):
    """`long` adds every size up to 300."""
    for n in dict.fromkeys([*FLAT_SIZES[:-1], *(range(6, 301) if long else ())]):
        yield forward(f"size {n}", n)
        yield backward(f"backward {n}", n)
    for name, n, options in flat_layouts(("x", "y")):
        yield forward(name, n, **options)
    for array in ("dy", "s", "dx"):
        yield backward(f"backward offset of {array}", 2060, offset_bytes={array: 4})
    yield backward("backward stride", 5003, offset_bytes=0, most_blocks=1)
    for rate in RATES:
        yield forward(f"rate {rate}", 1001, rate=rate)
    for i, word in enumerate(words(4, 9, 4, 2)):  # just kept, and just dropped
        for below in (int(word), int(word) + 1):
            for offset_bytes in (0, 4):
                name = f"edge {i} {below} + {offset_bytes} bytes"
                yield forward(name, 4, rate=below / 2**32, offset_bytes=offset_bytes)
    for counters in COUNTERS:
        yield forward(f"counters {counters}", 101, counters=counters)
    yield forward("step on the device", 101, counters=(3, 2**31 - 1, 4), step_on_device=True)
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-40, 1e30, 3.4e38, -3.4e38]
    yield forward("special", np.tile(np.float32(special), 8))


def numbers(n, seed=0):
    """float32 (n,), none of them 0, so that a wrong mask shows."""
    rng = np.random.default_rng((seed, n))
    return rng.uniform(0.5, 2, n).astype(np.float32) * rng.choice(np.float32([-1, 1]), n)


def forward(
    name, x, rate=0.3, counters=(9, 4, 2), step_on_device=False, offset_bytes=0, most_blocks=None
):
    """x: values, or how many."""
    x = numbers(x) if isinstance(x, int) else x
    seed, number, stream = counters
    inputs = {"x": x} | ({"step": np.int32([number])} if step_on_device else {})

    def call(x, y, step=number, **options):
        kernels.dropout(x, rate, seed, step, stream, out=y, **options)

    def expected(_):
        return {"y": budget(x, rate, seed, number, stream)}

    return Case(name, inputs, {"y": Output(x.shape)}, call, expected, offset_bytes, most_blocks)


def budget(x, rate, seed, step, stream):
    """Two roundings, of the scale and of the product, and one more for their second order."""
    with np.errstate(invalid="ignore"):
        y = as_float32(reference.dropout(x.astype(float), rate, seed, step, stream))
    return y, 3 * U * abs(y) + TINY


def backward(name, n, offset_bytes=0, most_blocks=None):
    rate, seed, step, stream = 0.6, 8, 3, 1
    dy = numbers(n)
    s = np.tanh(numbers(n, seed=1))

    def call(dy, s, dx, **options):
        kernels.dropout_backward(
            dy, rate, seed, step, stream, x_activation=BEFORE, x_saved=s, out=dx, **options
        )

    def expected(_):
        return {"dx": times_derivative(BEFORE, *budget(dy, rate, seed, step, stream), s)}

    inputs, outputs = {"dy": dy, "s": s}, {"dx": Output((n,))}
    return Case(name, inputs, outputs, call, expected, offset_bytes, most_blocks)
