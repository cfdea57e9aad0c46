"""This file cleans text from devices at entry: names, serials and error texts come in any bytes."""

from __future__ import annotations

import re

TEXT_LIMIT = 256

# Control characters (C0, DEL, C1), line and paragraph separators, directional overrides, byte-order marks: nothing that
# a log, a label or a page could mistake for structure, or that shows text in another order than it is stored.
_UNPRINTABLE = re.compile("[\x00-\x20\x7f-\xa0\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb]+")


def clean(value: str, limit: int = TEXT_LIMIT) -> str:
    """``value`` as one printable line of at most ``limit`` characters, safe to encode as UTF-8."""
    value = value[: 8 * limit]
    if not (value.isascii() and value.isprintable()):
        value = _UNPRINTABLE.sub(" ", value)
        if not value.isprintable():
            # What is left: lone surrogates, private and unassigned code points.
            value = "".join(letter if letter.isprintable() else "\ufffd" for letter in value)
    value = value.strip()
    return value if len(value) <= limit else value[: limit - 1] + "…"


def decode(raw: bytes) -> str:
    """Bytes of unknown origin as text: UTF-8, else GB18030 (Chinese firmware), else Latin-1, which never fails."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def excerpt(raw: bytes, limit: int = 60) -> str:
    """The beginning of ``raw`` for an error text."""
    return clean(raw[: 2 * limit].decode("utf-8", "replace"), limit)


def whole(told: str | None) -> int | None:
    """A number without a sign, of at most nine digits; None for what is none."""
    value = (told or "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
