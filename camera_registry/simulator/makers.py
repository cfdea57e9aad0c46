"""Makers of simulated devices: how each one's devices talk, ask for passwords and refuse.

The names are invented. The habits are those that real devices are known for: SOAP prefixes of their own, HTTP Digest
only or WS-Security only, refusals with status 400, 401 or 500, addresses of a network behind NAT in their answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache


class SoapAccess(StrEnum):
    """What a device accepts as proof of a password in a SOAP request."""

    WS_SECURITY = "ws_security"
    DIGEST = "digest"
    EITHER = "either"


class Scheme(StrEnum):
    """HTTP and RTSP authentication that a device offers; several at once are several challenges."""

    BASIC = "Basic"
    MD5 = "MD5"
    SHA256 = "SHA-256"


@dataclass(frozen=True, slots=True)
class Maker:
    """One maker's habits. Paths hold ``{channel}``, and for streams ``{stream}`` (1: main, 2: sub).

    ``refusal`` is the HTTP status of a SOAP request that was not authorized; ``lockout`` the wrong passwords after
    which an account is locked for half an hour (0: never); ``tells_inner_address``: service and picture addresses in
    its answers are those of the network behind NAT; ``services``: GetServices is supported; ``paths_known``: the
    register knows the stream and picture paths, else they are to be asked for over ONVIF; ``counts_nonces``: RTSP
    challenges offer ``qop``, else they are those of RFC 2069; ``encrypts``: some of its cameras are asked by HTTPS;
    ``tells_mac``: its scopes hold its MAC address; ``modern``: it encodes H.265, which only Media2 has a word for;
    ``sub_codec``: that of its sub streams; ``transports``: how it sends media, "tcp" or "udp".
    """

    name: str
    models: tuple[str, ...]
    firmware: str
    envelope: str
    schema: str
    soap: SoapAccess
    refusal: int
    snapshot: tuple[Scheme, ...]
    rtsp: tuple[Scheme, ...]
    stream_path: str
    snapshot_path: str
    media_path: str = "/onvif/media_service"
    options_need_password: bool = False
    lockout: int = 0
    tells_inner_address: bool = False
    services: bool = True
    paths_known: bool = True
    sessions: int = 6
    counts_nonces: bool = True
    encrypts: bool = False
    tells_mac: bool = False
    modern: bool = False
    sub_codec: str = "H264"
    transports: tuple[str, ...] = ("tcp",)

    def codec(self, stream: int) -> str:
        """How a stream (1: main, 2: sub) is encoded."""
        return "H265" if self.modern else self.sub_codec if stream == 2 else "H264"

    @property
    def soap_schemes(self) -> tuple[Scheme, ...]:
        """Digest algorithms that SOAP requests may use."""
        return tuple(scheme for scheme in self.snapshot if scheme is not Scheme.BASIC) or (Scheme.MD5,)

    def stream_of(self, path: str) -> tuple[int, int] | None:
        """Channel and stream of an RTSP path with its query."""
        found = _pattern(self.stream_path).fullmatch(path)
        return (int(found["channel"]), int(found["stream"])) if found else None

    def picture_of(self, path: str) -> int | None:
        """Channel of a snapshot path with its query."""
        found = _pattern(self.snapshot_path).fullmatch(path)
        return int(found["channel"]) if found else None


@cache
def _pattern(template: str) -> re.Pattern[str]:
    text = (
        re.escape(template).replace(r"\{channel\}", r"(?P<channel>\d{1,3})").replace(r"\{stream\}", r"(?P<stream>[12])")
    )
    return re.compile(text)


MAKERS: tuple[Maker, ...] = (
    Maker(
        name="Haitun",
        models=("HT-2CD2T47", "HT-2CD3346"),
        firmware="V5.7.13 build 230815",
        envelope="env",
        schema="tt",
        soap=SoapAccess.DIGEST,
        refusal=401,
        snapshot=(Scheme.SHA256, Scheme.MD5),
        rtsp=(Scheme.MD5,),
        stream_path="/Streaming/Channels/{channel}0{stream}",
        snapshot_path="/Streaming/channels/{channel}01/picture",
        lockout=5,
        counts_nonces=False,
        tells_mac=True,
    ),
    Maker(
        name="Dashan",
        models=("DS-IPC-HFW5442", "DS-IPC-HDBW3441"),
        firmware="2.840.0000000.18.R",
        envelope="s",
        schema="tt",
        soap=SoapAccess.EITHER,
        refusal=401,
        snapshot=(Scheme.MD5,),
        rtsp=(Scheme.MD5,),
        stream_path="/cam/realmonitor?channel={channel}&subtype={stream}",
        snapshot_path="/cgi-bin/snapshot.cgi?channel={channel}",
        lockout=30,
    ),
    Maker(
        name="Kestrel",
        models=("K-P3265", "K-Q1798"),
        firmware="11.8.64",
        envelope="SOAP-ENV",
        schema="tt",
        soap=SoapAccess.WS_SECURITY,
        refusal=400,
        snapshot=(Scheme.MD5,),
        rtsp=(Scheme.SHA256, Scheme.MD5),
        stream_path="/kestrel-media/media.amp?camera={channel}&stream={stream}",
        snapshot_path="/kestrel-cgi/jpg/image.cgi?camera={channel}",
        media_path="/onvif/services",
        options_need_password=True,
        sub_codec="JPEG",
    ),
    Maker(
        name="Yunjing",
        models=("YJ-IPC322", "YJ-IPC2128"),
        firmware="IPC_D1213-B0017P66D1901",
        envelope="soap",
        schema="onvif",
        soap=SoapAccess.WS_SECURITY,
        refusal=500,
        snapshot=(Scheme.BASIC,),
        rtsp=(Scheme.BASIC,),
        stream_path="/media/video{channel}_{stream}",
        snapshot_path="/images/snapshot_{channel}.jpg",
        services=False,
        paths_known=False,
        transports=("udp",),
    ),
    Maker(
        name="Nordlys",
        models=("NL-5100i", "NL-7000"),
        firmware="7.87.0026",
        envelope="SOAP-ENV",
        schema="tt",
        soap=SoapAccess.EITHER,
        refusal=400,
        snapshot=(Scheme.MD5,),
        rtsp=(Scheme.MD5,),
        stream_path="/rtsp_tunnel?h26x=4&line={channel}&inst={stream}",
        snapshot_path="/snap.jpg?line={channel}",
        tells_inner_address=True,
        encrypts=True,
        transports=("tcp", "udp"),
    ),
)
"""In order of market share; the fleet plan gives the first ones more devices."""

MODERN = Maker(
    name="Xueyan",
    models=("XY-8M500", "XY-4M220"),
    firmware="3.2.0.1107",
    envelope="SOAP-ENV",
    schema="tt",
    soap=SoapAccess.EITHER,
    refusal=400,
    snapshot=(Scheme.SHA256,),
    rtsp=(Scheme.SHA256,),
    stream_path="/live/{channel}/{stream}",
    snapshot_path="/live/{channel}.jpg",
    paths_known=False,
    modern=True,
)
"""Plays H.265 and tells so by Media2. No fleet is planned with it: a second of pictures takes seconds to encode."""
