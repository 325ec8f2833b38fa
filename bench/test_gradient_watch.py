"""What watching gradients costs: epochs of 784-128-10 with and without dnn.callbacks.GradientWatch,
by turns in one process; the ratio of the medians is in extra_info and in the closing lines."""

import statistics
import time

import pytest

from bench import data, ours, records
from bench.providers import DEVICES
from bench.shapes import NETS


@pytest.mark.parametrize("device", DEVICES)
def test_gradient_watch(benchmark, pytestconfig, device):
    if why_not := ours.why_not(device):
        pytest.skip(why_not)
    from dnn import Sequential, callbacks, layers, losses

    net, samples = NETS[0], data.load()
    if not benchmark.enabled:
        samples = samples.first(2 * net.batch)
    hidden = [layers.Dense(units, activation="relu") for units in net.widths[1:-1]]
    model = Sequential([*hidden, layers.Dense(net.widths[-1])], device=device)
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = samples.images, samples.labels

    def epoch(*watchers):
        model.fit(x, y, batch_size=net.batch, verbose=0, callbacks=watchers)

    plain_s = []

    def unwatched():
        began = time.perf_counter()
        epoch()
        plain_s.append(time.perf_counter() - began)

    def watched():
        epoch(callbacks.GradientWatch())

    rounds = pytestconfig.getoption("--epochs")
    benchmark.pedantic(watched, setup=unwatched, rounds=rounds, warmup_rounds=1)
    if benchmark.enabled:
        ratio = benchmark.stats.stats.median / statistics.median(plain_s[1:])
        benchmark.extra_info["watched_to_unwatched"] = ratio
        line = f"{net.name} on {device}: an epoch watched by GradientWatch takes {ratio:.3f} of one"
        pytestconfig.stash[records.LINES].append(line)
