"""gpu_hopper.cu: when it is chosen, where it is refused, and what it launches. Its numbers are
judged by test_battery.py, over kernels/ops/linear/hopper_cases.py."""

import numpy as np
import pytest

import kernels
from kernels import activations, battery
from kernels.battery import Variant
from kernels.device import DeviceError, architecture, capture, emulated
from kernels.ops.linear import PRECISIONS, _pick, cases, hopper
from tests import harness

FILE = hopper.FILE
HERE = Variant("linear", "emulated", FILE, "bfloat16")


def arrays():
    """x, w, b, dy: small ones of the emulated device."""
    dy, *_ = cases.gradients(70, 33, 12)
    return [emulated.asarray(a) for a in (*cases.operands(70, 33, 12), dy)]


def ours(x, w, b, dy, **options):
    """A forward and a backward call of the variant."""
    options = {"variant": FILE, "precision": "bfloat16"} | options
    y = kernels.linear(x, w, b, "relu", **options)
    return y, *kernels.linear_backward(dy, x, w, x_activation="relu", **options)


# The choice


def forward(B, I, O):
    return {"linear_forward": (B, O, I)}, (B * I, I * O)


def backward(B, I, O):
    products = {"linear_backward_dw": (I, O, B), "linear_backward_dx": (B, I, O)}
    return products, (B * O, B * I, I * O)


@pytest.mark.parametrize(
    ("layer", "forward_saves", "backward_saves"),
    [
        ((128, 784, 128), False, False),
        ((2048, 512, 512), False, False),
        ((8192, 512, 512), False, True),  # a packed dz serves two products
        ((8192, 4096, 4096), True, True),
        ((512, 4096, 4096), False, True),  # packing w costs too much for 64 tiles
        ((65536, 512, 10), False, False),  # 246 of 256 columns would be idle
    ],
)
def test_where_it_has_less_to_move(layer, forward_saves, backward_saves):
    assert hopper.saves("emulated", "bfloat16", *forward(*layer)) == forward_saves
    assert hopper.saves("emulated", "bfloat16", *backward(*layer)) == backward_saves


@pytest.mark.parametrize("arch", ["sm_80", "sm_89", "sm_90", "sm_100", "sm_120"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_chosen_on_hopper_in_bfloat16_alone(arch, precision):
    large = forward(8192, 4096, 4096)
    with emulated.session(arch=arch):
        assert architecture("emulated") == arch
        chosen = _pick("emulated", None, precision, *large)
        assert chosen == (FILE if (arch, precision) == ("sm_90", "bfloat16") else "gpu.cu")
        assert _pick("emulated", "gpu.cu", precision, *large) == "gpu.cu"
        assert _pick("emulated", FILE, precision, *forward(1, 1, 1)) == FILE
    assert _pick("cpu", None, precision, *large) == "cpu.py"


@pytest.mark.emulated
def test_what_is_chosen_is_launched(monkeypatch):
    monkeypatch.setattr(hopper, "cost", lambda *product: -np.inf)
    with emulated.session() as session:
        ours(*arrays(), variant=None)
    assert list(session.kernels) == [
        "linear_pack",
        "linear_forward",
        "linear_backward_dx",
        "linear_backward_dw",
        "linear_sum",
    ]
    assert session.launches == 3 + 6


def test_the_cost_by_hand():
    for entry in ("linear_forward", "linear_backward_dx"):
        assert hopper.cost(entry, 128, 256, 640) == 384 * 320
        assert hopper.cost(entry, 128 * 132, 256, 640) == 384 * 320
        assert hopper.cost(entry, 128 * 132 + 1, 256, 640) == 2 * 384 * 320
    joined = hopper.LAUNCH + (2 * 4 + 1) * 100 * 200 / 132  # 4 parts written and read; dw
    assert hopper.cost("linear_backward_dw", 100, 200, 1024) == 384 * 512 / 4 + joined
    assert hopper.pack_cost(132 * 1000) == hopper.LAUNCH + 2 * 1.5 * 1000


@pytest.mark.parametrize(
    ("product", "splits"),
    [
        ((1, 1, 64), 1),
        ((1, 1, 511), 2),  # 8 panels, 4 a part
        ((784, 512, 8192), 9),  # 14 tiles on 132 multiprocessors
        ((1, 1, 10**6), hopper.SPLITS),
        ((4096, 4096, 8192), 1),
    ],
)
def test_splits(product, splits):
    assert hopper.splits_of("linear_backward_dw", *product) == splits
    assert hopper.splits_of("linear_forward", *product) == 1
    assert hopper.splits_of("linear_backward_dx", *product) == 1


# What is refused


@pytest.mark.parametrize("arch", ["sm_80", "sm_100"])
def test_forced_on_another_card_it_is_refused(arch):
    refused = (
        rf"^variant 'gpu_hopper\.cu' is written for sm_90a alone; got a card of {arch}\. Leave"
    )
    with emulated.session(arch=arch):
        x, w, _, dy = arrays()
        options = {"variant": FILE, "precision": "bfloat16"}
        with pytest.raises(ValueError, match=refused):
            kernels.linear(x, w, **options)
        with pytest.raises(ValueError, match=refused):
            kernels.linear_backward(dy, x, w, **options)
    expected = rf"^kernels/ops/linear/gpu_hopper\.cu is written for sm_90a alone; got {arch}\. Pass"
    unit = next(unit for unit in harness.gpu_units() if unit.file == FILE)
    for compiled in (unit.ptx, unit.cubin, unit.assembled):
        with pytest.raises(DeviceError, match=expected):
            compiled(arch)
    with emulated.session(arch=arch):
        assert HERE.why_not == f"{FILE} is written for sm_90a alone; got {arch}"
        with pytest.raises(DeviceError, match="written for sm_90a alone"):
            kernels.check("linear", variant=FILE)
    assert HERE.why_not == ""


def test_it_is_compiled_for_its_own_architecture():
    archs = [arch for unit, arch in harness.compiled() if unit.file == FILE]
    assert archs == ["sm_90"]
    unit = next(unit for unit in harness.gpu_units() if unit.file == FILE)
    assert unit.target("sm_90") == unit.target("sm_90a") == "sm_90a"


@pytest.mark.parametrize("precision", ["float32", "tf32"])
def test_another_precision_is_refused(precision):
    with pytest.raises(ValueError, match=rf"computes in bfloat16 only; got .* '{precision}'"):
        ours(*arrays(), precision=precision)


def test_sizes_that_int32_cannot_hold_are_refused():
    most = 2**31 - 257
    assert hopper._sizes(most, 1, 1) == (most, 1, 1)
    with pytest.raises(ValueError, match=f"got sizes 1, {most + 1}, 1; expected at most {most}"):
        hopper._sizes(1, most + 1, 1)


# Runs


@pytest.mark.emulated
def test_a_graph_gives_the_same_bits():
    given = arrays()
    eager = ours(*given)
    with capture("emulated") as graph:
        recorded = ours(*given)
    assert graph.launches == 3 + 6
    graph.replay()
    for got, want in zip(recorded, eager, strict=True):
        harness.same_bits(got, want)


@pytest.mark.emulated
def test_without_dx_nothing_of_it_is_packed():
    x, w, _, dy = arrays()
    with emulated.session() as session:
        dx, _, db = kernels.linear_backward(
            dy, x, w, need_dx=False, bias=False, variant=FILE, precision="bfloat16"
        )
    assert dx is db is None and session.launches == 3  # dz, x; dw
    assert "linear_backward_dx" not in session.kernels


@pytest.mark.sweep
@pytest.mark.emulated
def test_a_rowwise_activation():
    """softmax is no epilogue: it follows as a launch of its own, forward and backward."""
    for case in cases.both("softmax", (19, 33, 10), "softmax"):
        assert case.check(HERE) <= 1


def test_its_battery_is_short_and_the_long_one_holds_it():
    short, long = ({c.name for c in battery.cases("linear", n, FILE)} for n in (False, True))
    assert short < long
    assert len(short) < 50
    of_every_file = {case.name for case in battery.cases("linear")}
    assert not of_every_file & {name for name in short if "walk" in name}
    for f in activations.names():
        assert any(name.startswith(f"activation {f} ") for name in long)


@pytest.mark.emulated
def test_dx_alone():
    x, w, _, dy = arrays()
    options = {"variant": FILE, "precision": "bfloat16", "x_activation": "relu"}
    want, *_ = kernels.linear_backward(dy, x, w, **options)
    with emulated.session() as session:
        got, dw, db = kernels.linear_backward(dy, x, w, need_dw=False, **options)
    harness.same_bits(got, want)
    assert dw is None and db is None
    launches = {name: counters.launches for name, counters in session.kernels.items()}
    assert launches == {"linear_pack": 2, "linear_backward_dx": 1}
