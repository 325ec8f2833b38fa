"""What every loss is."""


class Loss:
    """A subclass is a dataclass that defines:

    prepare(y, units) -> the targets as its kernel takes them, after every check (NumPy).
    __call__(z, targets, scale, loss, dz, hit): per-sample losses (B,), scale · gradient (B, C),
    and 1 where the prediction is right, each into the array given.
    """

    def prepare(self, y, units):
        raise TypeError(f"{type(self).__name__}: defines no prepare(y, units)")

    def __call__(self, z, targets, scale, loss, dz, hit):
        raise TypeError(f"{type(self).__name__}: defines no __call__")
