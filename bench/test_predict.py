"""predict: the outputs of a trained network for 1, 128 and 10,000 rows of float32, from a NumPy
array to a NumPy array, as somebody calls it who serves a model.

All have the same weights and as many threads, and take turns. Agreement: with float64, but for a
number added to a row, which changes no probability: scikit-learn gives logarithms of these.
"""

import time

import numpy as np
import pytest

from bench import measure, records
from bench.providers import DEVICES, training
from bench.shapes import NETS
from bench.test_epoch import initial_weights
from kernels import reference

ROWS = (1, 128, 10_000)
AGREEMENT = 1e-4


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_predict(benchmark, pytestconfig, net, rows, device):
    running, absent = training("predictor", device, pytestconfig)
    rng = np.random.default_rng(0)
    weights = initial_weights(net)
    x = rng.random((rows, net.widths[0]), np.float32)
    want = outputs(x, weights)
    calls, first_s = {}, {}
    for provider in running:
        try:
            predict = provider.module.predictor(net, provider.device, weights)
            began = time.perf_counter()
            got = predict(x)
            first_s[provider] = time.perf_counter() - began
        except Exception as failure:
            if provider.role("predict") != "peer":
                raise
            absent[provider.name] = f"{provider.name} fails: {str(failure).strip()[:500]}"
            continue
        assert abs(centred(got) - centred(want)).max() < AGREEMENT, provider.name
        calls[provider] = lambda predict=predict: predict(x)
    benchmark.group = f"predict {net.name} {rows} {device}"
    if not benchmark.enabled:
        benchmark.pedantic(next(iter(calls.values())))
        return
    times = measure.host_turns(benchmark, calls, on_cpu=True)
    kept = []
    for provider, of_turns in times.items():
        facts = {
            "shape": {"net": net.name, "rows": rows},
            "dtype": "float32",
            "precision": "float32",
            "clock": "host",
            "cache": "warm",
            **measure.quantiles_us(of_turns),
            "first_call_s": first_s[provider],
        }
        facts |= {} if kept else {"absent": absent}
        kept.append(records.keep(pytestconfig, provider, "predict", facts))
    ours, *others = kept
    line = f"predict {net.name}, {rows} rows, {device}: {ours['median_us']:.0f} µs"
    for record in others:
        line += f"; {record['provider']} {record['median_us'] / ours['median_us']:.2f} ×"
    lines = [line, *(f"  {name} skipped: {reason}" for name, reason in absent.items())]
    pytestconfig.stash[records.LINES].extend(lines)


def outputs(x, weights):
    """In float64."""
    x = x.astype(np.float64)
    for i in range(0, len(weights), 2):
        last = i + 2 == len(weights)
        w, b = (a.astype(np.float64) for a in weights[i : i + 2])
        x = reference.linear(x, w, b, None if last else "relu")
    return x


def centred(z):
    return z - z.mean(axis=1, keepdims=True)
