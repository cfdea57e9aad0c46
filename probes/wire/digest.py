"""This file reads authentication challenges and answers them: Basic (RFC 7617), Digest (RFC 7616, 2617, 2069).

The same rules serve HTTP and RTSP (RFC 2326 section 14). Devices send several challenges, in one header or in several,
some without qop, some with an empty nonce: all are read, the strongest that is supported is answered.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from sys import intern

from probes.wire import WireError

_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}
_STRENGTH = {"MD5": 1, "SHA-256": 2}

_SCHEME = re.compile(r"[\s,]*([A-Za-z][A-Za-z0-9_-]*)(?!\s*=)(?=[\s,]|$)\s*")
_PARAMETER = re.compile(r'\s*,?\s*([A-Za-z][A-Za-z0-9_-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,]*))')
_ESCAPED = re.compile(r"\\(.)")
_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a device asks. ``scheme`` is "basic" or "digest"; ``qop`` the options offered, empty for RFC 2069;
    ``algorithm`` as the device wrote it, empty if it named none (which means MD5)."""

    scheme: str
    realm: str = ""
    nonce: str = ""
    opaque: str | None = None
    algorithm: str = ""
    qop: tuple[str, ...] = ()
    stale: bool = False

    @property
    def hash_name(self) -> str:
        """The algorithm without -sess, in capitals; MD5 when the device named none."""
        return (self.algorithm or "MD5").upper().removesuffix("-SESS")

    @property
    def strength(self) -> int:
        """Larger is better, 0 is not supported."""
        if self.scheme == "basic":
            return 1
        if self.scheme != "digest" or self.hash_name not in _STRENGTH:
            return 0
        if self.qop and not {"auth", "auth-int"} & set(self.qop):
            return 0
        return 10 * _STRENGTH[self.hash_name] + ("auth" in self.qop)

    @property
    def name(self) -> str:
        """For people: ``Digest SHA-256``."""
        return "Basic" if self.scheme == "basic" else f"Digest {(self.algorithm or 'MD5')[:20]}"


def read_challenges(headers: Iterable[str]) -> list[Challenge]:
    """Every challenge in these WWW-Authenticate headers, in order. What can't be read is passed over."""
    return [challenge for header in headers for challenge in _read_header(header[:_LIMIT])]


def strongest(challenges: Iterable[Challenge]) -> Challenge | None:
    """The best challenge that can be answered, the first of equals; None if none can."""
    best = max(challenges, key=lambda challenge: challenge.strength, default=None)
    return best if best is not None and best.strength else None


def _read_header(header: str) -> list[Challenge]:
    found: list[Challenge] = []
    position = 0
    while position < len(header):
        scheme = _SCHEME.match(header, position)
        if scheme is None:
            break
        position = scheme.end()
        parameters: dict[str, str] = {}
        while (parameter := _PARAMETER.match(header, position)) is not None:
            name, quoted, token = parameter.groups()
            value = token if quoted is None else _ESCAPED.sub(r"\1", quoted)
            parameters.setdefault(name.lower(), value)
            position = parameter.end()
        found.append(_challenge(scheme[1].lower(), parameters))
    return found


def _challenge(scheme: str, parameters: dict[str, str]) -> Challenge:
    # All but nonce and opaque is the same for all devices of a model, and remembered of each.
    return Challenge(
        scheme=intern(scheme),
        realm=intern(parameters.get("realm", "")),
        nonce=parameters.get("nonce", ""),
        opaque=parameters.get("opaque"),
        algorithm=intern(parameters.get("algorithm", "").strip()),
        qop=_options(parameters.get("qop", "")),
        stale=parameters.get("stale", "").strip().lower() == "true",
    )


@lru_cache(64)
def _options(qop: str) -> tuple[str, ...]:
    return tuple(option.strip().lower() for option in qop.split(",") if option.strip())


@dataclass(frozen=True, slots=True)
class Request:
    """What is authorised: ``uri`` exactly as it stands in the request line."""

    method: str
    uri: str
    body: bytes = b""


def authorization(
    challenge: Challenge, username: str, password: str, request: Request, *, count: int, cnonce: str
) -> str:
    """The value of an Authorization header, one character a byte (Latin-1) as all header values here: a realm in GBK is
    hashed and sent back in the very bytes it came in.

    ``count`` is how often this nonce has been answered, this time included (RFC 7616 section 3.4, nc); ``cnonce`` is
    fresh random text from the caller. Raises WireError for a challenge that is not supported.
    """
    if challenge.scheme == "basic":
        return "Basic " + b64encode(f"{username}:{password}".encode()).decode("ascii")
    username, password = _as_bytes(username), _as_bytes(password)
    if not challenge.strength:
        raise WireError(f"the device asks for {challenge.name}, which is not supported")
    hashed = _HASHES[challenge.hash_name]

    def digest(text: str) -> str:
        return hashed(text.encode("latin-1"))

    nonce, session = challenge.nonce, challenge.algorithm.upper().endswith("-SESS")
    first = digest(f"{username}:{challenge.realm}:{password}")
    if session:
        first = digest(f"{first}:{nonce}:{cnonce}")
    qop = "auth" if "auth" in challenge.qop else "auth-int" if challenge.qop else ""
    asked = f"{request.method}:{request.uri}"
    second = digest(f"{asked}:{hashed(request.body)}" if qop == "auth-int" else asked)
    middle = f"{nonce}:{count:08x}:{cnonce}:{qop}" if qop else nonce
    sent = (
        f'Digest username="{_quote(username)}", realm="{_quote(challenge.realm)}", nonce="{_quote(nonce)}", '
        f'uri="{request.uri}", response="{digest(f"{first}:{middle}:{second}")}"'
    )
    if challenge.algorithm:
        sent += f", algorithm={challenge.algorithm}"
    if challenge.opaque is not None:
        sent += f', opaque="{_quote(challenge.opaque)}"'
    if qop:
        sent += f", qop={qop}, nc={count:08x}"
    if qop or session:
        sent += f', cnonce="{cnonce}"'
    return sent


def _as_bytes(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")


def _quote(value: str) -> str:
    if '"' in value or "\\" in value:
        return value.replace("\\", "\\\\").replace('"', '\\"')
    return value
