"""How slow is too slow: what bounds a fetch as a whole, however steadily a byte a second comes."""

LEAST_BYTES_PER_S = 8192  # an hour for the largest file
GRACE_S = 20.0  # before that, nobody is too slow


def require(n_bytes, seconds, what):
    """Raise OSError where so many bytes in so many seconds are too few."""
    if n_bytes < LEAST_BYTES_PER_S * (seconds - GRACE_S):
        raise OSError(
            f"{what}: sent {n_bytes:,} bytes in {seconds:.1f} s; expected {LEAST_BYTES_PER_S:,} a "
            f"second after the first {GRACE_S:g}"
        )
