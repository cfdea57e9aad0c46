"""This file writes SNMP questions and reads their answers: version 2c (RFC 1901, 3416) and the frame of version 3
(RFC 3412). There is no way to write a SET here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from probes.wire import WireError, ber
from probes.wire.ber import Oid, Tag

Value = int | bytes | Oid | None
"""Numbers, octets, identifiers; None where the device has no such object."""

LARGEST = 65_507
"""Bytes of one message: what fits into a datagram."""
_V2C, _V3 = 1, 3
_USM = 3
_AUTHENTICATED, _ENCRYPTED, _REPORTABLE = 1, 2, 4


class Kind(IntEnum):
    """What is asked, and what comes back (RFC 3416 section 3)."""

    GET = 0xA0
    GET_BULK = 0xA5
    RESPONSE = 0xA2
    REPORT = 0xA8


@dataclass(frozen=True, slots=True)
class Pdu:
    """A question or an answer. ``error`` and ``index`` of a question in bulk are the objects asked once and the
    repetitions of the others. ``bindings`` are objects with their values."""

    kind: int
    request: int
    error: int
    index: int
    bindings: tuple[tuple[Oid, Value], ...]


@dataclass(frozen=True, slots=True)
class Security:
    """The security parameters of version 3 (RFC 3414 section 2.4). ``boots`` and ``time`` are the engine's clock."""

    engine: bytes = b""
    boots: int = 0
    time: int = 0
    user: bytes = b""
    proof: bytes = b""
    salt: bytes = b""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message of version 3, its scoped PDU ``encrypted`` or not. ``proof_at``: where the proof stands in it."""

    number: int
    authenticated: bool
    encrypted: bool
    security: Security
    content: bytes
    proof_at: int = 0


def write_pdu(kind: Kind, request: int, objects: Sequence[Oid], *, once: int = 0, repetitions: int = 0) -> bytes:
    """A question for these objects."""
    bindings = ber.sequence(ber.sequence((ber.oid(name), ber.write(Tag.NULL, b""))) for name in objects)
    return ber.sequence((ber.integer(request), ber.integer(once), ber.integer(repetitions), bindings), kind)


def read_pdu(data: bytes) -> Pdu:
    """Raises WireError."""
    kind, content = ber.Reader(data).element()
    reader = ber.Reader(content)
    request, error, index = reader.integer(), reader.integer(), reader.integer()
    listed = reader.inside(Tag.SEQUENCE)
    bindings: list[tuple[Oid, Value]] = []
    while not listed.done:
        binding = listed.inside(Tag.SEQUENCE)
        name = ber.to_oid(binding.expect(Tag.OID))
        bindings.append((name, _value(*binding.element())))
    return Pdu(kind, request, error, index, tuple(bindings))


def _value(tag: int, content: bytes) -> Value:
    if tag in ber.NUMBERS:
        return ber.to_integer(content, signed=tag == Tag.INTEGER)
    if tag == Tag.OID:
        return ber.to_oid(content)
    return None if tag in ber.ABSENT else content


def write_community(community: bytes, pdu: bytes) -> bytes:
    """A message of version 2c."""
    return ber.sequence((ber.integer(_V2C), ber.write(Tag.OCTETS, community), pdu))


def read_community(data: bytes) -> tuple[bytes, Pdu]:
    """Community and PDU of a message of version 2c. Raises WireError."""
    reader = ber.Reader(data).inside(Tag.SEQUENCE)
    if (version := reader.integer()) != _V2C:
        raise WireError(f"the device answers in SNMP's version {version}, not in 2c")
    return reader.expect(Tag.OCTETS), read_pdu(reader.whole())


def write_scoped(engine: bytes, pdu: bytes) -> bytes:
    """A PDU in the one context there is."""
    return ber.sequence((ber.write(Tag.OCTETS, engine), ber.write(Tag.OCTETS, b""), pdu))


def read_scoped(data: bytes) -> Pdu:
    """Raises WireError."""
    reader = ber.Reader(data).inside(Tag.SEQUENCE)
    reader.expect(Tag.OCTETS)
    reader.expect(Tag.OCTETS)
    return read_pdu(reader.whole())


def write_envelope(envelope: Envelope) -> bytes:
    """A message of version 3 that may be answered by a report. The proof is written as given: zeros at first."""
    security = envelope.security
    flags = _REPORTABLE | (_AUTHENTICATED * envelope.authenticated) | (_ENCRYPTED * envelope.encrypted)
    head = ber.sequence(
        (
            ber.integer(envelope.number),
            ber.integer(LARGEST),
            ber.write(Tag.OCTETS, bytes((flags,))),
            ber.integer(_USM),
        )
    )
    parameters = ber.sequence(
        (
            ber.write(Tag.OCTETS, security.engine),
            ber.integer(security.boots),
            ber.integer(security.time),
            ber.write(Tag.OCTETS, security.user),
            ber.write(Tag.OCTETS, security.proof),
            ber.write(Tag.OCTETS, security.salt),
        )
    )
    content = ber.write(Tag.OCTETS, envelope.content) if envelope.encrypted else envelope.content
    return ber.sequence((ber.integer(_V3), head, ber.write(Tag.OCTETS, parameters), content))


def read_envelope(data: bytes) -> Envelope:
    """Raises WireError."""
    reader = ber.Reader(data).inside(Tag.SEQUENCE)
    if (version := reader.integer()) != _V3:
        raise WireError(f"the device answers in SNMP's version {version}, not in 3")
    head = reader.inside(Tag.SEQUENCE)
    number = head.integer()
    head.integer()
    flags = (head.expect(Tag.OCTETS) or b"\0")[0]
    if head.integer() != _USM:
        raise WireError("the device answers in a security model that is not the user-based one")
    parameters = reader.inside(Tag.OCTETS).inside(Tag.SEQUENCE)
    engine, boots, time = parameters.expect(Tag.OCTETS), parameters.integer(), parameters.integer()
    user, proof = parameters.expect(Tag.OCTETS), parameters.expect(Tag.OCTETS)
    proof_at = parameters.at - len(proof)
    security = Security(engine, boots, time, user, proof, parameters.expect(Tag.OCTETS))
    encrypted = bool(flags & _ENCRYPTED)
    content = reader.expect(Tag.OCTETS) if encrypted else reader.whole()
    return Envelope(number, bool(flags & _AUTHENTICATED), encrypted, security, content, proof_at)
