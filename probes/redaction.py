"""The one redactor: takes secrets out of any text before it reaches a log, a page, a metric, a notice or a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HIDDEN = "***"

_USERINFO = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@]*@")
_PARAMETER = re.compile(
    r"(?i)\b(pass(?:word|wd)?|pwd|token|secret|nonce|response|authorization)(=|:\s?)(\"[^\"]*\"|[^\s&;,]+)"
)


_SHORTEST = 4
_SHORTEST_IN_FACTS = 8


def redact(text: str) -> str:
    """``text`` without user:password@ in addresses and without values of password-like parameters."""
    return _PARAMETER.sub(rf"\1\2{HIDDEN}", _USERINFO.sub(rf"\1{HIDDEN}@", text))


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """``text`` without these very secrets: a device may say back what it was told. Three characters are no secret."""
    for secret in secrets:
        if len(secret) >= _SHORTEST and secret in text:
            text = text.replace(secret, HIDDEN)
    return text


def facts_without_secrets(facts: Mapping[str, object], secrets: Iterable[str]) -> Mapping[str, object]:
    """``facts`` without these secrets, however deep. Short passwords are left: "12345678" hides in a serial number by
    chance less often than "12345", and a serial number with a hole in it would look like another device."""
    long = [secret for secret in secrets if len(secret) >= _SHORTEST_IN_FACTS]
    shown = repr(facts)
    if not any(secret in shown for secret in long):
        return facts
    return {name: _without(value, long) for name, value in facts.items()}


def _without(value: object, secrets: list[str]) -> object:
    if isinstance(value, str):
        return without_secrets(value, secrets)
    if isinstance(value, Mapping):
        return {name: _without(inner, secrets) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without(inner, secrets) for inner in value]
    return value
