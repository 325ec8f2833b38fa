"""dropout: y = x · mask / (1 − rate), and its backward; the mask comes from counters.

    forward     y = x ⊙ m / (1 − rate)
    backward    dx = dy ⊙ m / (1 − rate) ⊙ g'(x_saved)

m_i is 0 with probability round(rate · 2³²) / 2³², else 1: where element i's word of Philox4x32-10
(kernels/philox.py) is below round(rate · 2³²). Counter i // 4 makes the words of elements
4 (i // 4) … + 3, so nothing is stored: seed, step and stream say what the mask is, on every device
the same, and backward makes it again. Division by 1 − rate ("inverted" dropout) keeps the mean, so
nothing is to be done in evaluation. x, y, dy, dx: float32 of one shape, any.

Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout: a simple way to
prevent neural networks from overfitting, JMLR 2014.
"""

from kernels import activations, arrays, dispatch, philox
from kernels.activations import ActivationLike
from kernels.arrays import Array, ArrayT
from kernels.device import Entry, KernelFile, launch, submit

DEFAULT = ("cpu.py", "gpu.py")
ENTRY = Entry(
    "dropout",
    "const float* x, const float* s, float* y, const int* step, int step_value, int stream, "
    "long long seed, long long dropped_below, float scale, long long n",
    ("activation_derivative",),
)
GPU_FILES = (KernelFile("dropout", "gpu.py", (ENTRY,), threads=256, most_blocks=65536),)


def dropout(
    x: ArrayT,
    rate: float,
    seed: int,
    step: int | Array,
    stream: int = 0,
    *,
    out: Array | None = None,
    variant: str | None = None,
) -> ArrayT:
    """y = x · mask / (1 − rate), float32 of x's shape.

    x: float32, any shape. rate: the share that is dropped, 0 ≤ rate < 1; at 0, y = x.
    seed: 0 ≤ seed < 2⁶³. step: of training, 0 ≤ step < 2³¹: an int, or an int32 array (1,) on x's
    device, which a graph reads at every replay. stream: 0 ≤ stream < 2³¹, another mask for each;
    default 0. out: float32 of x's shape to write into; may be x itself.
    variant: a file of kernels.variants("dropout", x).
    NaN comes through, dropped or not; ∞ that is dropped gives NaN, as 0 · ∞ does.
    Raises TypeError, ValueError for arguments that do not fit.
    """
    return _dropout("x", x, None, None, rate, seed, step, stream, out, variant)


def dropout_backward(
    dy: ArrayT,
    rate: float,
    seed: int,
    step: int | Array,
    stream: int = 0,
    *,
    x_activation: ActivationLike = None,
    x_saved: Array | None = None,
    out: Array | None = None,
    variant: str | None = None,
) -> ArrayT:
    """dx = dy · mask / (1 − rate) · g'(x_saved), float32 of dy's shape.

    dy: float32, any shape: the loss's gradient with respect to y.
    rate, seed, step, stream: as in the forward pass, whose mask they make again.
    x_activation: the activation of the layer before, a name or an Activation; with it dx is that
    layer's dz. Default None: the plain gradient. x_saved: float32 of dy's shape, what its
    derivative reads: x, that layer's output, or its z if it reads z.
    out: may be dy itself. Otherwise as `dropout`.
    """
    g = activations.get(x_activation)
    g.require_derivative()
    if g.name != "identity" and x_saved is None:
        needed = "the layer's z" if g.reads == "z" else "its output, which is x"
        raise TypeError(f"x_saved: got None; the derivative of {g.name} reads {needed}: pass it")
    return _dropout("dy", dy, g, x_saved, rate, seed, step, stream, out, variant)


def _dropout(name, x, g, s, rate, seed, step, stream, out, variant):
    if not 0 <= rate < 1:
        raise ValueError(f"rate: got {rate}; expected 0 ≤ rate < 1, the share that is dropped")
    x = arrays.adopt(name, x)
    x = arrays.operand(name, x, x.shape)
    if s is not None:
        s = arrays.operand("x_saved", s, x.shape)
    device = arrays.device_of(**{name: x, "x_saved": s})
    y = arrays.result("out", out, x.shape, x)
    step_array, step, stream, seed = philox.checked(seed, step, stream, **{name: x})
    inputs = {name: x, "x_saved": s, "step": step_array}
    arrays.refuse_overlap({"out": y}, inputs, in_place=(("out", name),))
    if x.size == 0:
        return y
    file = dispatch.pick("dropout", device, variant, DEFAULT)
    fused = activations.get(None) if g is None else g.fused
    s = x if s is None else s
    scalars = dropped_below(rate), 1 / (1 - rate)
    if device == "cpu":
        run, flat = dispatch.cpu("dropout", file).dropout, (a.reshape(-1) for a in (x, s, y))
        number = step if step_array is None else step_array
        submit(device, run, *flat, fused.derivative, number, stream, seed, *scalars)
    else:
        described = dispatch.kernel_file("dropout", file)
        grid = (described.blocks(x.size, of_a_thread=4),)
        arguments = (x, s, y, step_array, step, stream, seed, *scalars, x.size)
        launch(described, "dropout", grid, arguments, dispatch.scalar_functions(fused))
    if g is not None and g.after:
        from kernels.ops.activation import activation_backward

        activation_backward(y, s, g.after, out=y)
    return y


def dropped_below(rate):
    """The words 0 … 2³² − 1 that drop an element are those below this; some are always kept."""
    return min(round(rate * 2**32), 2**32 - 1)
