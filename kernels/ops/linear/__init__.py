"""linear: y = f(x w + b), and its backward.

    forward     z = x w + b;  y = f(z)
    backward    dz = dy ⊙ f'(s);  dx = (dz wᵀ) ⊙ g'(x_saved);  dw = xᵀ dz;  db = Σ_rows dz

x (B, I), w (I, O), b (O,), y and z (B, O); float32, any B, I, O ≥ 1 (B = 0 gives empty results).
f is any activation; g is that of the layer before, whose derivative can be folded into dx so that
dx comes out as the dz of that layer. precision names the least precision at which the products'
operands may be rounded: "float32", "tf32" (10 bits of mantissa), "bfloat16" (7 bits) or "float16"
(10 bits); sums are float32 always, and the CPU always computes in float32. In bfloat16 on Hopper a
large product is gpu_hopper.cu's (hopper.py says which); every other one is DEFAULT's. float16 has a
narrow range: an operand of 65520 or more becomes infinite, one below 2⁻¹⁴ loses bits, and one of
2⁻²⁵ or less becomes 0. Gradients are often so small: scale the loss, and so dy; divide dw and db.
Source: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, 1986.
"""

from kernels import activations, arrays, dispatch
from kernels.activations import Activation, ActivationLike
from kernels.arrays import Array, ArrayT, Outputs
from kernels.device import Entry, KernelFile, launch, submit, workspace
from kernels.ops.linear import hopper, ladder, tiles

DEFAULT = ("cpu.py", "gpu.cu")
PRECISIONS = ("float32", "tf32", "bfloat16", "float16")
ENTRIES = (
    Entry(
        "linear_forward",
        "const float* x, const float* w, const float* b, float* z, float* y, int M, int N, int K, "
        "float* partials, int* arrived",
        ("activation",),
    ),
    Entry(
        "linear_backward_dx",
        "const float* dz, const float* w, const float* s, float* dx, int M, int N, int K, "
        "float* partials, int* arrived",
        ("activation_derivative",),
    ),
    Entry(
        "linear_backward_dw",
        "const float* x, const float* dz, float* dw, float* db, int M, int N, int K, "
        "float* partials, int* arrived",
    ),
)
TILE = 16  # of gpu.py: a block has TILE × TILE outputs
GPU_FILES = (
    KernelFile(
        "linear",
        "gpu.cu",
        ENTRIES,
        precisions=PRECISIONS,
        geometries=tiles.TILES,
        sides=tiles.SIDES,
    ),
    KernelFile("linear", "gpu.py", ENTRIES, threads=TILE * TILE, sides=(TILE, TILE)),
)


def linear(
    x: ArrayT,
    w: Array,
    b: Array | None = None,
    activation: ActivationLike = None,
    *,
    precision: str = "float32",
    z_out: Array | None = None,
    out: Array | None = None,
    variant: str | None = None,
) -> ArrayT:
    """y = f(x w + b), float32 (B, O).

    x: (B, I). w: (I, O). b: (O,) or None. activation: a name, None (identity) or an Activation.
    precision: "float32" (default), "tf32", "bfloat16" or "float16"; see the module.
    z_out: (B, O) array that receives z = x w + b as well, or None.
    out: (B, O) array that receives y. variant: a file of kernels.variants("linear", x).
    Raises TypeError for a dtype other than float32 or arrays on different devices, ValueError for
    shapes that do not fit, unknown names, or outputs that overlap inputs.
    """
    f = activation if isinstance(activation, Activation) else activations.get(activation)
    if precision not in PRECISIONS:
        arrays.one_of("precision", precision, PRECISIONS)
    x = arrays.operand("x", x, ("B", "I"))
    w = arrays.operand("w", w, (x.shape[1], "O"))
    shape = B, O = x.shape[0], w.shape[1]
    if b is not None:
        b = arrays.operand("b", b, (O,))
    if 0 in w.shape:
        refuse_empty(I=x.shape[1], O=O)
    device = arrays.device_of(x=x, w=w, b=b)
    y = arrays.result("out", out, shape, x)
    if z_out is not None:
        z_out = arrays.result("z_out", z_out, shape, x)
    if out is not None or z_out is not None:  # a new array overlaps nothing
        arrays.refuse_overlap({"z_out": z_out, "out": y}, {"x": x, "w": w, "b": b})
    if B == 0:
        return y
    file = _pick(
        device, variant, precision, {"linear_forward": (B, O, x.shape[1])}, (x.size, w.size)
    )
    if device == "cpu":
        submit(device, dispatch.cpu("linear", file).linear, x, w, b, f.fused, z_out, y)
    else:
        scalar = f.fused
        if file == hopper.FILE:
            hopper.linear(x, w, b, scalar, z_out, y, precision)
        elif file in ladder.RUNGS:
            _refuse_precision(file, precision)
            ladder.linear(file, x, w, b, scalar, z_out, y)
        else:
            described = dispatch.kernel_file("linear", file)
            operands, functions = (x, w, b, z_out, y), dispatch.scalar_functions(scalar)
            product(described, "linear_forward", operands, B, O, x.shape[1], precision, functions)
    if f.after:
        _activation(y, f.after, out=y)
    return y


def linear_backward(
    dy: ArrayT,
    x: Array,
    w: Array,
    s: Array | None = None,
    activation: ActivationLike = None,
    *,
    x_activation: ActivationLike = None,
    x_saved: Array | None = None,
    need_dx: bool = True,
    need_dw: bool = True,
    bias: bool = True,
    precision: str = "float32",
    out: Outputs = (None, None, None),
    variant: str | None = None,
) -> tuple[ArrayT, ArrayT, ArrayT]:
    """dx (B, I), dw (I, O), db (O,) from dy (B, O): the gradients of a scalar loss.

    dy: the loss's gradient with respect to y. x, w: as in the forward pass.
    s: what f's derivative reads: y, or z for an activation that reads z. Needed unless activation
    is None (then dy is dz already).
    x_activation: the activation of the layer before; dx is multiplied by its derivative at
    x_saved (default x, its output; pass its z if it reads z), and is that layer's dz.
    need_dx, bias: False leaves dx or db out, need_dw dw and db (None is returned in their place).
    out: (dx, dw, db) arrays to write into, each may be None. Errors as in `linear`.
    """
    f = None if activation is None else activations.get(activation)
    f = None if f is not None and f.name == "identity" else f
    g = x_activation if isinstance(x_activation, Activation) else activations.get(x_activation)
    if precision not in PRECISIONS:
        arrays.one_of("precision", precision, PRECISIONS)
    x = arrays.operand("x", x, ("B", "I"))
    B, I = x.shape
    w = arrays.operand("w", w, (I, "O"))
    O = w.shape[1]
    if 0 in w.shape:
        refuse_empty(I=I, O=O)
    dz = given = arrays.operand("dy", dy, (B, O))
    device = arrays.device_of(dy=dz, x=x, w=w)
    if f is not None:
        if s is None:
            needed = "z" if f.reads == "z" else "the output y"
            raise TypeError(f"s: got None; the derivative of {f.name} reads {needed}: pass it")
        s = arrays.operand("s", s, (B, O))
    else:
        s = None
    dx_out, dw_out, db_out = out
    dw = arrays.result("out[1] (dw)", dw_out, (I, O), x) if need_dw else None
    db = arrays.result("out[2] (db)", db_out, (O,), x) if need_dw and bias else None
    dx = arrays.result("out[0] (dx)", dx_out, (B, I), x) if need_dx else None
    if need_dx and g.name != "identity":
        g.require_derivative()
        saved = x if x_saved is None else arrays.operand("x_saved", x_saved, (B, I))
    else:
        saved = None
    if s is not None or saved is not None:
        arrays.device_of(dy=given, s=s, x_saved=saved)
    if not dx_out is dw_out is db_out is None:  # new arrays overlap nothing
        arrays.refuse_overlap(
            {"out (dx)": dx, "out (dw)": dw, "out (db)": db},
            {"x": x, "dy": given, "w": w, "s": s, "x_saved": saved},
        )
    if f is not None:
        dz = _activation_backward(dz, s, f)
    if B == 0:
        for gradient in (dw, db):
            if gradient is not None:
                submit(device, gradient.fill, 0)
        return dx, dw, db
    products, packed = {}, [dz.size]
    if need_dw:
        products["linear_backward_dw"] = I, O, B
        packed.append(x.size)
    if need_dx:
        products["linear_backward_dx"] = B, I, O
        packed.append(w.size)
    file = _pick(device, variant, precision, products, packed)
    if file in ladder.RUNGS:
        ladder.refuse_backward(file)
    fused, read = g.fused, None if g.after else saved
    if device == "cpu":
        run = dispatch.cpu("linear", file).linear_backward
        submit(device, run, dz, x, w, fused, read, dx, dw, db)
    elif file == hopper.FILE:
        hopper.linear_backward(dz, x, w, fused, read, dx, dw, db, precision)
    else:
        described = dispatch.kernel_file("linear", file)
        if need_dx:
            operands, functions = (dz, w, read, dx), dispatch.scalar_functions(fused)
            product(described, "linear_backward_dx", operands, B, I, O, precision, functions)
        if need_dw:
            product(described, "linear_backward_dw", (x, dz, dw, db), I, O, B, precision)
    if need_dx and g.after:
        _activation_backward(dx, saved, g.after, out=dx)
    return dx, dw, db


def _pick(device, variant, precision, products, packed):
    """The file to run: `variant` if given, else the default, or Hopper's own where that saves."""
    file = dispatch.pick("linear", device, variant, DEFAULT)
    if variant is None and device != "cpu" and precision == hopper.PRECISION:
        return hopper.FILE if hopper.saves(device, precision, products, packed) else file
    return file


def _activation(z, f, out):
    from kernels.ops.activation import activation

    return activation(z, f, out=out)


def _activation_backward(dy, s, f, out=None):
    from kernels.ops.activation import activation_backward

    return activation_backward(dy, s, f, out=out)


def product(file, entry, operands, M, N, K, precision="float32", functions=()):
    """One launch of a kernel that is a product of M × N over K with an epilogue of its own.

    file: a KernelFile, whose entry takes operands, M, N, K, partials and arrived. functions: to be
    linked in.
    """
    tile, splits, partials, arrived = None, 1, None, None
    if file.geometries:
        tile, splits = tiles.choose(M, N, K)
    else:
        _refuse_precision(file.file, precision)
    rows, columns = (tile.m, tile.n) if tile else file.sides
    grid = (-(-M // rows), -(-N // columns), splits)  # rounded up
    if max(M, N, K) >= 2**31 or grid[1] > 65535:
        raise ValueError(
            f"{entry}: got a product of {M} × {N} over {K}; expected sizes under 2³¹ and at most "
            f"{65535 * columns} columns"
        )
    if splits > 1:
        blocks = grid[0] * grid[1]
        partials, arrived = workspace(operands[0], blocks * splits * tile.result, blocks)
    launch(
        file,
        entry,
        grid,
        (*operands, M, N, K, partials, arrived),
        functions,
        precision=tile and precision,
        geometry=tile,
    )


def _refuse_precision(file, precision):
    if precision != "float32":
        raise ValueError(
            f"variant {file!r} computes in float32 only; got precision {precision!r}. "
            "Leave variant out, or pass variant='gpu.cu'"
        )


def refuse_empty(**sizes):
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name}: got {size}; expected at least 1")
