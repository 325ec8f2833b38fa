"""What a person at a terminal sees while data come in; nothing where stderr is no terminal."""

from contextlib import contextmanager, nullcontext


@contextmanager
def download_bar(label):
    """A bar with the four things that pooch's downloaders want: total, update, reset, close."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    console = Console(stderr=True)
    columns = ("[progress.description]{task.description}", BarColumn(), DownloadColumn())
    progress = Progress(*columns, TransferSpeedColumn(), console=console, transient=True)
    # Begun, rich 13.0 ends with an empty line, also where it shows nothing
    with progress if console.is_interactive else nullcontext():
        yield _PoochBar(progress, progress.add_task(label, total=None))


@contextmanager
def spinner(label):
    """For work whose size is unknown."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_interactive:
        yield
        return
    with console.status(label):
        yield


class _PoochBar:
    def __init__(self, progress, task):
        self._progress, self._task = progress, task

    @property
    def total(self):
        return self._progress.tasks[0].total

    @total.setter
    def total(self, total_bytes):
        self._progress.update(self._task, total=total_bytes or None)

    def update(self, more_bytes):
        self._progress.update(self._task, advance=more_bytes)

    def reset(self):
        self._progress.update(self._task, completed=0)

    def close(self):
        self._progress.refresh()
