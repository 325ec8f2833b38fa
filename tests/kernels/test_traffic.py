"""What each GPU kernel asks of memory, counted on the emulated device, against its file's head.

Bytes are what the lanes ask for, cached or not, and must be exactly what the formula says. Whole
sectors of 32 bytes may be SECTORS times the fewest that hold those bytes; shared memory may take
WAVEFRONTS times the passes that it would without bank conflicts.
"""

import numpy as np
import pytest

import kernels
from kernels import dispatch
from kernels.device import emulated
from kernels.ops.linear import hopper, tiles

SECTORS = 1.3  # rows of 784 bytes begin within a sector; pairs of columns are stored one by one
WAVEFRONTS = 1.03
M, N, K, n = 128, 192, 96, 4096
FILES = ("gpu.cu", "gpu.py")
SPLIT = 64, 1024, 32  # B, I, O of a linear layer whose forward product gpu.cu splits along K


def array(*shape):
    return emulated.asarray(np.random.default_rng(0).random(shape, dtype=np.float32))


def integers(*shape, dtype=np.int32):
    return emulated.asarray(np.random.default_rng(0).integers(0, K, shape).astype(dtype))


def tiling(file, *product):
    """((rows, columns) of a tile, splits along K) of a product of M × N over K."""
    if file == "gpu.py":
        return (16, 16), 1
    tile, splits = tiles.choose(*product)
    return (tile.m, tile.n), splits


def products(file, rows, columns, inner):
    """Bytes: every column of tiles reads all of the left operand, every row of them all of the
    right one, and each output is written. Of a split product, each split writes whole tiles, and
    one block reads them all; it alone resets the count of those that have arrived."""
    (m, n), splits = tiling(file, rows, columns, inner)
    down, along = dispatch.ceil_div(rows, m), dispatch.ceil_div(columns, n)
    joined = down * along * (2 * splits * m * n + splits + 1) if splits > 1 else 0
    return 4 * (inner * (rows * along + columns * down) + rows * columns + joined)


def packs(rows, columns, sums=False):
    """Bytes that gpu_hopper.cu's packing of an operand reads and writes, panels of 64 × 64."""
    down, along = dispatch.ceil_div(rows, 64), dispatch.ceil_div(columns, 64)
    return 4 * rows * columns + 8192 * down * along + (4 * columns * down if sums else 0)


def of_panels(rows, columns, inner):
    """Bytes and multiply-adds of its product: whole tiles of 128 × 256, over panels of 64."""
    down, along = dispatch.ceil_div(rows, 128), dispatch.ceil_div(columns, 256)
    deep = 64 * dispatch.ceil_div(inner, 64)
    asked = 2 * deep * (128 * down * along + 256 * along * down)
    return asked + 4 * rows * columns, 128 * down * 256 * along * deep


def head(inputs, classes, **variant):
    labels = emulated.asarray(np.arange(M, dtype=np.int32) % classes)
    x, w, b = array(M, inputs), array(inputs, classes), array(classes)
    kernels.linear_cross_entropy(x, w, b, labels, x_activation="relu", **variant)


def head_bytes(inputs, classes, passes=1):
    """4 rows a block, which reads w once a pass, and x as what the derivative reads in the second
    of two; labels and the elements of b, a row's lanes with columns ask for."""
    lanes = dispatch.ceil_div(classes, 4)
    of_w = M // 4 * inputs * classes
    return 4 * ((1 + passes) * M * inputs + passes * of_w + M * (2 * classes + lanes + 1))


ONES = np.ones((9, 784))
SHIFT = ((28, 28), (2, 2), "horizontal", 5, 7)

# op: (call with the variant's keywords, {file: bytes})
linear_bytes = {file: products(file, M, N, K) + 4 * M * N for file in FILES}  # b, for each output
B, I, O = SPLIT
split_bytes = {file: products(file, B, O, I) + 4 * B * O for file in FILES}
backward_bytes = {
    file: products(file, M, K, N) + products(file, K, N, M) + 4 * N for file in FILES
}  # dx; dw and db
hopper_forward = packs(M, K) + packs(K, N) + of_panels(M, N, K)[0] + 4 * M * N  # the bias
hopper_backward = sum(
    (
        packs(M, N, sums=True) + 4 * N * (2 + 1),  # the sums of 2 panels are read, db is written
        packs(K, N) + of_panels(M, K, N)[0] + 4 * M * K,  # what the derivative reads
        packs(M, K) + of_panels(K, N, M)[0],
    )
)
bfloat16 = {"precision": "bfloat16"}
row_bytes = 4 * M * K
label_bytes = {  # each of a row's lanes reads its label and that one's logit; the loss
    file: M * (2 * lanes * 4 + 4) for file, lanes in (("gpu.cu", 16), ("gpu.py", 32))
}
CALLS = {
    "linear": (lambda **v: kernels.linear(array(M, K), array(K, N), array(N), **v), linear_bytes),
    "linear split": (
        lambda **v: kernels.linear(array(B, I), array(I, O), array(O), **v),
        split_bytes,
    ),
    "linear_backward": (
        lambda **v: kernels.linear_backward(array(M, N), array(M, K), array(K, N), **v),
        backward_bytes,
    ),
    "linear panels": (
        lambda **v: kernels.linear(array(M, K), array(K, N), array(N), "relu", **bfloat16, **v),
        {hopper.FILE: hopper_forward},
    ),
    "linear_backward panels": (
        lambda **v: kernels.linear_backward(
            array(M, N), array(M, K), array(K, N), x_activation="relu", **bfloat16, **v
        ),
        {hopper.FILE: hopper_backward},
    ),
    "linear_backward_adam": (  # of w, b and their moments each is read and written, dw is not
        lambda **v: kernels.linear_backward_adam(
            array(M, N),
            array(M, K),
            *(array(K, N) for _ in range(3)),
            3,
            b=array(N),
            m_b=array(N),
            v_b=array(N),
            need_dx=False,
            **v,
        ),
        {"gpu.cu": products("gpu.cu", K, N, M) + 4 * (5 * K * N + 6 * N)},
    ),
    "activation": (
        lambda **v: kernels.activation(array(n), "relu", **v),
        dict.fromkeys(FILES, 8 * n),
    ),
    "activation_backward": (
        lambda **v: kernels.activation_backward(array(n), array(n), "relu", **v),
        dict.fromkeys(FILES, 12 * n),
    ),
    "activation softmax": (
        lambda **v: kernels.activation(array(M, K), "softmax", **v),
        dict.fromkeys(FILES, 4 * row_bytes),  # read three times
    ),
    "softmax_cross_entropy": (
        lambda **v: kernels.softmax_cross_entropy(array(M, K), integers(M), **v),
        {
            "gpu.cu": 2 * row_bytes + label_bytes["gpu.cu"],
            "gpu.py": 4 * row_bytes + label_bytes["gpu.py"],
        },
    ),
    "linear_cross_entropy": (lambda **v: head(128, 10, **v), {"gpu.cu": head_bytes(128, 10)}),
    "linear_cross_entropy wide": (lambda **v: head(N, 96, **v), {"gpu.cu": head_bytes(N, 96, 2)}),
    "adam": (
        lambda **v: kernels.adam(array(n), array(n), array(n), array(n), 3, **v),
        dict.fromkeys(FILES, 28 * n),
    ),
    "random_shift_flip": (  # of ones, what is inside is 1
        lambda **v: kernels.random_shift_flip(array(9, 784), *SHIFT, **v),
        {"gpu.py": 4 * int(9 * 784 + kernels.reference.random_shift_flip(ONES, *SHIFT).sum())},
    ),
    "sgd": (
        lambda **v: kernels.sgd(array(n), array(n), **v),
        {"gpu.cu": 12 * n},
    ),
    "sgd momentum": (
        lambda **v: kernels.sgd(array(n), array(n), array(n), 0.1, 0.9, **v),
        {"gpu.cu": 20 * n},
    ),
    "adagrad": (
        lambda **v: kernels.adagrad(array(n), array(n), array(n), weight_decay=0.1, **v),
        {"gpu.cu": 20 * n},
    ),
    "rmsprop": (
        lambda **v: kernels.rmsprop(array(n), array(n), array(n), weight_decay=0.1, **v),
        {"gpu.cu": 20 * n},
    ),
    "rmsprop centered momentum": (
        lambda **v: kernels.rmsprop(*(array(n) for _ in range(5)), momentum=0.9, **v),
        {"gpu.cu": 36 * n},
    ),
    "adadelta": (
        lambda **v: kernels.adadelta(*(array(n) for _ in range(4)), weight_decay=0.1, **v),
        {"gpu.cu": 28 * n},
    ),
    "moving_average": (
        lambda **v: kernels.moving_average(array(n), array(n), **v),
        {"gpu.cu": 12 * n},
    ),
    "clip_by_value": (
        lambda **v: kernels.clip_by_value(array(n), 0.5, **v),
        {"gpu.py": 8 * n},
    ),
    "clip_by_norm": (
        lambda **v: kernels.clip_by_norm(array(2 * n), 0.5, **v),
        {"gpu.py": 12 * 2 * n + 3 * 2 * 8},  # two blocks write two sums each, and read them all
    ),
    "dropout": (lambda **v: kernels.dropout(array(n), 0.5, 1, 2, **v), {"gpu.py": 8 * n}),
    "dropout_backward": (
        lambda **v: kernels.dropout_backward(
            array(n), 0.5, 1, 2, x_activation="tanh", x_saved=array(n), **v
        ),
        {"gpu.py": 12 * n},
    ),
    "elementwise_loss": (
        lambda **v: kernels.elementwise_loss(array(M, K), array(M, K), "squared_error", **v),
        {"gpu.py": 3 * row_bytes + 4 * M},
    ),
    "root_mean_squared_error": (
        lambda **v: kernels.root_mean_squared_error(array(n, 1), emulated.zeros((n, 1)), **v),
        {"gpu.py": 7 * 4 * n + 4},  # outputs and targets are read three times
    ),
    "root_mean_squared_error wide": (
        lambda **v: kernels.root_mean_squared_error(array(M, K), emulated.zeros((M, K)), **v),
        {"gpu.py": 7 * row_bytes + 4},
    ),
    "gather": (
        lambda **v: kernels.gather(integers(300, 784, dtype=np.uint8), 0, 64, key=5, **v),
        {"gpu.py": 64 * 784 * 5},
    ),
    "gather device start and key": (
        lambda **v: kernels.gather(
            integers(300, 784, dtype=np.uint8),
            emulated.zeros(1, np.int64),
            64,
            key=emulated.zeros(1, np.int64),
            **v,
        ),
        {"gpu.py": 64 * 784 * 5 + 64 * 128 * 16},  # each thread reads both
    ),
}
# A column's arrays are read by each of the 64 threads above each other, and written by one of them.
of_columns = 4 * K * 64
batch_norm = {
    "training": lambda **v: kernels.batch_norm(
        array(M, K), *(array(K) for _ in range(4)), saved_out=array(2, K), **v
    ),
    "inference": lambda **v: kernels.batch_norm(
        array(M, K), *(array(K) for _ in range(4)), training=False, **v
    ),
    "backward": lambda **v: kernels.batch_norm_backward(
        array(M, K), array(M, K), array(K), array(2, K), **v
    ),
}
CALLS |= {
    "batch_norm": (batch_norm["training"], {"gpu.py": 4 * row_bytes + 3 * of_columns + 24 * K}),
    "batch_norm inference": (
        batch_norm["inference"],
        {"gpu.py": 2 * row_bytes + 4 * 2 * of_columns},  # two blocks for 128 rows
    ),
    "batch_norm_backward": (
        batch_norm["backward"],
        {"gpu.py": 5 * row_bytes + 4 * of_columns + 8 * K},
    ),
}
CASES = [(call, file) for call, (_, promised) in CALLS.items() for file in promised]


def counted(call, **keywords):
    run, _ = CALLS[call]
    with emulated.session() as session:
        run(**keywords)
    return session


LAUNCHES = {
    "linear_backward": 2,
    "clip_by_norm": 2,
    "linear panels": 3,  # both operands are packed
    "linear_backward panels": 6,  # all three are, and db is summed
}


@pytest.mark.emulated
@pytest.mark.parametrize("call, file", CASES)
def test_bytes_sectors_and_conflicts(call, file):
    session = counted(call, variant=file)
    total = session.counters.total
    assert session.launches == LAUNCHES.get(call, 1)
    assert total.global_bytes == CALLS[call][1][file]
    assert total.ideal_sectors <= total.sectors <= SECTORS * total.ideal_sectors
    if file == hopper.FILE:  # its products wait on barriers in shared memory: polls, and atomics
        packing = session.kernels["linear_pack"].total
        assert packing.wavefronts <= WAVEFRONTS * packing.ideal_wavefronts
        return
    assert total.wavefronts <= WAVEFRONTS * total.ideal_wavefronts
    splits = tiling(file, B, O, I)[1] if call == "linear split" else 1
    assert total.atomics == (splits if splits > 1 else 0), "one tile: its blocks are counted"


@pytest.mark.emulated
@pytest.mark.parametrize("precision, deep", [("tf32", 8), ("bfloat16", 16), ("float16", 16)])
def test_matrix_instructions(precision, deep):
    """The multiply-adds of the product and no more, 16 × 8 × deep an instruction."""
    total = counted("linear", variant="gpu.cu", precision=precision).counters.total
    assert total.multiply_adds == M * N * K
    assert total.matrix_instructions == M * N * K / (16 * 8 * deep)


@pytest.mark.emulated
def test_matrix_instructions_on_panels():
    """64 × 256 × 16 an instruction, which four warps give together; whole tiles are multiplied."""
    total = counted("linear panels", variant=hopper.FILE).kernels["linear_forward"].total
    _, multiply_adds = of_panels(M, N, K)
    assert total.multiply_adds == multiply_adds
    assert total.matrix_instructions == 4 * multiply_adds / (64 * 256 * 16)


def test_no_file_is_left_out():
    """But for the ladder's rungs, which tests/test_ladder.py counts."""
    listed = {(call.split()[0].removesuffix("_backward"), file) for call, file in CASES}
    there = {(op, file) for op in kernels.battery.ops() for file in dispatch.files(op, "gpu")}
    assert {(op, file) for op, file in there if not dispatch.is_rung(file)} == listed
