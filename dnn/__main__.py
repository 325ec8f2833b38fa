"""python -m dnn is the command dnn."""

import sys

from dnn.cli import main

sys.exit(main())
