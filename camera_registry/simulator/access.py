"""How a simulated device checks a password: Basic and Digest (RFC 7616) for HTTP and RTSP, and the UsernameToken of
WS-Security for SOAP. Nothing is waved through: a proof that is wrong, old or used before is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

from camera_registry.simulator.live import LiveDevice
from camera_registry.simulator.makers import Scheme

NONCE_LIFE = 300.0
"""Seconds for which a Digest nonce may be used."""
TOKEN_WINDOW = 300.0
"""Seconds by which a UsernameToken's time may differ from the device's clock."""
USED_PER_DEVICE = 32
"""Digest nonces of which a device remembers the last count; older ones are stale."""

_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')


class Verdict(Enum):
    """What came of checking a proof."""

    GRANTED = "granted"
    MISSING = "missing"
    """No proof, or none of a kind that the device takes: a challenge is due."""
    STALE = "stale"
    """Right but with a nonce that has had its day."""
    WRONG = "wrong"


@dataclass(slots=True)
class _Used:
    """Nonces that proofs of one device were made with: nonce to last count; nonces issued up to ``floor`` are stale."""

    counts: dict[str, int] = field(default_factory=dict)
    floor: float = 0.0


class Gate:
    """Checks proofs for a whole fleet. Nonces carry their time and a seal, so that issuing one costs no memory;
    processes that share a fleet share the ``secret``."""

    def __init__(self, secret: bytes | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._secret = secret or secrets.token_bytes(16)
        self._now = now
        self._used: dict[str, _Used] = {}
        self._tokens: tuple[set[int], set[int], set[int]] = (set(), set(), set())
        self._tokens_since = now()

    def challenges(
        self, device: LiveDevice, schemes: tuple[Scheme, ...], *, stale: bool = False, qop: bool = True
    ) -> list[str]:
        """Values for WWW-Authenticate, the device's first choice first. Without ``qop``: those of RFC 2069."""
        realm = f"IPC {device.member.device.serial[-6:]}"
        offers = []
        for scheme in schemes:
            if scheme is Scheme.BASIC:
                offers.append(f'Basic realm="{realm}"')
            else:
                more = (f', qop="auth", algorithm={scheme}' if qop else "") + (", stale=true" if stale else "")
                offers.append(f'Digest realm="{realm}", nonce="{self._issue(device)}"{more}')
        return offers

    def check(
        self, device: LiveDevice, schemes: tuple[Scheme, ...], authorization: str, method: str, uri: str
    ) -> Verdict:
        """Judge an Authorization header. ``uri``: the request's target exactly as it was sent."""
        scheme, _, rest = authorization.partition(" ")
        match scheme.lower():
            case "basic" if Scheme.BASIC in schemes:
                verdict = _basic(device, rest)
            case "digest":
                verdict = self._digest(device, schemes, rest, method, uri)
            case _:
                return Verdict.MISSING
        return _kept(device, verdict)

    def _digest(self, device: LiveDevice, schemes: tuple[Scheme, ...], text: str, method: str, uri: str) -> Verdict:
        given = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(text)}
        algorithm = given.get("algorithm", Scheme.MD5).upper()
        nonce = given.get("nonce", "")
        if algorithm not in schemes or algorithm == Scheme.BASIC.upper() or not nonce:
            return Verdict.MISSING
        if given.get("username") != device.member.username or given.get("uri") != uri:
            return Verdict.WRONG
        hashed = _sha256 if algorithm == Scheme.SHA256 else _md5
        realm = given.get("realm", "")
        first = hashed(f"{device.member.username}:{realm}:{device.password}")
        second = hashed(f"{method}:{uri}")
        if given.get("qop"):
            middle = f"{nonce}:{given.get('nc', '')}:{given.get('cnonce', '')}:{given['qop']}"
        else:
            middle = nonce  # RFC 2069: a client that knows no qop
        if not _same(hashed(f"{first}:{middle}:{second}"), given.get("response", "").lower()):
            return Verdict.WRONG
        return self._fresh(device, nonce, given.get("nc", ""))

    def _issue(self, device: LiveDevice) -> str:
        stamp = f"{int(self._now() * 1000):012x}{secrets.token_hex(4)}"
        return stamp + self._seal(device, stamp)

    def _seal(self, device: LiveDevice, stamp: str) -> str:
        return hashlib.blake2b(f"{device.member.id} {stamp}".encode(), key=self._secret, digest_size=8).hexdigest()

    def _fresh(self, device: LiveDevice, nonce: str, count: str) -> Verdict:
        """A nonce must be ours, young, and its count must grow (RFC 7616, 3.4), else the proof is a copy."""
        stamp, seal = nonce[:20], nonce[20:]
        if not _same(seal, self._seal(device, stamp)):
            return Verdict.STALE
        issued = int(stamp[:12], 16) / 1000
        used = self._used.setdefault(device.member.id, _Used())
        if issued + NONCE_LIFE < self._now() or issued <= used.floor:
            return Verdict.STALE
        try:
            number = int(count, 16) if count else 0
        except ValueError:
            return Verdict.WRONG
        if count and number <= used.counts.get(nonce, 0):
            return Verdict.STALE
        used.counts[nonce] = number
        if len(used.counts) > USED_PER_DEVICE:
            oldest = min(used.counts)  # a nonce begins with its time
            used.floor = int(oldest[:12], 16) / 1000
            del used.counts[oldest]
        return Verdict.GRANTED

    def check_token(self, device: LiveDevice, username: str, password: str, nonce: str, created: str) -> Verdict:
        """Judge a UsernameToken with a PasswordDigest (WS-Security UsernameToken Profile 1.0, 3.1)."""
        return _kept(device, self._token(device, username, password, nonce, created))

    def _token(self, device: LiveDevice, username: str, password: str, nonce: str, created: str) -> Verdict:
        try:
            raw = b64decode(nonce, validate=True)
            at = datetime.fromisoformat(created)
            told = b64decode(password, validate=True)
        except ValueError:  # base64 raises nothing else
            return Verdict.WRONG
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        digest = hashlib.sha1(raw + created.encode() + device.password.encode(), usedforsecurity=False).digest()
        if username != device.member.username or not hmac.compare_digest(digest, told):
            return Verdict.WRONG
        if abs(at.timestamp() - device.clock) > TOKEN_WINDOW or self._seen(device, raw, created):
            return Verdict.STALE
        return Verdict.GRANTED

    def _seen(self, device: LiveDevice, nonce: bytes, created: str) -> bool:
        """Whether this token was used before. Three sets of five minutes cover a token's whole life of ten."""
        if self._now() - self._tokens_since > TOKEN_WINDOW:
            self._tokens = (set(), *self._tokens[:2])
            self._tokens_since = self._now()
        key = hash((device.member.id, nonce, created))
        if any(key in tokens for tokens in self._tokens):
            return True
        self._tokens[0].add(key)
        return False


def _kept(device: LiveDevice, verdict: Verdict) -> Verdict:
    """What the device makes of a verdict: wrong proofs are counted, and a locked account takes none."""
    if device.locked:
        device.counts.failed_authentications += 1
        return Verdict.WRONG
    if verdict is Verdict.WRONG:
        device.wrong_proof()
    elif verdict is Verdict.GRANTED:
        device.right_proof()
    return verdict


def _basic(device: LiveDevice, text: str) -> Verdict:
    try:
        login = b64decode(text.strip(), validate=True).decode()
    except ValueError:  # base64 and UTF-8 raise nothing else
        return Verdict.WRONG
    right = hmac.compare_digest(login.encode(), f"{device.member.username}:{device.password}".encode())
    return Verdict.GRANTED if right else Verdict.WRONG


def _same(one: str, other: str) -> bool:
    """Whether two texts are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
