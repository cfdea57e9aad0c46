"""Sans-IO codecs: bytes in, values out. Nothing here knows a clock, a socket or an event loop.

Strict in what is written, liberal in what is read: whatever bytes a device sends, a codec answers with a value or with
WireError, never with anything else.
"""

from __future__ import annotations


class WireError(ValueError):
    """Bytes that can't be read as what they should be. The message quotes at most a little of them."""


class TooLarge(WireError):
    """More bytes than any honest device sends."""
