"""Names as users type them: other spellings, those of other libraries, and the nearest one."""

import numpy as np
import pytest

import kernels
from kernels import activations, losses
from kernels.names import nearest, one_of, plain, unknown_attribute

OF_OTHERS = {
    "linear": "identity", "Linear": "identity", "step": "binary_step", "Heaviside": "binary_step",
    "threshold": "binary_step", "binary-step": "binary_step", "logistic": "sigmoid",
    "LeakyReLU": "leaky_relu", "leakyrelu": "leaky_relu", "lrelu": "leaky_relu", "ReLU": "relu",
    "swish": "silu", "SiLU": "silu", "GELU": "gelu", "ELU": "elu", "SoftPlus": "softplus",
    "TANH": "tanh",
}  # fmt: skip


@pytest.mark.parametrize("name", OF_OTHERS)
def test_activations(name):
    assert activations.get(name) is activations.get(OF_OTHERS[name])


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("mse", "squared_error"),
        ("MAE", "absolute_error"),
        ("bce", "binary_crossentropy"),
        ("Mean-Squared-Error", "squared_error"),
    ],
)
def test_losses(name, ours):
    assert losses.get(name) is losses.get(ours)


@pytest.mark.parametrize("family", [activations, losses])
def test_no_spelling_means_two_things(family):
    spelled = [plain(name) for name in (*family.names(), *family.aliases())]
    assert len(set(spelled)) == len(spelled)


def test_every_op_understands_them():
    x, w = np.random.default_rng(0).standard_normal((2, 4, 4), np.float32)
    named, known = (kernels.linear(x, w, activation=name) for name in ("Linear", None))
    assert named.tobytes() == known.tobytes()
    named, known = (kernels.activation(x, name) for name in ("step", "binary_step"))
    assert named.tobytes() == known.tobytes()


@pytest.mark.parametrize(
    ("value", "near"),
    [("RLEU", "relu"), ("Sigmod", "sigmoid"), ("lineer", "linear"), ("swsh", "swish"), ("q", None)],
)
def test_the_nearest_is_offered(value, near):
    with pytest.raises(ValueError, match=f"^activation: got '{value}'; expected one of ") as caught:
        activations.get(value)
    hint = f"Did you mean {near!r}?" if near else "'tanh'."
    assert str(caught.value).endswith(hint)


def test_exact_names_alone_pass_one_of():
    assert one_of("mode", "min", ("min", "max")) == "min"
    with pytest.raises(ValueError, match="Did you mean 'min'"):
        one_of("mode", "MIN", ("min", "max"))
    assert nearest("min", ("auto", "max", "min")) == "min" and nearest("x", ("auto",)) is None


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("liner", "kernels.linear"),
        ("matmul", "kernels.linear(x, w)"),
        ("relu", "kernels.activation(z, 'relu')"),
        ("softmax_crossentropy", "kernels.softmax_cross_entropy"),
    ],
)
def test_attributes(name, near):
    with pytest.raises(AttributeError) as caught:
        getattr(kernels, name)
    assert str(caught.value) == (
        f"module 'kernels' has no attribute {name!r}. Did you mean {near}?"
    )
    assert caught.value.name == name and not hasattr(kernels, name)


def test_what_nothing_is_near_to():
    for name in ("qqq", "__linear__"):
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'$"):
            unknown_attribute("kernels")(name)
