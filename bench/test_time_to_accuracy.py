"""How long training takes until 88, 89 and 90 % of Fashion-MNIST's test images are recognised:
dnn.Sequential against PyTorch eager, compiled, and on a GPU captured.

A test is a seed: everybody trains once by recipe.py from that seed's weights, one after the other,
ours last, the others in an order that rotates. The clock runs while it trains, not while the test
images are looked at, which is after each epoch: an accuracy counts as reached at the end of the
first epoch that has it. What is compiled or captured first stands apart: first_call_s is a short
run of the first seed, ready_s what a seed waits for before its clock runs. (Ours records its graphs
in a run's first epoch, on the clock.) A record is a seed of a provider, with all its epochs: who
never got there can be seen.

Agreement: a few steps on one batch, in which the order of rows does not matter, against float64.
"""

import functools
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest

from bench import data, measure, records
from bench.providers import DEVICES, training
from bench.recipe import RECIPE, TARGETS, seconds_to
from bench.test_epoch import settle
from dnn import datasets
from kernels import reference

SEEDS = range(10)
AGREEMENT_STEPS, AGREEMENT_ROWS = 4, 256
AGREEMENT = 1e-4  # relative, of the loss
AGREEMENT_HITS = 0.01  # of the accuracy: PyTorch's moving variance is the unbiased one


@dataclass(frozen=True)
class First:
    """Seconds of a provider's first run; why it does not take part; what disagrees."""

    seconds: float = 0.0
    absent: str = ""
    wrong: str = ""


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("seed", SEEDS)
def test_time_to_accuracy(benchmark, pytestconfig, seed, device):
    running, absent = training("learner", device, pytestconfig)
    try:
        train, test = data.load_both()
    except datasets.DatasetNotFoundError as cause:
        pytest.skip(str(cause))
    first = {provider: first_run(provider, train, test) for provider in running}
    absent |= {p.name: run.absent for p, run in first.items() if run.absent}
    wrong = [run.wrong for run in first.values() if run.wrong]
    if first[running[0]].wrong:
        pytest.fail("\n".join(wrong), pytrace=False)
    running = [p for p, run in first.items() if not (run.absent or run.wrong)]
    benchmark.group = f"{RECIPE.epochs} epochs of {RECIPE.net.name} {device}"
    if not benchmark.enabled:
        benchmark.pedantic(run_of(running[0], agreement_recipe(), train.first(64), test, seed))
        return
    runs, ready_s, epochs_of = {}, {}, {}
    for provider in running:
        began = time.perf_counter()
        runs[provider] = run_of(provider, RECIPE, train, test, seed)
        ready_s[provider] = time.perf_counter() - began

    def trained(provider):
        epochs_of[provider] = runs.pop(provider)()

    us, *others = running
    order = [us, *measure.rotated(others, seed)]
    calls = {provider: functools.partial(trained, provider) for provider in order}
    measure.take_turns(benchmark, calls, turns=1, before=settle)
    for provider in running:
        facts = {
            "shape": {"net": RECIPE.net.name, "batch": RECIPE.net.batch, "epochs": RECIPE.epochs},
            "samples": len(train.labels),
            "precision": "float32",
            "seed": seed,
            **columns(epochs_of[provider]),
            "first_call_s": first[provider].seconds,
            "ready_s": ready_s[provider],
            "absent": absent,
        }
        records.keep(pytestconfig, provider, "time_to_accuracy", facts)
        shown = ", ".join(
            "never" if seconds is None else f"{seconds:.2f} s"
            for seconds in (seconds_to(facts, target) for target in TARGETS)
        )
        line = f"seed {seed} to {TARGETS}: {provider.name} {shown}; {facts['accuracy'][-1]:.4f}"
        pytestconfig.stash[records.LINES].append(line)
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def columns(epochs):
    """A list of each figure, of the epochs' (seconds, loss, accuracy)."""
    by_name = zip(("seconds", "loss", "accuracy"), zip(*epochs, strict=True), strict=True)
    return {name: list(values) for name, values in by_name}


def run_of(provider, recipe, train, test, seed):
    return provider.module.learner(recipe, provider.device, train, test, recipe.weights(seed), seed)


def agreement_recipe():
    return replace(RECIPE, epochs=AGREEMENT_STEPS, net=replace(RECIPE.net, batch=AGREEMENT_ROWS))


@functools.cache
def first_run(provider, train, test) -> First:
    """Compiles; checks the first steps, and trains on a few batches, the last one smaller."""
    began = time.perf_counter()
    few, recipe = train.first(AGREEMENT_ROWS), agreement_recipe()
    try:
        epochs = run_of(provider, recipe, few, few, 0)()
        left = len(train.labels) % RECIPE.net.batch
        some = train.first(RECIPE.net.batch + left)
        run_of(provider, replace(RECIPE, epochs=1), some, test, 0)()
    except Exception as failure:
        if provider.role("time_to_accuracy") != "peer":
            raise
        return First(absent=f"{provider.name} fails: {str(failure).strip()[:500]}")
    seconds = time.perf_counter() - began
    got, (losses, accuracies) = columns(epochs), reference_epochs(recipe, few)
    wrong = []
    if not (np.abs(got["loss"] - losses) <= AGREEMENT * losses).all():
        wrong.append(f"losses {got['loss']}; expected {losses}")
    if not (np.abs(got["accuracy"] - accuracies) <= AGREEMENT_HITS).all():
        wrong.append(f"accuracies {got['accuracy']}; expected {accuracies}")
    wrong = [f"{provider.name}: of the first steps {what}" for what in wrong]
    return First(seconds, wrong="\n".join(wrong))


def reference_epochs(recipe, samples):
    """(the loss of each epoch, of one step each, and the accuracy after it), in float64."""
    x, labels = samples.images.reshape(len(samples.images), -1) / 255, samples.labels
    *hidden, last = (w.astype(np.float64) for w in recipe.weights(0))
    parameters = [a for w in hidden for a in (w, np.ones(w.shape[1]), np.zeros(w.shape[1]))]
    parameters += [last, np.zeros(last.shape[1])]
    state = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    moving = [(np.zeros(w.shape[1]), np.ones(w.shape[1])) for w in hidden]
    losses, accuracies = [], []
    for step, rate in enumerate(recipe.rates(len(x)), 1):
        logits, blocks, moving = forward(recipe, x, parameters, moving, True)
        loss, dz, _ = reference.softmax_cross_entropy(logits, labels, 1 / len(x))
        losses.append(loss.mean())
        y = blocks[-1][-1]
        dy, *gradients = reference.linear_backward(dz, y, parameters[-2])
        for x_in, w, gamma, z, saved, y in reversed(blocks):
            dz = reference.activation_backward(dy, y, "relu")
            dz, dgamma, dbeta = reference.batch_norm_backward(dz, z, gamma, saved)
            dy, dw, _ = reference.linear_backward(dz, x_in, w)
            gradients = [dw, dgamma, dbeta, *gradients]
        stepped = [
            reference.adam(p, g, m, v, step, rate)
            for p, g, (m, v) in zip(parameters, gradients, state, strict=True)
        ]
        parameters, state = [p for p, _, _ in stepped], [(m, v) for _, m, v in stepped]
        logits, *_ = forward(recipe, x, parameters, moving, False)
        accuracies.append(np.mean(logits.argmax(1) == labels))
    return np.array(losses), np.array(accuracies)


def forward(recipe, x, parameters, moving, training):
    """logits; (x, w, γ, z, saved, y) of each hidden layer; the moving means and variances."""
    blocks, moved, y = [], [], x
    for i, statistics in enumerate(moving):
        w, gamma, beta = parameters[3 * i : 3 * i + 3]
        before, z = y, reference.linear(y, w)
        y, _, saved, *now = reference.batch_norm(
            z,
            gamma,
            beta,
            *statistics,
            "relu",
            momentum=recipe.momentum,
            epsilon=recipe.epsilon,
            training=training,
        )
        blocks.append((before, w, gamma, z, saved, y))
        moved.append(now)
    return reference.linear(y, *parameters[-2:]), blocks, moved
