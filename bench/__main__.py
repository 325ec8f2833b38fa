"""python -m bench acceptance: what one machine can show of this library, in one folder.
python -m bench ladder: what each rung of a kernel costs, counted without a GPU.
python -m bench report: the pages' tables and the picture, from the records.
python -m bench prediction: what a training step should take, counted without a GPU."""

import argparse
import sys
from pathlib import Path

from bench import acceptance, ladder, pages, prediction, records


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
    command.set_defaults(run=lambda o: acceptance.run(o.output, o.minutes, o.device, o.only))
    command = commands.add_parser("ladder", help="each rung of a kernel, counted without a GPU")
    command.set_defaults(run=lambda o: print(ladder.write()) or 0)
    command = commands.add_parser("prediction", help="a training step, counted without a GPU")
    command.add_argument("--output", type=Path, default=prediction.FILE, help="a Markdown file")
    command.set_defaults(run=lambda o: print(prediction.write(o.output)) or 0)
    command = commands.add_parser("report", help="the pages' tables and picture, from the records")
    command.add_argument("--results", type=Path, default=records.RESULTS, help="a folder of them")
    command.set_defaults(run=lambda o: print(*pages.write(o.results), sep="\n") or 0)
    options = parser.parse_args(arguments)
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
