"""This file turns annotated TOML into frozen settings, and every mistake in it into one sentence with its key.

Durations are seconds. Paths are relative to the settings file. Keys that end in ``_file`` name a file that holds a
secret; no secret stands in the settings themselves.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator, model_validator

from camera_registry.channels import AnyChannel, Heartbeat, flaws, located
from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.health import Cause
from camera_registry.model.incident import Severity
from camera_registry.model.policy import IncidentPolicy
from camera_registry.model.wrong import Wrong
from camera_registry.rules import scanning
from camera_registry.rules.availability import NoPeriod, zone_of
from camera_registry.settings_dispatch import Dispatch
from camera_registry.settings_health import Health
from camera_registry.settings_orders import Callback, Photographs
from camera_registry.settings_probes import Probes as Probes
from camera_registry.settings_section import Seconds, Section, refused


class SettingsError(Exception):
    """The settings can't be used. ``problems`` lists every reason with its key and its remedy."""

    def __init__(self, place: str, *problems: Wrong) -> None:
        super().__init__(f"{place}: " + "; ".join(map(str, problems)))
        self.place = place
        self.problems = problems


_DECODING = 4
"""Processes that measure some 40 pictures a second each, as many as 140,000 cameras send in a quarter of an hour."""
_USERINFO = re.compile(r"//[^/\s]*@")
"""A user name and password that somebody has put into an address."""


def _network(text: str) -> str:
    try:
        ip_network(text, strict=True)
    except ValueError as error:
        raise refused("network", "{why}; write a network such as 10.20.0.0/16 or 2001:db8::/32", why=error) from error
    return text


def _zone(text: str) -> str:
    try:
        zone_of(text)
    except NoPeriod as error:
        raise refused(
            "time_zone", "there is no time zone '{given}'; write one such as Asia/Shanghai or UTC", given=text
        ) from error
    return text


def _listen(text: str) -> str:
    try:
        ip_address(text)
    except ValueError as error:
        if text != "localhost":
            raise refused(
                "listen", "this is no address of this machine; write 127.0.0.1, 0.0.0.0, :: or one of its own"
            ) from error
    return text


def _url(text: str) -> str:
    url = urlsplit(text)
    if text and not (url.scheme in ("http", "https") and url.hostname):
        raise refused(
            "public_url",
            "write the address that people type, such as https://cameras.example.org, or leave it empty",
        )
    return text


def _gateway(text: str) -> str:
    try:
        _host_and_port(text)
    except ValueError as error:
        raise refused(
            "gateway", "{why}; write an address of the network, or address:port, or leave it empty", why=error
        ) from error
    return text


def _host_and_port(text: str) -> tuple[str, int]:
    """``address`` or ``address:port`` in parts (0: no port); an IPv6 address with a port stands in brackets."""
    bare = text.count(":") > 1 and not text.startswith("[")
    parts = urlsplit(f"//[{text}]" if bare else f"//{text}")
    if text and not parts.hostname:
        raise ValueError("there is no address in it")
    return parts.hostname or "", parts.port or 0


Network = Annotated[str, AfterValidator(_network)]


class Storage(Section):
    """Where everything is kept. ``url`` empty: SQLite in the data directory."""

    directory: Path = Path("../data")
    url: str = ""
    key_file: Path | None = None
    """The key that encrypts credentials; empty: ``credentials.key`` in the data directory, made by ``init``."""
    reserve: int = Field(32, ge=0, le=10_240)
    """Megabytes of disk space that are kept back, to go on in when the disk is full; 0: none."""
    snapshot_width: int = Field(640, ge=64, le=4096)
    snapshot_days: float = Field(7, gt=0)
    picture_days: int = Field(400, ge=60)
    """Days for which is kept what pictures were like: numbers, and no pictures."""
    gone_days: int = Field(400, ge=60)
    """Days for which recordings and days of pictures of a device are kept once it has left the register."""


class Web(Section):
    """The address the service listens on, for people and for Prometheus."""

    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1"
    port: int = Field(8600, ge=0, le=65535)
    public_url: Annotated[str, AfterValidator(_url)] = ""
    session_idle: Seconds = 1800
    session_absolute: Seconds = 43200


_NARROW_ENOUGH = {4: 8, 6: 32}
"""By the version of the protocol: a network with a shorter prefix is more than one city's, if not the Internet."""


class Devices(Section):
    """Which addresses may be connected to at all. Nothing outside these networks is ever contacted."""

    networks: tuple[Network, ...] = ()


def _own_address(text: str) -> str:
    try:
        IPv4Address(text)
    except ValueError as error:
        raise refused(
            "own_address", "write an IPv4 address of this machine, by which questions to all go out"
        ) from error
    return text


class Discovery(Section):
    """Searching the device networks for what stands in them."""

    enabled: bool = False
    """Search every so often; a person can have a search begun at any time."""
    networks: tuple[Network, ...] = ()
    """What to scan; empty: all of the device networks."""
    scan: bool = True
    multicast: bool = True
    interfaces: tuple[Annotated[str, AfterValidator(_own_address)], ...] = ()
    """Addresses of this machine by which questions to all go out; empty: one that the system chooses."""
    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = Field(
        (80, 8000, 8080, 8899, 2020, 554), min_length=1, max_length=32
    )
    rate: float = Field(20, gt=0, le=1000)
    """Addresses a second."""
    at_once: int = Field(64, ge=1, le=1024)
    """Addresses under way."""
    timeout: float = Field(2, gt=0, le=30)
    every: Seconds = 86400
    """From the end of one search to the beginning of the next."""
    port: int = Field(3702, ge=1, le=65535)
    """UDP port of WS-Discovery."""

    def asked_by(self) -> tuple[str, ...]:
        """The interfaces by which questions to all go out, none if they don't; empty text: the system's choice."""
        return (self.interfaces or ("",)) if self.multicast else ()


class Poller(Section):
    """How much may be under way at once."""

    slots: int = Field(512, ge=1, le=20_000)
    per_host: int = Field(2, ge=1)
    processes: int = Field(1, ge=0, le=16)
    """That poll, each a share of the devices with its share of the slots; 0 or 1: the service polls by itself."""
    auth_quiet: Seconds = 1800
    """How long a device that refused its password is left alone."""
    gateway: Annotated[str, AfterValidator(_gateway)] = ""
    """Where the way to every device begins: knocked at when one begins to fail, registered or not. Whether the poller
    is blind is for ``canaries`` to say."""
    picture_processes: int = Field(0, ge=0, le=16)
    """That decode and measure pictures; 0: as many as ``decoding`` says."""
    canaries: tuple[str, ...] = ()
    """Devices, by id or address, that answer whenever we see anything at all; if none does, the poller is blind."""

    @property
    def decoding(self) -> int:
        """How many processes decode: if nothing is said, one for each processor, until more would only cost memory."""
        return self.picture_processes or min(_DECODING, len(os.sched_getaffinity(0)))

    def gateway_address(self) -> tuple[str, int] | None:
        """Host and port (0: none named) of the gateway, if one is set."""
        return _host_and_port(self.gateway) if self.gateway else None


class Incidents(Section):
    """When many faults are one incident, and how bad incidents are."""

    window: Seconds = 60
    minimum: int = Field(8, ge=2)
    severities: dict[Cause, Severity] = Field(default_factory=dict)

    def policy(self) -> IncidentPolicy:
        plain = IncidentPolicy(self.window, self.minimum)
        return IncidentPolicy(self.window, self.minimum, {**plain.severities, **self.severities})


class Notices(Section):
    """What becomes of notices that were told. ``keep_days``: how long they and the log of their delivery are kept."""

    keep_days: float = Field(90, ge=1)


class ObservationLog(Section):
    """Everything that decisions depend on, as JSON lines for ``replay``. ``directory`` empty: ``observations`` in the
    data directory. A file that has so many megabytes is compressed; so many files are kept, each with a checkpoint."""

    enabled: bool = False
    directory: Path | None = None
    megabytes: float = Field(512, gt=0)
    files: int = Field(20, ge=2)


class Logs(Section):
    """What is written to standard error, one JSON object or one line of text a record."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "text"] = "text"


class Settings(Section):
    """Everything an operator can set."""

    language: Literal["zh", "en"] = "zh"
    time_zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    storage: Storage = Storage()
    web: Web = Web()
    devices: Devices = Devices()
    discovery: Discovery = Discovery()
    probes: Probes = Probes()
    poller: Poller = Poller()
    health: Health = Health()
    incidents: Incidents = Incidents()
    dispatch: Dispatch = Dispatch()
    channels: tuple[AnyChannel, ...] = ()
    notices: Notices = Notices()
    photographs: Photographs = Photographs()
    callback: Callback = Callback()
    heartbeat: Heartbeat = Heartbeat()
    observation_log: ObservationLog = ObservationLog()
    logs: Logs = Logs()

    def dispatch_policy(self) -> DispatchPolicy:
        """Who is sent for what."""
        return self.dispatch.policy(self.incidents.minimum, self.time_zone)

    @model_validator(mode="after")
    def _gateway_is_allowed(self) -> Self:
        host = (self.poller.gateway_address() or ("", 0))[0]
        try:
            outside = scanning.outside((host,), self.devices.networks)
        except ValueError:
            return self  # none, or a name, whose address is looked at when it is asked
        if outside:
            raise refused(
                "gateway_outside",
                "poller.gateway: {host} is outside devices.networks, and nothing outside is ever contacted: add its "
                "network there",
                host=host,
            )
        return self

    @field_validator("discovery")
    @classmethod
    def _within(cls, discovery: Discovery, given: ValidationInfo) -> Discovery:
        devices = given.data.get("devices")
        if isinstance(devices, Devices):
            outside = scanning.outside(discovery.networks, devices.networks)
            if outside:
                raise refused(
                    "discovery_outside",
                    "networks: {networks} is outside [devices] networks; nothing outside them is ever asked",
                    networks=", ".join(outside),
                )
            if discovery.enabled and discovery.scan:
                try:
                    scanning.Walk(discovery.networks or devices.networks)
                except ValueError as error:
                    raise refused("scan", "{why}", why=error) from error
        return discovery


def too_wide(networks: Sequence[str]) -> tuple[str, ...]:
    """Those of the networks that hold much more than anybody's cameras."""
    parsed = ((network, ip_network(network)) for network in networks)
    return tuple(text for text, network in parsed if network.prefixlen < _NARROW_ENOUGH[network.version])


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings with the file they came from."""

    settings: Settings
    path: Path


def load(path: Path) -> Loaded:
    """Read the settings file. Raises SettingsError that lists every problem at once."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        told = Wrong("", "no_file", "there is no such file; copy config/camera_registry.toml and edit it")
        raise SettingsError(str(path), told) from error
    except UnicodeDecodeError as error:
        told = Wrong("", "no_utf8", "it is not text in UTF-8: save it anew in that encoding")
        raise SettingsError(str(path), told) from error
    except OSError as error:
        reason = error.strerror
        told = Wrong("", "unreadable", f"it can't be read: {reason}", {"reason": reason})
        raise SettingsError(str(path), told) from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told = Wrong("", "no_toml", f"it is not valid TOML: {error}", {"reason": error})
        raise SettingsError(str(path), told) from error
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(str(path), *(_wrong(dict(problem)) for problem in error.errors())) from error
    directory = (path.parent / settings.storage.directory).resolve()
    key_file = settings.storage.key_file
    storage = settings.storage.model_copy(
        update={
            "directory": directory,
            "key_file": (path.parent / key_file).resolve() if key_file else directory / "credentials.key",
        }
    )
    kept = settings.observation_log
    if kept.directory is not None:
        kept = kept.model_copy(update={"directory": (path.parent / kept.directory).resolve()})
    channels, callback = located(settings.channels, path.parent), settings.callback.located(path.parent)
    if problems := (*flaws(channels), *callback.flaws()):
        raise SettingsError(str(path), *problems)
    made = {"storage": storage, "channels": channels, "callback": callback, "observation_log": kept}
    return Loaded(settings.model_copy(update=made), path)


def _wrong(problem: dict[str, Any]) -> Wrong:
    """One pydantic error, with the key as it is written in the file."""
    key = ".".join(str(part) for part in problem["loc"] if part != "[key]")
    if problem["type"] == "extra_forbidden":
        return Wrong(key, "extra_forbidden", "unknown key; check its spelling and its [section], or remove it")
    given = problem.get("input")
    shown = _USERINFO.sub("//***@", repr(given)) if isinstance(given, str | int | float | bool) else ""
    message = str(problem["msg"]).removeprefix("Value error, ")
    told = f"{message} (given: {shown})" if shown else message
    limits = {name: f"{it:g}" if isinstance(it, float) else it for name, it in problem.get("ctx", {}).items()}
    return Wrong(key, problem["type"], told, {"message": message, **limits, "given": shown})
