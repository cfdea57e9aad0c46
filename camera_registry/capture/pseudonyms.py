"""This file knows what belongs to a site, gives each value its pseudonym, and takes it out of texts in any spelling."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from ipaddress import ip_address
from urllib.parse import unquote

from camera_registry.capture import spelling
from camera_registry.capture.recording import HOST
from camera_registry.capture.redactors import EVERYDAY, KEPT_TEXT, REDACTORS, Reach, Redactor

_BY_NAME = {redactor.name: redactor for redactor in REDACTORS}
_KEPT = re.compile(
    r"<(?:[\w.-]+:)?(?:Manufacturer|Model|FirmwareVersion)(?:\s[^<>]*)?>\s*+([^<>\s][^<>]*)", re.IGNORECASE
)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:%\w+)?(?![\w:.])")
_URI = re.compile(
    r"([a-z][a-z0-9+.-]{1,20})://((?:[^/\s@\"'<>]*@)?)(\[[^\]\s\"'<>]*\]|[^/:?#\s\"'<>;,]+)", re.IGNORECASE
)
_DEFINES = re.compile(r"(?:xmlns(?::[\w.-]+)?\s*=\s*[\"']|Namespace>\s*|Dialect\s*=\s*[\"'])$", re.IGNORECASE)
_PUBLIC = re.compile(
    r"(?:^|\.)(?:onvif\.org|w3\.org|oasis-open\.org|xmlsoap\.org|microsoft\.com|tempuri\.org|iso\.org|ietf\.org)$",
    re.IGNORECASE,
)
_LEAF = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*)?>\s*+([^<>\s][^<>]*)</")
_TOKEN = re.compile(r"(\s(?:[\w.-]+:)?token\s*=\s*[\"'])([^\"'<>]+)", re.IGNORECASE)
_NUMBERS = re.compile(r"[\d\s.,:+-]+")
_TAG = re.compile(r"</?(?:[\w-]+:)?([\w-]++)(?=[\s/>])")
SPREAD_LIMIT = 200
"""Values that are looked for everywhere; an honest device has some dozens. Others are replaced where they stand."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is known before anything is read: the login, and every text that names the device itself."""

    user: str = ""
    password: str = ""
    hosts: tuple[str, ...] = ()


class Pseudonyms:
    """What is known of one device's site. It reads all texts first, to know each value that is recognised anywhere: a
    serial number that stands in its element once is found in a path, a host name and a Base64 text too, and has the
    same pseudonym everywhere. ``counts``: how often each redactor wrote, by its name."""

    def __init__(self, given: Given, texts: Sequence[str]) -> None:
        self.counts: Counter[str] = Counter()
        self._known: dict[str, tuple[str, str]] = {}
        """Each value's redactor and pseudonym; the first that recognised it counts."""
        self._written: set[str] = {HOST}
        self._spread: list[tuple[re.Pattern[str], str, str]] = []
        self._hosts = {host.strip("[]").lower() for host in given.hosts}
        self._kept = {unescape(found).strip().casefold() for text in texts for found in _KEPT.findall(text)}
        self._words = EVERYDAY | {tag.lower() for text in texts for tag in _TAG.findall(text)}
        if given.password:
            self._pseudonym("password", given.password)
        if given.user:
            self._pseudonym("user", given.user)
        for redactor in REDACTORS:
            for text in texts:
                for value in _found(redactor, text):
                    self._pseudonym(redactor.name, value)
        self._prepare(given)

    def token(self, token: str) -> str:
        """What a request asks about, as the answers have it that told it."""
        return self._free(self.text(token), "")

    def session(self, value: str) -> str:
        """A Session header: its number names nobody, its life stays."""
        session, semicolon, rest = value.partition(";")
        return f"{self._pseudonym('session', session)}{semicolon}{rest}"

    def text(self, text: str) -> str:
        """``text`` without anything that is known or recognised."""
        for pattern, name, pseudonym in self._spread:
            text = pattern.sub(lambda found, name=name, new=pseudonym: self._spelled(found, name, new), text)  # type: ignore[misc]
        text = _URI.sub(self._uri, text)
        text = _IPV4.sub(self._address, text)
        text = _IPV6.sub(self._address, text)
        for redactor in REDACTORS:
            for pattern in redactor.patterns:
                text = pattern.sub(lambda found, name=redactor.name: self._value(found, name), text)  # type: ignore[misc]
        text = _TOKEN.sub(lambda found: found[1] + self._free(found[2], ""), text)
        return _LEAF.sub(self._leaf, text)

    def _prepare(self, given: Given) -> None:
        """Patterns for all that is replaced wherever it stands, the longest first."""
        spread = [(value, name, new) for value, (name, new) in self._known.items() if self._spreads(name, value)]
        hosts = self._hosts | {host.replace(".", "-") for host in self._hosts if _IPV4.fullmatch(host)}
        spread += [(host, "address", HOST) for host in hosts if len(host) >= spelling.SHORTEST]
        if given.user and given.password:
            spread.append((f"{given.user}:{given.password}", "password", "user-1:password-1"))
        if len(spread) > SPREAD_LIMIT:
            spread = [*spread[-len(hosts) - 1 :], *spread[:SPREAD_LIMIT]]
        for value, name, new in sorted(spread, key=lambda entry: (-len(entry[0]), entry[1])):
            mac = spelling.mac_pattern(value) if name == "mac" else None
            if mac is not None:
                self._spread.append((mac, name, new))
            else:
                word = name == "address" or _BY_NAME[name].reach is Reach.WORD
                self._spread.append((spelling.pattern(value, word=word), name, new))

    def _spreads(self, name: str, value: str) -> bool:
        """Whether a value says enough of a site to be looked for everywhere, and too little to tear protocols apart."""
        low = value.casefold()
        if _BY_NAME[name].reach is Reach.PLACE or len(value.encode("utf-8", "replace")) < spelling.SHORTEST:
            return False
        if low in self._words or any(low in kept for kept in self._kept):
            return False
        parts = [part for part in re.split(r"[\W_\d]+", low) if part]
        return _BY_NAME[name].reach is Reach.ANYWHERE or not all(part in self._words for part in parts)

    def _pseudonym(self, name: str, value: str) -> str:
        value = unescape(value).strip()
        if value in self._written or (name == "name" and value.casefold() in self._kept):
            return value
        key = re.sub(r"[^0-9a-f]", "", value.lower()) if name == "mac" else value
        if name in ("location", "name", "scope") or unquote(value) in self._known:
            key = unquote(value)
        return self._remember(name, key, _BY_NAME[name].write)

    def _value(self, found: re.Match[str], name: str) -> str:
        """A match with its value replaced."""
        value = found["value"].rstrip()
        if not _matters(name, unescape(value)) or self._stands(name, value):
            return found[0]
        self.counts[name] += 1
        new = self._pseudonym(name, value)
        new = spelling.as_mac(value, new) if name == "mac" else new
        begin = found.start("value") - found.start()
        return found[0][:begin] + new + found[0][begin + len(value) :]

    def _stands(self, name: str, value: str) -> bool:
        """Whether a value is a pseudonym already, or one that stays."""
        return (
            value in self._written
            or value.lower() in self._written
            or (name == "mac" and spelling.as_mac(":", value.lower().replace("-", ":")) in self._written)
            or (name in ("name", "scope") and unquote(unescape(value)).casefold() in self._kept)
        )

    def _spelled(self, found: re.Match[str], name: str, new: str) -> str:
        self.counts[name] += 1
        groups = found.groupdict()
        if groups.get("base64"):
            return b64encode(new.encode()).decode()
        if groups.get("hex"):
            return new.encode().hex()
        return spelling.as_mac(found[0], new) if name == "mac" else new

    def _uri(self, found: re.Match[str]) -> str:
        """A URI with another host, unless it is the name of a standard."""
        scheme, login, host = found.groups()
        bare = host.strip("[]").lower()
        names_standard = _DEFINES.search(found.string[max(0, found.start() - 80) : found.start()]) or _PUBLIC.search(
            bare
        )
        if names_standard or scheme.lower() in ("onvif", "urn") or bare in self._written:
            return found[0]
        return f"{scheme}://{login}{self._host(bare)}"

    def _host(self, bare: str) -> str:
        if bare in self._hosts:
            self.counts["address"] += 1
            return HOST
        try:
            address = self._substitute(bare)
        except ValueError:
            self.counts["address"] += 1
            return self._remember("host", bare, lambda number: f"host-{number}.example")
        return f"[{address}]" if ":" in address else address

    def _address(self, found: re.Match[str]) -> str:
        if any(found[0] in kept for kept in self._kept):
            return found[0]
        try:
            return self._substitute(found[0])
        except ValueError:
            return found[0]

    def _substitute(self, text: str) -> str:
        """Another address for ``text``; masks, the unspecified and the loopback address stay. Raises ValueError."""
        address = ip_address(text)
        special = address.is_unspecified or address.is_loopback or text.startswith("255.") or text in self._written
        if special or (address.version == 6 and len(text) < 6):
            return text
        self.counts["address"] += 1
        if text.lower() in self._hosts:
            return HOST
        if address.version == 6:
            return self._remember("address6", str(address), lambda number: f"2001:db8::{number:x}")
        network = "233.252.0" if address.is_multicast else "198.51.100"
        return self._remember("address", text, lambda number: f"{network}.{1 + (number - 1) % 254}")

    def _remember(self, name: str, value: str, write: Callable[[int], str]) -> str:
        if value not in self._known:
            pseudonym = write(1 + sum(kind == name for kind, _ in self._known.values()))
            self._known[value] = name, pseudonym
            self._written.add(pseudonym)
        return self._known[value][1]

    def _leaf(self, found: re.Match[str]) -> str:
        tag, value = found[1], found[2].rstrip()
        if KEPT_TEXT.fullmatch(tag):
            return found[0]
        begin = found.start(2) - found.start()
        return found[0][:begin] + self._free(value, tag) + found[0][begin + len(value) :]

    def _free(self, value: str, tag: str) -> str:
        """Free text: what has blanks or is not ASCII says something about a place, whatever its element is called."""
        plain = unescape(value)
        if plain in self._written or plain.casefold() in self._kept or _NUMBERS.fullmatch(plain):
            return value
        if (not re.search(r"\s", plain) and (plain.isascii() or "://" in plain)) or tag.lower() == "scopeitem":
            return value
        self.counts["text"] += 1
        return self._remember("text", plain, lambda number: f"text-{number}")


def _found(redactor: Redactor, text: str) -> Iterator[str]:
    for pattern in redactor.patterns:
        for found in pattern.finditer(text):
            if _matters(redactor.name, unescape(found["value"])):
                yield found["value"]


def _matters(name: str, value: str) -> bool:
    """Whether what stands where ``name`` is expected is one: an address is replaced as an address."""
    if name in ("location", "name") and ("://" in value or value.startswith("urn:")):
        return False
    try:
        ip_address(value)
    except ValueError:
        return value not in ("-", "")
    return name in ("password", "user")
