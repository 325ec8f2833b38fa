"""python -m bench acceptance: what one machine can show of this library, in one folder."""

import argparse
import sys
from pathlib import Path

from bench import acceptance


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser(
        "acceptance", help="tests, sanitizer, benchmarks and training runs within a time budget"
    )
    command.add_argument("--output", type=Path, default=Path("acceptance"), help="a new folder")
    command.add_argument("--minutes", type=float, default=10, help="time budget, default 10")
    command.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    command.add_argument("--only", nargs="+", default=acceptance.STEPS, choices=acceptance.STEPS)
    options = parser.parse_args(arguments)
    return acceptance.run(options.output, options.minutes, options.device, options.only)


if __name__ == "__main__":
    sys.exit(main())
