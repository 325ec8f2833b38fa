"""Writes average.json: the averages that PyTorch and Keras themselves keep of weights.

    pip install torch keras numpy
    python -m tests.dnn.figures.make_average_figures

Gradient descent on ½ Σ (p − target)² from START; stored is the average after every step, of
keras.optimizers.SGD(use_ema=True) and of torch.optim.swa_utils.AveragedModel, in float64. The test
reads the file, and needs neither library.
"""

import os

import numpy as np

from tests.dnn.figures import store

STEPS, RATE, MOMENTUM = 10, 0.25, 0.9
START = np.array([1.0, -2.0, 0.5, 100.0])
TARGET = np.array([0.0, 3.0, 0.25, -1.0])


def keras_averages():
    import keras

    p = keras.Variable(START, dtype="float64")
    optimizer = keras.optimizers.SGD(RATE, use_ema=True, ema_momentum=MOMENTUM)
    averages = []
    for _ in range(STEPS):
        optimizer.apply([p.value.detach() - keras.ops.convert_to_tensor(TARGET)], [p])
        (average,) = optimizer._model_variables_moving_average
        averages.append(keras.ops.convert_to_numpy(average).tolist())
    return averages


def torch_averages():
    import torch
    from torch.optim import swa_utils

    model = torch.nn.Linear(len(START), 1, bias=False, dtype=torch.float64)
    model.weight.data[0] = torch.tensor(START)
    averaged = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(MOMENTUM))
    averages = []
    for _ in range(STEPS):
        model.weight.data -= RATE * (model.weight.data - torch.tensor(TARGET))
        averaged.update_parameters(model)
        averages.append(averaged.module.weight.data[0].tolist())
    return averages


def figures():
    return {"keras SGD(use_ema=True)": keras_averages(), "torch AveragedModel": torch_averages()}


if __name__ == "__main__":
    os.environ["KERAS_BACKEND"] = "torch"  # what is above takes no other
    store(__file__, average=figures)
