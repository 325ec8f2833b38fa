"""The command `dnn`, and what only it needs: cli.py is its door."""
