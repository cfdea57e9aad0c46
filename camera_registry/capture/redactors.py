"""The table of redactors: what belongs to a site or a person, how it is recognised, and what is written instead.

Maker, model and firmware are no site's secret: they are what a recording is for, and stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Reach(Enum):
    """Where a value is replaced once it is known."""

    PLACE = "place"
    """Only where it was recognised."""
    WORD = "word"
    """Wherever it stands as a word, in any spelling, unless it is an everyday word of the protocols."""
    ANYWHERE = "anywhere"
    """Wherever it stands, in any spelling."""


@dataclass(frozen=True, slots=True)
class Redactor:
    """``patterns`` find a value in the text of an answer: the group ``value``, and blanks behind it at most. They are
    linear in time, whatever a device sends. ``write`` makes the pseudonym of the n-th value; the same value has the
    same pseudonym throughout a file."""

    name: str
    write: Callable[[int], str]
    patterns: tuple[re.Pattern[str], ...] = ()
    reach: Reach = Reach.PLACE


def _numbered(word: str) -> Callable[[int], str]:
    return lambda number: f"{word}-{number}"


def _element(*names: str) -> re.Pattern[str]:
    """The text of an XML element of one of these local names, well-formed or not."""
    tags = "|".join(names)
    return re.compile(rf"<(?:[\w.-]+:)?(?:{tags})(?:\s[^<>]*)?>\s*+(?P<value>[^<>\s][^<>]*)", re.IGNORECASE)


def _attribute(*names: str) -> re.Pattern[str]:
    return re.compile(rf"\s(?:[\w.-]+:)?(?:{'|'.join(names)})\s*=\s*[\"'](?P<value>[^\"'<>]+)[\"']", re.IGNORECASE)


def _parameter(*names: str) -> re.Pattern[str]:
    """A parameter of a challenge: ``name="value"``, with quotes inside escaped, or ``name=value``."""
    return re.compile(rf"\b(?:{'|'.join(names)})\s*=\s*\"?(?P<value>(?<=\")(?:[^\"\\]|\\.)++|[^\s,\"]+)", re.IGNORECASE)


def _query(*names: str) -> re.Pattern[str]:
    return re.compile(rf"[?&;](?:{'|'.join(names)})=(?P<value>[^&\s\"'<>#;]+)", re.IGNORECASE)


def _line(*kinds: str) -> re.Pattern[str]:
    """A line of a session description."""
    return re.compile(rf"^(?:{'|'.join(kinds)})(?P<value>[^\r\n]+)", re.MULTILINE)


_SCOPE = r"onvif://www\.onvif\.org/"

REDACTORS: tuple[Redactor, ...] = (
    Redactor(
        "password",
        _numbered("password"),
        (
            _element("Password", "Passwd", "Pwd", "PasswordDigest", "PresharedKey", "PSK", "Key", "Passphrase"),
            re.compile(r"://[^/\s@:\"'<>]*:(?P<value>[^/\s@\"'<>]+)@"),
            _query("pass(?:word|wd)?", "pwd", "psw", "loginpas", "token", "auth", "key", "secret"),
        ),
        Reach.ANYWHERE,
    ),
    Redactor(
        "user",
        _numbered("user"),
        (
            _element("User", "Username", "Login", "Account"),
            re.compile(r"://(?P<value>[^/\s@:\"'<>]+)(?=(?::[^/\s@\"'<>]*)?@)"),
            _query("user(?:name)?", "usr", "login(?:use)?", "account"),
        ),
        Reach.WORD,
    ),
    Redactor("realm", _numbered("realm"), (_parameter("realm"),)),
    Redactor(
        "nonce",
        _numbered("nonce"),
        (_parameter("nonce", "opaque", "nextnonce", "rspauth", "cnonce"), _element("Nonce")),
    ),
    Redactor(
        "serial",
        _numbered("serial"),
        (
            _element("SerialNumber", "Serial", "HardwareId", "DeviceID", "SourceId", "Asset(?:Tag|Number)"),
            _query("serial(?:number)?", "sn", "deviceid"),
        ),
        Reach.ANYWHERE,
    ),
    Redactor(
        "uuid",
        lambda number: f"00000000-0000-4000-8000-{number:012x}",
        (
            re.compile(
                r"(?<![0-9A-Za-z])(?P<value>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9A-Za-z])", re.IGNORECASE
            ),
        ),
        Reach.ANYWHERE,
    ),
    Redactor(
        "mac",
        lambda number: f"02:00:00:00:{number >> 8 & 255:02x}:{number & 255:02x}",
        (
            re.compile(
                r"(?<![0-9A-Fa-f:-])(?P<value>[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\2){4}[0-9A-Fa-f]{2})(?![0-9A-Fa-f:-])"
            ),
            _element("HwAddress", "MAC", "MACAddress", "PhysicalAddress"),
        ),
        Reach.ANYWHERE,
    ),
    Redactor(
        "scope",
        _numbered("scope"),
        (
            re.compile(rf"{_SCOPE}(?:name|location)/(?P<value>[^\s<>\"'&]+)", re.IGNORECASE),
            re.compile(
                rf"{_SCOPE}(?!name/|location/|type/|hardware/|profile/|manufacturer/)(?P<value>[^\s<>\"'&]+)",
                re.IGNORECASE,
            ),
            re.compile(rf"<(?:[\w.-]+:)?ScopeItem>\s*+(?P<value>(?!{_SCOPE})[^<>\s][^<>]*)", re.IGNORECASE),
        ),
        Reach.WORD,
    ),
    Redactor(
        "location",
        _numbered("place"),
        (_element("Location", "Address", "Site", "City", "Region", "Room", "Description", "ContactInfo"),),
        Reach.WORD,
    ),
    Redactor(
        "position",
        lambda number: "0.0",
        (
            _attribute("lon", "lat", "elevation", "longitude", "latitude", "altitude"),
            _element("Lon", "Lat", "Longitude", "Latitude", "Elevation", "Altitude"),
        ),
    ),
    Redactor(
        "name",
        _numbered("name"),
        (
            _element(
                "Name",
                "HostName",
                "FriendlyName",
                "DNSname",
                "SearchDomain",
                "Domain",
                "PlainText",
                "SSID",
                "Title",
                "RecordingName",
                "Owner",
                "Department",
                "Content",
            ),
            _line("s=", "i=", "a=x-qt-text-[a-z]+:", "a=x-name:"),
            _query("(?:device|camera|channel)?name", "title"),
            # Parts of addresses that are not ASCII, as they are or percent-encoded.
            re.compile(r"(?:(?<=/)|[?&;]\w{1,40}=)(?P<value>[^/?&=<>\"'\s\x00-\x7f][^/?&=<>\"'\s]*)"),
            re.compile(
                r"(?:(?<=/)|[?&;]\w{1,40}=)(?P<value>(?:%[89A-F][0-9A-F]){2}(?:[\w.-]|%[0-9A-F]{2})*)", re.IGNORECASE
            ),
        ),
        Reach.WORD,
    ),
    Redactor(
        "email",
        lambda number: f"person-{number}@example.org",
        (re.compile(r"(?:(?<=mailto:)|(?<![\w.+:/@-]))(?P<value>[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,})"),),
        Reach.ANYWHERE,
    ),
    Redactor(
        "code",
        _numbered("code"),
        (re.compile(r"(?<![0-9A-Za-z.])(?P<value>\d{20}|\d{17}[\dXx])(?![0-9A-Za-z])"),),
        Reach.ANYWHERE,
    ),
    Redactor(
        "phone",
        _numbered("phone"),
        (re.compile(r"(?<![0-9A-Za-z.:-])(?P<value>(?:\+\d{2})?1[3-9]\d{9})(?![0-9A-Za-z])"), _line("p=")),
        Reach.ANYWHERE,
    ),
    Redactor(
        "contact",
        _numbered("contact"),
        (_line("e=", "u=", "k="),),
    ),
    Redactor("origin", lambda number: f"- {number} 1 IN IP4 0.0.0.0", (_line("o="),)),
    Redactor(
        "session",
        str,
        (
            _line("a=ssrc:"),
            re.compile(r"\bssrc=(?P<value>[0-9A-Fa-f]+)"),
            _element("MessageID", "RelatesTo", "SessionId"),
        ),
    ),
)
"""In the order in which they look. Addresses, free text, certificates, pages, pictures and headers need more than a
pattern: see ``scrub`` and ``pseudonyms``."""

OTHERS = ("address", "text", "certificate", "page", "picture", "header")
"""Redactors that are code."""

KEPT_HEADERS = frozenset({
    "accept-ranges", "allow", "cache-control", "connection", "content-base", "content-encoding", "content-length",
    "content-location", "content-type", "date", "location", "public", "range", "retry-after", "rtp-info",
    "server", "session", "transfer-encoding", "transport", "unsupported", "www-authenticate",
})  # fmt: skip
"""Headers that stay; no other is known to hold nothing of the site, so no other stays."""

KEPT_TEXT = re.compile(r"Manufacturer|Model|FirmwareVersion|Text|faultstring|faultcode|Reason|TZ|Value", re.IGNORECASE)
"""Elements whose text may have blanks: it is the maker's, or a fault's."""

_WORDS = """
aac admin administrator audio auto avc backup balanced bitstream cam camera channel config configuration default
device encoder eth events false general guest h hevc high http https imaging ipc ipcam ipv jpeg lan lo low main
mainstream media medium metadata minor mjpeg mpeg none ntsc null off on onvif operator pal pcma pcmu primary profile
profiles ptz quality root rtp rtsp secondary sensor service services snapshot source stream streaming sub substream
support system tcp test third token true udp user users video videosource viewer wlan
"""
EVERYDAY = frozenset(_WORDS.split())
"""Words that say nothing of a site and that protocols are full of."""
