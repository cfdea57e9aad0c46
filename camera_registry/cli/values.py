"""Reads the values of options; what does not fit is refused in words that ``usage`` knows."""

import argparse
from collections.abc import Callable
from datetime import datetime

_YEARS = range(1970, 9000)
"""Of times that can be moved to any other time zone."""


def time(text: str) -> datetime:
    """A time in ISO 8601, with or without its offset."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.year not in _YEARS:
        raise argparse.ArgumentTypeError(f"{text!r} is no time")
    return found


def number(least: float, most: float) -> Callable[[str], float]:
    """Reads a number from ``least`` to ``most``."""

    def read(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = float("nan")
        if not least <= found <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {least:g} to {most:g}")
        return found

    return read


def row(text: str) -> int:
    """The number of a row, as large as a database can hold one."""
    if not (text.isascii() and text.isdigit() and int(text) < 2**63):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to {2**63 - 1}")
    return int(text)


def port(text: str) -> int:
    """A port; 0: any free one."""
    if not (text.isascii() and text.isdigit() and int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to {2**16 - 1}")
    return int(text)
