"""The Figure that pictures are."""

import io
import sys

from matplotlib.figure import Figure


class Picture(Figure):
    """A matplotlib Figure that a notebook shows, once, where it is a cell's last value or is given
    to display(). It is no figure of pyplot: nothing but its user holds it."""

    def _repr_png_(self):
        data = io.BytesIO()
        self.savefig(data, format="png")
        return data.getvalue()

    def show(self, warn=True):
        """Show it in a notebook. Raises RuntimeError elsewhere, for it has no window."""
        shell = sys.modules.get("IPython")
        if shell is None or shell.get_ipython() is None:
            raise RuntimeError(
                "show: a picture has no window of its own; save it: figure.savefig('picture.png')"
            )
        shell.display.display(self)
