"""Writes schedules.json and optimizers.json: what PyTorch and Keras themselves compute, in float64.

    pip install torch keras numpy
    python -m tests.dnn.figures.make_figures

The tests read the two files, and need neither library. Run this again to compare with newer
versions of them; the versions stand in the files.
"""

import numpy as np

from tests.dnn.figures import store

ONE_CYCLES = (
    {"max_lr": 1e-3, "total_steps": 50, "pct_start": 0.3, "div": 25.0, "final_div": 1e4},
    {"max_lr": 0.1, "total_steps": 37, "pct_start": 0.25, "div": 10.0, "final_div": 1e3},
    {"max_lr": 0.1, "total_steps": 3, "pct_start": 0.3, "div": 25.0, "final_div": 1e4},
    {"max_lr": 0.1, "total_steps": 10, "pct_start": 0.2, "div": 25.0, "final_div": 1e4},
)
COSINES = (
    {"initial_learning_rate": 1e-3, "decay_steps": 20},
    {"initial_learning_rate": 0.1, "decay_steps": 7, "alpha": 0.05},
    {
        "initial_learning_rate": 1e-4,
        "decay_steps": 12,
        "alpha": 0.1,
        "warmup_target": 1e-2,
        "warmup_steps": 5,
    },
)
PIECES = (
    {"boundaries": [3, 10, 11], "values": [0.1, 0.05, 0.2, 0.001]},
    {"boundaries": [7], "values": [1.0, 0.5]},
)
EXPONENTIALS = (
    {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5},
    {"initial_learning_rate": 0.01, "decay_steps": 5, "decay_rate": 0.1, "staircase": True},
)
STEP_RATES = ({"lr": 0.1, "step_size": 6, "gamma": 0.5}, {"lr": 0.1, "step_size": 1, "gamma": 0.9})
COSINE_CALLS = 25  # steps that each is asked for: beyond the end of all three

# The problem: minimise Σ scale · (stiffness / 2 · (p − target)² + sin p) from START. The scales let
# epsilon matter for some of the parameters.
START = np.array([1.0, -1.0, 0.5, 2.0, -0.25, 0.75, -2.0, 1.5])
STIFFNESS = np.array([1.0, 2.0, 0.5, 3.0, 1.0, 2.0, 0.25, 1.0])
TARGET = np.array([0.0, 0.5, -1.0, 1.0, 2.0, -2.0, 0.3, 0.0])
SCALE = np.array([1.0, 0.3, 1e-2, 1e-3, 1e-5, 1e-6, 1e-7, 0.0])
STEPS = 50
KEPT = (1, 2, 3, 10, 25, 26, 27, 28, 40, 50)  # the steps after which p is stored
RATES = {"constant": lambda step: 0.02, "changed": lambda step: 0.02 if step <= 25 else 0.003}
# Ours; PyTorch's and Keras' own arguments follow in optimizers().
RMSPROPS = {
    "rmsprop": {},
    "rmsprop centered": {"centered": True},
    "rmsprop momentum": {"momentum": 0.9},
    "rmsprop centered momentum": {"centered": True, "momentum": 0.9},
}
CLIPS = {"clipnorm": 0.5, "clipvalue": 0.5, "global_clipnorm": 0.5}  # one parameter: norms agree
DECAY = 0.3  # of the weights
NEGLIGIBLE = 1e-30  # an epsilon under the root
SGDS = {
    "sgd": {},
    "sgd momentum": {"momentum": 0.9},
    "sgd nesterov": {"momentum": 0.9, "nesterov": True},
}


def gradient(p):
    """Of the problem, in p's own precision."""
    stiffness, target, scale = (a.astype(p.dtype) for a in (STIFFNESS, TARGET, SCALE))
    return scale * (stiffness * (p - target) + np.cos(p))


def trajectory(step):
    """p after each of the KEPT steps; step(number from 1, p, g) -> the next p."""
    p, kept = START.copy(), []
    for t in range(1, STEPS + 1):
        p = step(t, p, gradient(p))
        if t in KEPT:
            kept.append(p.tolist())
    return kept


def torch_trajectory(make, rate):
    import torch

    p = torch.nn.Parameter(torch.from_numpy(START.copy()))
    optimizer = make([p], lr=rate(1))

    def step(t, _, g):
        optimizer.param_groups[0]["lr"] = rate(t)
        p.grad = torch.from_numpy(g)
        optimizer.step()
        return p.detach().numpy().copy()

    return trajectory(step)


def keras_trajectory(make, rate):
    import keras

    p = keras.Variable(START, dtype="float64")
    optimizer = make(rate(1))
    optimizer.build([p])

    def step(t, _, g):
        optimizer.learning_rate = rate(t)
        optimizer.apply([keras.ops.convert_to_tensor(g, "float64")], [p])
        return keras.ops.convert_to_numpy(p.value).copy()

    return trajectory(step)


def optimizers():
    import functools

    import keras
    import torch

    makers = {
        "torch": {"adam": functools.partial(torch.optim.Adam, eps=1e-8)},
        "keras": {"adam": functools.partial(keras.optimizers.Adam, epsilon=1e-7)},
    }
    for name, options in SGDS.items():
        makers["torch"][name] = functools.partial(torch.optim.SGD, **options)
        makers["keras"][name] = functools.partial(keras.optimizers.SGD, **options)
    for name, options in RMSPROPS.items():
        makers["torch"][name] = functools.partial(torch.optim.RMSprop, alpha=0.9, **options)
        makers["keras"][name] = functools.partial(keras.optimizers.RMSprop, **options)
        makers["keras"][f"{name} negligible epsilon"] = functools.partial(
            keras.optimizers.RMSprop, epsilon=NEGLIGIBLE, **options
        )
    makers["torch"] |= {
        "adagrad": torch.optim.Adagrad,
        "adagrad 0.1": functools.partial(torch.optim.Adagrad, initial_accumulator_value=0.1),
        "adadelta": torch.optim.Adadelta,
        "adamw": functools.partial(torch.optim.AdamW, weight_decay=DECAY),
    }
    makers["keras"] |= {
        "adagrad": keras.optimizers.Adagrad,
        "adadelta": keras.optimizers.Adadelta,
        "adamw negligible epsilon": functools.partial(
            keras.optimizers.AdamW, weight_decay=DECAY, epsilon=NEGLIGIBLE
        ),
        "sgd decay": functools.partial(keras.optimizers.SGD, momentum=0.9, weight_decay=DECAY),
        "rmsprop decay": functools.partial(
            keras.optimizers.RMSprop, epsilon=NEGLIGIBLE, weight_decay=DECAY
        ),
        "adagrad decay": functools.partial(keras.optimizers.Adagrad, weight_decay=DECAY),
        "adadelta decay": functools.partial(keras.optimizers.Adadelta, weight_decay=DECAY),
        **{
            f"sgd {name}": functools.partial(keras.optimizers.SGD, **{name: limit})
            for name, limit in CLIPS.items()
        },
    }
    follow = {"torch": torch_trajectory, "keras": keras_trajectory}
    return {
        f"{library} {name}, {course} rate": follow[library](make, rate)
        for library, made in makers.items()
        for name, make in made.items()
        for course, rate in RATES.items()
    }


def one_cycle(max_lr, total_steps, pct_start, div, final_div):
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))])
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr,
        total_steps,
        pct_start=pct_start,
        cycle_momentum=False,
        div_factor=div,
        final_div_factor=final_div,
    )
    rates = []
    for step in range(total_steps):
        rates.append(float(schedule.get_last_lr()[0]))
        optimizer.step()
        if step < total_steps - 1:
            schedule.step()
    return rates


def cosine(**options):
    import keras

    schedule = keras.optimizers.schedules.CosineDecay(**options)
    return [float(schedule(step)) for step in range(COSINE_CALLS)]


def piecewise(**options):
    import keras

    schedule = keras.optimizers.schedules.PiecewiseConstantDecay(**options)
    return [float(schedule(step)) for step in range(COSINE_CALLS)]


def exponential(**options):
    import keras

    schedule = keras.optimizers.schedules.ExponentialDecay(**options)
    return [float(schedule(step)) for step in range(COSINE_CALLS)]


def steps(lr, step_size, gamma):
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size, gamma)
    rates = []
    for _ in range(COSINE_CALLS):
        rates.append(float(schedule.get_last_lr()[0]))
        optimizer.step()
        schedule.step()
    return rates


def schedules():
    return {
        "torch OneCycleLR": [{"options": o, "rates": one_cycle(**o)} for o in ONE_CYCLES],
        "torch StepLR": [{"options": o, "rates": steps(**o)} for o in STEP_RATES],
        "keras PiecewiseConstantDecay": [{"options": o, "rates": piecewise(**o)} for o in PIECES],
        "keras ExponentialDecay": [{"options": o, "rates": exponential(**o)} for o in EXPONENTIALS],
        "keras CosineDecay": [{"options": o, "rates": cosine(**o)} for o in COSINES],
    }


if __name__ == "__main__":
    store(__file__, schedules=schedules, optimizers=optimizers)
