"""What every initializer is."""

from dnn.checked import Checked


class Initializer(Checked):
    """Called with (shape, seed, stream), returns float32 of that shape; (I, O) for weights."""

    def __call__(self, shape, seed, stream):
        raise TypeError(f"{type(self).__name__}: defines no __call__(shape, seed, stream)")
