"""The one redactor: takes secrets out of any text before it reaches a log, a page, a metric, a notice or a person."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

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


def forms_of(username: str, password: str) -> tuple[str, ...]:
    """A password in the forms in which devices say it back: as it is, as Basic sends it, quoted for an address; the
    longest first, so that none is left over from another."""
    packed = (
        b64encode(text.encode("utf-8", "replace")).decode("ascii") for text in (f"{username}:{password}", password)
    )
    plain = password.encode("utf-8", "replace")
    quoted = (quote(plain, safe=""), quote(plain), quote_plus(plain))
    forms = {password, *(text.rstrip("=") for text in packed), *quoted}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """``text`` without these very secrets: a device may say back what it was told. Three characters are no secret.

    A text that was cut off (it ends in an ellipsis) is searched for the beginning of one at its end.
    """
    for secret in secrets:
        if len(secret) < _SHORTEST:
            continue
        if secret in text:
            text = text.replace(secret, HIDDEN)
        if text.endswith("…"):
            text = _without_beginning(text[:-1], secret) + "…"
    return text


def _without_beginning(text: str, secret: str) -> str:
    for length in range(min(len(secret), len(text)), _SHORTEST - 1, -1):
        if text.endswith(secret[:length]):
            return text[:-length] + HIDDEN
    return text


def facts_without_secrets(facts: Mapping[str, object], secrets: Iterable[str]) -> Mapping[str, object]:
    """``facts`` without these secrets, however deep. Short passwords are left: "12345678" hides in a serial number by
    chance less often than "12345", and a serial number with a hole in it would look like another device."""
    long = [secret for secret in secrets if len(secret) >= _SHORTEST_IN_FACTS]
    if not long:
        return facts
    # Nearly no facts hold one, and to see that once for all costs less than once for each.
    said = "\n".join(_texts(facts.values()))
    if "…" not in said and not any(secret in said for secret in long):
        return facts
    return {name: _without(value, long) for name, value in facts.items()}


def _texts(values: Iterable[object]) -> list[str]:
    """Every text among ``values``, however deep."""
    found: list[str] = []
    for value in values:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, int | float):
            continue
        elif isinstance(value, Mapping):
            found += _texts(value.values())
        elif isinstance(value, list | tuple):
            found += _texts(value)
    return found


def _without(value: object, secrets: list[str]) -> object:
    if isinstance(value, str):
        return without_secrets(value, secrets)
    if isinstance(value, Mapping):
        return {name: _without(inner, secrets) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without(inner, secrets) for inner in value]
    return value
