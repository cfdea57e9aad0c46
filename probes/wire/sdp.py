"""This file reads session descriptions (SDP, RFC 8866) as far as a stream's health needs them, and resolves their
control addresses (RFC 2326, appendix C.1)."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from probes.wire import WireError
from probes.wire.text import clean, decode, excerpt

_LINE = re.compile(r"^[ \t]*([A-Za-z])=(.*)$", re.MULTILINE)
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:[^/?]*//)?[^/?]*")
_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
_STATIC_CODECS = {26: "JPEG", 31: "H261", 32: "MPV", 33: "MP2T", 34: "H263"}
_CLOCK_RATE = re.compile(r"[0-9]{1,8}")
_PAYLOAD_TYPE = re.compile(r"[0-9]{1,3}")
UNDERSTOOD = ("H264", "H265", "JPEG")
_NAMES = {"HEVC": "H265", "MJPEG": "JPEG", "AVC": "H264"}


@dataclass(frozen=True, slots=True)
class Media:
    """One media section. ``codec`` is the encoding name in capitals, ``clock_rate`` the ticks of its RTP time a second,
    ``parameters`` those of its ``fmtp`` line."""

    kind: str
    payload_type: int
    codec: str
    control: str = ""
    frame_rate: float | None = None
    width: int | None = None
    height: int | None = None
    clock_rate: int = 90_000
    parameters: Mapping[str, str] = field(default_factory=dict)

    def parameter_sets(self) -> list[bytes]:
        """The parameter sets announced in the description (RFC 6184 section 8.1, RFC 7798 section 7.1)."""
        names = ("sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps")
        texts = [text for name in names for text in self.parameters.get(name, "").split(",")]
        return [raw for raw in map(_base64, texts) if raw]


@dataclass(frozen=True, slots=True)
class Description:
    """A session description: ``control`` of the session as a whole, and its media."""

    control: str
    media: tuple[Media, ...]

    def video(self) -> Media | None:
        """The first video section in a codec whose frames are understood here, else the first."""
        sections = [media for media in self.media if media.kind == "video"]
        return next((media for media in sections if media.codec in UNDERSTOOD), sections[0] if sections else None)


def read(body: bytes) -> Description:
    """The description in ``body``. Raises WireError when no line of it is SDP."""
    text = decode(body.strip(b"\x00\xef\xbb\xbf \r\n")).replace("\r", "\n")
    sections: list[list[tuple[str, str]]] = [[]]
    for kind, value in _LINE.findall(text):
        if kind == "m":
            sections.append([])
        sections[-1].append((kind, value))
    if not any(sections):
        raise WireError(f"not a session description; it begins with {excerpt(body)!r}")
    control = next((value for name, value in _named(sections[0]) if name == "control"), "")
    return Description(control, tuple(map(_media, sections[1:])))


def resolve(base: str, control: str) -> str:
    """The address that ``control`` names, seen from ``base`` (Content-Base, Content-Location or the request's own).

    As devices do it and players expect: a relative control is appended to the base with a slash between, not resolved
    as a browser would, so that query texts in the base survive.
    """
    if not control or control == "*":
        return base
    if is_absolute(control):
        return control
    if control.startswith("/"):
        authority = _AUTHORITY.match(base)
        return (authority[0] if authority else "") + control
    return base + control if base.endswith("/") else f"{base}/{control}"


def is_absolute(address: str) -> bool:
    """Whether ``address`` names its scheme, and so stands for itself."""
    return _ABSOLUTE.match(address) is not None


def _named(lines: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The attributes among the lines, names in lower case."""
    for kind, value in lines:
        if kind == "a":
            name, _, rest = value.partition(":")
            yield name.strip().lower(), rest.strip()


def _media(lines: list[tuple[str, str]]) -> Media:
    words = lines[0][1].split()
    kind = clean(words[0].lower(), 20) if words else ""
    payload = words[3] if len(words) > 3 and _PAYLOAD_TYPE.fullmatch(words[3]) else "-1"
    codec, clock_rate = _STATIC_CODECS.get(int(payload), ""), 90_000
    attributes: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for name, value in _named(lines):
        number, _, rest = value.partition(" ")
        if name == "rtpmap" and number == payload:
            encoding, _, rate = rest.strip().partition("/")
            codec, clock_rate = clean(encoding.upper(), 20), _clock_rate(rate)
        elif name == "fmtp" and number == payload:
            parameters |= _parameters(rest)
        else:
            attributes.setdefault(name, value)
    width, height = _size(attributes)
    return Media(
        kind=kind,
        payload_type=int(payload),
        codec=_NAMES.get(codec, codec),
        control=attributes.get("control", ""),
        frame_rate=_positive(attributes.get("framerate", "")),
        width=width,
        height=height,
        clock_rate=clock_rate,
        parameters=parameters,
    )


def _parameters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.strip().partition("=")
        if equals:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def _size(attributes: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Width and height where the device names them: ``x-dimensions:W,H`` or ``framesize:PT W-H``."""
    for name in ("x-dimensions", "framesize"):
        numbers = re.findall(r"\d{1,5}", attributes.get(name, ""))
        if len(numbers) >= 2 and int(numbers[-2]) and int(numbers[-1]):
            return int(numbers[-2]), int(numbers[-1])
    return None, None


def _positive(text: str) -> float | None:
    found = _NUMBER.match(text)
    return float(found[0]) or None if found else None


def _clock_rate(text: str) -> int:
    """What follows the encoding's name: ``90000``, with or without parameters. Video has 90 kHz if nothing sane is
    told."""
    found = _CLOCK_RATE.match(text)
    return int(found[0]) if found and int(found[0]) >= 1000 else 90_000


def _base64(text: str) -> bytes:
    text = text.strip().rstrip("=")
    try:
        return b64decode(text + "=" * (-len(text) % 4))
    except (Base64Error, ValueError):
        return b""
