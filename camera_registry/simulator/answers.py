"""What simulated devices answer over ONVIF: one function for each operation, in each maker's own XML dialect.

Element names and their order follow the WSDL of ONVIF's device and media services, version 10.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from xml.sax.saxutils import escape

from camera_registry.model.device import TlsUse
from camera_registry.simulator.live import LiveDevice
from camera_registry.simulator.member import Ports, profile_token
from camera_registry.simulator.sizes import FRAME_RATE, SIZES

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
SCHEMA = "http://www.onvif.org/ver10/schema"
SOAP = "http://www.w3.org/2003/05/soap-envelope"
ERRORS = "http://www.onvif.org/ver10/error"

INNER_HOST = "192.168.1.64"
"""What a device behind NAT takes for its own address."""
ZONE_OFFSET = 8 * 3600
"""All devices stand in one time zone: UTC+8, in POSIX's inverted notation CST-8."""


class SoapFault(Exception):
    """A SOAP fault: code, the chain of subcodes, and a sentence."""

    def __init__(self, code: str, subcodes: tuple[str, ...], reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.subcodes = subcodes
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer may depend on."""

    device: LiveDevice
    arguments: Mapping[str, str]
    ports: Ports

    @property
    def host(self) -> str:
        member = self.device.member
        return INNER_HOST if member.maker.tells_inner_address else member.device.host

    @property
    def base(self) -> str:
        if self.device.member.device.tls is TlsUse.PIN:
            return f"https://{self.host}:{self.ports.https}"
        return f"http://{self.host}:{self.ports.http}"

    def profile(self) -> tuple[int, int]:
        """Channel and stream of the profile asked for. Raises SoapFault."""
        token = self.arguments.get("ProfileToken", "")
        for channel in range(1, self.device.member.channels + 1):
            for stream in SIZES:
                if token == profile_token(channel, stream):
                    return channel, stream
        raise SoapFault("Sender", ("InvalidArgVal", "NoProfile"), f"there is no media profile {token!r}")


def _date_and_time(asked: Asked) -> str:
    clock = asked.device.clock
    return (
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"
        "<tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"
        "<tt:TimeZone><tt:TZ>CST-8</tt:TZ></tt:TimeZone>"
        f"{_moment('UTCDateTime', int(clock))}{_moment('LocalDateTime', int(clock) + ZONE_OFFSET)}"
        "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )


@cache
def _day(days: int) -> str:
    year, month, day = time.gmtime(days * 86_400)[:3]
    return f"<tt:Date><tt:Year>{year}</tt:Year><tt:Month>{month}</tt:Month><tt:Day>{day}</tt:Day></tt:Date>"


def _moment(name: str, seconds: int) -> str:
    days, second = divmod(seconds, 86_400)
    return (
        f"<tt:{name}><tt:Time><tt:Hour>{second // 3600}</tt:Hour><tt:Minute>{second // 60 % 60}</tt:Minute>"
        f"<tt:Second>{second % 60}</tt:Second></tt:Time>{_day(days)}</tt:{name}>"
    )


def _information(asked: Asked) -> str:
    device = asked.device.member.device
    return (
        "<tds:GetDeviceInformationResponse>"
        f"<tds:Manufacturer>{device.manufacturer}</tds:Manufacturer><tds:Model>{device.model}</tds:Model>"
        f"<tds:FirmwareVersion>{device.firmware}</tds:FirmwareVersion>"
        f"<tds:SerialNumber>{asked.device.serial}</tds:SerialNumber><tds:HardwareId>{device.model}-A</tds:HardwareId>"
        "</tds:GetDeviceInformationResponse>"
    )


def _capabilities(asked: Asked) -> str:
    maker = asked.device.member.maker
    return (
        "<tds:GetCapabilitiesResponse><tds:Capabilities>"
        f"<tt:Device><tt:XAddr>{asked.base}/onvif/device_service</tt:XAddr></tt:Device>"
        f"<tt:Media><tt:XAddr>{asked.base}{maker.media_path}</tt:XAddr><tt:StreamingCapabilities>"
        "<tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP>"
        "</tt:StreamingCapabilities></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>"
    )


def _services(asked: Asked) -> str:
    maker = asked.device.member.maker
    if not maker.services:
        raise SoapFault("Receiver", ("ActionNotSupported",), "Action not supported")
    listed = "".join(
        f"<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{asked.base}{path}</tds:XAddr>"
        "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
        for namespace, path in ((DEVICE, "/onvif/device_service"), (MEDIA, maker.media_path))
    )
    return f"<tds:GetServicesResponse>{listed}</tds:GetServicesResponse>"


def _scopes(asked: Asked) -> str:
    device = asked.device.member.device
    scopes = ("type/video_encoder", "Profile/Streaming", f"hardware/{device.model}", f"name/{device.manufacturer}")
    listed = "".join(
        f"<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>onvif://www.onvif.org/{scope}</tt:ScopeItem></tds:Scopes>"
        for scope in scopes
    )
    return f"<tds:GetScopesResponse>{listed}</tds:GetScopesResponse>"


def _hostname(asked: Asked) -> str:
    return (
        "<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP>"
        f"<tt:Name>{asked.device.member.id}</tt:Name></tds:HostnameInformation></tds:GetHostnameResponse>"
    )


def _interfaces(asked: Asked) -> str:
    device = asked.device.member.device
    return (
        '<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled>'
        f"<tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>{device.mac}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info>"
        "</tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>"
    )


def _profiles(asked: Asked) -> str:
    listed = "".join(
        _profile(channel, stream) for channel in range(1, asked.device.member.channels + 1) for stream in SIZES
    )
    return f"<trt:GetProfilesResponse>{listed}</trt:GetProfilesResponse>"


@cache
def _profile(channel: int, stream: int) -> str:
    width, height = SIZES[stream]
    name = "MainStream" if stream == 1 else "SubStream"
    return (
        f'<trt:Profiles token="{profile_token(channel, stream)}" fixed="true"><tt:Name>{name}{channel}</tt:Name>'
        f'<tt:VideoSourceConfiguration token="source_config_{channel}"><tt:Name>source{channel}</tt:Name>'
        f"<tt:UseCount>2</tt:UseCount><tt:SourceToken>source_{channel}</tt:SourceToken>"
        f'<tt:Bounds x="0" y="0" width="{SIZES[1][0]}" height="{SIZES[1][1]}"/></tt:VideoSourceConfiguration>'
        f'<tt:VideoEncoderConfiguration token="encoder_{channel}_{stream}"><tt:Name>{name}{channel}</tt:Name>'
        f"<tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width>"
        f"<tt:Height>{height}</tt:Height></tt:Resolution><tt:Quality>4</tt:Quality><tt:RateControl>"
        f"<tt:FrameRateLimit>{FRAME_RATE}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>"
        "<tt:BitrateLimit>1024</tt:BitrateLimit></tt:RateControl><tt:H264>"
        f"<tt:GovLength>{FRAME_RATE}</tt:GovLength><tt:H264Profile>High</tt:H264Profile></tt:H264><tt:Multicast><tt:Address>"
        "<tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL>"
        "<tt:AutoStart>false</tt:AutoStart></tt:Multicast><tt:SessionTimeout>PT60S</tt:SessionTimeout>"
        "</tt:VideoEncoderConfiguration></trt:Profiles>"
    )


def _video_sources(asked: Asked) -> str:
    width, height = SIZES[1]
    listed = "".join(
        f'<trt:VideoSources token="source_{channel}"><tt:Framerate>{FRAME_RATE}</tt:Framerate><tt:Resolution>'
        f"<tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution></trt:VideoSources>"
        for channel in range(1, asked.device.member.channels + 1)
    )
    return f"<trt:GetVideoSourcesResponse>{listed}</trt:GetVideoSourcesResponse>"


def _stream_uri(asked: Asked) -> str:
    path = asked.device.member.stream_path(*asked.profile())
    return _uri("GetStreamUri", f"rtsp://{asked.host}:{asked.ports.rtsp}{path}")


def _snapshot_uri(asked: Asked) -> str:
    channel, _ = asked.profile()
    return _uri("GetSnapshotUri", f"{asked.base}{asked.device.member.snapshot_path(channel)}")


def _uri(operation: str, uri: str) -> str:
    return (
        f"<trt:{operation}Response><trt:MediaUri><tt:Uri>{escape(uri)}</tt:Uri>"
        "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot>"
        f"<tt:Timeout>PT60S</tt:Timeout></trt:MediaUri></trt:{operation}Response>"
    )


ANSWERS: Mapping[tuple[str, str], Callable[[Asked], str]] = {
    (DEVICE, "GetSystemDateAndTime"): _date_and_time,
    (DEVICE, "GetDeviceInformation"): _information,
    (DEVICE, "GetCapabilities"): _capabilities,
    (DEVICE, "GetServices"): _services,
    (DEVICE, "GetScopes"): _scopes,
    (DEVICE, "GetHostname"): _hostname,
    (DEVICE, "GetNetworkInterfaces"): _interfaces,
    (MEDIA, "GetProfiles"): _profiles,
    (MEDIA, "GetVideoSources"): _video_sources,
    (MEDIA, "GetStreamUri"): _stream_uri,
    (MEDIA, "GetSnapshotUri"): _snapshot_uri,
}
OPEN_TO_ALL = frozenset({(DEVICE, "GetSystemDateAndTime"), (DEVICE, "GetServices"), (DEVICE, "GetCapabilities")})
"""Answered without a password (ONVIF Core, access class PRE_AUTH)."""


def dialect(envelope: str, schema: str, text: str) -> bytes:
    """The body in a maker's envelope, with its prefixes."""
    if schema != "tt":
        text = text.replace("<tt:", f"<{schema}:").replace("</tt:", f"</{schema}:")
    opening, closing = _around(envelope, schema)
    return f"{opening}{text}{closing}".encode()


@cache
def _around(envelope: str, schema: str) -> tuple[str, str]:
    opening = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{envelope}:Envelope xmlns:{envelope}="{SOAP}" xmlns:{schema}="{SCHEMA}" xmlns:tds="{DEVICE}" '
        f'xmlns:trt="{MEDIA}" xmlns:ter="{ERRORS}"><{envelope}:Body>'
    )
    return opening, f"</{envelope}:Body></{envelope}:Envelope>"


def fault(envelope: str, error: SoapFault) -> str:
    """A SOAP 1.2 fault; subcodes nest."""
    subcode = ""
    for name in reversed(error.subcodes):
        subcode = f"<{envelope}:Subcode><{envelope}:Value>ter:{name}</{envelope}:Value>{subcode}</{envelope}:Subcode>"
    return (
        f"<{envelope}:Fault><{envelope}:Code><{envelope}:Value>{envelope}:{error.code}</{envelope}:Value>{subcode}"
        f'</{envelope}:Code><{envelope}:Reason><{envelope}:Text xml:lang="en">{escape(error.reason)}</{envelope}:Text>'
        f"</{envelope}:Reason></{envelope}:Fault>"
    )
