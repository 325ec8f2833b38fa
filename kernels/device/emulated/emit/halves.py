"""Arithmetic of f16 and bf16, alone or packed in pairs."""

from kernels.device.emulated.emit.operation import CPP_TYPE


def half(op, of_type, name, operands):
    """f16 and bf16, alone or packed: rounded to nearest. min and max may be .NaN."""
    element = CPP_TYPE[of_type].removesuffix("x2")
    op.flag("rn")
    if name in ("min", "max") and op.flag("NaN"):
        name += "_nan"
    steps = [step for step in ("sat", "relu") if op.flag(step)]
    ftz = op.flag("ftz")
    names = [f"x{i}" for i in range(operands)]
    values = [f"half_ftz({x})" if ftz else x for x in names]
    text = f"half_{name}<{element}>({', '.join(values)})"
    if ftz:
        text = f"half_ftz({text})"
    for step in steps:
        text = f"half_{dict(sat='saturate', relu='relu')[step]}({text})"
    parameters = ", ".join(f"{element} {x}" for x in names)
    sources = op.listed(of_type, *range(1, operands + 1))
    op.result(0, of_type, f"each([]({parameters}) {{ return {text}; }}, {sources})")
