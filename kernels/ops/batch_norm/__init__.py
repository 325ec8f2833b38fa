"""batch_norm: every column of a batch brought to mean 0 and variance 1, scaled, shifted, y = f(z).

    training    μ = Σ_rows x / B;  v = Σ_rows (x − μ)² / B;  x̂ = (x − μ) / √(v + ε)
                z = γ x̂ + β;  y = f(z)
                moving mean = momentum · moving mean + (1 − momentum) · μ, moving variance likewise
    inference   the same with the moving mean and variance in place of μ and v
    backward    dβ = Σ_rows dz;  dγ = Σ_rows dz x̂
                dx = γ / √(v + ε) · (dz − dβ / B − x̂ dγ / B) ⊙ g'(x_saved)

x, z, y (B, I); γ, β, μ, v and the moving statistics (I,); float32. f is any activation; g is that
of the layer before, as in linear_backward. v is divided by B, not by B − 1, in the moving variance
too, as in Keras (PyTorch's running_var takes B / (B − 1) v, and its momentum is 1 − ours).

Sums are of x − x[0], the first row being in float32 what the mean is not: so a column of mean 1e4
and deviation 1 is normalised as well as one of mean 0. (By Samuelson's inequality no row is further
than √(B − 1) deviations from the mean, whatever the data, so x̂ is off by about √B roundings at
most.) A column of one value has v = 0, and z = β. In a batch of one row every column has.
A NaN or an infinity in a column of x makes that column NaN, and no other. Where the squares of
deviations are more than float32 holds (deviations of 1e19), v is infinite, and z = β.
Source: Ioffe and Szegedy, Batch normalization: accelerating deep network training by reducing
internal covariate shift, ICML 2015.
"""

from kernels import activations, arrays, dispatch
from kernels.activations import ActivationLike
from kernels.arrays import Array, ArrayT, Outputs
from kernels.device import Entry, KernelFile, launch, submit
from kernels.device.kernel_file import blocks

DEFAULT = ("cpu.py", "gpu.py")
COLUMNS, ROWS = 8, 64  # a block has so many of either at a time, a thread each
LEAST_EPSILON = 1e-30  # so that 1 / √ε and what is lost of v below float32 are nothing beside it
ENTRIES = (
    Entry(
        "batch_norm_training",
        "const float* x, const float* gamma, const float* beta, float* moving_mean, "
        "float* moving_variance, float* saved, float* z, float* y, float keep, float take, "
        "float epsilon, long long rows, int columns",
        ("activation",),
    ),
    Entry(
        "batch_norm_inference",
        "const float* x, const float* gamma, const float* beta, const float* moving_mean, "
        "const float* moving_variance, float* z, float* y, float epsilon, long long rows, "
        "int columns",
        ("activation",),
    ),
    Entry(
        "batch_norm_backward",
        "const float* dz, const float* x, const float* gamma, const float* saved, const float* s, "
        "float* dx, float* dgamma, float* dbeta, long long rows, int columns",
        ("activation_derivative",),
    ),
)
GPU_FILES = (
    KernelFile(
        "batch_norm",
        "gpu.py",
        ENTRIES,
        threads=COLUMNS * ROWS,
        most_blocks=1024,  # of a column group in inference; the grid strides over the other rows
    ),
)


def batch_norm(
    x: ArrayT,
    gamma: Array | None = None,
    beta: Array | None = None,
    moving_mean: Array | None = None,
    moving_variance: Array | None = None,
    activation: ActivationLike = None,
    *,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    training: bool = True,
    saved_out: Array | None = None,
    z_out: Array | None = None,
    out: Array | None = None,
    variant: str | None = None,
) -> ArrayT:
    """y = f(z), float32 (B, I).

    x: (B, I). gamma, beta: (I,); None for 1 and 0. activation: a name, None (identity) or an
    Activation. momentum: the share that the moving statistics keep, 0 … 1, default 0.99.
    epsilon: 1e-30 or more, default 1e-3.
    moving_mean, moving_variance: (I,). In training they are updated in place, or None to keep
    none; inference (training=False) needs them and reads them only.
    saved_out: (2, I) array that receives what batch_norm_backward needs: the mean of x − x[0], and
    1 / √(v + ε); in training. z_out: (B, I) array that receives z as well. out: (B, I) array that
    receives y. variant: a file of kernels.variants("batch_norm", x).
    Raises TypeError for a dtype other than float32 or arrays on different devices, ValueError for
    shapes that do not fit, numbers out of range, outputs that overlap inputs, or training on a
    batch of no rows, which has no mean.
    """
    f = activations.get(activation)
    x = arrays.operand("x", x, ("B", "I"))
    B, I = x.shape
    _refuse_empty(I=I, **({"B": B} if training else {}))
    gamma, beta = _column("gamma", gamma, I), _column("beta", beta, I)
    if not 0 <= momentum <= 1:
        raise ValueError(f"momentum: got {momentum}; expected 0 … 1, the share that is kept")
    if not epsilon >= LEAST_EPSILON:
        raise ValueError(f"epsilon: got {epsilon}; expected {LEAST_EPSILON} or more")
    device = arrays.device_of(x=x, gamma=gamma, beta=beta)
    if training:
        moving_mean = _moved("moving_mean", moving_mean, x)
        moving_variance = _moved("moving_variance", moving_variance, x)
    elif moving_mean is None or moving_variance is None:
        raise TypeError(
            "moving_mean, moving_variance: got None; expected both, which training=False reads"
        )
    else:
        moving_mean = arrays.operand("moving_mean", moving_mean, (I,))
        moving_variance = arrays.operand("moving_variance", moving_variance, (I,))
        arrays.device_of(x=x, moving_mean=moving_mean, moving_variance=moving_variance)
    if saved_out is not None:
        if not training:
            raise ValueError("saved_out: got an array; expected None with training=False")
        saved_out = arrays.result("saved_out", saved_out, (2, I), x)
    y = arrays.result("out", out, (B, I), x)
    if z_out is not None:
        z_out = arrays.result("z_out", z_out, (B, I), x)
    moving = {"moving_mean": moving_mean, "moving_variance": moving_variance}
    arrays.refuse_overlap(
        (moving if training else {}) | {"saved_out": saved_out, "z_out": z_out, "out": y},
        {"x": x, "gamma": gamma, "beta": beta} | moving,
    )
    if B == 0:
        return y
    file = dispatch.pick("batch_norm", device, variant, DEFAULT)
    if device == "cpu":
        module = dispatch.cpu("batch_norm", file)
        operands = (x, gamma, beta, moving_mean, moving_variance, f.fused)
        if training:
            numbers = (momentum, 1 - momentum, epsilon)
            submit(device, module.training, *operands, *numbers, saved_out, z_out, y)
        else:
            submit(device, module.inference, *operands, epsilon, z_out, y)
    else:
        launched = dispatch.kernel_file("batch_norm", file), dispatch.scalar_functions(f.fused)
        operands = (x, gamma, beta, moving_mean, moving_variance)
        if training:
            operands += (saved_out, z_out, y, momentum, 1 - momentum, epsilon)
            _launch(*launched, "batch_norm_training", operands, B, I)
        else:
            operands += (z_out, y, epsilon)
            _launch(*launched, "batch_norm_inference", operands, B, I, strides=True)
    if f.after:
        from kernels.ops.activation import activation as apply

        apply(y, f.after, out=y)
    return y


def batch_norm_backward(
    dy: ArrayT,
    x: Array,
    gamma: Array | None,
    saved: Array,
    s: Array | None = None,
    activation: ActivationLike = None,
    *,
    x_activation: ActivationLike = None,
    x_saved: Array | None = None,
    need_dx: bool = True,
    need_dgamma: bool = True,
    need_dbeta: bool = True,
    out: Outputs = (None, None, None),
    variant: str | None = None,
) -> tuple[ArrayT, ArrayT, ArrayT]:
    """dx (B, I), dgamma (I,), dbeta (I,) from dy (B, I), of a forward pass in training.

    dy: the loss's gradient with respect to y. x, gamma: as in the forward pass. saved: its
    saved_out, (2, I). s: what f's derivative reads: y, or z for an activation that reads z. Needed
    unless activation is None (then dy is dz already).
    x_activation: the activation of the layer before; dx is multiplied by its derivative at
    x_saved (default x, its output; pass its z if it reads z), and is that layer's dz.
    need_dx, need_dgamma, need_dbeta: False leaves one out (None is returned in its place).
    out: (dx, dgamma, dbeta) arrays to write into, each may be None. Errors as in `batch_norm`.
    """
    f, g = activations.get(activation), activations.get(x_activation)
    x = arrays.operand("x", x, ("B", "I"))
    B, I = x.shape
    _refuse_empty(B=B, I=I)
    dz = given = arrays.operand("dy", dy, (B, I))
    gamma = _column("gamma", gamma, I)
    saved = arrays.operand("saved", saved, (2, I))
    device = arrays.device_of(dy=dz, x=x, gamma=gamma, saved=saved)
    if f.name != "identity":
        if s is None:
            needed = "z" if f.reads == "z" else "the output y"
            raise TypeError(f"s: got None; the derivative of {f.name} reads {needed}: pass it")
        s = arrays.operand("s", s, (B, I))
    else:
        s = None
    places = (("dx", need_dx, (B, I)), ("dgamma", need_dgamma, (I,)), ("dbeta", need_dbeta, (I,)))
    written = [
        arrays.result(f"out[{i}] ({name})", out[i], shape, x) if need else None
        for i, (name, need, shape) in enumerate(places)
    ]
    dx = written[0]
    read = None
    if need_dx and g.name != "identity":
        g.require_derivative()
        read = x if x_saved is None else arrays.operand("x_saved", x_saved, (B, I))
    arrays.device_of(dy=given, s=s, x_saved=read)
    arrays.refuse_overlap(
        {f"out ({name})": a for (name, _, _), a in zip(places, written, strict=True)},
        {"x": x, "dy": given, "s": s, "gamma": gamma, "saved": saved, "x_saved": read},
    )
    if f.name != "identity":
        dz = _through(dz, s, f)
    file = dispatch.pick("batch_norm", device, variant, DEFAULT)
    operands = (dz, x, gamma, saved, None if g.after else read)
    if device == "cpu":
        submit(device, dispatch.cpu("batch_norm", file).backward, *operands, g.fused, *written)
    else:
        launched = dispatch.kernel_file("batch_norm", file), dispatch.scalar_functions(g.fused)
        _launch(*launched, "batch_norm_backward", (*operands, *written), B, I)
    if need_dx and g.after:
        _through(dx, read, g.after, out=dx)
    return tuple(written)


def _through(dy, s, f, out=None):
    from kernels.ops.activation import activation_backward

    return activation_backward(dy, s, f, out=out)


def _column(name, a, I):
    return None if a is None else arrays.operand(name, a, (I,))


def _moved(name, moving, x):
    """An array that is updated in place, or None."""
    return None if moving is None else arrays.result(name, moving, (x.shape[1],), x)


def _launch(file, functions, entry, arguments, rows, columns, strides=False):
    """One block a group of columns, which walks down all rows; or, with `strides`, several."""
    down = blocks(rows, ROWS, file.most_blocks) if strides else 1
    grid = (dispatch.ceil_div(columns, COLUMNS), down)
    launch(file, entry, grid, (*arguments, rows, columns), functions)


def _refuse_empty(**sizes):
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"x: got {name} = {size}; expected at least 1")
