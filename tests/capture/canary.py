"""Everything that must not leave a site, and all the ways in which it could."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from html import escape
from urllib.parse import quote, quote_plus

PASSWORD = "Pa55&w<ord/#ü-canary"
USER = "oper.ator@canary"
SERIAL = "QX7Q-0042-CANARY"
MAC = "28:57:BE:6F:7D:D5"
HOST = "10.77.66.55"
OTHER = "10.77.1.2"
HOSTNAME = "cam-7.canary.city.example"
NAME = "North Gate Canary"
CHINESE = "北门金丝雀"
PLACE = "Canary Street 12"
EMAIL = "li.canary@city.example"
NATIONAL = "34020000001320000042"
PERSON = "11010519491231002X"
PHONE = "13912345678"
SSID = "canary-wlan"
UUID = "5f5a69c2-e0ae-504f-829b-28 57be6f7dd5".replace(" ", "")
LONGITUDE = "117.2264911"
IPV6 = "2001:da8:4711::42"

ALL = (
    PASSWORD, USER, SERIAL, MAC, HOST, OTHER, HOSTNAME, NAME, CHINESE, PLACE, EMAIL, NATIONAL, PERSON, PHONE, SSID,
    UUID, LONGITUDE, IPV6,
)  # fmt: skip


def spellings(value: str) -> Iterator[str]:
    """``value`` as a text may hold it, each in small letters but those of Base64."""
    yield value.lower()
    yield quote(value, safe="").lower()
    yield quote(value).lower()
    yield quote_plus(value).lower()
    yield escape(value).lower()
    yield "".join(f"&#{ord(letter)};" for letter in value)
    yield "".join(f"&#x{ord(letter):x};" for letter in value)
    yield value.encode().hex()
    yield value.encode().hex(":")
    if value == MAC:
        yield from (value.lower().replace(":", sign) for sign in ("-", "", ".", "_", "%3a"))


def found(value: str, text: str) -> list[str]:
    """The spellings of ``value`` that stand in ``text``, which may hold Base64 of anything."""
    low = text.lower()
    hits = [spelled for spelled in spellings(value) if spelled in low]
    for run in re.findall(r"[A-Za-z0-9+/_-]{8,}={0,2}", text):
        raw = run.replace("-", "+").replace("_", "/").rstrip("=")
        decoded = b64decode(raw[: len(raw) // 4 * 4] + "=" * 0)
        if value.encode() in decoded or value.encode("gb18030") in decoded:
            hits.append(run)
    return hits


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()
