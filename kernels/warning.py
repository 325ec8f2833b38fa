"""Warnings that show the user's own line."""

import contextlib
import os
import pathlib
import sys
import warnings

ROOT = pathlib.Path(__file__).parents[1]
PACKAGES = tuple(f"{ROOT / package}{os.sep}" for package in ("kernels", "dnn"))
BETWEEN = {contextlib.__file__, "<string>"}  # a dataclass's __init__ is compiled from a string


def is_of_library(code) -> bool:
    """Whether the code object is of kernels or dnn, which the file that it stands in says."""
    return code.co_filename.startswith(PACKAGES)


def warn(message, category=UserWarning):
    """warnings.warn, at the line outside of kernels and dnn whose call led here."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and (is_of_library(frame.f_code) or frame.f_code.co_filename in BETWEEN):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
