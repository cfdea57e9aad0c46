"""This file finds a known value in whatever spelling it stands: percent-encoded, escaped for XML or JSON, Base64,
hexadecimal, a MAC with any separator, capitals or not."""

from __future__ import annotations

import re
from base64 import b64encode
from html import escape

SHORT = 8
"""Letters below which a value counts only as a whole word: "admin" hides in "Administrator" by chance."""
SHORTEST = 4
"""Bytes below which a value is no secret: it stands everywhere."""
_CORE = 6
"""Letters of Base64 that are no chance."""


def pattern(value: str, *, word: bool = False) -> re.Pattern[str]:
    """A pattern for ``value`` in any spelling. Its groups ``base64`` and ``hex`` say when it stands in one of those."""
    plain = "".join(map(_letter, value))
    if value.isascii() and (word or len(value) < SHORT):
        plain = rf"(?:(?<![^\W_])|(?<=%[0-9A-Fa-f][0-9A-Fa-f]))(?:{plain})(?![^\W_])"
    spelled = [rf"(?i:{plain})"]
    raw = value.encode("utf-8", "replace")
    cores = sorted(filter(None, (_core(raw, offset) for offset in range(3))))
    if cores:
        spelled.append(
            rf"(?P<base64>(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]*?(?:{'|'.join(cores)})[A-Za-z0-9+/_-]*(?:=|%3[Dd]){{0,2}})"
        )
    if len(raw) >= SHORTEST:
        spelled.append(rf"(?P<hex>(?<![0-9A-Fa-f])(?i:{'[:.-]?'.join(f'{byte:02x}' for byte in raw)}))")
    return re.compile("|".join(spelled))


def mac_pattern(value: str) -> re.Pattern[str] | None:
    """A pattern for the MAC in ``value``; None if it is none."""
    digits = re.sub(r"[^0-9A-Fa-f]", "", value)
    if len(digits) != 12:
        return None
    separator = "(?:[:._-]|%3a|%2d|&#58;)?"
    pairs = separator.join(digits[place : place + 2] for place in range(0, 12, 2))
    return re.compile(rf"(?i:(?:(?<![0-9a-f])|(?<=%[0-9a-f][0-9a-f])){pairs})")


def as_mac(found: str, pseudonym: str) -> str:
    """``pseudonym`` (with colons, in small letters) as the MAC ``found`` was written."""
    separator = next((sign for sign in ":-._" if sign in found), "%3A" if "%3" in found else "")
    shown = pseudonym.replace(":", separator)
    return shown.upper() if re.search("[A-F]", found.replace("%3A", "").replace("%2D", "")) else shown


def _letter(letter: str) -> str:
    """One letter as texts may hold it."""
    spelled = [re.escape(letter)]
    if not (letter.isascii() and letter.isalnum()):
        spelled.append(re.escape(escape(letter)))
        spelled.append(re.escape("&apos;") if letter == "'" else "")
        spelled.append(r"\\+" + re.escape(letter) if letter in "\"'\\/" else "")
        spelled.append(r"\+" if letter == " " else "")
    for encoding in ("utf-8", "gb18030") if not letter.isascii() else ("utf-8",):
        spelled += ["".join(f"%{byte:02x}" for byte in letter.encode(encoding, "replace"))]
    spelled.append(rf"&\#0*{ord(letter)};|&\#x0*{ord(letter):x};|\\u{ord(letter):04x}")
    return f"(?:{'|'.join(dict.fromkeys(filter(None, spelled)))})"


def _core(raw: bytes, offset: int) -> str:
    """The letters of Base64 that ``raw`` alone decides when it begins ``offset`` bytes behind a group of three."""
    coded = b64encode(bytes(offset) + raw).decode("ascii").rstrip("=")
    begin = (offset * 8 + 5) // 6
    end = (offset + len(raw)) * 8 // 6
    core = coded[begin:end]
    if len(core) < _CORE:
        return ""
    return re.escape(core).replace(r"\+", "[+-]").replace("/", "[/_]")
