"""This file turns ONVIF answers (identity, services, Media, Media2) into values, wrong addresses into right ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
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
    Operation,
    child,
    children,
    descendant,
    local_name,
    local_of,
    raw_text,
    text,
)
from probes.wire.soap_shapes import Texts, texts_in
from probes.wire.text import clean, whole

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
_INFORMATION = ("manufacturer", "model", "firmwareversion", "serialnumber", "hardwareid")
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


def information_in(status: int, body: bytes) -> Information:
    """``read_information`` of an answer with this HTTP status and these bytes. Raises SoapError."""
    return Information(*map(clean, texts_in(status, body, Operation.INFORMATION, _information)))


def read_information(answer: etree._Element) -> Information:
    """What is missing is empty."""
    return Information(*map(clean, _information(answer)))


def _information(answer: etree._Element) -> Texts:
    told = {local_of(part.tag): part.text for part in reversed(answer)}  # of several the first counts
    return tuple(told.get(name) or "" for name in _INFORMATION)


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


def _integer(element: etree._Element | None) -> int | None:
    return whole(element.text) if element is not None else None


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
