"""Runs the commands for `python -m camera_registry`."""

import sys

from camera_registry.cli import main

if __name__ == "__main__":
    sys.exit(main())
