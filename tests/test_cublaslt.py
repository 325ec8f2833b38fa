"""bench/peers/cublaslt.py against a model of cuBLASLt in NumPy, written from its documentation:
descriptors by their attributes' numbers, matrices in column order in raw memory, epilogues."""

import ctypes
import importlib
import itertools
import struct
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from bench import peers
from kernels import reference

SUCCESS, NOT_SUPPORTED = 0, 15
TIMES = {9: 3.0, 7: 1.0, 1: 0.5, 8: 2.0}
"""Of each algorithm in the model; 1 is offered with a status that says it is of no use."""
FASTEST = 7


class Array(np.ndarray):
    """A NumPy array with the address that CuPy's has."""

    @property
    def data(self):
        return SimpleNamespace(ptr=self.ctypes.data)


def array(a):
    return np.ascontiguousarray(a).view(Array)


class Model:
    """cublasLt<Name>(…) of the C library; handles are numbers. lacks: epilogues without an
    algorithm. launches: (epilogue, algorithm) of every product."""

    def __init__(self, lacks=()):
        self.objects, self.lacks, self.launches = {}, lacks, []
        self.numbers = itertools.count(1)

    def new(self, reference, what):
        reference._obj.value = next(self.numbers)
        self.objects[reference._obj.value] = what
        return SUCCESS

    def cublasLtCreate(self, handle):
        return self.new(handle, "handle")

    def cublasLtMatmulDescCreate(self, descriptor, compute, scale):
        assert scale == 0
        return self.new(descriptor, {"compute": compute, 3: 0, 4: 0, 7: 1})

    def cublasLtMatmulDescSetAttribute(self, descriptor, attribute, value, size):
        sizes = {3: 4, 4: 4, 7: 4, 8: 8, 11: 8, 12: 8}
        assert size.value == sizes[attribute] == ctypes.sizeof(value._obj)
        self.objects[descriptor.value][attribute] = value._obj.value
        return SUCCESS

    def cublasLtMatrixLayoutCreate(self, layout, kind, rows, columns, pitch):
        assert kind == 0 and pitch.value >= rows.value
        return self.new(layout, (rows.value, columns.value, pitch.value))

    def cublasLtMatmulPreferenceCreate(self, preference):
        return self.new(preference, {})

    def cublasLtMatmulPreferenceSetAttribute(self, preference, attribute, value, size):
        assert size.value == 8
        self.objects[preference.value][attribute] = value._obj.value
        return SUCCESS

    def cublasLtMatmulPreferenceDestroy(self, preference):
        del self.objects[preference.value]
        return SUCCESS

    def cublasLtMatmulAlgoGetHeuristic(
        self, handle, descriptor, a, b, c, d, preference, asked, heuristics, count
    ):
        assert self.objects[handle.value] == "handle"
        assert self.objects[preference.value] == {1: 32 << 20}
        if self.objects[descriptor.value][7] in self.lacks:
            return NOT_SUPPORTED
        offered = [(number, NOT_SUPPORTED if number == 1 else SUCCESS) for number in TIMES]
        assert asked >= len(offered)
        raw = b"".join(
            struct.pack("<8QQif4i", number, *[0] * 7, 4096, status, 1.0, *[0] * 4)
            for number, status in offered
        )
        ctypes.memmove(heuristics, raw, len(raw))
        count._obj.value = len(offered)
        return SUCCESS

    def cublasLtMatmul(
        self, handle, descriptor, alpha, a, a_layout, b, b_layout, beta, c, c_layout, d, d_layout,
        algorithm, workspace, size, stream,
    ):  # fmt: skip
        assert (alpha._obj.value, beta._obj.value, size.value) == (1, 0, 32 << 20)
        assert c.value == d.value and workspace.value and stream.value == 5
        how = self.objects[descriptor.value]
        self.launches.append((how[7], algorithm._obj[0]))
        left, right, out = (
            memory(at, *self.objects[layout.value])
            for at, layout in ((a, a_layout), (b, b_layout), (d, d_layout))
        )
        left, right = (left.T if how[3] else left), (right.T if how[4] else right)
        z = left.astype(float) @ right
        rows, columns = out.shape
        assert z.shape == out.shape
        epilogue = how[7]
        if epilogue in (4, 6):
            z = z + memory(ctypes.c_void_p(how[8]), rows, 1, rows)
        if epilogue == 256:
            memory(ctypes.c_void_p(how[8]), rows, 1, rows)[:, 0] = left.sum(1)
        if epilogue in (130, 136):
            assert how[12] % 128 == 0 and how[12] >= rows
            kind = ctypes.c_uint8 * (how[12] // 8 * columns)
            mask = np.frombuffer(kind.from_address(how[11]), np.uint8).reshape(columns, -1)
        if epilogue == 136:
            bits = np.unpackbits(mask, axis=1)[:, :rows].T
            z = np.where(bits, z, 0)
        if epilogue in (6, 130):
            z = np.maximum(z, 0)
        if epilogue == 130:
            positive = np.zeros((columns, how[12]), np.uint8)
            positive[:, :rows] = z.T > 0
            mask[:] = np.packbits(positive, axis=1)
        out[:] = z
        return SUCCESS


def memory(at, rows, columns, pitch):
    """The matrix there, in column order, to be read and written."""
    floats = (ctypes.c_float * (pitch * columns)).from_address(at.value)
    return np.frombuffer(floats, np.float32).reshape(columns, pitch)[:, :rows].T


@pytest.fixture
def peer(monkeypatch):
    """peer(model): the module, on the model."""
    cupy = ModuleType("cupy")
    cupy.float32, cupy.uint8 = np.float32, np.uint8
    for name in ("empty", "zeros", "eye", "where"):
        make = getattr(np, name)
        setattr(cupy, name, lambda *a, make=make, **k: array(make(*a, **k)))
    cupy.cuda = SimpleNamespace(get_current_stream=lambda: SimpleNamespace(ptr=5))
    cupy.ElementwiseKernel = lambda *_: lambda x, dx: np.copyto(dx, 0, where=~(x > 0))
    pathfinder = ModuleType("cuda.pathfinder")
    pathfinder.load_nvidia_dynamic_lib = None
    clock = SimpleNamespace(now=0.0)
    base = ModuleType("bench.peers.cupy")
    base.hold, base.synchronize, base.why_not = (lambda us: None), (lambda: None), (lambda d: "")
    base.record, base.elapsed_us = (lambda: clock.now), (lambda start, stop: stop - start)
    for name, module in (("cupy", cupy), ("cuda.pathfinder", pathfinder)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "bench.peers.cupy", base)
    monkeypatch.setattr(peers, "cupy", base, raising=False)
    monkeypatch.delitem(sys.modules, "bench.peers.cublaslt", raising=False)
    module = importlib.import_module("bench.peers.cublaslt")
    monkeypatch.delitem(sys.modules, "bench.peers.cublaslt")
    monkeypatch.delattr(peers, "cublaslt")

    def on(model):
        product = model.cublasLtMatmul

        def timed(*arguments):
            clock.now += TIMES[arguments[12]._obj[0]]
            return product(*arguments)

        model.cublasLtMatmul = timed
        module.library = lambda: model
        return module

    return on


def inputs(B, I, O):
    rng = np.random.default_rng(0)
    x = np.maximum(rng.standard_normal((B, I), np.float32), 0)
    w, dz = rng.standard_normal((I, O), np.float32), rng.standard_normal((B, O), np.float32)
    return [array(a) for a in (x, w, rng.standard_normal(O, np.float32), dz)]


SHAPES = pytest.mark.parametrize(
    "shape", [(1, 1, 1), (5, 7, 3), (3, 129, 10), (128, 128, 2)], ids=str
)


@SHAPES
@pytest.mark.parametrize("activation", [None, "relu"])
def test_linear(peer, shape, activation):
    x, w, b, _ = inputs(*shape)
    model = Model()
    module = peer(model)
    call = module.ready(module.linear, (x, w, b, activation), {"precision": "tf32"})
    model.launches.clear()
    np.testing.assert_allclose(call(), reference.linear(x, w, b, activation), rtol=1e-5, atol=1e-5)
    assert model.launches == [(6 if activation else 4, FASTEST)]
    [descriptor] = [o for o in model.objects.values() if isinstance(o, dict)]
    assert descriptor["compute"] == 77


@SHAPES
@pytest.mark.parametrize("lacks", [(), (136,), (130,), (256,)], ids=str)
@pytest.mark.parametrize("activation", [None, "relu"])
def test_linear_backward(peer, shape, lacks, activation):
    x, w, _, dz = inputs(*shape)
    model = Model(lacks)
    module = peer(model)
    how = {"x_activation": activation, "precision": "float32"}
    call = module.ready(module.linear_backward, (dz, x, w), how)
    model.launches.clear()
    want = reference.linear_backward(dz, x, w, x_activation=activation)
    for _ in range(2):
        for got, expected in zip(call(), want, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)
    fused = activation and not {130, 136} & set(lacks)
    epilogues = [1 if 256 in lacks else 256, 136 if fused else 1]
    assert model.launches == [(epilogue, FASTEST) for epilogue in epilogues] * 2


def test_without_dx(peer):
    x, w, _, dz = inputs(4, 6, 5)
    module = peer(Model())
    dx, dw, db = module.linear_backward(dz, x, w, need_dx=False)()
    _, want_dw, want_db = reference.linear_backward(dz, x, w)
    assert dx is None
    np.testing.assert_allclose(dw, want_dw, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(db, want_db, rtol=1e-5, atol=1e-5)


def test_what_it_has_not_is_refused(peer):
    x, w, b, dz = inputs(4, 6, 5)
    module = peer(Model(lacks=(1, 4, 6)))
    with pytest.raises(ValueError, match="has no tanh epilogue"):
        module.linear(x, w, b, "tanh")
    with pytest.raises(ValueError, match="has no sigmoid"):
        module.linear_backward(dz, x, w, x_activation="sigmoid")
    with pytest.raises(RuntimeError, match="returned status 15"):
        module.linear(x, w, b)
    assert not hasattr(module, "adam") and module.ctypes.sizeof(module.Heuristic) == 96
