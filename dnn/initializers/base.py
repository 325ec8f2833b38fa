"""What every initializer is."""


class Initializer:
    """Called with (shape, seed, stream), returns float32 of that shape; (I, O) for weights."""

    def __call__(self, shape, seed, stream):
        raise TypeError(f"{type(self).__name__}: defines no __call__(shape, seed, stream)")
