"""Other libraries, a file or folder each, found by its place: adding a peer is adding one.

A peer imports its library at the top; where that fails its benchmarks are skipped with the error.
It has

    DEVICES                     of "cpu" and "gpu", those it can be written for
    why_not(device) -> str      why it cannot run on this machine's device, or ""
    versions() -> dict          of what a result of it depends on
    threads(count) -> dict      use that many CPU threads; what each pool then has
    array(a, device), numpy(a)  a NumPy array in, and a result back

and any of the kernels' ops under the same names with the same arguments, less `variant`, `out` and
what `each` suite does not use. An op raises ValueError for what the library lacks (a precision,
say), and that case is skipped with the message. For "gpu" it has also

    gpu_name() -> str           the card
    synchronize()               wait for all of it
    l2_bytes() -> int           its second-level cache
    scratch(size_bytes)         an array of that size
    clear(scratch)              write it
    record() -> event           on the stream that the ops run on
    elapsed_us(start, stop)     between two recorded events, in microseconds
    hold(us)                    keep that stream busy for so long, without touching memory
    product(n, precision)       a function that multiplies n × n matrices, or None (for limits.py)

of which the first two and synchronize are all that a library without events has; it is then timed
by the host's clock. It may further have

    ready(function, arguments, keywords) -> call    made ready to be repeated on these arguments:
                                compiled, captured, tuned; call(*arguments) gives the results
    FUNCTIONAL = True           what others change in place, its ops return
    SLOW = True                 takes part with --all-shapes only

and where it can train, `trainer(net, device, data, weights)`: a function of no arguments that
trains one more epoch from those weights [w, b, w, b, …] by Adam at 1e-3, in batches of net.batch
rows of a new order, and returns the mean loss of its samples (so that the device is done), and
`learner(recipe, device, train, test, weights, seed)`: a function of no arguments that trains as
recipe.py says from those weights [w, w, …], a new order each epoch by the seed, and returns
[(seconds of training, mean loss of the samples, accuracy on the test data), …] of the epochs; what
is compiled or captured first is so before it is returned. Where it can predict,
`predictor(net, device, weights)`: a function that makes of rows, a NumPy array float32 (n, I), the
network's outputs, another (n, classes).
"""

import functools

from kernels import reference

order = functools.cache(reference.order)
"""The rows of a shuffle, int64 (n,), made once as others' permutations are: order(n, key)."""
