"""Where a data set's files are looked for, in order, and the one error when no place has them.

Files are looked for one by one and each is verified, so an interrupted download goes on with what
is missing. A folder that the user named and that is not there, or has none of the files, is an
error; one that has some of them is used, with a warning.
"""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from kernels.warning import warn

from . import cache, debian, mirrors
from .errors import DatasetFileError, DatasetNotFoundError
from .idx import read_idx

FOLDER_VARIABLE = "DNN_DATA_DIR"

Arrays = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Place:
    """A folder on this machine. `given`: the user named it, so what is wrong there is an error."""

    label: str
    folders: tuple[Path, ...]
    given: bool = False


def load(dataset, folder=None) -> Arrays:
    """`((x_train, y_train), (x_test, y_test))` of a Dataset; the contract is `fashion_mnist`'s."""
    places, tried = _places(dataset, folder)
    arrays = {}
    for place in places:
        tried += _look(place, dataset, arrays)
    for label, deliver in _sources(dataset):
        if not _missing(dataset, arrays):
            break
        try:
            for file, array in deliver(_missing(dataset, arrays)):
                arrays[file] = array
                _keep(dataset, file, array)
        except OSError as error:
            tried.append(str(error) if str(error).startswith(label) else f"{label}: {error}")
    if _missing(dataset, arrays):
        raise _nowhere(dataset, _missing(dataset, arrays), tried)
    return (
        (arrays[dataset.x_train], arrays[dataset.y_train]),
        (arrays[dataset.x_test], arrays[dataset.y_test]),
    )


def where(dataset) -> Path | None:
    """The first folder on this machine that has a file by the name of each, unread; or None."""
    for place in _places(dataset, None)[0]:
        paths = [_find(place, file) for file in dataset.files]
        if all(paths):
            return paths[0].parent
    return None


def _places(dataset, folder):
    places, tried = [], []
    label = "folder" if folder is not None else FOLDER_VARIABLE
    given = folder if folder is not None else os.environ.get(FOLDER_VARIABLE) or None
    if given is None:
        tried.append(f"{FOLDER_VARIABLE}: not set")
    else:
        given = _as_folder(given)
        places.append(Place(f"{label}={given}", (given / dataset.name, given), given=True))
    own = cache.cache_folder(dataset.name)
    places.append(Place(f"the user's cache {own}", (own,)))
    if dataset.system_folder:
        places.append(Place(dataset.system_folder, (Path(dataset.system_folder),)))
    return places, tried


def _as_folder(folder):
    expected = "expected a folder's path (str or os.PathLike), or None"
    if not isinstance(folder, str | os.PathLike):
        raise TypeError(f"folder: got {type(folder).__name__}, {expected}")
    if not os.fspath(folder):
        raise ValueError(f"folder: got an empty path, {expected}")
    return Path(folder).expanduser()


def _look(place, dataset, arrays):
    """Read from `place` what is still missing; return the notes for the list of places tried."""
    notes, lacking, wanted = [], [], _missing(dataset, arrays)
    for file in wanted:
        path = _find(place, file)
        if path is None:
            lacking.append(file.name)
            continue
        try:
            arrays[file] = read_idx(path, file.shape, file.sha256, np.uint8)
        except DatasetFileError as error:
            if place.given:
                own = place.folders[0]
                advice = f"{error.advice}\nIf it belongs to another data set than {dataset.name}, "
                advice += f"put the files of {dataset.name} into a folder of their own: {own}"
                raise DatasetFileError(path, error.problem, advice) from error
            notes.append(str(error))
            message = f"{path}: {error.problem}. Trying the next place"
            warn(message)
    if lacking and place.given:
        _lacks(place, dataset, lacking, of_all=len(lacking) == len(wanted))
    if lacking and not any(folder.is_dir() for folder in place.folders):
        notes.append(f"{place.label}: no such folder")
    elif lacking:
        notes.append(f"{place.label}: lacks {', '.join(lacking)}")
    return notes


def _lacks(place, dataset, lacking, of_all):
    """An error, or a warning where there are some of the files; DNN_DATA_DIR may be set for other
    data sets than this."""
    own, folder = place.folders
    problem = f"lacks {', '.join(lacking)}" if folder.is_dir() else "no such folder"
    if folder.exists() and not folder.is_dir():
        problem = "is no folder"
    message = (
        f"{place.label}: {problem}; expected the files of {dataset.name} there, or in {own}, as "
        "they are or with .gz"
    )
    of_variable = place.label.startswith(FOLDER_VARIABLE)
    if not folder.is_dir() or (of_all and not of_variable):
        leave = f"unset {FOLDER_VARIABLE}" if of_variable else "leave it out"
        remedy = f"Correct the path, or {leave}: then the data are looked for and fetched"
        raise DatasetNotFoundError(f"{message}. {remedy}", [f"{place.label}: {problem}"])
    warn(f"{message}. Looking for them in the next place")


def _find(place, file):
    for folder in place.folders:
        for spelling in file.spellings:
            if os.path.isfile(folder / spelling):
                return folder / spelling
    return None


def _sources(dataset):
    for mirror in dataset.mirrors:
        yield mirror, partial(mirrors.deliver, mirror)
    if dataset.debian_package:
        package = dataset.debian_package
        yield f"the package archive, {package}", partial(debian.deliver, package)


def _keep(dataset, file, array):
    path = cache.cache_folder(dataset.name) / file.name
    try:
        cache.store(path, array)
    except OSError as error:
        problem = f"cannot be written ({error.strerror or error})"
        message = f"{path.parent}: {problem}, so {dataset.name} will be fetched anew next time"
        warn(message)


def _missing(dataset, arrays):
    return [file for file in dataset.files if file not in arrays]


def _nowhere(dataset, missing, tried):
    names = ", ".join(f"{file.name}.gz" for file in missing)
    remedies = ["connect this machine to the internet, and try again"]
    if dataset.debian_package:
        remedies.append(f"on Debian or Ubuntu, as root: apt-get install {dataset.debian_package}")
    remedies.append(
        f"put {names} into a folder (plain files serve too), and\n"
        f"      export {FOLDER_VARIABLE}=/that/folder"
    )
    lines = [f"{dataset.name}: {len(missing)} of {len(dataset.files)} files found nowhere. Tried:"]
    lines += [f"  - {note}" for note in tried]
    lines += ["Do one of these:"]
    lines += [f"  - {remedy}" for remedy in remedies]
    return DatasetNotFoundError("\n".join(lines), tried)
