"""What `dnn doctor` finds: one line each, and what to type where it is a problem."""

from dataclasses import dataclass
from importlib import metadata

TESTED = "pip install -c .ci/constraints.txt -e"  # the releases that the tests ran with


@dataclass
class Finding:
    """state: "ok", "none" (absent, and fine without) or "problem"; fix: the line to type."""

    subject: str
    state: str
    text: str
    fix: str = ""


def version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def compiled(subject, versions, make, fix) -> Finding:
    """Whether make() comes through; the compilers' own bugs raise whatever they raise."""
    try:
        make()
    except Exception as cause:
        lines = str(cause).strip().splitlines() or [type(cause).__name__]
        return Finding(subject, "problem", f"does not compile with {versions}: {lines[-1]}", fix)
    return Finding(subject, "ok", f"compiled with {versions}")
