"""The table that Sequential.summary prints."""

import dataclasses

from dnn.catalog import snake_case

MOST_SHOWN = 8  # layers of a line


def line(model) -> str:
    """The whole model on one line: shape, layers, parameters, device, how long it was trained."""
    parts = [_brief(layer) for layer in model.layers if type(layer).__name__ != "Input"]
    if len(parts) > MOST_SHOWN:
        parts[MOST_SHOWN // 2 : -MOST_SHOWN // 2] = [f"... {len(parts) - MOST_SHOWN} more ..."]
    if model.input_shape is not None:
        parts.insert(0, str(model.input_shape))
    about = ["not built"]
    if model.built:
        epochs = model.epochs_trained
        trained = f"trained for {epochs} epoch{'' if epochs == 1 else 's'}"
        about = [f"{model.count_params():,} parameters", trained]
    return f"<{type(model).__name__} {' -> '.join(parts)}; {', '.join(about)}; {model.device}>"


def _brief(layer):
    """ "Dense(128, relu)": what must be said of a layer, and its activation."""
    fields = dataclasses.fields(layer) if dataclasses.is_dataclass(layer) else ()
    shown = [
        str(getattr(layer, field.name))
        for field in fields
        if field.default is dataclasses.MISSING and field.name != "activation"
    ]
    if getattr(layer, "activation", None) is not None:
        shown.append(layer.function.name)
    return type(layer).__name__ + (f"({', '.join(shown)})" if shown else "")


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
