"""The training steps of a `fit`: as graphs, or one kernel after the other (eagerly).

A graph is the calls of some steps in a row, recorded once. Of which samples a step takes, it holds
how many; what else differs from one replay to the next are a few bytes a step that it reads on the
device: where in the epoch's order the rows begin, the key of that order, the number of the step and
its learning rate. So for all steps of a graph the host makes a few copies to the device and one
launch, and the same graph serves every place in every epoch. A smaller last batch is a step like
others. Eager steps give the same bits.
"""

import struct

import numpy as np

import kernels
from dnn import devices, schedules
from kernels.device import capture

# How many steps a graph holds at most. On a GPU (not measured yet) an epoch of 60,000 samples in
# batches of 128, 469 steps, is then eight launches, and two graphs, of 64 and 21 steps, have been
# recorded before: more steps a graph make fewer launches and a longer start. On the CPU a replay
# saves no launch, and a longer graph would be paid back after some hundred of the smallest steps.
GRAPH_STEPS = {"cpu": 1, "gpu": 64, "emulated": 64}


class Trainer:
    """Takes training steps on one set of samples.

    run: an Execution for training. x, targets, weights: of all samples, on the device; weights may
    be None. captured: whether steps are graphs. most_steps: how many are issued at once.
    """

    def __init__(self, run, x, targets, weights, batch_size):
        self.run, self.x, self.batch_size = run, x, batch_size
        self.unordered = [targets] if weights is None else [targets, weights]
        model = self.model = run.model
        self.xp = devices.namespace(model.device)
        self.ordered = [self.xp.empty(a.shape, a.dtype) for a in self.unordered]
        self.captured = run.of_kernels and not model.run_eagerly
        self.most_steps = GRAPH_STEPS[model.device] if self.captured else 1
        self._graphs = {}  # {how many samples: their steps}
        # Numbers that a graph holds: all but the learning rate, which it reads
        self._numbers = [vars(part) for part in (model.optimizer, model.loss, *model.layers)]
        self._functions = [layer.function for layer in model.layers]
        self._held = None

    def begin_epoch(self, key):
        """The steps that follow take the samples in the order `key`: kernels.shuffle_key's, or None
        for the order in which they stand; None in every epoch or in none."""
        self.key, self._in_order = key, False

    def parts(self, start, end):
        """The rows start … end − 1 in parts, (start, end) each, that `train` takes at once."""
        most = self.most_steps * self.batch_size
        return [(low, min(low + most, end)) for low in range(start, end, most)]

    def train(self, start, end, *out):
        """Steps on the rows start … end − 1 of the order, one of `parts`. out: losses float32 and
        hits uint8 (end − start,) receive each row's, and, where it is given, outputs float32
        (end − start, units) what the last layer makes of it. Nothing waits for the device."""
        model, schedule = self.model, self.model.schedule
        if self._numbers != self._held:
            self._hold()
        starts = range(start, end, self.batch_size)
        first = model.steps_trained + 1
        numbers = range(first, first + len(starts))
        rates = schedules.rates(schedule, [number - 1 for number in numbers])
        if self.captured:
            graph = self._graph(out)
            graph.inputs.set(self.key, starts, numbers, rates)
            with graph.recorded.compiled_meanwhile():
                graph.take(self._given(start, end), out)
        else:
            rates = np.float32(rates).tolist()  # as a graph's
            self.issue(self._given(start, end), out, self.key, starts, numbers, rates)
        model.steps_trained = numbers[-1]

    def _given(self, start, end):
        """The targets, and the weights if there are, of those rows of the order."""
        if not self._in_order:  # all of an epoch's: they are small
            for a, out in zip(self.unordered, self.ordered, strict=True):
                kernels.gather(a, 0, len(a), key=self.key, out=out)
            self._in_order = True
        return [a[start:end] for a in self.ordered]

    def issue(self, given, out, key, starts, numbers, rates):
        """The calls of some steps. given: their samples' targets and, if there are, weights. out:
        as train's. Of each step the position of its first row, its number, from 1, and rate, and
        the key: numbers, or arrays (1,) on the device."""
        n = len(out[0])
        lows = range(0, n, self.batch_size)
        for low, start, number, rate in zip(lows, starts, numbers, rates, strict=True):
            rows = min(self.batch_size, n - low)
            batch = slice(low, low + rows)
            targets, *weights = (a[batch] for a in given)
            self.run.load(self.x, start, rows, key)
            loss, hit, *outputs = (a[batch] for a in out)
            self.run.step(rows, targets, loss, hit, number, rate, *weights)
            for y in outputs:
                kernels.gather(self.run.y[-1], 0, rows, out=y)

    def _hold(self):
        """Keep the numbers of all parts as they are now; graphs that hold others are dropped.
        Raises RuntimeError where the optimizer now needs state that the model does not hold, or a
        layer has another activation than the buffers are for."""
        self.model.require_trainable()
        for layer, function in zip(self.model.layers, self._functions, strict=True):
            if layer.function is not function:
                raise RuntimeError(
                    f"activation: that of {type(layer).__name__} was changed while the model is "
                    "trained; change it before or after `fit`"
                )
        held = [dict(numbers) for numbers in self._numbers]
        if self._held is None or _unread(held) != _unread(self._held):
            self._graphs.clear()
        self._held = held

    def _graph(self, out):
        n = len(out[0])
        if n not in self._graphs:
            self._graphs[n] = _Graph(self, out)
        return self._graphs[n]


def _unread(numbers):
    """Without what a graph reads: the optimizer's learning rate."""
    rule, *others = numbers
    read = ("learning_rate", "schedule")
    return {name: value for name, value in rule.items() if name not in read}, others


class _Graph:
    """Steps that fill arrays like `out`, recorded, with the arrays that they read and write."""

    def __init__(self, trainer, out):
        n = len(out[0])
        device, xp, steps = trainer.model.device, trainer.xp, -(-n // trainer.batch_size)
        # Zeros, for a process that compiles meanwhile runs on them
        self.given = [xp.zeros((n, *a.shape[1:]), a.dtype) for a in trainer.ordered]
        self.out = [xp.zeros(a.shape, a.dtype) for a in out]  # some losses know no hits
        self.inputs = _Inputs(device, steps)
        key, *of_steps = self.inputs.arrays
        of_steps = ([of[i : i + 1] for i in range(steps)] for of in of_steps)
        key = None if trainer.key is None else key
        with capture(device) as self.recorded:
            trainer.issue(self.given, self.out, key, *of_steps)

    def take(self, given, out):
        """As Trainer.issue, on the numbers that `inputs` was set to."""
        for a, values in zip(self.given, given, strict=True):
            a[...] = values
        self.recorded.replay()
        for a, values in zip(out, self.out, strict=True):
            a[...] = values


class _Inputs:
    """What differs from one replay to the next, for k steps, in one array on the device.

    arrays: key int64 (1,); starts int64, numbers int32 and rates float32, (k,) each.
    """

    def __init__(self, device, k):
        self._packed = struct.Struct(f"={1 + k}q{k}i{k}f")
        self._here = np.zeros(1 + 2 * k, np.int64)
        self._there = there = devices.to_device(self._here, device)  # on the CPU the same array
        pairs = there[1 + k :]
        of_steps = there[1 : 1 + k], pairs.view(np.int32)[:k], pairs.view(np.float32)[k:]
        self.arrays = there[:1], *of_steps

    def set(self, key, starts, numbers, rates):
        self._packed.pack_into(self._here, 0, key or 0, *starts, *numbers, *rates)
        if self._there is not self._here:
            self._there.set(self._here)  # waits for nothing
