"""The numbers that everything random is made of: the same on every machine, for ever.

The stored values were computed once, on x86-64 with NumPy 2.4; a change here changes every user's
runs. Those of `bits` are what Philox4x64-10 defines.
"""

import numpy as np
import pytest

from dnn import random
from tests.dnn.helpers import fresh_process

BITS = {
    (0, 0): [213000021201967259, 4455796210202625458, 2055444239878205049],
    (0, 1): [15003734204198539638, 13859618513508960101, 12389738016430293093],
    (1, 0): [5599841837815857887, 15655913098571550255, 2880178291573394738],
    (2**63 - 1, 2**63): [14890155944611412985, 13720344855532195180, 1213926680162508990],
}
UNIFORM = [0.30931491118583454, 0.3569562367935075, 0.036904530468356844]
NORMAL = [0.8372903770677775, 0.9129311287903441, 0.19770535586047028]
TRUNCATED = [0.859736507754479, -0.9216658953362732, -0.2713945831143848]
PERMUTATION = [4, 2, 0, 6, 1, 5, 8, 7, 3]


def test_bits():
    assert [random.bits(seed, stream, 3).tolist() for seed, stream in BITS] == list(BITS.values())


def test_bits_of_philox_itself():
    """Random123's published answer for Philox4x64-10 with counter and key of all ones.

    NumPy counts before it draws, so the counter begins one lower.
    """
    ones = 2**64 - 1
    generator = np.random.Philox(key=[ones, ones], counter=[ones - 1, ones, ones, ones])
    words = generator.random_raw(4).tolist()
    assert [f"{word:016x}" for word in words] == [
        "87b092c3013fe90b",
        "438c3c67be8d0224",
        "9cc7d7c69cd777b6",
        "a09caebf594f0ba0",
    ]


def test_distributions():
    """The logarithm, root and cosine of another C library may differ in the last bit."""
    assert random.uniform(1, 2, 3).tolist() == UNIFORM
    assert random.normal(1, 2, 3) == pytest.approx(NORMAL, rel=1e-14)
    assert random.truncated_normal(1, 2, 3) == pytest.approx(TRUNCATED, rel=1e-14)
    assert random.permutation(1, 2, 9).tolist() == PERMUTATION


def test_a_fresh_process_draws_the_same():
    code = "from dnn import random; print(random.bits(3, 5, 4).tolist())"
    assert fresh_process(code) == f"{random.bits(3, 5, 4).tolist()}\n"


def test_more_numbers_begin_with_the_fewer():
    assert random.bits(0, 0, 100)[:7].tolist() == random.bits(0, 0, 7).tolist()


def test_uniform_is_below_one():
    drawn = random.uniform(0, 0, 10**5)
    assert drawn.min() >= 0 and drawn.max() < 1


def test_normal_has_no_infinities():
    assert np.isfinite(random.normal(0, 0, 10**5 + 1)).all()


def test_truncated_normal_gives_as_many_as_asked_for():
    for n in (0, 1, 5, 1000):
        drawn = random.truncated_normal(0, 0, n)
        assert drawn.shape == (n,) and (abs(drawn) < 2).all()


def test_a_permutation_is_one():
    assert sorted(random.permutation(0, 0, 1000).tolist()) == list(range(1000))


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "1", None])
def test_a_seed_that_is_none(seed):
    with pytest.raises(ValueError, match=r"seed: got .*; expected an integer, 0 ≤ seed < 2⁶⁴"):
        random.bits(seed, 0, 1)
