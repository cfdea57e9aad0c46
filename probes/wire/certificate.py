"""This file reads the certificate that a device shows (RFC 5280, DER): whose it is, who signed it, how long it is good.

Nothing here decides whether a certificate is to be trusted: cameras sign their own, and are known again by fingerprint.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from probes.wire import TooLarge, WireError
from probes.wire.text import clean

LARGEST = 32 * 1024
"""Bytes of one certificate; devices have one or two thousand."""

_NAME = 160
"""Characters of a name that are kept."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says. Names are as RFC 4514 writes them, times aware UTC. ``self_signed``: it names itself as
    its signer (RFC 5280 section 3.2 calls that self-issued; the signature is not verified)."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    self_signed: bool


def fingerprint(der: bytes) -> str:
    """SHA-256 over the whole certificate, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(der).hexdigest()


def facts_of(der: bytes) -> dict[str, object]:
    """JSON values: ``fingerprint``, ``subject``, ``issuer``, ``not_before``, ``not_after``, ``self_signed``; of what
    can't be read the first, and why as ``unreadable``."""
    told: dict[str, object] = {"fingerprint": fingerprint(der)}
    try:
        said = read(der)
    except WireError as error:
        return told | {"unreadable": str(error)}
    return told | {
        "subject": said.subject,
        "issuer": said.issuer,
        "not_before": said.not_before.isoformat(),
        "not_after": said.not_after.isoformat(),
        "self_signed": said.self_signed,
    }


def read(der: bytes) -> Certificate:
    """Raises WireError."""
    if len(der) > LARGEST:
        raise TooLarge(f"the certificate has {len(der)} bytes; at most {LARGEST} are read")
    try:
        parsed = x509.load_der_x509_certificate(der)
        subject, issuer = parsed.subject, parsed.issuer
        return Certificate(
            clean(subject.rfc4514_string(), _NAME),
            clean(issuer.rfc4514_string(), _NAME),
            parsed.not_valid_before_utc.astimezone(UTC),
            parsed.not_valid_after_utc.astimezone(UTC),
            subject == issuer,
        )
    except Exception as error:
        raise WireError(f"the certificate can't be read ({clean(str(error), 80)})") from error
