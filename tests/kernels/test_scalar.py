"""Scalar functions on their way to a compiler: literals narrowed, and a key of all that counts."""

import math

import numpy as np
import pytest

from kernels import dispatch
from kernels.activations import Activation
from kernels.ops.activation import cpu
from kernels.scalar import canonical, fingerprint, float32_literals

HALF = 0.5
DOUBLE = np.float64(0.5)
SINGLE = np.float32(0.5)
COUNT = 3
PAIR = (0.25, 2)


def everything(z, default=0.5):
    return (z + 0.5, HALF, DOUBLE, SINGLE, COUNT, PAIR, default, 7, 40000, math.tanh)


def around(number):
    return lambda z: z * number


def test_every_number_becomes_as_narrow_as_it_should():
    wide = everything(1.0)
    narrow = float32_literals(everything)(np.float32(1))
    types = [type(value) for value in narrow]
    assert types[:5] == [np.float32] * 4 + [np.int16]
    assert [type(value) for value in narrow[5]] == [np.float32, np.int16]
    assert types[6:9] == [np.float32, np.int16, int]  # 40000 is no int16
    assert narrow == wide


def test_numbers_of_the_function_around_it():
    assert type(float32_literals(around(0.1))(np.float32(1))) is np.float32


def test_integers_of_kernels_stay_indices():
    narrow = float32_literals(everything, integers=False)(np.float32(1))
    assert [type(value) for value in (narrow[4], narrow[5][1], narrow[7])] == [int] * 3


def test_the_original_is_left_alone():
    float32_literals(everything)
    assert type(everything(1.0)[0]) is float and type(HALF) is float


@pytest.mark.parametrize("what", [math.tanh, np.tanh, 3.0, "relu"], ids=repr)
def test_what_is_no_plain_function(what):
    with pytest.raises(TypeError, match=r"^got \w+; expected a plain Python function"):
        float32_literals(what)


@pytest.mark.parametrize("name", ["HALF", "SINGLE", "COUNT", "PAIR"])
def test_the_key_holds_module_level_numbers(monkeypatch, name):
    before = fingerprint(everything)
    assert before == fingerprint(everything)
    value = globals()[name]
    monkeypatch.setitem(globals(), name, (1.0, 2) if name == "PAIR" else type(value)(9))
    assert fingerprint(everything) != before


def test_the_key_holds_code_closures_and_defaults():
    def other(z, default=0.25):
        return z

    def another(z, default=0.5):
        return z

    functions = [around(0.1), around(0.2), around(1), other, another, lambda z: z + 1.0]
    assert len({fingerprint(f) for f in functions}) == len(functions)
    assert fingerprint(around(0.1)) == fingerprint(around(0.1))


def line(slope, helper=math.sin):
    return lambda z: slope * z + helper(z)


def test_the_same_function_again_is_compiled_once():
    """A loop over models makes its activations anew, and Numba frees nothing."""
    once = [cpu.forward_loop(line(0.5)) for _ in range(3)]
    assert once[0] is once[1] is once[2]
    for a, b in ((0.0, -0.0), (1, 1.0), (1.0, True), (0.1, np.float32(0.1))):
        assert cpu.forward_loop(line(a)) is not cpu.forward_loop(line(b))
    assert cpu.forward_loop(line(1.0, math.sin)) is not cpu.forward_loop(line(1.0, math.cos))


def test_functions_that_read_other_helpers_are_two():
    """Also where the second helper lies where the first one was."""
    functions = set()
    for number in range(20):
        scope = {"__name__": __name__}
        exec(f"def helper(z):\n    return z + {number}\ndef f(z):\n    return helper(z)", scope)
        functions.add(canonical(scope["f"]))
        del scope
    assert len(functions) == 20


def test_gpu_kernels_of_the_same_function_are_one():
    units = {
        dispatch.kernel_file("activation", "gpu.cu").unit((), dispatch.scalar_functions(activation))
        for activation in (Activation(f"line {i}", line(0.25), line(1.0)) for i in range(3))
    }
    assert len(units) == 1
