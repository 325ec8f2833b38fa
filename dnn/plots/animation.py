"""Pictures over training, as an animated GIF."""

import io
import pathlib
from collections.abc import Callable
from os import PathLike
from typing import Any

from dnn.callbacks import Callback
from dnn.data import whole_number
from dnn.files import write_atomically


class Animation(Callback, reads_gradients=False):
    """Draws a picture at the beginning and after every epoch, and writes them as one GIF.

    draw: a function of the model that returns a matplotlib Figure. path: of the GIF, which is
    written when the training ends. every: epochs from one picture to the next, default 1. seconds:
    that each is shown, default 0.2; the last one stays for five times as long.

        draw = lambda model: plots.decision_boundary(model, x, y)
        model.fit(x, y, epochs=50, callbacks=plots.Animation(draw, "training.gif"))
    """

    def __init__(
        self,
        draw: Callable[..., Any],
        path: str | PathLike[str],
        every: int = 1,
        seconds: float = 0.2,
    ):
        if not callable(draw):
            raise TypeError(f"draw: got {type(draw).__name__}; expected a function of the model")
        if not seconds > 0:
            raise ValueError(f"seconds: got {seconds!r}; expected more than 0")
        self.draw, self.path = draw, pathlib.Path(path)
        self.every, self.seconds = whole_number("every", every), seconds

    def on_train_begin(self, logs: dict[str, float]) -> None:
        self.frames = []
        self._draw("before training")

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        if (epoch + 1) % self.every == 0:
            self._draw(f"epoch {epoch + 1}")

    def on_train_end(self, logs: dict[str, float]) -> None:
        milliseconds = [round(1000 * self.seconds)] * len(self.frames)
        milliseconds[-1] *= 5
        data = io.BytesIO()
        self.frames[0].save(
            data, "GIF", save_all=True, append_images=self.frames[1:], duration=milliseconds, loop=0
        )
        write_atomically(self.path, data.getvalue())

    def _draw(self, when):
        from PIL import Image

        figure, data = self.draw(self.model), io.BytesIO()
        figure.text(0.995, 0.005, when, ha="right", va="bottom", fontsize=9)
        figure.savefig(data, format="png", dpi=90)
        self.frames.append(Image.open(data).convert("P", palette=Image.Palette.ADAPTIVE))
