"""This file checks the proofs that a played-back device is shown: Basic, Digest, and the token of WS-Security.

Written apart from the client's own code, so that the two can't be wrong together.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime

from camera_registry.capture.recording import PASSWORD, USER

TOKEN_WINDOW = 300.0
"""Seconds by which a token's time may differ from the device's clock."""
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_PART = r"<(?:[\w.-]+:)?{name}(?:\s[^<>]*)?>([^<]*)<"


def parameters(text: str) -> dict[str, str]:
    """The parameters of a challenge or of an answer to one, names in lower case."""
    return {name.lower(): (quoted or bare).replace('\\"', '"') for name, quoted, bare in _PARAMETER.findall(text)}


def header_is_right(authorization: str, method: str, uri: str, body: bytes, offered: list[Mapping[str, str]]) -> bool:
    """Whether an Authorization header proves the password for this request; ``offered`` are the parameters of all
    Digest challenges that the device has made (RFC 7617, RFC 7616 section 3.4)."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "basic":
        return rest.strip() == b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    given = parameters(rest)
    challenge = next((one for one in offered if one.get("nonce", "") == given.get("nonce")), None)
    if scheme.lower() != "digest" or challenge is None or given.get("uri") != uri or given.get("username") != USER:
        return False
    algorithm = given.get("algorithm", "MD5").upper()
    if algorithm != challenge.get("algorithm", "MD5").upper() or given.get("realm") != challenge.get("realm", ""):
        return False
    hashed = hashlib.sha256 if algorithm.startswith("SHA-256") else hashlib.md5

    def digest(text: str) -> str:
        return hashed(text.encode("latin-1")).hexdigest()

    first = digest(f"{USER}:{given['realm']}:{PASSWORD}")
    if algorithm.endswith("-SESS"):
        first = digest(f"{first}:{given['nonce']}:{given.get('cnonce', '')}")
    quality = given.get("qop", "")
    middle = (
        f"{given['nonce']}:{given.get('nc', '')}:{given.get('cnonce', '')}:{quality}" if quality else given["nonce"]
    )
    second = f"{method}:{uri}" + (f":{hashed(body).hexdigest()}" if quality == "auth-int" else "")
    return given.get("response") == digest(f"{first}:{middle}:{digest(second)}")


def token_is_right(envelope: bytes, device_time: datetime) -> bool:
    """Whether a UsernameToken proves the password in the device's own time (UsernameToken Profile 1.0, section 3.1)."""
    text = envelope.decode("utf-8", "replace")
    parts = [re.search(_PART.format(name=name), text) for name in ("Username", "Password", "Nonce", "Created")]
    user, told, nonce, created = (part[1] if part else "" for part in parts)
    try:
        digest = hashlib.sha1(b64decode(nonce) + created.encode() + PASSWORD.encode(), usedforsecurity=False).digest()
        age = abs((device_time - datetime.fromisoformat(created)).total_seconds())
    except (ValueError, TypeError):
        return False
    return user == USER and told == b64encode(digest).decode() and age <= TOKEN_WINDOW
