"""Reads what people write to name one device: a host, host:port, onvif://, rtsp:// or http(s):// address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote

from camera_registry.cli.outcome import CommandError
from camera_registry.rules.inventory import cells
from camera_registry.rules.inventory.problems import BadCell

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?]*)(.*)", re.DOTALL)
_DEFAULT_PORTS = {"onvif": 80, "rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_PROBES = {
    "": ("onvif", "rtsp", "snapshot"),
    "onvif": ("onvif",),
    "rtsp": ("rtsp",),
    "rtsps": ("rtsp",),
    "http": ("snapshot",),
    "https": ("snapshot",),
}


@dataclass(frozen=True, slots=True)
class Named:
    """What was named. ``shown`` is how it may be printed: without user name and password. ``ports`` are those that were
    written or follow from the form; ``options`` are per probe. The password stays out of ``repr``."""

    shown: str
    host: str
    probes: tuple[str, ...]
    ports: Mapping[str, int]
    options: Mapping[str, Mapping[str, object]]
    onvif_path: str = "/onvif/device_service"
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    plain_port: int = 0
    """The port of host:port, which belongs to ONVIF unless another probe alone is asked for."""


def read_target(text: str) -> Named:
    """Raises CommandError that says which forms are understood; never repeats a password."""
    text = text.strip()
    found = _ADDRESS.fullmatch(text)
    scheme, authority, rest = (found[1].lower(), found[2], found[3]) if found else ("", text, "")
    if scheme not in _PROBES:
        raise CommandError("scheme", scheme=scheme)
    if not scheme and re.search(r"[\s/?]", authority):
        raise CommandError("no_target")
    userinfo, at, place = authority.rpartition("@")
    host, port = _split(place)
    user, colon, password = userinfo.partition(":")
    shown_scheme = f"{scheme}://" if scheme else ""
    ports = _ports(scheme, port)
    return Named(
        shown=f"{shown_scheme}{place}{rest}",
        host=host,
        probes=_PROBES[scheme],
        ports=ports,
        options=_options(scheme, host, ports, rest),
        onvif_path=rest if scheme == "onvif" and rest not in ("", "/") else "/onvif/device_service",
        user=unquote(user) if at else "",
        password=unquote(password) if colon else "",
        tls=scheme == "https",
        plain_port=0 if scheme else port,
    )


def _split(place: str) -> tuple[str, int]:
    """Host and port (0: none written). An IPv6 literal may stand with or without brackets."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(\d+))?", place)
    if bracketed:
        host, port = bracketed[1], bracketed[2]
        if not _is_ipv6(host):
            raise CommandError("no_ipv6", given=host)
    elif place.count(":") > 1:
        host, port = place, None
        if not _is_ipv6(host):
            raise CommandError("no_place", given=repr(place))
    else:
        host, colon, port = place.partition(":")
        if colon and not (port.isascii() and port.isdigit()):
            raise CommandError("port", given=repr(place))
    number = int(port) if port else 0
    if not host or len(host) > 253 or (port and not 0 < number < 65536):
        raise CommandError("port" if host else "host_missing", given=repr(place))
    try:
        return cells.host(host), number
    except BadCell as error:
        raise CommandError("no_host", given=repr(host)) from error


def _is_ipv6(text: str) -> bool:
    try:
        return ip_address(text).version == 6
    except ValueError:
        return False


def _ports(scheme: str, port: int) -> dict[str, int]:
    """Only what was written is registered: where the device tells its own ports over ONVIF, those count."""
    if scheme in ("", "onvif"):
        return {"onvif": port or 80, "tcp": port or 80}
    name = "rtsp" if scheme.startswith("rtsp") else "http"
    found = {name: port or _DEFAULT_PORTS[scheme], "tcp": port or _DEFAULT_PORTS[scheme]}
    return {**found, "tls": found[name]} if scheme in ("https", "rtsps") else found


def _options(scheme: str, host: str, ports: Mapping[str, int], rest: str) -> dict[str, Mapping[str, object]]:
    shown = f"[{host}]" if ":" in host else host
    options: dict[str, Mapping[str, object]] = {"rtsp": {"frames": True}}
    if scheme.startswith("rtsp"):
        options["rtsp"] = {"stream_uri": f"{scheme}://{shown}:{ports['rtsp']}{rest or '/'}", "frames": True}
    elif scheme.startswith("http"):
        options["snapshot"] = {"snapshot_uri": f"{scheme}://{shown}:{ports['http']}{rest or '/'}"}
        options["http"] = {"path": rest or "/"}
    return options
