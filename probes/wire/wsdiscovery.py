"""This file writes WS-Discovery Probes and reads the ProbeMatches that answer them (WS-Discovery of April 2005 over
SOAP-over-UDP, as ONVIF Core 7.3 uses it)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote
from xml.sax.saxutils import escape

from probes.wire import WireError
from probes.wire.onvif import Address, read_address
from probes.wire.soap import children, descendant, local_name, parse, raw_text
from probes.wire.text import clean

PORT = 3702
GROUP = "239.255.255.250"
"""Where Probes to all are sent (section 2.4)."""

TYPES = ("dn:NetworkVideoTransmitter", "tds:Device")
"""What is looked for (ONVIF Core 7.3.2): each in a Probe of its own, because a Probe for both finds only what is
both, and old devices know but the first."""

MATCH_LIMIT = 16
"""Matches read of one answer: a device has one, a few answer for their parts."""
SCOPE_LIMIT = 64
ADDRESS_LIMIT = 8

_PROBE = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
    'xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl">'
    "<e:Header><w:MessageID>{message}</w:MessageID>"
    '<w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>'
    '<w:Action e:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>'
    "<e:Body><d:Probe><d:Types>{types}</d:Types></d:Probe></e:Body></e:Envelope>"
)
_SCOPE = re.compile(
    r"[a-z][a-z0-9+.-]*://[^/\s]*/(?:[^/\s]+/)*?(name|hardware|mac|macaddr|serial|sn)/([^/\s]+)", re.IGNORECASE
)
_NAMES = {"macaddr": "mac", "sn": "serial"}
_MAC = re.compile(r"[0-9a-f]{12}")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Match:
    """One unit that fits a Probe. ``endpoint`` is its UUID in lower case, as far as it has one; the texts come from its
    scopes. ``addresses`` are where it says that it is: to be compared, never simply to be contacted."""

    endpoint: str
    addresses: tuple[Address, ...]
    name: str = ""
    hardware: str = ""
    mac: str = ""
    serial: str = ""


def write_probe(message: str, types: str) -> bytes:
    """A Probe for ``types`` (one of TYPES); ``message`` is its own id, a URI such as ``urn:uuid:...``."""
    return _PROBE.format(message=escape(message), types=types).encode()


def read_matches(datagram: bytes) -> tuple[str, tuple[Match, ...]]:
    """The id of the Probe that this answers, and what it tells. Raises WireError for what is no answer to a Probe."""
    root = parse(datagram)
    body = None if root is None else descendant(root, "ProbeMatches")
    if root is None or body is None:
        raise WireError("this is no answer to a WS-Discovery Probe")
    relates = raw_text(descendant(root, "RelatesTo"))[:256]
    found = []
    for element, _ in zip(children(body, "ProbeMatch"), range(MATCH_LIMIT), strict=False):
        told = {local_name(part): part for part in element}
        uris = raw_text(told.get("xaddrs")).split(maxsplit=ADDRESS_LIMIT)[:ADDRESS_LIMIT]
        addresses = tuple(address for uri in uris if (address := read_address(uri)) is not None)
        reference = told.get("endpointreference")
        endpoint = "" if reference is None else raw_text(descendant(reference, "Address"))
        scopes = raw_text(told.get("scopes")).split(maxsplit=SCOPE_LIMIT)[:SCOPE_LIMIT]
        found.append(Match(_uuid(endpoint), addresses, **read_scopes(scopes)))
    return relates, tuple(found)


def read_scopes(scopes: Iterable[str]) -> dict[str, str]:
    """``name``, ``hardware``, ``mac`` and ``serial`` as far as scopes hold them (ONVIF Core 7.3.2.2; makers add the
    last two)."""
    found: dict[str, str] = {}
    for scope in scopes:
        read = _SCOPE.match(scope[:1024])
        if read is None:
            continue
        name = _NAMES.get(read[1].lower(), read[1].lower())
        value = clean(unquote(read[2], errors="replace"))
        if name == "mac":
            value = mac_text(value)
        if value:
            found.setdefault(name, value)
    return found


def mac_text(told: str) -> str:
    """A MAC address as twelve lower-case digits in pairs with colons; empty for what is none, or nobody's own."""
    digits = re.sub(r"[:.\s-]", "", told).lower()
    if not _MAC.fullmatch(digits) or len(set(digits)) == 1:
        return ""
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def _uuid(reference: str) -> str:
    found = _UUID.search(reference)
    return found[0].lower() if found else ""
