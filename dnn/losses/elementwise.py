"""Any elementwise loss, by the name of its file."""

from dataclasses import dataclass
from typing import ClassVar

from dnn.losses._elementwise import _NumberLoss
from kernels import losses


@dataclass
class Elementwise(_NumberLoss, recordable=True):
    """ℓ(z, t), mean over the outputs, then over the batch; targets (n, units), any numbers.

    function: which ℓ, a name of kernels.losses.names(); default "squared_error". A new file
    kernels/losses/<name>.py can be trained with by this alone, and compile(loss="<name>") means
    it. What calls some predictions right, or reads its targets in another way, is a class of its
    own, as Hinge is.
    """

    function: str = "squared_error"
    checks: ClassVar = {"function": lambda name, value: losses.get(value).name}
