"""Every output of every op against every other array of the call: refused by name, or right.

Found by the ops' signatures: an argument of a new op that is not said here fails the test.
"""

import inspect
import itertools

import numpy as np
import pytest

import kernels
from kernels.battery.guards import bits
from kernels.battery.variants import get, put
from tests import harness

B, I, O = 6, 8, 8  # square layers: so that more arrays have the same shape
NUMBERS = {  # arguments that are no arrays, with what is passed; others keep their defaults
    "activation": "relu", "x_activation": "relu", "loss": "squared_error", "rate": 0.5, "seed": 1,
    "rows": 4, "image_shape": (2, 4), "most": (1, 1), "flip": None, "limit": 0.5, "momentum": 0.5,
}  # fmt: skip
DEFAULTS = {
    "beta1", "beta2", "bias", "eps", "epsilon", "need_dbeta", "need_dgamma", "need_dw", "need_dx",
    "nesterov", "precision", "rho", "scale", "stream", "training", "variant", "weight_decay",
}  # fmt: skip
FLAT, ROWS, LAYER = (B * I,), (B, I), (I, O)
ONE = {"step": np.int32, "lr": np.float32, "start": np.int64, "key": np.int64}
SHAPES = {  # of arrays, wherever an argument has that name
    "x": ROWS, "z": ROWS, "y": ROWS, "dy": ROWS, "dz": ROWS, "s": ROWS, "x_saved": ROWS,
    "targets": ROWS, "z_out": ROWS, "w": LAYER, "b": (O,), "m_b": (O,), "v_b": (O,),
    "gamma": (I,), "beta": (I,), "moving_mean": (I,), "moving_variance": (I,), "saved": (2, I),
    "saved_out": (2, I), "weights": (B,), "labels": ROWS, "hit": (B,), "squares": (B,),
    "p": FLAT, "g": FLAT, "a": FLAT, "d": FLAT, "u": FLAT, "average": FLAT, "scratch": (2,),
    "starts": (2,),
}  # fmt: skip
DTYPES = ONE | {"hit": np.uint8, "starts": np.int64}
WRITTEN = {  # besides out, z_out, saved_out, hit and squares
    "adam": "pmv",
    "adagrad": "pa",
    "adadelta": "pad",
    "rmsprop": "pvmu",
    "sgd": "pu",
    "linear_backward_adam": ["w", "m", "v", "b", "m_b", "v_b"],
    "clip_by_norm": ["g", "scratch"],
    "clip_by_value": "g",
    "moving_average": ["average"],
    "batch_norm": ["moving_mean", "moving_variance"],
}
OUTPUTS = {"out", "z_out", "saved_out", "hit", "squares"}
TUPLES = {  # out: several arrays
    "linear_backward": (ROWS, LAYER, (O,)),
    "batch_norm_backward": (ROWS, (I,), (I,)),
    "softmax_cross_entropy": ((B,), ROWS),
    "elementwise_loss": ((B,), ROWS),
    "root_mean_squared_error": ((1,), ROWS),
    "linear_cross_entropy": ((B,), ROWS, ROWS),
}


def all_functions():
    return {name: f for op in harness.ops() for name, f in harness.functions_of(op).items()}


def arrays_of(name):
    """{argument, or (out, i): NumPy array}."""
    given, rng = {}, np.random.default_rng(0)
    for argument in inspect.signature(all_functions()[name]).parameters:
        if argument in NUMBERS or argument in DEFAULTS:
            continue
        shape, dtype = SHAPES.get(argument, (1,)), DTYPES.get(argument, np.float32)
        if argument in "mv":
            shape = LAYER if name == "linear_backward_adam" else FLAT
        if argument == "out" and name in TUPLES:
            shapes = {("out", i): shape for i, shape in enumerate(TUPLES[name])}
        elif argument == "out":
            shapes = {"out": (4, I) if name == "gather" else ROWS}
        else:
            assert argument in SHAPES or argument in ONE or argument in "mv", (
                f"{name}: what is {argument}? Say it above"
            )
            shapes = {argument: shape}
        for key, shape in shapes.items():
            given[key] = abs(rng.standard_normal(shape, dtype=np.float32)).astype(dtype)
    for key in ("step", "starts"):
        if key in given:
            given[key] += np.arange(len(given[key]), dtype=given[key].dtype) * 9 + (key == "step")
    if "loss" in inspect.signature(all_functions()[name]).parameters:
        given.pop("hit", None)  # squared_error knows no right answers
    return given


def outputs_of(name, given):
    written = OUTPUTS | set(WRITTEN.get(name, ()))
    return [key for key in given if (key[0] if isinstance(key, tuple) else key) in written]


def call(name, given):
    """What the call leaves in every array."""
    f = all_functions()[name]
    arguments = {key: a for key, a in given.items() if not isinstance(key, tuple)}
    outs = [a for key, a in given.items() if isinstance(key, tuple)]
    if outs:
        arguments["out"] = tuple(outs)
    names = inspect.signature(f).parameters
    f(**arguments, **{n: value for n, value in NUMBERS.items() if n in names and n not in given})
    return given


def together(a, b, shift, device):
    """Copies of two arrays in one memory, b beginning `shift` bytes after a; a's values win."""
    memory = put(np.zeros(max(a.nbytes, shift + b.nbytes), np.uint8), device)
    ours, theirs = memory[: a.nbytes], memory[shift : shift + b.nbytes]
    ours, theirs = ours.view(a.dtype).reshape(a.shape), theirs.view(b.dtype).reshape(b.shape)
    theirs[...], ours[...] = put(b, device), put(a, device)
    return ours, theirs


@pytest.mark.parametrize("device", ["cpu", pytest.param("emulated", marks=pytest.mark.emulated)])
@pytest.mark.parametrize("name", all_functions())
def test_outputs_that_overlap_are_refused_or_right(name, device):
    host = arrays_of(name)
    if device == "cpu":
        host.pop("scratch", None)  # which the CPU does not use
    outputs, refused = outputs_of(name, host), 0
    assert outputs
    for output, other in itertools.product(outputs, host):
        if output == other or (other in outputs and outputs.index(other) < outputs.index(output)):
            continue
        a, b = host[output], host[other]
        for shift in dict.fromkeys((0, (a.nbytes - b.itemsize) // b.itemsize * b.itemsize)):
            given = {key: put(value, device) for key, value in host.items()}
            separate = dict(given)
            # Where the other one is read, its values stand in both: an output's own count for none
            given[other], given[output] = (
                together(b, a, 0, device) if not shift else reversed(together(a, b, shift, device))
            )
            try:
                call(name, given)
            except ValueError as wrong:
                message = str(wrong)
                assert ": shares memory with " in message, message
                refused += 1
                continue
            assert not shift and a.shape == b.shape, f"{output} over a part of {other} is accepted"
            want = get(call(name, separate)[output])
            np.testing.assert_array_equal(bits(given[output]), bits(want), f"{output} in {other}")
    assert refused or len(host) == 1


@pytest.mark.parametrize("device", ["cpu", pytest.param("emulated", marks=pytest.mark.emulated)])
def test_columns_beside_each_other_do_not_overlap(device):
    """An input of every other element is copied at the door; an output lies in one piece."""
    both = put(np.arange(12, dtype=np.float32).reshape(2, 6), device)
    y = both.reshape(-1)[6:9]
    kernels.activation(both[0, ::2], "identity", out=y)
    np.testing.assert_array_equal(get(y), [0, 2, 4])


def test_the_message_says_what_may_be():
    z = np.zeros(9, np.float32)
    with pytest.raises(ValueError, match=r"^out: shares memory with z; .* its own, or z itself$"):
        kernels.activation(z[:8], "tanh", out=z[1:])
    kernels.activation(z, "tanh", out=z)
