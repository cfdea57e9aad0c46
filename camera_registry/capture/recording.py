"""This file is the format of recordings: what a device was asked, what it answered, and what shall be found in that.

One JSON file is one device. Bodies that are text stand there as text, so that people can read what they send.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

FORMAT = 1
HOST = "192.0.2.1"
"""The device itself, wherever its address stood (TEST-NET-1, RFC 5737)."""
USER, PASSWORD = "user-1", "password-1"
"""The login that stands where the real one stood, and that playing back asks for."""


class Malformed(ValueError):
    """A file that is no recording; the message names the place."""


class Size(NamedTuple):
    """Pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, reduced to what tells it from others. ``path`` has its query, for RTSP without scheme and host;
    ``operation`` is SOAP's, with its service (``ver10/media/GetProfiles``); ``token`` what it asks about; ``proof``
    how it was authenticated: "basic", "digest", "token" (WS-Security), or not at all."""

    method: str
    path: str
    operation: str = ""
    token: str = ""
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """``content``, or what stands for it: a ``picture`` of this size is drawn anew, ``omitted`` bytes are left out."""

    content: bytes = b""
    picture: Size | None = None
    omitted: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; header names in lower case."""

    status: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: Body = field(default_factory=Body)


@dataclass(frozen=True, slots=True)
class Media:
    """What played after PLAY, ``rate`` frames a second: ``packets`` as they came, or, where there are none, a picture
    of this size drawn anew."""

    codec: str
    size: Size
    rate: float = 25.0
    payload_type: int = 96
    packets: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came of it: an ``answer``, ``garbage`` that is none, or nothing. ``closes``: the device closed
    the connection then. ``took``: "fast" (below 0.1 s), "slow" (below 1 s), "late"."""

    port: str
    protocol: str
    asked: Asked
    answer: Answer | None = None
    garbage: bytes = b""
    closes: bool = False
    took: str = "fast"
    media: Media | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the device by its role in the register: onvif, rtsp, http, tcp."""

    number: int
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """One device. ``clock_offset``: its clock minus ours when it was recorded, seconds; ``options`` as the probes were
    given them; ``expect`` what playing it back must find."""

    made: str
    by: str
    origin: str
    probes: tuple[str, ...]
    ports: Mapping[str, Port]
    exchanges: tuple[Exchange, ...]
    onvif_path: str = "/onvif/device_service"
    login: bool = False
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    clock_offset: float | None = None
    notes: Mapping[str, object] = field(default_factory=dict)
    redactions: Mapping[str, int] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)


def write(recording: Recording) -> str:
    """The file's text."""
    shown = {
        "format": FORMAT,
        "made": recording.made,
        "by": recording.by,
        "origin": recording.origin,
        **recording.notes,
        "probes": list(recording.probes),
        "ports": {role: {"number": port.number, "tls": port.tls} for role, port in recording.ports.items()},
        "onvif_path": recording.onvif_path,
        "login": recording.login,
        "options": recording.options,
        "clock_offset": recording.clock_offset,
        "redactions": recording.redactions,
        "expect": recording.expect,
        "exchanges": [_exchange(exchange) for exchange in recording.exchanges],
    }
    return json.dumps(shown, ensure_ascii=False, indent=1) + "\n"


def read(file: Path) -> Recording:
    """Raises Malformed, OSError."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found.get("format") != FORMAT:
            raise Malformed(f"{file.name}: format {found.get('format')!r} is not known here, only {FORMAT}")
        known = {"format", "exchanges", "probes", "ports"} | set(Recording.__dataclass_fields__)
        return Recording(
            made=found["made"],
            by=found["by"],
            origin=found["origin"],
            probes=tuple(found["probes"]),
            ports={role: Port(**port) for role, port in found["ports"].items()},
            exchanges=tuple(_read_exchange(exchange) for exchange in found["exchanges"]),
            onvif_path=found["onvif_path"],
            login=found["login"],
            options=found["options"],
            clock_offset=found["clock_offset"],
            notes={name: value for name, value in found.items() if name not in known},
            redactions=found["redactions"],
            expect=found["expect"],
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Malformed(f"{file.name} is no recording: {type(error).__name__}: {error}") from error


def _exchange(exchange: Exchange) -> dict[str, object]:
    asked = {
        name: getattr(exchange.asked, name)
        for name in Asked.__dataclass_fields__
        if getattr(exchange.asked, name) or name in ("method", "path")
    }
    shown: dict[str, object] = {"port": exchange.port, "protocol": exchange.protocol, "asked": asked}
    if exchange.answer is not None:
        answer = exchange.answer
        shown["answer"] = {
            "status": answer.status,
            "reason": answer.reason,
            "headers": [f"{name}: {value}" for name, value in answer.headers],
            "body": _body(answer.body),
        }
    if exchange.garbage:
        shown["garbage"] = b64encode(exchange.garbage).decode()
    if exchange.closes:
        shown["closes"] = True
    shown["took"] = exchange.took
    if exchange.media is not None:
        shown["media"] = {
            "codec": exchange.media.codec,
            "size": list(exchange.media.size),
            "rate": exchange.media.rate,
            "payload_type": exchange.media.payload_type,
            "packets": [b64encode(packet).decode() for packet in exchange.media.packets] or "drawn anew",
        }
    return shown


def _read_exchange(found: Mapping[str, Any]) -> Exchange:
    answer, media = found.get("answer"), found.get("media")
    return Exchange(
        port=found["port"],
        protocol=found["protocol"],
        asked=Asked(**found["asked"]),
        answer=None
        if answer is None
        else Answer(
            answer["status"],
            answer["reason"],
            tuple(tuple(header.split(": ", 1)) for header in answer["headers"]),
            _read_body(answer["body"]),
        ),
        garbage=b64decode(found.get("garbage", "")),
        closes=found.get("closes", False),
        took=found.get("took", "fast"),
        media=None
        if media is None
        else Media(
            media["codec"],
            Size(*media["size"]),
            media["rate"],
            media["payload_type"],
            () if isinstance(media["packets"], str) else tuple(b64decode(packet) for packet in media["packets"]),
        ),
    )


def _body(body: Body) -> dict[str, object] | None:
    if body.picture is not None:
        return {"picture": list(body.picture), "drawn_anew": True}
    if body.omitted:
        return {"omitted_bytes": body.omitted}
    if not body.content:
        return None
    try:
        lines = body.content.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return {"base64": b64encode(body.content).decode()}
    return {"lines": lines} if len(lines) > 1 else {"text": lines[0]}


def _read_body(found: Mapping[str, Any] | None) -> Body:
    match found:
        case None:
            return Body()
        case {"picture": [width, height]}:
            return Body(picture=Size(width, height))
        case {"omitted_bytes": length}:
            return Body(omitted=length)
        case {"lines": lines}:
            return Body("\n".join(lines).encode())
        case {"text": text}:
            return Body(text.encode())
        case {"base64": text}:
            return Body(b64decode(text))
        case _:
            raise Malformed(f"a body of {', '.join(found)} is not known here")
