"""Benchmarks: our kernels and other libraries on the same inputs, checked before they are timed.

    pytest bench                                      # everything that this machine can run
    pytest bench/test_adam.py --benchmark-json=a.json # one op, every round's statistics
    pytest bench --benchmark-disable                  # agreement only, under a minute
    pytest bench --record                             # append to bench/results/<device>/<op>.jsonl

`test_<op>.py` holds the inputs and float64 results of an op, `providers.py` finds who computes it
(kernels.variants(op), and the files of `peers/`), `measure.py` checks and times it, `records.py`
keeps the result with where it came from. `test_epoch.py` times whole epochs of training.
"""

from pkgutil import extend_path

# An editable install has this folder on the path; a user's own folder `bench` is found as well.
__path__ = extend_path(__path__, __name__)
