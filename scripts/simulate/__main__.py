"""Runs histories: .venv/bin/python -m scripts.simulate [--help]."""

import os
import sys

from scripts.simulate.command import main

if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of a set of bytes is chance too
        again = [sys.executable, "-m", "scripts.simulate", *sys.argv[1:]]
        os.execve(sys.executable, again, {**os.environ, "PYTHONHASHSEED": "0"})
    sys.exit(main())
