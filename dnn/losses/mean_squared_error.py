"""Mean squared error."""

from dataclasses import dataclass

from dnn.losses._elementwise import _NumberLoss


@dataclass
class MeanSquaredError(_NumberLoss, recordable=True):
    """(z − t)², mean over the outputs, then over the batch; targets (n, units), any numbers.

    As keras.losses.MeanSquaredError and torch.nn.MSELoss; no factor ½.
    """

    function = "squared_error"
    aliases = ("mse", "mse_loss", "l2_loss")
