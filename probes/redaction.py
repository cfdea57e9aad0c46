"""The one redactor: takes secrets out of any text before it reaches a log, a page, a metric, a notice or a person."""

from __future__ import annotations

import re

HIDDEN = "***"

_USERINFO = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@]*@")
_PARAMETER = re.compile(
    r"(?i)\b(pass(?:word|wd)?|pwd|token|secret|nonce|response|authorization)(=|:\s?)(\"[^\"]*\"|[^\s&;,]+)"
)


def redact(text: str) -> str:
    """``text`` without user:password@ in addresses and without values of password-like parameters."""
    return _PARAMETER.sub(rf"\1\2{HIDDEN}", _USERINFO.sub(rf"\1{HIDDEN}@", text))
