"""linear_backward_adam: backward through a linear layer with Adam's step on its parameters in one.

    dx = (dz wᵀ) ⊙ g'(x_saved)
    dw = xᵀ dz;  db = Σ_rows dz;  w, b and their moments take `adam`'s step by dw, db

x (B, I), w (I, O), b (O,), dz (B, O); float32. What `linear_backward` and then `adam` compute, but
dw and db are stored nowhere: the kernel that has a tile of dw in its registers updates the tile of
w. That saves a launch, and of the 32 bytes a weight that the two move (dw written and read, w and
its moments read and written) it saves 8. dx is that of w as it was before the step.

    dz = …                                                         # of the layer's x w + b
    dx = kernels.linear_backward_adam(dz, x, w, m, v, step, b=b, m_b=m_b, v_b=v_b)

Source: the optimizer's step in the backward pass, Lv et al., Full parameter fine-tuning for large
language models with limited resources (LOMO), ACL 2024; the step, see `adam`.
"""

from kernels import activations, arrays, dispatch, flat
from kernels.activations import ActivationLike
from kernels.arrays import Array, ArrayT
from kernels.device import Entry, KernelFile, submit
from kernels.ops.adam import HYPERPARAMETERS, adam, constants
from kernels.ops.linear import PRECISIONS, hopper, linear_backward, product, refuse_empty, tiles

DEFAULT = ("cpu.py", "gpu.cu")
ENTRY = Entry(
    "linear_backward_adam",
    "const float* x, const float* dz, float* w, float* m, float* v, "
    f"float* b, float* m_b, float* v_b, {HYPERPARAMETERS}, "
    "int M, int N, int K, float* partials, int* arrived",
)
TESTED = tiles.TILES[3], tiles.NARROW, tiles.TILES[0]  # linear's tests compile every tile
GPU_FILES = (
    KernelFile(
        "linear_backward_adam", "gpu.cu", (ENTRY,), precisions=PRECISIONS, geometries=TESTED
    ),
)


def linear_backward_adam(
    dz: ArrayT,
    x: Array,
    w: Array,
    m: Array,
    v: Array,
    step: int | Array,
    lr: float | Array = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    *,
    b: Array | None = None,
    m_b: Array | None = None,
    v_b: Array | None = None,
    x_activation: ActivationLike = None,
    x_saved: Array | None = None,
    need_dx: bool = True,
    precision: str = "float32",
    out: Array | None = None,
    variant: str | None = None,
) -> ArrayT:
    """dx (B, I), or None without need_dx; w, m, v and b, m_b, v_b are updated in place.

    dz: float32 (B, O), the loss's gradient with respect to x w + b. x: (B, I). w, m, v: (I, O), the
    weights and their moments; b, m_b, v_b: (O,), the bias and its own, or all None (default).
    step, lr, beta1, beta2, eps, weight_decay: as in `adam`, with its defaults.
    x_activation, x_saved, precision: as in `linear_backward`; precision is that of dx and of dw,
    the step is float32. need_dx: False leaves dx out. out: (B, I) array that receives dx.
    Raises TypeError, ValueError as those two do, also for outputs that overlap.
    """
    g = activations.get(x_activation)
    arrays.one_of("precision", precision, PRECISIONS)
    x = arrays.operand("x", x, ("B", "I"))
    B, I = x.shape
    dz = arrays.operand("dz", dz, (B, "O"))
    O = dz.shape[1]
    refuse_empty(I=I, O=O)
    shapes = dict.fromkeys("wmv", (I, O))
    if any(a is not None for a in (b, m_b, v_b)):
        shapes |= dict.fromkeys(("b", "m_b", "v_b"), (O,))
    given = {"w": w, "m": m, "v": v, "b": b, "m_b": m_b, "v_b": v_b}
    for name in shapes:
        if given[name] is None:
            raise TypeError(f"{name}: got None; expected an array, which is updated in place")
    updated = {name: arrays.result(name, given[name], shape, x) for name, shape in shapes.items()}
    device = arrays.device_of(dz=dz, x=x, **updated)
    rule = step, lr, beta1, beta2, eps, weight_decay
    of_cpu, of_gpu = constants(*rule[2:])
    counted = flat.on_device({"x": x}, {"step": step, "lr": lr})
    numbers = flat.behind_arrays(device, counted, of_cpu, of_gpu)
    out = arrays.result("out", out, (B, I), x) if need_dx and out is not None else None
    if x_saved is not None:
        reads = need_dx and g.name != "identity"
        x_saved = arrays.operand("x_saved", x_saved, (B, I)) if reads else None
    arrays.device_of(x=x, x_saved=x_saved)
    inputs = {"dz": dz, "x": x, "x_saved": x_saved}
    inputs |= {name: array for name, (array, _) in counted.items()}
    arrays.refuse_overlap({"out": out} | updated, inputs)
    file = dispatch.pick("linear_backward_adam", device, variant, DEFAULT)
    dx = None
    if need_dx:
        dx, _, _ = linear_backward(
            dz,
            x,
            updated["w"],
            x_activation=x_activation,
            x_saved=x_saved,
            need_dw=False,
            precision=precision,
            out=(out, None, None),
            variant=variant,
        )
    if B == 0:
        _without_samples(updated, rule)
        return dx
    operands = (x, dz, *map(updated.get, given), *numbers)
    if device == "cpu":
        run = dispatch.cpu("linear_backward_adam", file).linear_backward_adam
        submit(device, run, *operands)
    else:
        described = dispatch.kernel_file("linear_backward_adam", file)
        product(described, "linear_backward_adam", operands, I, O, B, precision)
    return dx


def is_faster(device, precision, B, I, O) -> bool:
    """Whether this is less work than `linear_backward` and `adam`. Not on the CPU, where a call
    costs nothing; nor where dw is better made by gpu_hopper.cu, which has no such epilogue."""
    dw, dx = {"linear_backward_dw": (I, O, B)}, {"linear_backward_dx": (B, I, O)}
    return device != "cpu" and not (
        hopper.saves(device, precision, dw, [B * O, B * I])
        or hopper.saves(device, precision, dw | dx, [B * O, B * I, I * O])
    )


def _without_samples(updated, rule):
    """The step by gradients of zeros."""
    flat = [a.reshape(-1) for a in updated.values()]
    for p, m, v in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
        adam(p, arrays.namespace(p).zeros(p.shape, "float32"), m, v, *rule)
