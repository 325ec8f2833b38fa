"""Where Numba's threads cannot be had, a kernel runs on one: the same bits, and nothing aborts.

In processes of their own, for what goes wrong here ends the process.
"""

import os
import subprocess
import sys

import pytest

# Every op that shares its work out, on arrays for more than one thread; a digest of the results
EVERY_OP = """
import hashlib, os, sys, threading, warnings
import numpy as np
import kernels

def all_ops():
    rng = np.random.default_rng(0)
    normal = lambda *shape: rng.standard_normal(shape, dtype=np.float32)
    x, w, b, labels = normal(512, 784), normal(784, 128), normal(128), rng.integers(0, 128, 512)
    y = kernels.linear(x, w, b, "relu")
    _, dy = kernels.softmax_cross_entropy(y, labels)
    results = [y, *kernels.linear_backward(dy, x, w, y, "relu")]
    results += [kernels.dropout(x, 0.5, 1, 2), kernels.gather(x, 3, 500, key=5)]
    results += [kernels.random_shift_flip(x, (28, 28), (1, 1), "horizontal", 1, 2)]
    updates = {kernels.adam: (2, (1,)), kernels.adagrad: (1, ()), kernels.adadelta: (2, ())}
    for update, (moments, step) in {**updates, kernels.rmsprop: (1, ())}.items():
        p = normal(100_000)
        update(p, normal(p.size), *[np.zeros_like(p) for _ in range(moments)], *step)
        results.append(p)
    g = normal(100_000)
    kernels.clip_by_norm(g, 0.5)
    return hashlib.sha256(b"".join(a.tobytes() for a in [*results, g])).hexdigest()
"""

FORKS = (
    EVERY_OP
    + """
def in_a_child(run):
    receive, send = os.pipe()
    warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
    child = os.fork()
    if not child:
        os.write(send, run().encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    return os.read(receive, 64).decode()

import kernels.ops.linear.cpu
said = [in_a_child(all_ops), all_ops()]  # the first starts threads of its own
said += [in_a_child(all_ops), in_a_child(lambda: in_a_child(all_ops))]
thread = threading.Thread(target=lambda: said.append(in_a_child(all_ops)))
thread.start(), thread.join()
said.append(all_ops())
assert len(said) == 6 and len(set(said)) == 1, said
"""
)

TWO_THREADS = (
    EVERY_OP
    + """
said = [all_ops()]
def repeat():
    for _ in range(5):
        said.append(all_ops())
threads = [threading.Thread(target=repeat) for _ in range(3)]
[thread.start() for thread in threads], repeat(), [thread.join() for thread in threads]
assert len(said) == 21 and len(set(said)) == 1, said
"""
)


def run(script, **environment):
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | environment | {"NUMBA_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_process_computes_the_same_bits():
    run(FORKS)


def test_the_workqueue_is_not_used_by_two_threads_at_once():
    run(TWO_THREADS, NUMBA_THREADING_LAYER="workqueue")
