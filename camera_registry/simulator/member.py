"""One device of a simulated fleet, as planned: its file, its maker's habits and its login."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from camera_registry.model.device import Channel, Device, Kind, TlsUse, TrafficKind
from camera_registry.simulator.makers import Maker

BLOCK = 41
"""Devices of one block: the switch and forty beneath it."""
RANGE = 64
"""Addresses of one block; the first is not used, the second is the switch's."""


WITHOUT_PICTURE = frozenset({TrafficKind.SIGNAL, TrafficKind.GUIDANCE})
"""Traffic units that have a page of status instead."""
STATUS_PATH = "/status"
OSD_BOX = "0.0281 0.0667 0.4688 0.05"
"""Where still pictures have their clock, close around its letters, in shares of their 640 x 360 pixels."""
OSD_ZONE = "+08:00"
"""The time zone of all devices, as ``answers.ZONE_OFFSET``."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that all devices of a fleet answer on; 0 before binding: any free one. ``discovery`` is a UDP port."""

    http: int = 18080
    rtsp: int = 18554
    tcp: int = 18023
    https: int = 18443
    snmp: int = 18161
    discovery: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """One device of the fleet. ``device.host`` is its address; its ports come from where the fleet is served."""

    device: Device
    maker: Maker
    channels: int
    scene: int
    drift: float
    username: str = field(repr=False)
    password: str = field(repr=False)

    @property
    def id(self) -> str:
        return self.device.id

    @property
    def speaks_onvif(self) -> bool:
        """A switch, a signal or a sign has no picture; a mobile unit streams but has no ONVIF."""
        return self.channels > 0 and not self.device.probes

    @property
    def records(self) -> bool:
        """It keeps recordings and tells of them (ONVIF Profile G)."""
        return self.device.kind is Kind.RECORDER and self.speaks_onvif

    @property
    def has_page(self) -> bool:
        """Whether it shows a page of its status."""
        return self.device.traffic_kind in WITHOUT_PICTURE

    @property
    def encrypts(self) -> bool:
        """Whether it speaks HTTPS too: the cameras that are to be asked so, and recorders."""
        return self.device.tls is TlsUse.PIN or self.device.kind is Kind.RECORDER

    @property
    def manages(self) -> bool:
        """Whether it is a switch, with an SNMP agent; its password is the community."""
        return self.device.kind is Kind.NETWORK

    @property
    def greets(self) -> bool:
        """Whether it has a management port."""
        return self.manages or self.has_page or "tcp" in self.device.probes

    def stream_path(self, channel: int = 1, stream: int = 1) -> str:
        return self.maker.stream_path.format(channel=channel, stream=stream)

    def snapshot_path(self, channel: int = 1) -> str:
        return self.maker.snapshot_path.format(channel=channel)

    def on(self, ports: Ports) -> Device:
        """The device file with the ports on which this device is served."""
        web = ports.https if self.device.tls is TlsUse.PIN else ports.http
        return replace(
            self.device,
            onvif_port=web if self.speaks_onvif else 0,
            http_port=web if self.speaks_onvif or self.has_page else 0,
            http_path=STATUS_PATH if self.has_page else "",
            tls_port=ports.https if self.encrypts and self.device.tls is TlsUse.OFF else 0,
            rtsp_port=ports.rtsp if self.channels else 0,
            tcp_port=ports.tcp if self.greets else 0,
            snmp_port=ports.snmp if self.manages else 0,
        )

    def channel_files(self) -> list[Channel]:
        """The channels as the register knows them. Makers that keep their paths to themselves leave those of a single
        channel empty; whoever wires up a recorder writes down which input is which."""
        known = self.maker.paths_known or not self.speaks_onvif or self.channels > 1
        return [
            Channel(
                id=f"{self.id}-{number}",
                device=self.id,
                number=number,
                name=f"{self.device.name} {number}" if self.channels > 1 else self.device.name,
                token=profile_token(number, 1) if self.speaks_onvif else "",
                rtsp_path=self.stream_path(number) if known else "",
                snapshot_path=self.snapshot_path(number) if known and self.speaks_onvif else "",
                osd_box=OSD_BOX if self.speaks_onvif else "",
                osd_zone=OSD_ZONE if self.speaks_onvif else "",
            )
            for number in range(1, self.channels + 1)
        ]


def profile_token(channel: int, stream: int) -> str:
    """The ONVIF media profile of a channel's main (1) or sub (2) stream."""
    return f"profile_{channel}_{stream}"
