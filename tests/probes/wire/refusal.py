"""Says how a codec refuses: by a declared error, or not at all. Anything else escapes and fails the test."""

from __future__ import annotations

from collections.abc import Callable

from probes.wire import WireError


def refusal(read: Callable[..., object], *arguments: object) -> str:
    """The text of the WireError that ``read`` raises, empty if it gives a value."""
    try:
        read(*arguments)
    except WireError as error:
        return str(error)
    return ""
