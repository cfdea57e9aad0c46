"""This file proves and seals SNMP messages of version 3 with a user's secrets: the User-based Security Model (RFC 3414)
with HMAC-MD5, HMAC-SHA-1 and HMAC-SHA-2 (RFC 7860), and AES-128 in CFB mode (RFC 3826)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from probes.wire import WireError
from probes.wire.snmp import Envelope, Security, read_envelope, write_envelope

PROOF_OCTETS: Mapping[str, int] = {"md5": 12, "sha": 12, "sha224": 16, "sha256": 24, "sha384": 32, "sha512": 48}
"""Bytes of a proof by the name of its hash (RFC 3414 sections 6 and 7, RFC 7860 section 4)."""

LEAST = 8
"""Characters of a secret (RFC 3414 section 11.2)."""

FORM = (
    "write the password of an SNMP user as one or two secrets of 8 or more characters with a blank between them, for "
    "proof and for encryption (AES-128), the first one's hash before it if it is not SHA-1: sha256:SECRET SECRET"
)

_SECRETS = re.compile(rf"(?:({'|'.join(PROOF_OCTETS)}):)?(\S{{{LEAST},}})(?: +(?:aes:)?(\S{{{LEAST},}}))?")
_MEGABYTE = 1_048_576


@dataclass(frozen=True, slots=True)
class User:
    """A user of an agent, with secrets as people type them. ``sealing`` empty: nothing is encrypted."""

    name: bytes
    hash: str
    proving: str = field(repr=False)
    sealing: str = field(repr=False)


def read_user(name: str, password: str) -> User:
    """The user that a credential stands for. Raises WireError that says how its password is to be written."""
    found = _SECRETS.fullmatch(password.strip())
    if found is None:
        raise WireError(FORM)
    return User(name.encode(), found[1] or "sha", found[2], found[3] or "")


@dataclass(frozen=True, slots=True)
class Keys:
    """A user's secrets as one engine knows them: what one device learns opens no other (RFC 3414 section 2.6)."""

    engine: bytes
    hash: str
    proving: bytes = field(repr=False)
    sealing: bytes = field(repr=False)


def keys_for(user: User, engine: bytes) -> Keys:
    """Takes a few milliseconds the first time that a secret is used: it is hashed a million bytes long."""
    proving = _localized(user.hash, user.proving, engine)
    return Keys(engine, user.hash, proving, _localized(user.hash, user.sealing, engine)[:16] if user.sealing else b"")


def _localized(name: str, secret: str, engine: bytes) -> bytes:
    digest = _hash(name)
    long = _long_key(digest, secret)
    return hashlib.new(digest, long + engine + long, usedforsecurity=False).digest()


@lru_cache(maxsize=256)
def _long_key(digest: str, secret: str) -> bytes:
    """A password to a key (RFC 3414, appendix A.2)."""
    octets = secret.encode()
    return hashlib.new(digest, (octets * (_MEGABYTE // len(octets) + 1))[:_MEGABYTE], usedforsecurity=False).digest()


def _hash(name: str) -> str:
    return "sha1" if name == "sha" else name


def seal(number: int, user: bytes, keys: Keys, clock: tuple[int, int], salt: int, scoped: bytes) -> bytes:
    """A message that carries ``scoped``, proved and, where there is a key for it, encrypted.

    ``clock``: boots and seconds of the engine, as it told; ``salt``: another 64-bit number for each message.
    """
    salted = salt.to_bytes(8, "big") if keys.sealing else b""
    content = _cipher(keys, clock, salted).encryptor().update(scoped) if keys.sealing else scoped
    blank = bytes(PROOF_OCTETS[keys.hash])
    security = Security(keys.engine, *clock, user, blank, salted)
    message = write_envelope(Envelope(number, True, bool(keys.sealing), security, content))
    written = read_envelope(message)
    return _with_proof(message, written.proof_at, _proof(keys, message))


def unseal(message: bytes, envelope: Envelope, keys: Keys) -> bytes | None:
    """The scoped PDU of a message that is proved by these keys; None where it is not. Raises WireError."""
    proof = envelope.security.proof
    if not envelope.authenticated or len(proof) != PROOF_OCTETS[keys.hash]:
        return None
    if not hmac.compare_digest(proof, _proof(keys, _with_proof(message, envelope.proof_at, bytes(len(proof))))):
        return None
    if not envelope.encrypted:
        return envelope.content
    security = envelope.security
    if not keys.sealing or len(security.salt) != 8 or not 0 <= min(security.boots, security.time) <= 2**31:
        raise WireError("the device encrypts what was not asked for encrypted")
    clock = (security.boots, security.time)
    return _cipher(keys, clock, security.salt).decryptor().update(envelope.content)


def _proof(keys: Keys, message: bytes) -> bytes:
    return hmac.digest(keys.proving, message, _hash(keys.hash))[: PROOF_OCTETS[keys.hash]]


def _with_proof(message: bytes, at: int, proof: bytes) -> bytes:
    return message[:at] + proof + message[at + len(proof) :]


def _cipher(keys: Keys, clock: tuple[int, int], salt: bytes) -> Cipher[CFB]:
    boots, time = clock
    return Cipher(AES(keys.sealing), CFB(boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt))
