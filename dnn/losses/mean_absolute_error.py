"""Mean absolute error."""

from dataclasses import dataclass

from dnn.losses._elementwise import _NumberLoss


@dataclass
class MeanAbsoluteError(_NumberLoss, recordable=True):
    """|z − t|, mean over the outputs, then over the batch; targets (n, units), any numbers.

    The gradient is ±1, and 0 where z = t. As keras.losses.MeanAbsoluteError and torch.nn.L1Loss.
    """

    function = "absolute_error"
    aliases = ("mae", "l1_loss")
