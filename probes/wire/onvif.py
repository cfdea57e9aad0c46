"""This file turns ONVIF answers (time, identity, services, Media, Media2) into values, and wrong addresses into right
ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode

from lxml import etree

from probes.wire.soap import (
    DEVICE,
    DEVICE_IO,
    EVENTS,
    IMAGING,
    MEDIA,
    MEDIA2,
    RECORDING,
    REPLAY,
    SEARCH,
    child,
    children,
    descendant,
    local_name,
    local_of,
    raw_text,
    text,
)
from probes.wire.text import clean

PROFILE_LIMIT = 256
"""Profiles of one device; a recorder of 64 channels has 192."""

SOURCE_LIMIT = 128
"""Video sources of one device."""

_SERVICES = {
    "device": DEVICE,
    "media": MEDIA,
    "imaging": IMAGING,
    "deviceio": DEVICE_IO,
    "events": EVENTS,
    "recording": RECORDING,
    "search": SEARCH,
    "replay": REPLAY,
}
"""What GetCapabilities calls the services."""
_NAMESPACES = {namespace.lower(): namespace for namespace in (*_SERVICES.values(), MEDIA2)}
"""Some write them in other case, or with a slash at the end."""

_URI = re.compile(r"\s*([a-z][a-z0-9+.-]*)://([^/?#\s]*)([^#\s]*)", re.IGNORECASE)
_PORT = re.compile(r":(\d{1,5})(?=:|$)")
_POSIX_ZONE = re.compile(r"(?:<[^>]{1,20}>|[A-Za-z]{3,40}?)([+-]?)(\d{1,2})(?::(\d{1,2}))?")
_INFORMATION = ("manufacturer", "model", "firmwareversion", "serialnumber", "hardwareid")
_CLOCK = frozenset({"utcdatetime", "localdatetime", "datetimetype", "tz"})
_MOMENT = ("year", "month", "day", "hour", "minute", "second")
_MAYBE_CREDENTIAL = re.compile(r"(?i)us[er]|login|acc|pas|pwd|psw|token|auth|%")
_CREDENTIAL_NAMES = re.compile(
    r"(?i)(?:user(?:name)?|usr|login(?:use|pas)?|account|pass(?:word|wd)?|pwd|psw|token|auth)$"
)


@dataclass(frozen=True, slots=True)
class Information:
    """GetDeviceInformation."""

    manufacturer: str
    model: str
    firmware: str
    serial: str
    hardware: str


@dataclass(frozen=True, slots=True)
class Clock:
    """GetSystemDateAndTime. ``moment`` is the device's time in UTC; ``other`` what it may be instead, where the device
    tells the same for UTC and for its local time although its zone says that they differ. ``source`` is "ntp", "manual"
    or empty."""

    moment: datetime
    other: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A media profile; ``token`` as it is sent back, ``source`` that of its video source (empty: it has none), the
    encoder's settings where it has one."""

    token: str
    source: str
    name: str
    encoding: str | None
    width: int | None
    height: int | None
    frame_rate: float | None

    def facts(self) -> dict[str, object]:
        return {
            "token": clean(self.token),
            "name": self.name,
            "encoding": self.encoding,
            "width": self.width,
            "height": self.height,
            "frame_rate": self.frame_rate,
        }


@dataclass(frozen=True, slots=True)
class Source:
    """A video source with its profiles; ``number`` counts sources from 1 on, in the order the device tells them."""

    number: int
    token: str
    profiles: tuple[Profile, ...]

    def choose(self, wanted: Collection[str]) -> tuple[Profile, ...]:
        """The profiles that are wanted by their token; where none is, the first that can be streamed."""
        named = tuple(profile for profile in self.profiles if profile.token in wanted)
        return named or (next((profile for profile in self.profiles if profile.encoding), self.profiles[0]),)


@dataclass(frozen=True, slots=True)
class Address:
    """An address that a device told, without user information. ``host`` is only compared, never contacted; ``port``
    None: none was told."""

    scheme: str
    host: str
    port: int | None
    path: str


def read_information(answer: etree._Element) -> Information:
    """What is missing is empty."""
    told = {local_of(part.tag): part for part in reversed(answer)}  # of several the first counts
    return Information(*(text(told.get(name)) for name in _INFORMATION))


def read_time(answer: etree._Element) -> datetime | None:
    """The device's clock in UTC, or None; see ``read_clock``."""
    clock = read_clock(answer)
    return clock.moment if clock is not None else None


def read_clock(answer: etree._Element) -> Clock | None:
    """The device's clock: UTCDateTime, else LocalDateTime with its POSIX zone, else None.

    A leap second (60) or hour 24 rolls over; daylight saving is not applied, since rules differ from device to device.
    """
    told = _first_of_each(answer, _CLOCK)
    utc, local = _read_moment(told.get("utcdatetime")), _read_moment(told.get("localdatetime"))
    source = text(told.get("datetimetype")).lower()
    source = source if source in ("ntp", "manual") else ""
    try:
        by_zone = local + _west_of_utc(text(told.get("tz"))) if local is not None else None
    except OverflowError:
        by_zone = None
    if utc is None:
        return Clock(by_zone, source=source) if by_zone is not None else None
    same = local is not None and abs(utc - local) <= timedelta(seconds=2)
    return Clock(utc, by_zone if same and by_zone != local else None, source)


def _west_of_utc(zone: str) -> timedelta:
    """What is added to local time to make it UTC, by a POSIX zone ("CST-8" is eight hours *east*); nothing if it can't
    be read."""
    found = _POSIX_ZONE.match(zone)
    if found is None:
        return timedelta(0)
    sign, hours, minutes = found.groups()
    west = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if west > timedelta(hours=24):
        return timedelta(0)
    return -west if sign == "-" else west


def read_services(answer: etree._Element) -> dict[str, str]:
    """Namespace to address, from GetServices or GetCapabilities (which names services instead of their namespaces)."""
    found: dict[str, str] = {}
    for element in answer.iter(etree.Element):
        name = local_name(element)
        if name == "service":
            namespace = text(child(element, "Namespace"))
            namespace = _NAMESPACES.get(namespace.rstrip("/").lower(), namespace)
            found.setdefault(namespace, raw_text(child(element, "XAddr")))
        elif name in _SERVICES and child(element, "XAddr") is not None:
            found.setdefault(_SERVICES[name], raw_text(child(element, "XAddr")))
    return {namespace: address for namespace, address in found.items() if namespace and address}


def read_profiles(answer: etree._Element) -> tuple[Profile, ...]:
    """Profiles of Media (``VideoEncoderConfiguration``) or Media2 (``Configurations``/``VideoEncoder``)."""
    return tuple(profile for profile, _ in zip(_profiles(answer), range(PROFILE_LIMIT), strict=False))


def sources(profiles: Iterable[Profile]) -> tuple[Source, ...]:
    """Profiles by video source, at most ``SOURCE_LIMIT`` of them. What can't be streamed and has no source (sound,
    metadata) belongs to none."""
    found: dict[str, list[Profile]] = {}
    for profile in profiles:
        if profile.source or profile.encoding:
            found.setdefault(profile.source, []).append(profile)
    numbered = zip(range(1, SOURCE_LIMIT + 1), found.items(), strict=False)
    return tuple(Source(number, token, tuple(of)) for number, (token, of) in numbered)


def read_uri(answer: etree._Element) -> Address | None:
    """The address in a GetStreamUri or GetSnapshotUri answer, None when there is none."""
    return read_address(raw_text(descendant(answer, "Uri")))


def read_address(uri: str) -> Address | None:
    """``uri`` in parts, without user names or passwords in it; None if it is not an address.

    A doubled port (``host:80:80``) counts once.
    """
    found = _URI.match(uri[:2048])
    if found is None:
        return None
    scheme, authority, path = found.groups()
    authority = authority.rpartition("@")[2]
    host, bracket, behind = authority.rpartition("]")
    host, behind = (host.lstrip("["), behind) if bracket else (authority.partition(":")[0], authority)
    port = _PORT.search(behind)
    number = int(port[1]) if port else 0
    return Address(
        scheme=scheme.lower(),
        host=clean(host.lower()),
        port=number if 0 < number < 65536 else None,
        path=_printable(_without_credentials(path)) or "/",
    )


def write_uri(scheme: str, host: str, port: int, path: str) -> str:
    """An address on the registered host, IPv6 literals in brackets."""
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}{path if path.startswith(('/', '?')) else '/' + path}"


def _profiles(answer: etree._Element) -> Iterator[Profile]:
    for element in children(answer, "Profiles"):
        encoder, source = child(element, "VideoEncoderConfiguration"), child(element, "VideoSourceConfiguration")
        if encoder is None:
            encoder = child(element, "Configurations", "VideoEncoder")
        if source is None:
            source = child(element, "Configurations", "VideoSource")
        yield Profile(
            token=(element.get("token") or element.get("Token") or "")[:256],
            source=raw_text(child(source, "SourceToken"))[:256],
            name=text(child(element, "Name")),
            encoding=text(child(encoder, "Encoding")).upper() or None,
            width=_integer(child(encoder, "Resolution", "Width")),
            height=_integer(child(encoder, "Resolution", "Height")),
            frame_rate=_number(child(encoder, "RateControl", "FrameRateLimit")),
        )


def _first_of_each(answer: etree._Element, names: Collection[str]) -> dict[str, etree._Element]:
    """The first element of each of these (lower-case) local names anywhere below ``answer``, in one walk."""
    found: dict[str, etree._Element] = {}
    for element in answer.iter(etree.Element):
        name = local_of(element.tag)
        if name in names:
            found.setdefault(name, element)
    return found


def _read_moment(element: etree._Element | None) -> datetime | None:
    if element is None:
        return None
    told = {local_of(part.tag): part.text for part in element.iter(etree.Element)}
    year, month, day, hour, minute, second = [_whole(told.get(name)) for name in _MOMENT]
    if year is None or month is None or day is None or hour is None or minute is None:
        return None
    return moment_of(year, month, day, hour, minute, second or 0)


def moment_of(year: int, month: int, day: int, hour: int, minute: int, second: int) -> datetime | None:
    """A moment in UTC as devices count: hour 24 is the next day's first, minute 60 the next hour's, seconds leap. None
    for what is none."""
    if not (hour <= 24 and minute <= 60 and second <= 61):
        return None
    try:
        return datetime(year, month, day, tzinfo=UTC) + timedelta(hours=hour, minutes=minute, seconds=second)
    except (ValueError, OverflowError):
        return None


def _integer(element: etree._Element | None) -> int | None:
    return _whole(element.text) if element is not None else None


def _whole(told: str | None) -> int | None:
    value = (told or "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def _number(element: etree._Element | None) -> float | None:
    value = text(element)
    return float(value) if re.fullmatch(r"\d{1,6}(?:\.\d{1,6})?", value) else None


def _printable(path: str) -> str:
    """``path`` in plain ASCII, the rest percent-encoded: it is sent back, and shown."""
    if path.isascii() and path.isprintable():
        return path
    return quote(path, safe="%/:=&?~+!$,;'@()*[]{}|^")


def _without_credentials(path: str) -> str:
    """``path`` without parameters that hold a user name or password; untouched if it has none."""
    before, _, query = path.partition("?")
    if not _MAYBE_CREDENTIAL.search(query):
        return path
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if not _CREDENTIAL_NAMES.match(name)]
    if len(kept) == len(pairs):
        return path
    return f"{before}?{urlencode(kept, quote_via=quote)}" if kept else before
