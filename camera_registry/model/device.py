"""Devices, their channels and what people intend for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """What a unit with an address is."""

    CAMERA = "camera"
    TRAFFIC_UNIT = "traffic_unit"
    RECORDER = "recorder"
    NETWORK = "network"
    MOBILE_UNIT = "mobile_unit"


class TrafficKind(StrEnum):
    """What an intelligent traffic unit does."""

    CHECKPOINT = "checkpoint"
    ENFORCEMENT = "enforcement"
    SIGNAL = "signal"
    FLOW = "flow"
    GUIDANCE = "guidance"


class Life(StrEnum):
    """What people intend for a device. Never mixed with measured health."""

    PLANNED = "planned"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    RETIRED = "retired"


class TlsUse(StrEnum):
    """How a device's web and ONVIF services are spoken to: in the clear, encrypted and held to the certificate that was
    seen first (``Device.certificate``), or encrypted whatever certificate it shows."""

    OFF = "off"
    PIN = "pin"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Channel:
    """One video source of a device. A plain camera has one, a recorder many.

    ``token`` is the ONVIF media profile token (empty: the first profile); ``rtsp_path`` and ``snapshot_path`` name
    the stream and the still picture where the register knows them (empty: as the device says over ONVIF).
    ``masks`` are what nobody may see of its picture, each a box or a polygon as ``rules.pictures.outlines`` writes it;
    ``osd_box`` is where a clock is burnt in (empty: none is known of), ``osd_format`` how it is written
    (YYYY-MM-DD HH:MM:SS where empty), ``osd_zone`` the time zone that it shows (that of the settings where empty).
    ``may_move``: it tours by itself, and is nowhere wrong (None: as the policy says).
    """

    id: str
    device: str
    number: int = 1
    name: str = ""
    token: str = ""
    rtsp_path: str = ""
    snapshot_path: str = ""
    masks: tuple[str, ...] = ()
    osd_box: str = ""
    osd_format: str = ""
    osd_zone: str = ""
    may_move: bool | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """The device file: everything the register knows of one unit.

    ``host`` is an IPv4 or IPv6 address or a host name, without port and without brackets. ``parent`` is the device
    (switch, recorder, uplink) whose loss takes this one along, ``backup_parent`` a second way to it, so that only the
    loss of both does; ``parent_port`` is the port of the parent it is plugged in, by the switch's own name for it.
    ``credential`` names a stored credential, ``onvif_credential`` and ``snmp_credential`` those of its own for one
    protocol. Ports of 0 mean "this device does not speak that". ``certificate`` is the SHA-256 fingerprint of its TLS
    certificate, 64 hexadecimal digits. ``azimuth`` and ``view_angle`` are degrees clockwise from north, ``view_range``
    and ``height`` metres, positions WGS-84 degrees.
    """

    id: str
    kind: Kind
    name: str = ""
    host: str = ""
    life: Life = Life.ACTIVE
    traffic_kind: TrafficKind | None = None
    national_code: str = ""
    area: str = ""
    site: str = ""
    parent: str = ""
    backup_parent: str = ""
    parent_port: str = ""
    credential: str = ""
    onvif_credential: str = ""
    snmp_credential: str = ""
    probes: tuple[str, ...] = ()
    interval: float | None = None
    tcp_port: int = 0
    onvif_port: int = 80
    onvif_path: str = "/onvif/device_service"
    rtsp_port: int = 554
    http_port: int = 80
    http_path: str = ""
    tls: TlsUse = TlsUse.OFF
    tls_port: int = 0
    certificate: str = ""
    snmp_port: int = 0
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    mac: str = ""
    longitude: float | None = None
    latitude: float | None = None
    mounting: str = ""
    height: float | None = None
    azimuth: float | None = None
    view_angle: float | None = None
    view_range: float | None = None
    pole: str = ""
    power_source: str = ""
    owner: str = ""
    contractor: str = ""
    contract_end: date | None = None
    warranty_end: date | None = None
    installed: date | None = None
    tags: tuple[str, ...] = ()
    note: str = ""

    @property
    def parents(self) -> tuple[str, ...]:
        """The devices it stands behind; it is cut off when every one of them is lost."""
        return tuple(filter(None, (self.parent, self.backup_parent)))
