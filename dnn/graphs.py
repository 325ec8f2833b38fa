"""The training steps of a `fit`: recorded once and replayed, or one kernel after the other.

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


class Steps:
    """Takes training steps on one set of samples.

    passes: of training. batches: the samples. captured: whether steps are graphs. most: how many
    are issued at once.
    """

    def __init__(self, passes, batches, batch_size):
        self.passes, self.batches, self.batch_size = passes, batches, batch_size
        model = self.model = passes.model
        self.captured = passes.plan.recordable and not model.run_eagerly
        self.most = GRAPH_STEPS[model.device] if self.captured else 1
        self._graphs = {}  # {how many samples: their steps}
        self._functions = [layer.function for layer in model.layers]
        self._look()

    def begin_epoch(self, key):
        """The steps that follow take the samples in the order `key`: kernels.shuffle_key's, or None
        for the order in which they stand; None in every epoch or in none."""
        self.key, self._in_order = key, False

    def train(self, start, end, out):
        """Up to `most` steps on the rows start … end − 1 of the order. out: losses float32 and hits
        uint8 (end − start,) receive each row's, and, where it is given, outputs float32 (end −
        start, units) what the last layer makes of it. Nothing waits for the device."""
        model = self.model
        if self._versions != [part._version for part in self._parts]:
            self._take_changes()
        starts = range(start, end, self.batch_size)
        first = model.training_state.steps_trained + 1
        numbers = range(first, first + len(starts))
        if type(self._schedule) is schedules.Constant:  # which was checked when it was set
            rates = [self._schedule.learning_rate] * len(numbers)
        else:
            rates = schedules.rates(self._schedule, range(first - 1, numbers[-1]))
        if self.captured:
            graph = self._graph(out)
            graph.inputs.set(self.key, starts, numbers, rates)
            with graph.recorded.compiled_meanwhile():
                graph.take(self._given(start, end), out)
        else:
            rates = np.float32(rates).tolist()  # as a graph's
            self.issue(self._given(start, end), out, self.key, starts, numbers, rates)
        model.training_state.steps_trained = numbers[-1]

    def _given(self, start, end):
        """The targets, and the weights if there are, of those rows of the order."""
        if not self._in_order:
            self.batches.order(self.key)
            self._in_order = True
        return self.batches.part(start, end)

    def issue(self, given, out, key, starts, numbers, rates):
        """The calls of some steps. given: their samples' targets and, if there are, weights. out:
        as train's. Of each step the position of its first row, its number, from 1, and rate, and
        the key: numbers, or arrays (1,) on the device."""
        passes, n = self.passes, len(out[0])
        lows = range(0, n, self.batch_size)
        for low, start, number, rate in zip(lows, starts, numbers, rates, strict=True):
            batch = slice(low, min(low + self.batch_size, n))
            loss, hit, *outputs = [a[batch] for a in out]
            self.batches.load(passes.x[: len(loss)], start, key)
            passes.step(loss, hit, number, rate, *[a[batch] for a in given])
            for y in outputs:
                kernels.gather(passes.y[-1], 0, len(y), out=y)

    def _look(self):
        """Remember the numbers of all parts as they are now; the schedule is one of them."""
        model = self.model
        self._schedule = model.schedule
        self._parts = model.optimizer, model.optimizer.schedule, model.loss, *model.layers
        self._versions = [part._version for part in self._parts]
        self._numbers = [_numbers(part) for part in self._parts if part is not self._parts[1]]

    def _take_changes(self):
        """A part was changed: graphs that hold other numbers are dropped, all but the learning
        rate, which they read. Raises RuntimeError where the optimizer now needs state that the
        model does not hold, or a layer has another activation than the buffers are for."""
        self.model.require_trainable()
        for layer, function in zip(self.model.layers, self._functions, strict=True):
            if layer.function is not function:
                raise RuntimeError(
                    f"activation: that of {type(layer).__name__} was changed while the model is "
                    "trained; change it before or after `fit`"
                )
        before = self._numbers
        self._look()
        if self._numbers != before:
            self._graphs.clear()
            self.passes.replan()

    def _graph(self, out):
        n = len(out[0])
        if n not in self._graphs:
            self._graphs[n] = _Graph(self, out)
        return self._graphs[n]


def _numbers(part):
    """What a graph would hold of a part: all but the learning rate, which it reads."""
    read = ("_version", "learning_rate", "schedule")
    return {name: value for name, value in vars(part).items() if name not in read}


class _Graph:
    """Steps that fill arrays like `out`, recorded, with the arrays that they read and write."""

    def __init__(self, steps, out):
        n = len(out[0])
        device, k = steps.model.device, -(-n // steps.batch_size)
        xp = devices.namespace(device)
        # Zeros, for a process that compiles meanwhile runs on them
        self.given = [xp.zeros((n, *a.shape[1:]), a.dtype) for a in steps.batches.given]
        self.out = [xp.zeros(a.shape, a.dtype) for a in out]  # some losses know no hits
        self.inputs = _Inputs(device, k)
        key, *of_steps = self.inputs.arrays
        of_steps = ([of[i : i + 1] for i in range(k)] for of in of_steps)
        key = None if steps.key is None else key
        with capture(device) as self.recorded:
            steps.issue(self.given, self.out, key, *of_steps)

    def take(self, given, out):
        """As Steps.issue, on the numbers that `inputs` was set to."""
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
        there = devices.to_device(self._here, device)  # on the CPU the same array
        pairs = there[1 + k :]
        of_steps = there[1 : 1 + k], pairs.view(np.int32)[:k], pairs.view(np.float32)[k:]
        self.arrays = there[:1], *of_steps
        self._send = devices.sender(self._here, there)

    def set(self, key, starts, numbers, rates):
        self._packed.pack_into(self._here, 0, key or 0, *starts, *numbers, *rates)
        self._send()
