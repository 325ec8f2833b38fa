"""Whole epochs of training: dnn.Sequential, PyTorch with fused Adam (eager, compiled, captured), a
plain NumPy loop, JAX.

All train the same network from the same weights with the same number of threads, and take turns,
an epoch each, in one process: neighbours on the machine then slow everybody down alike, and the
ratio holds where the times do not. The first epoch of each is not counted.

On a CPU everybody waits until the threads of the one before sleep (quiet.py). Then each takes what
it takes in a process of its own, so they share one.

Agreement: a few steps on one batch, in which the order of rows does not matter, against float64.
"""

import statistics
import time

import numpy as np
import pytest

from bench import data, measure, quiet, records
from bench.providers import DEVICES, training
from bench.shapes import TRAINED, Net
from kernels import reference

AGREEMENT_STEPS = 4
AGREEMENT = 1e-4  # relative, of the loss


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("net", TRAINED, ids=lambda net: f"{net.name}-B{net.batch}")
def test_epoch(benchmark, pytestconfig, net, device):
    running, absent = training("trainer", device, pytestconfig)
    samples = data.load()
    weights = initial_weights(net)
    running, failed = agree(running, net, samples.first(256), weights)
    absent |= failed
    benchmark.group = f"epoch {net.name} batch {net.batch} {device}"
    if not benchmark.enabled:
        samples = samples.first(2 * net.batch)
    epochs = {p: p.module.trainer(net, device, samples, weights) for p in running}
    first_s = {provider: timed_once(epoch) for provider, epoch in epochs.items()}
    if not benchmark.enabled:
        benchmark.pedantic(next(iter(epochs.values())))
        return
    rounds = pytestconfig.getoption("--epochs")
    turns = measure.take_turns(benchmark, epochs, rounds, before=settle)
    times_s = {provider: [seconds for (seconds,) in turns[provider]] for provider in epochs}
    report(benchmark, pytestconfig, net, samples, times_s, first_s, absent)


def timed_once(epoch):
    began = time.perf_counter()
    epoch()
    return time.perf_counter() - began


def settle(provider):
    if provider.device == "cpu":
        quiet.wait()


def report(benchmark, config, net, samples, times_s, first_s, absent):
    """Records, the ratios into extra_info, and the lines of the table at the end of the run."""
    n = len(samples.images)
    us, *_ = times_s
    medians_s = {provider: statistics.median(times) for provider, times in times_s.items()}
    others = [p for p in times_s if p is not us]
    ratios = {p.name: medians_s[us] / medians_s[p] for p in others}
    by_round = {
        p.name: [a / b for a, b in zip(times_s[us], times_s[p], strict=True)] for p in others
    }
    rounds = len(times_s[us])
    pools = ", ".join(f"{pool} {count}" for pool, count in config.stash[records.THREADS].items())
    lines = [
        "",
        f"epochs of {net.name}, batch {net.batch}, {n} samples of {samples.source}, {us.device}; "
        f"{rounds} each, in turns; threads: {pools}",
    ]
    for provider, times in times_s.items():
        facts = {
            "shape": {"net": net.name, "batch": net.batch, "samples": n},
            "dtype": "uint8" if provider is us else "float32",
            "precision": "float32",
            "data": samples.source,
            "clock": "host",
            "operations": net.step_operations(n),
            **measure.quantiles_us([[t * 1e6] for t in times]),
            "first_call_s": first_s[provider],
            "absent": absent,
            "GFLOP/s": net.step_operations(n) / medians_s[provider] * 1e-9,
        }
        records.keep(config, provider, "epoch", facts)
        line = f"  {provider.name:8} median {medians_s[provider] * 1e3:7.0f} ms"
        line += f"  ({min(times) * 1e3:.0f} … {max(times) * 1e3:.0f})"
        if provider is not us:
            each = by_round[provider.name]
            line += f"   {us.name}/{provider.name} {ratios[provider.name]:.2f}"
            line += f"  (by round {min(each):.2f} … {max(each):.2f})"
        lines.append(line)
    lines += [f"  {name:8} skipped: {reason}" for name, reason in absent.items()]
    config.stash[records.LINES].extend(lines)
    benchmark.extra_info.update(
        provider=us.name,
        median_ms={p.name: median * 1e3 for p, median in medians_s.items()},
        ratio_of_ours_to=ratios,
        ratio_by_round=by_round,
        epochs_ms={p.name: [t * 1e3 for t in times] for p, times in times_s.items()},
        absent=absent,
    )


def agree(running, net, samples, weights):
    """A few steps of every trainer on one batch, against float64. Returns those that run, and
    {peer: why its library fails}."""
    whole = Net(net.widths, batch=len(samples.images))
    want = reference_losses(samples, weights)
    able, failed = [], {}
    for provider in running:
        try:
            epoch = provider.module.trainer(whole, provider.device, samples, weights)
            got = np.array([epoch() for _ in want])
        except Exception as failure:
            if provider.role("epoch") != "peer":
                raise
            failed[provider.name] = f"{provider.name} fails: {str(failure).strip()[:500]}"
            continue
        assert (np.abs(got - want) <= AGREEMENT * want).all(), (
            f"{provider.name}: losses {got} of the first steps; expected {want}"
        )
        able.append(provider)
    return able, failed


def reference_losses(samples, weights) -> np.ndarray:
    """The loss before each of the first steps, in float64."""
    parameters = [p.astype(np.float64) for p in weights]
    state = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    x, labels = samples.images.reshape(len(samples.images), -1) / 255, samples.labels
    losses = []
    for step in range(1, AGREEMENT_STEPS + 1):
        layers = list(zip(parameters[::2], parameters[1::2], strict=True))
        outputs = [x]
        for w, b in layers[:-1]:
            outputs.append(reference.linear(outputs[-1], w, b, "relu"))
        z = reference.linear(outputs[-1], *layers[-1])
        loss, dz, _ = reference.softmax_cross_entropy(z, labels, 1 / len(x))
        losses.append(loss.mean())
        gradients = []
        for (w, _), output in zip(reversed(layers), reversed(outputs), strict=True):
            dz, dw, db = reference.linear_backward(dz, output, w, x_activation="relu")
            gradients = [dw, db, *gradients]
        stepped = [
            reference.adam(p, g, m, v, step)
            for p, g, (m, v) in zip(parameters, gradients, state, strict=True)
        ]
        parameters = [p for p, _, _ in stepped]
        state = [(m, v) for _, m, v in stepped]
    return np.array(losses)


def initial_weights(net) -> list[np.ndarray]:
    """[w, b, w, b, …] float32: Glorot's uniform weights and no bias."""
    rng = np.random.default_rng(0)
    weights = []
    for I, O in net.layers:
        limit = (6 / (I + O)) ** 0.5
        weights += [rng.uniform(-limit, limit, (I, O)).astype(np.float32), np.zeros(O, np.float32)]
    return weights
