"""This file settles how encryption with a device is agreed, and who it is that was reached.

Cameras sign their own certificates and are renewed by nobody, so no authority is asked: the first certificate seen is
taken into the register, and another one is a fault that is told before anything of ours is sent.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cache

from camera_registry.model.observation import FailureKind, Stage
from camera_registry.model.roster import Target
from probes.base import Context, ProbeError
from probes.guard import is_literal
from probes.wire import certificate

_OLD_SERVER = getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
"""Speak to servers without RFC 5746 (secure renegotiation), which we never do; Python names it from 3.12 on."""

_PLAIN = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"}
"""What OpenSSL says of an answer that is no TLS at all."""


@cache
def context_for(*, old: bool) -> ssl.SSLContext:
    """One context for all devices of a kind, because building one costs 25 ms: what is safe today, or, where a device
    can do no better, also TLS 1.0, short keys and what else OpenSSL 3 keeps behind security level 0.

    Neither asks an authority: ``identify`` looks at the certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if old:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.options |= _OLD_SERVER
    return context


def look_again(error: OSError) -> None:
    """Come back if a handshake that failed so may succeed with what was usual once: devices that do not understand a
    modern greeting answer with an alert, or hang up. Else raises ``error``, or ProbeError(TLS) that says what to do."""
    if isinstance(error, ssl.SSLError):
        if error.reason in _PLAIN:
            detail = "the port answers without encryption: set tls to off for this device, or register its HTTPS port"
            raise ProbeError(FailureKind.TLS, Stage.HANDSHAKE, detail) from error
    elif not isinstance(error, ConnectionError):
        raise error


def server_name(host: str) -> str:
    """The name to ask for (SNI, RFC 6066 section 3): literal addresses are not permitted there."""
    sayable = host.isascii() and not host.startswith(".") and len(host) < 254
    return host if sayable and not is_literal(host) else ""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was agreed on, as OpenSSL names it, and in how many seconds."""

    version: str
    cipher: str
    seconds: float


def identify(context: Context, target: Target, spoken: ssl.SSLObject | None, seconds: float) -> Agreed:
    """Keep what ``certificate.facts_of`` tells as the fact ``certificate``.

    Raises ProbeError(CERTIFICATE) if it is not the registered one; nothing has been sent by then.
    """
    shown = spoken.getpeercert(binary_form=True) if spoken is not None else None
    if spoken is None or shown is None:
        raise ProbeError(FailureKind.TLS, Stage.HANDSHAKE, "the device shows no certificate")
    facts = context.facts["certificate"] = certificate.facts_of(shown)
    cipher = spoken.cipher()
    agreed = Agreed(spoken.version() or "?", cipher[0] if cipher else "?", seconds)
    context.step(
        "tls.agreed",
        version=agreed.version,
        cipher=agreed.cipher,
        subject=facts.get("subject") or "?",
        until=str(facts.get("not_after", "?"))[:10],
    )
    if target.certificate and target.certificate != facts["fingerprint"]:
        raise ProbeError.told(
            FailureKind.CERTIFICATE,
            Stage.HANDSHAKE,
            "certificate.other",
            shown=facts["fingerprint"],
            subject=facts.get("subject") or "?",
            registered=target.certificate,
        )
    return agreed
