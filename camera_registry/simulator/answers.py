"""What simulated devices answer over ONVIF: one function for each operation, in each maker's own XML dialect.

Element names and their order follow the WSDL of ONVIF's device and media services, version 10.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache
from xml.sax.saxutils import escape

from camera_registry.simulator import recorder, setup
from camera_registry.simulator.live import LiveDevice
from camera_registry.simulator.member import profile_token
from camera_registry.simulator.question import Asked, SoapFault
from camera_registry.simulator.sizes import FRAME_RATE, SIZES

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
MEDIA2_PATH = "/onvif/media2_service"
SCHEMA = "http://www.onvif.org/ver10/schema"
SOAP = "http://www.w3.org/2003/05/soap-envelope"
ERRORS = "http://www.onvif.org/ver10/error"

ZONE_OFFSET = 8 * 3600
"""All devices stand in one time zone: UTC+8, in POSIX's inverted notation CST-8."""


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
    named = (
        zip(("Recording", "Search", "Replay"), recorder.SERVICES, strict=True) if asked.device.member.records else ()
    )
    listed = "".join(f"<tt:{name}><tt:XAddr>{asked.base}{path}</tt:XAddr></tt:{name}>" for name, (_, path) in named)
    further = f"<tt:Extension>{listed}</tt:Extension>" if listed else ""
    return (
        "<tds:GetCapabilitiesResponse><tds:Capabilities>"
        f"<tt:Device><tt:XAddr>{asked.base}/onvif/device_service</tt:XAddr></tt:Device>"
        f"<tt:Media><tt:XAddr>{asked.base}{maker.media_path}</tt:XAddr><tt:StreamingCapabilities>"
        "<tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP>"
        f"</tt:StreamingCapabilities></tt:Media>{further}</tds:Capabilities></tds:GetCapabilitiesResponse>"
    )


def _services(asked: Asked) -> str:
    maker = asked.device.member.maker
    if not maker.services:
        raise SoapFault("Receiver", ("ActionNotSupported",), "Action not supported")
    services = [(DEVICE, "/onvif/device_service"), (MEDIA, maker.media_path), *setup.SERVICES]
    services += [(MEDIA2, MEDIA2_PATH)] if maker.modern else []
    services += recorder.SERVICES if asked.device.member.records else ()
    listed = "".join(
        f"<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{asked.base}{path}</tds:XAddr>"
        "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
        for namespace, path in services
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


def _profiles(asked: Asked) -> str:
    """A modern device's encoders are told by Media2 only: H.265 has no word here."""
    member = asked.device.member
    listed = "".join(
        _profile(channel, stream, "" if member.maker.modern else member.maker.codec(stream))
        for channel in range(1, member.channels + 1)
        for stream in SIZES
    )
    return f"<trt:GetProfilesResponse>{listed}</trt:GetProfilesResponse>"


@cache
def _profile(channel: int, stream: int, codec: str) -> str:
    name = "MainStream" if stream == 1 else "SubStream"
    encoder = _encoder(channel, stream, name, codec) if codec else ""
    return (
        f'<trt:Profiles token="{profile_token(channel, stream)}" fixed="true"><tt:Name>{name}{channel}</tt:Name>'
        f'<tt:VideoSourceConfiguration token="source_config_{channel}"><tt:Name>source{channel}</tt:Name>'
        f"<tt:UseCount>2</tt:UseCount><tt:SourceToken>source_{channel}</tt:SourceToken>"
        f'<tt:Bounds x="0" y="0" width="{SIZES[1][0]}" height="{SIZES[1][1]}"/></tt:VideoSourceConfiguration>'
        f"{encoder}</trt:Profiles>"
    )


def _encoder(channel: int, stream: int, name: str, codec: str) -> str:
    width, height = SIZES[stream]
    details = f"<tt:H264><tt:GovLength>{FRAME_RATE}</tt:GovLength><tt:H264Profile>High</tt:H264Profile></tt:H264>"
    return (
        f'<tt:VideoEncoderConfiguration token="encoder_{channel}_{stream}"><tt:Name>{name}{channel}</tt:Name>'
        f"<tt:UseCount>1</tt:UseCount><tt:Encoding>{codec}</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width>"
        f"<tt:Height>{height}</tt:Height></tt:Resolution><tt:Quality>4</tt:Quality><tt:RateControl>"
        f"<tt:FrameRateLimit>{FRAME_RATE}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>"
        f"<tt:BitrateLimit>1024</tt:BitrateLimit></tt:RateControl>{details if codec == 'H264' else ''}"
        "<tt:Multicast><tt:Address>"
        "<tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL>"
        "<tt:AutoStart>false</tt:AutoStart></tt:Multicast><tt:SessionTimeout>PT60S</tt:SessionTimeout>"
        "</tt:VideoEncoderConfiguration>"
    )


def _modern_profiles(asked: Asked) -> str:
    listed = "".join(
        _modern_profile(channel, stream) for channel in range(1, asked.device.member.channels + 1) for stream in SIZES
    )
    return f"<tr2:GetProfilesResponse>{listed}</tr2:GetProfilesResponse>"


@cache
def _modern_profile(channel: int, stream: int) -> str:
    width, height = SIZES[stream]
    name = "MainStream" if stream == 1 else "SubStream"
    return (
        f'<tr2:Profiles token="{profile_token(channel, stream)}" fixed="true"><tr2:Name>{name}{channel}</tr2:Name>'
        f'<tr2:Configurations><tr2:VideoSource token="source_config_{channel}"><tt:Name>source{channel}</tt:Name>'
        f"<tt:UseCount>2</tt:UseCount><tt:SourceToken>source_{channel}</tt:SourceToken>"
        f'<tt:Bounds x="0" y="0" width="{SIZES[1][0]}" height="{SIZES[1][1]}"/></tr2:VideoSource>'
        f'<tr2:VideoEncoder token="encoder_{channel}_{stream}" GovLength="{FRAME_RATE}">'
        f"<tt:Name>{name}{channel}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H265</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width>"
        f'<tt:Height>{height}</tt:Height></tt:Resolution><tt:RateControl ConstantBitRate="false">'
        f"<tt:FrameRateLimit>{FRAME_RATE}</tt:FrameRateLimit><tt:BitrateLimit>1024</tt:BitrateLimit></tt:RateControl>"
        "<tt:Quality>4</tt:Quality></tr2:VideoEncoder></tr2:Configurations></tr2:Profiles>"
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


def _modern_stream_uri(asked: Asked) -> str:
    path = asked.device.member.stream_path(*asked.profile())
    return _modern_uri("GetStreamUri", f"rtsp://{asked.host}:{asked.ports.rtsp}{path}")


def _modern_snapshot_uri(asked: Asked) -> str:
    channel, _ = asked.profile()
    return _modern_uri("GetSnapshotUri", f"{asked.base}{asked.device.member.snapshot_path(channel)}")


def _modern_uri(operation: str, uri: str) -> str:
    return f"<tr2:{operation}Response><tr2:Uri>{escape(uri)}</tr2:Uri></tr2:{operation}Response>"


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
    (MEDIA, "GetProfiles"): _profiles,
    (MEDIA, "GetVideoSources"): _video_sources,
    (MEDIA, "GetStreamUri"): _stream_uri,
    (MEDIA, "GetSnapshotUri"): _snapshot_uri,
    (MEDIA2, "GetProfiles"): _modern_profiles,
    (MEDIA2, "GetStreamUri"): _modern_stream_uri,
    (MEDIA2, "GetSnapshotUri"): _modern_snapshot_uri,
    (DEVICE, "GetStorageConfigurations"): recorder.storage,
    **setup.ANSWERS,
    **recorder.ANSWERS,
}
OPEN_TO_ALL = frozenset(
    {
        (DEVICE, "GetSystemDateAndTime"),
        (DEVICE, "GetServices"),
        (DEVICE, "GetCapabilities"),
        (DEVICE, "GetHostname"),
        (setup.EVENTS, "GetServiceCapabilities"),
    }
)
"""Answered without a password (ONVIF Core, access class PRE_AUTH)."""
PATHS = frozenset(path for _, path in (*setup.SERVICES, *recorder.SERVICES)) | {MEDIA2_PATH}
"""Where services are besides those of the device and of media, which makers place as they like."""


def answer_for(device: LiveDevice, namespace: str, operation: str) -> Callable[[Asked], str] | None:
    """What answers this operation, or None where this device has no such thing."""
    member = device.member
    of_recorders = namespace in (recorder.RECORDING, recorder.SEARCH, recorder.REPLAY) or "Storage" in operation
    if (of_recorders and not member.records) or (namespace == MEDIA2 and not member.maker.modern):
        return None
    return ANSWERS.get((namespace, operation))


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
        f'xmlns:trt="{MEDIA}" xmlns:tr2="{MEDIA2}" xmlns:tev="{setup.EVENTS}" xmlns:timg="{setup.IMAGING}" '
        f'xmlns:trc="{recorder.RECORDING}" xmlns:tse="{recorder.SEARCH}" xmlns:trp="{recorder.REPLAY}" '
        f'xmlns:ter="{ERRORS}"><{envelope}:Body>'
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
