"""What can go wrong with a data set. All are OSError, so `except OSError` catches them."""


class DatasetError(OSError):
    """A data set could not be loaded."""


class DatasetFileError(DatasetError):
    """One file is refused: truncated, damaged, oversized, or not the file it should be.

    `file` is its path or URL, `problem` what came and what was expected; `advice`, where there is
    any, what to do.
    """

    def __init__(self, file, problem, advice=""):
        super().__init__(f"{file}: {problem}.{' ' if advice else ''}{advice}")
        self.file, self.problem, self.advice = str(file), problem, advice


class DatasetNotFoundError(DatasetError):
    """No place had the data. `tried` lists every place and why it did not serve."""

    def __init__(self, message, tried):
        super().__init__(message)
        self.tried = tuple(tried)
