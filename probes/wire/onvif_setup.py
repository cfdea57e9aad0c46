"""This file turns ONVIF answers about a device's set-up (network, time, name, certificates, events, imaging) into
facts.

Each function returns what it found under the names of facts; what is missing or unreadable is left out.
"""

from __future__ import annotations

import re
from base64 import b64decode
from itertools import islice

from lxml import etree

from probes.wire import certificate
from probes.wire.onvif import SOURCE_LIMIT
from probes.wire.soap import child, children, descendant, local_name, raw_text, text
from probes.wire.wsdiscovery import mac_text

MOST = 8
"""Interfaces, servers or certificates of one device that are told."""

_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?")
_TRUE = ("true", "1", "yes", "on")
_WORD = re.compile(r"[A-Za-z0-9_.+-]{1,40}")


def read_interfaces(answer: etree._Element) -> dict[str, object]:
    """GetNetworkInterfaces: ``interfaces`` [{name, mac, addresses}], and ``mac`` of the first that is in use."""
    found: list[dict[str, object]] = []
    used = ""
    for element in islice(children(answer, "NetworkInterfaces"), MOST):
        information = child(element, "Info")
        mac = mac_text(text(child(information, "HwAddress")))
        name = text(child(information, "Name")) or text_of_attribute(element, "token")
        addresses = [
            raw_text(address)
            for address in element.iter(etree.Element)
            if local_name(address) == "address" and len(raw_text(address)) < 46 and raw_text(address).isascii()
        ]
        found.append({"name": name, "mac": mac, "addresses": [text for text in addresses if text][:MOST]})
        if not used and mac and text(child(element, "Enabled")).lower() not in ("false", "0"):
            used = mac
    return ({"interfaces": found} if found else {}) | ({"mac": used} if used else {})


def read_dns(answer: etree._Element) -> dict[str, object]:
    """GetDNS: ``dns`` {dhcp, servers}, those in force first."""
    return _servers(answer, "DNS")


def read_ntp(answer: etree._Element) -> dict[str, object]:
    """GetNTP: ``ntp`` {dhcp, servers}, by address or name, those in force first."""
    return _servers(answer, "NTP")


def read_hostname(answer: etree._Element) -> dict[str, object]:
    """GetHostname: ``hostname``."""
    name = text(descendant(answer, "Name"))
    return {"hostname": name} if name else {}


def read_certificates(answer: etree._Element) -> dict[str, object]:
    """GetCertificates: ``certificates`` [{id, and what ``certificate.facts_of`` tells}] that the device holds, in use
    or not."""
    found: list[dict[str, object]] = []
    for element in islice(children(answer, "NvtCertificate"), MOST):
        try:
            raw = b64decode("".join(raw_text(descendant(element, "Data")).split()), validate=True)
        except ValueError:
            continue
        if raw:
            found.append({"id": text(child(element, "CertificateID")), **certificate.facts_of(raw)})
    return {"certificates": found} if found else {}


def read_events(answer: etree._Element) -> dict[str, object]:
    """The event service's GetServiceCapabilities: ``events`` {pull_points, most}; nothing is ever subscribed to."""
    element = descendant(answer, "Capabilities")
    if element is None:
        return {}
    told = {str(name).lower(): str(value) for name, value in element.attrib.items()}
    most = told.get("maxpullpoints", "")
    return {
        "events": {
            "pull_points": told.get("wspullpointsupport", "").lower() in _TRUE,
            "most": int(most) if most.isascii() and most.isdigit() and len(most) < 7 else None,
        }
    }


def read_video_sources(answer: etree._Element) -> list[str]:
    """GetVideoSources: the tokens of the sources, as Media tells them (an attribute) or as DeviceIO does (the text)."""
    named = (element for element in answer if local_name(element) in ("videosources", "token"))
    tokens = (text_of_attribute(element, "token") or raw_text(element) for element in named)
    return [token for token in islice(tokens, SOURCE_LIMIT) if token]


_SETTINGS = {
    "brightness": ("Brightness",),
    "saturation": ("ColorSaturation",),
    "contrast": ("Contrast",),
    "sharpness": ("Sharpness",),
    "ir_cut_filter": ("IrCutFilter",),
    "exposure": ("Exposure", "Mode"),
    "focus": ("Focus", "AutoFocusMode"),
    "white_balance": ("WhiteBalance", "Mode"),
    "wide_dynamic_range": ("WideDynamicRange", "Mode"),
    "backlight": ("BacklightCompensation", "Mode"),
}


def read_imaging(answer: etree._Element) -> dict[str, object]:
    """GetImagingSettings: numbers in the device's own units, modes as lower-case words."""
    settings = descendant(answer, "ImagingSettings")
    told = {name: _value(text(child(settings, *path))) for name, path in _SETTINGS.items()}
    return {name: value for name, value in told.items() if value is not None}


def read_focus(answer: etree._Element) -> dict[str, object]:
    """GetStatus of the imaging service: ``focus_state`` (idle, moving, unknown) and ``focus_error``."""
    status = descendant(answer, "FocusStatus20")
    if status is None:
        status = descendant(answer, "FocusStatus")
    state, error = text(child(status, "MoveStatus")).lower(), text(child(status, "Error"))
    told = {"focus_state": state, "focus_error": error}
    return {name: value for name, value in told.items() if value}


def text_of_attribute(element: etree._Element | None, name: str) -> str:
    """An attribute whose name is told in any case."""
    if element is None:
        return ""
    return next((str(value) for key, value in element.attrib.items() if str(key).lower() == name), "")[:256]


def _servers(answer: etree._Element, name: str) -> dict[str, object]:
    information = descendant(answer, f"{name}Information")
    if information is None:
        return {}
    dhcp = _is_true(child(information, "FromDHCP"))
    lists = (f"{name}FromDHCP", f"{name}Manual") if dhcp else (f"{name}Manual", f"{name}FromDHCP")
    servers = [
        told
        for listed in lists
        for element in children(information, listed)
        for told in (text(child(element, part)) for part in ("IPv4Address", "IPv6Address", "DNSname"))
        if told
    ]
    return {name.lower(): {"dhcp": dhcp, "servers": list(dict.fromkeys(servers))[:MOST]}}


def _is_true(element: etree._Element | None) -> bool:
    return text(element).lower() in _TRUE


def _value(told: str) -> float | str | None:
    if _NUMBER.fullmatch(told):
        return float(told)
    return told.lower() if _WORD.fullmatch(told) else None
