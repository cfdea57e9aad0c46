"""This file asks a device for its media profiles, and for the addresses of stream and picture of each video source.

A recorder with many sources is asked for a few of them at each run, until all are known; what it told is remembered.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from camera_registry.model.roster import Target
from probes.base import Context
from probes.onvif_round import PATIENCE, Round
from probes.wire import onvif, soap
from probes.wire.onvif import Address, Profile, Source
from probes.wire.refusal import Refusal
from probes.wire.soap import Operation, SoapError
from probes.wire.text import clean

AT_ONCE = 8
"""Sources whose addresses are asked for in one run, beside the first one's."""

_MEMORY = "onvif.media"
_DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_ADDRESSES = (
    (Operation.STREAM_URI, "stream_uri", ("rtsp", "rtsps")),
    (Operation.SNAPSHOT_URI, "snapshot_uri", ("http", "https")),
)

_sources = lru_cache(256)(onvif.sources)
"""Cameras of one model tell the same profiles, and hold them together."""


@dataclass(slots=True)
class _Known:
    """What a device told at ``at`` (loop time) of its media: the service that did, its sources, and by profile token
    the addresses, as facts; ``pending`` are the profiles still to be asked about."""

    at: float
    namespace: str
    sources: tuple[Source, ...]
    addresses: dict[str, dict[str, str]] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)


class Media:
    """One run's questions about profiles and addresses. ``wanted`` are tokens of profiles that somebody names."""

    def __init__(self, round_: Round, target: Target, context: Context, wanted: Sequence[str]) -> None:
        self._round = round_
        self._target = target
        self._context = context
        self._wanted = frozenset(wanted)
        self._first = wanted[0] if wanted else ""
        self._kept = context.tools.memory.of(target.device).kept
        known = self._kept.get(_MEMORY)
        self._known = known if isinstance(known, _Known) else None

    @property
    def age(self) -> float | None:
        """Seconds since the device told its profiles, or None."""
        return asyncio.get_running_loop().time() - self._known.at if self._known is not None else None

    async def ask(self) -> bool:
        """Ask for the profiles, and where the first one that can be streamed is; whether the device told."""
        told = await self._ask_profiles()
        if told is None:
            return False
        namespace, profiles = told
        facts = self._context.facts
        facts["profiles"] = [profile.facts() for profile in profiles]
        self._context.step("onvif.profiles", count=len(profiles), first=_shown(profiles))
        known = _Known(-math.inf, namespace, _sources(tuple(profiles)))
        if self._known is not None:
            known.addresses = self._known.addresses
        self._known = self._kept[_MEMORY] = known
        tokens = [profile.token for profile in profiles if profile.encoding] or [one.token for one in profiles]
        now = asyncio.get_running_loop().time()
        if not tokens:
            known.at = now
            return True
        first = self._first if self._first in tokens else tokens[0]
        addresses = await self._ask_addresses(namespace, first, patience=self._context.remaining())
        # A round that ran out of time half way is asked for anew by the next run, and not in an hour.
        facts["cut_short"] = len(addresses) < len(_ADDRESSES) and not self._round.has_time
        if not facts["cut_short"]:
            known.at = now
        facts.update(addresses)
        facts["profile"] = clean(first)
        for name, uri in addresses.items():
            self._context.step(f"onvif.{name}", uri=uri)
        all_tokens = {profile.token for profile in profiles}
        known.addresses = {token: where for token, where in known.addresses.items() if token in all_tokens}
        known.addresses[first] = addresses
        known.pending = [token for token in self._chosen(known) if token != first]
        return True

    async def go_on(self) -> None:
        """Ask for more addresses, as many as one run may, and tell of all that are known. Fails no device."""
        known = self._known
        if known is None:
            return
        chosen = self._chosen(known)
        if len(chosen) < 2:
            return
        known.pending += [token for token in chosen if token not in known.addresses and token not in known.pending]
        for _ in range(min(AT_ONCE, len(known.pending))):
            if not self._round.has_time:
                break
            token = known.pending.pop(0)
            addresses = await self._ask_addresses(known.namespace, token)
            if not addresses and not self._round.has_time:
                known.pending.append(token)  # the next run has time for it
                break
            known.addresses[token] = addresses
        self._context.facts["sources"] = [
            {
                "number": source.number,
                "token": clean(source.token),
                "profile": clean(profile.token),
                "profiles": [clean(one.token) for one in source.profiles],
                **known.addresses.get(profile.token, {}),
            }
            for source in known.sources
            for profile in source.choose(self._wanted)
        ]
        told = sum(1 for token in chosen if known.addresses.get(token))
        self._context.step("onvif.sources", count=len(known.sources), told=told)

    def _chosen(self, known: _Known) -> list[str]:
        """The profiles whose addresses are wanted: one of each source, or those that somebody names."""
        return list(dict.fromkeys(one.token for source in known.sources for one in source.choose(self._wanted)))

    async def _ask_profiles(self) -> tuple[str, tuple[Profile, ...]] | None:
        """The profiles and the service that told them: Media, or Media2 where that knows more of them (H.265 is told by
        Media2 only). None: neither answered."""
        offered = [name for name in (soap.MEDIA, soap.MEDIA2) if name in self._round.services] or [soap.MEDIA]
        best: tuple[str, tuple[Profile, ...]] | None = None
        for namespace in offered:
            answer = await self._round.ask_service(namespace, Operation.PROFILES)
            if answer is None:
                continue
            profiles = onvif.read_profiles(answer)
            if best is None or _streamable(profiles) > _streamable(best[1]):
                best = namespace, profiles
            if profiles and _streamable(profiles) == len(profiles):
                break
        return best

    async def _ask_addresses(self, namespace: str, token: str, *, patience: float = PATIENCE) -> dict[str, str]:
        """Where this profile's stream and picture are, on the registered host."""
        found: dict[str, str] = {}
        for operation, name, schemes in _ADDRESSES:
            if self._round.refusal(operation) is Refusal.NOT_SUPPORTED:
                continue  # said of another profile in this run: it is the same for all
            answer = await self._round.ask_aside(namespace, operation, [token], patience=patience, needed=True)
            if answer is None:
                continue
            address = onvif.read_uri(answer)
            if address is None or address.scheme not in schemes:
                said = f"an address of {address.scheme}" if address is not None else "no address"
                self._round.note(operation, SoapError(Refusal.PROTOCOL, f"the answer holds {said}"))
                continue
            found[name] = onvif.write_uri(address.scheme, self._target.host, self._port(address), address.path)
        return found

    def _port(self, address: Address) -> int:
        """The port of an address that the device told, on the registered host.

        A device that names itself by the registered host knows its port. One that names another (it stands behind
        address translation, or tells its LAN address) does not: a port that people registered on purpose counts first.
        """
        default = _DEFAULT_PORTS[address.scheme]
        if address.host in (self._target.host.lower(), self._context.address):
            return address.port or default
        registered = self._target.ports.get("rtsp" if address.scheme.startswith("rtsp") else "http", 0)
        if registered not in (0, default):
            return registered
        if address.port not in (None, default):
            return address.port or default
        if registered == 0 and address.scheme == "http":
            return self._round.home[0]
        return default


def _streamable(profiles: Collection[Profile]) -> int:
    return sum(1 for profile in profiles if profile.encoding)


def _shown(profiles: tuple[Profile, ...]) -> str:
    if not profiles:
        return "-"
    first = profiles[0]
    size = f" {first.width}x{first.height}" if first.width and first.height else ""
    return f"{first.name or first.token} {first.encoding or ''}{size}".strip()
