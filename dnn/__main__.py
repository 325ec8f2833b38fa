"""python -m dnn is the command dnn."""

import sys

from dnn.command.cli import main

sys.exit(main())
