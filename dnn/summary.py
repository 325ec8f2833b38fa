"""The table that Sequential.summary prints."""

from dnn.catalog import snake_case


def table(model) -> str:
    """Layer (type), output shape and number of parameters, then the totals."""
    rows = [("Layer (type)", "Output Shape", "Param #")]
    counts, computed = {}, 0
    for layer in model.layers:
        kind = type(layer).__name__
        stem = snake_case(kind)
        counts[stem] = counts.get(stem, 0) + 1
        name = stem if counts[stem] == 1 else f"{stem}_{counts[stem] - 1}"
        parameters = 0
        if layer.computes:
            parameters = sum(p.size for p in model.arrays()[computed].values())
            computed += 1
        shape = f"(None, {model.units[computed]})"
        if kind == "Input":
            shape = "(None, " + ", ".join(map(str, layer.shape)) + ")"
        rows.append((f"{name} ({kind})", shape, f"{parameters:,}"))
    widths = [max(len(row[i]) for row in rows) + 2 for i in range(3)]
    lines = ["".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    rule = "─" * sum(widths)
    trainable = model.count_params()
    states = sum(s.size for layer in model.states for s in layer.values())
    total = trainable + states
    totals = [
        f"Total params: {total:,} ({4 * total / 1024:,.2f} KiB)",
        f"Trainable params: {trainable:,}",
        f"Non-trainable params: {states:,}",
    ]
    return "\n".join([lines[0].rstrip(), rule, *(x.rstrip() for x in lines[1:]), rule, *totals])
