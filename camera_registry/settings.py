"""This file turns annotated TOML into frozen settings, and every mistake in it into one sentence with its key.

Durations are seconds. Paths are relative to the settings file. Keys that end in ``_file`` name a file that holds a
secret; no secret stands in the settings themselves.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from camera_registry.channels import AnyChannel, Heartbeat, flaws, located
from camera_registry.model.device import Kind, TrafficKind
from camera_registry.model.health import Cause
from camera_registry.model.incident import Severity
from camera_registry.model.place import SiteCategory
from camera_registry.model.policy import (
    FAILURES_BY_CAUSE,
    HOLD_BY_CAUSE,
    IncidentPolicy,
    Pace,
    PicturePolicy,
    Policies,
    Policy,
    PollPolicy,
    RecordingPolicy,
    StreamPolicy,
)
from camera_registry.model.probe import PROBES
from camera_registry.rules import scanning


class SettingsError(Exception):
    """The settings can't be used. ``problems`` lists every reason with its key and its remedy."""

    def __init__(self, place: str, problems: tuple[str, ...]) -> None:
        super().__init__(f"{place}: " + "; ".join(problems))
        self.place = place
        self.problems = problems


_USERINFO = re.compile(r"//[^/\s]*@")
"""A user name and password that somebody has put into an address."""


def _network(text: str) -> str:
    try:
        ip_network(text, strict=True)
    except ValueError as error:
        raise ValueError(f"{error}; write a network such as 10.20.0.0/16 or 2001:db8::/32") from error
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"there is no time zone {text!r}; write one such as Asia/Shanghai or UTC") from error
    return text


def _probe(text: str) -> str:
    if text not in PROBES:
        raise ValueError(f"there is no probe {text!r}; choose from {', '.join(PROBES)}")
    return text


def _listen(text: str) -> str:
    try:
        ip_address(text)
    except ValueError as error:
        if text != "localhost":
            raise ValueError(
                "this is no address of this machine; write 127.0.0.1, 0.0.0.0, :: or one of its own"
            ) from error
    return text


def _url(text: str) -> str:
    url = urlsplit(text)
    if text and not (url.scheme in ("http", "https") and url.hostname):
        raise ValueError("write the address that people type, such as https://cameras.example.org, or leave it empty")
    return text


def _gateway(text: str) -> str:
    try:
        _host_and_port(text)
    except ValueError as error:
        raise ValueError(f"{error}; write an address of the network, or address:port, or leave it empty") from error
    return text


def _host_and_port(text: str) -> tuple[str, int]:
    """``address`` or ``address:port`` in parts (0: no port); an IPv6 address with a port stands in brackets."""
    bare = text.count(":") > 1 and not text.startswith("[")
    parts = urlsplit(f"//[{text}]" if bare else f"//{text}")
    if text and not parts.hostname:
        raise ValueError("there is no address in it")
    return parts.hostname or "", parts.port or 0


Seconds = Annotated[float, Field(gt=0)]
Network = Annotated[str, AfterValidator(_network)]
Probe = Annotated[str, AfterValidator(_probe)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Storage(_Section):
    """Where everything is kept. ``url`` empty: SQLite in the data directory."""

    directory: Path = Path("../data")
    url: str = ""
    key_file: Path | None = None
    """The key that encrypts credentials; empty: ``credentials.key`` in the data directory, made by ``init``."""
    snapshot_width: int = Field(640, ge=64, le=4096)
    snapshot_days: float = Field(7, gt=0)


class Web(_Section):
    """The address the service listens on, for people and for Prometheus."""

    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1"
    port: int = Field(8600, ge=0, le=65535)
    public_url: Annotated[str, AfterValidator(_url)] = ""
    session_idle: Seconds = 1800
    session_absolute: Seconds = 43200


_NARROW_ENOUGH = {4: 8, 6: 32}
"""By the version of the protocol: a network with a shorter prefix is more than one city's, if not the Internet."""


class Devices(_Section):
    """Which addresses may be connected to at all. Nothing outside these networks is ever contacted."""

    networks: tuple[Network, ...] = ()


def _own_address(text: str) -> str:
    try:
        IPv4Address(text)
    except ValueError as error:
        raise ValueError("write an IPv4 address of this machine, by which questions to all go out") from error
    return text


class Discovery(_Section):
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


class ProbeSettings(_Section):
    """How often one probe asks, and how long it waits."""

    interval: Seconds = 60
    timeout: Seconds = 5

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.timeout >= self.interval:
            raise ValueError(
                f"timeout ({self.timeout:g} s) must be shorter than interval ({self.interval:g} s): "
                "lower the timeout or ask less often"
            )
        return self


def _probes_by_kind() -> dict[Kind, tuple[Probe, ...]]:
    return {
        Kind.CAMERA: ("onvif", "rtsp", "snapshot", "tls"),
        Kind.TRAFFIC_UNIT: ("onvif", "rtsp", "snapshot", "tls"),
        Kind.RECORDER: ("onvif", "rtsp", "snapshot", "recording", "tls"),
        Kind.NETWORK: ("tcp", "tls", "http", "snmp"),
        Kind.MOBILE_UNIT: ("tcp", "rtsp"),
    }


def _probes_by_traffic_kind() -> dict[TrafficKind, tuple[Probe, ...]]:
    return dict.fromkeys((TrafficKind.SIGNAL, TrafficKind.GUIDANCE), ("tcp", "tls", "http", "snmp"))


_PLAYED_WITHIN = 3.0
"""Seconds that a stream has to set up its session and send a key frame, where it is then played for a while."""


class _ProbesBase(_Section):
    """Settings of all probes; those of each one are made from the table of probes."""

    rtsp_frames: bool = False
    """Play each stream until its first key frame (costs bandwidth and one session), not only DESCRIBE it."""
    rtsp_seconds: float = Field(0, ge=0)
    """Play each stream for so long and measure its frame rate; 0: don't."""
    onvif_refresh: Seconds = 3600
    """How old the profiles and addresses that a device told may grow before it is asked for them again."""
    by_kind: dict[Kind, tuple[Probe, ...]] = Field(default_factory=_probes_by_kind)
    """Which probes each kind of device gets, unless its register entry says otherwise: those whose port it has, and
    ``http`` only with a path."""
    by_traffic_kind: dict[TrafficKind, tuple[Probe, ...]] = Field(default_factory=_probes_by_traffic_kind)
    """The same for traffic units that differ from others by having no picture."""

    @model_validator(mode="after")
    def _played_in_time(self) -> Self:
        timeout = self.of("rtsp").timeout
        if self.rtsp_seconds and self.rtsp_seconds > timeout - _PLAYED_WITHIN:
            raise ValueError(
                f"rtsp_seconds ({self.rtsp_seconds:g} s) must leave {_PLAYED_WITHIN:g} s of [probes.rtsp] timeout "
                f"({timeout:g} s) for the first key frame: play for a shorter time or raise the timeout"
            )
        return self

    def of(self, probe: str) -> ProbeSettings:
        """The settings of one probe. Raises AttributeError for a name that is not in the table."""
        return cast("ProbeSettings", getattr(self, probe))

    def policy(self) -> PollPolicy:
        paces = {name: Pace(self.of(name).interval, self.of(name).timeout) for name in PROBES}
        options: dict[str, dict[str, object]] = {
            "rtsp": {"frames": self.rtsp_frames, "seconds": self.rtsp_seconds},
            "onvif": {"refresh": self.onvif_refresh},
        }
        return PollPolicy(paces, self.by_kind, self.by_traffic_kind, options)


def _paces() -> dict[str, Any]:
    """A section for each probe, whose defaults are the probe's own, so that a file may give one and leave the other."""
    made: dict[str, Any] = {}
    for name, kind in PROBES.items():
        pace = {"interval": (Seconds, kind.interval), "timeout": (Seconds, kind.timeout)}
        section = create_model(f"Probe_{name}", __base__=ProbeSettings, **cast("Any", pace))
        made[name] = (section, section())
    return made


Probes = create_model("Probes", __base__=_ProbesBase, **_paces())


class Poller(_Section):
    """How much may be under way at once."""

    slots: int = Field(512, ge=1, le=20_000)
    per_host: int = Field(2, ge=1)
    auth_quiet: Seconds = 1800
    """How long a device that refused its password is left alone."""
    gateway: Annotated[str, AfterValidator(_gateway)] = ""
    """What must answer as long as this poller is connected at all, beside its devices: the site's gateway."""
    picture_processes: int = Field(1, ge=1, le=16)
    canaries: tuple[str, ...] = ()
    """Devices, by id or address, that answer whenever we see anything at all; if none does, the poller is blind."""

    def gateway_address(self) -> tuple[str, int] | None:
        """Host and port (0: none named) of the gateway, if one is set."""
        return _host_and_port(self.gateway) if self.gateway else None


class _HealthBase(_Section):
    """What may differ between devices."""

    failures: int = Field(3, ge=1)
    recoveries: int = Field(2, ge=1)
    retry: Seconds = 10
    stale_intervals: float = Field(2.5, gt=1)
    clock_limit: Seconds = 30
    certificate_days: float = Field(30, ge=0)
    failures_by_cause: dict[Cause, Annotated[int, Field(ge=1)]] = Field(default_factory=lambda: dict(FAILURES_BY_CAUSE))
    flapping_start: float = Field(0.30, gt=0, le=1)
    flapping_end: float = Field(0.25, gt=0, le=1)
    hold: float = Field(60, ge=0)
    hold_by_cause: dict[Cause, Annotated[float, Field(ge=0)]] = Field(default_factory=lambda: dict(HOLD_BY_CAUSE))
    black_luma: float = Field(24, ge=0, le=255)
    flat_share: float = Field(0.80, gt=0, le=1)
    frame_rate_share: float = Field(0.5, gt=0, le=1)
    frame_rate_seconds: Seconds = 2
    recording_age_limit: Seconds = 1800
    recording_gap_limit: Seconds = 1800


_PARTS: Mapping[str, Mapping[str, str]] = {
    "picture": {"black_luma": "black_luma", "flat_share": "flat_share"},
    "stream": {"frame_rate_share": "rate_share", "frame_rate_seconds": "rate_seconds"},
    "recording": {"recording_age_limit": "age_limit", "recording_gap_limit": "gap_limit"},
}
"""Fields of ``Policy`` that hold limits of their own: by key of [health], the field of theirs."""


def _of_policy(given: dict[str, Any]) -> dict[str, Any]:
    """Keys of [health] as fields of ``Policy``."""
    for part, keys in _PARTS.items():
        if values := {name: given.pop(key) for key, name in keys.items() if key in given}:
            given[part] = values
    return given


def _optional() -> dict[str, Any]:
    """Every key of [health] as one that may stand there or not."""
    fields = _HealthBase.model_fields.items()
    return {name: (Annotated[(field.annotation, "", *field.metadata)] | None, None) for name, field in fields}


Overrides = create_model("Overrides", __base__=_Section, **_optional())


class Health(_HealthBase):
    """When a reading becomes a state, and a state an incident. What is overridden counts for the kind, then for the
    category of the site, then for the device itself."""

    by_kind: dict[Kind, Overrides] = Field(default_factory=dict)
    by_site_category: dict[SiteCategory, Overrides] = Field(default_factory=dict)
    by_device: dict[str, Overrides] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ends_below_start(self) -> Self:
        sections: list[Any] = [*self.by_kind.values(), *self.by_site_category.values(), *self.by_device.values()]
        for section in (self, *sections):
            start, end = section.flapping_start or self.flapping_start, section.flapping_end or self.flapping_end
            if end > start:
                raise ValueError(
                    f"flapping_end ({end:g}) must not be above flapping_start ({start:g}), or it would end as it begins"
                )
        return self

    def policy(self) -> Policies:
        own = {name: getattr(self, name) for name in _HealthBase.model_fields}
        base = _of_policy(own)
        base["picture"] = PicturePolicy(**base["picture"])
        base["stream"] = StreamPolicy(**base["stream"])
        base["recording"] = RecordingPolicy(**base["recording"])

        def overrides(sections: dict[Any, Any]) -> dict[Any, dict[str, Any]]:
            return {key: _of_policy(section.model_dump(exclude_none=True)) for key, section in sections.items()}

        return Policies(
            Policy(**base),
            overrides(self.by_kind),
            overrides(self.by_site_category),
            overrides(self.by_device),
        )


class Incidents(_Section):
    """When many faults are one incident, and how bad incidents are."""

    window: Seconds = 60
    minimum: int = Field(8, ge=2)
    severities: dict[Cause, Severity] = Field(default_factory=dict)

    def policy(self) -> IncidentPolicy:
        plain = IncidentPolicy(self.window, self.minimum)
        return IncidentPolicy(self.window, self.minimum, {**plain.severities, **self.severities})


class Notices(_Section):
    """What becomes of notices that were told. ``keep_days``: how long they and the log of their delivery are kept."""

    keep_days: float = Field(90, ge=1)


class Logs(_Section):
    """What is written to standard error, one JSON object or one line of text a record."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "text"] = "text"


class Settings(_Section):
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
    channels: tuple[AnyChannel, ...] = ()
    notices: Notices = Notices()
    heartbeat: Heartbeat = Heartbeat()
    logs: Logs = Logs()

    @model_validator(mode="after")
    def _gateway_is_allowed(self) -> Self:
        host = (self.poller.gateway_address() or ("", 0))[0]
        try:
            address = ip_address(host)
        except ValueError:
            return self  # none, or a name, whose address is looked at when it is asked
        if not any(address in ip_network(network) for network in self.devices.networks):
            raise ValueError(
                f"poller.gateway: {host} is outside devices.networks, and nothing outside is ever contacted: add its "
                "network there"
            )
        return self

    @field_validator("discovery")
    @classmethod
    def _within(cls, discovery: Discovery, given: ValidationInfo) -> Discovery:
        devices = given.data.get("devices")
        if isinstance(devices, Devices):
            outside = scanning.outside(discovery.networks, devices.networks)
            if outside:
                raise ValueError(
                    f"networks: {', '.join(outside)} is outside [devices] networks; nothing outside them is ever asked"
                )
            if discovery.enabled and discovery.scan:
                scanning.Walk(discovery.networks or devices.networks)
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
        raise SettingsError(
            str(path), ("there is no such file; copy config/camera_registry.toml and edit it",)
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(str(path), (f"it can't be read: {reason}",)) from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(path), (f"it is not valid TOML: {error}",)) from error
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(str(path), tuple(_sentence(dict(problem)) for problem in error.errors())) from error
    directory = (path.parent / settings.storage.directory).resolve()
    key_file = settings.storage.key_file
    storage = settings.storage.model_copy(
        update={
            "directory": directory,
            "key_file": (path.parent / key_file).resolve() if key_file else directory / "credentials.key",
        }
    )
    channels = located(settings.channels, path.parent)
    if problems := tuple(flaws(channels)):
        raise SettingsError(str(path), problems)
    return Loaded(settings.model_copy(update={"storage": storage, "channels": channels}), path)


def _sentence(problem: dict[str, object]) -> str:
    """One pydantic error as a sentence that names the key as it is written in the file."""
    location = problem["loc"]
    assert isinstance(location, tuple)
    key = ".".join(str(part) for part in location if part != "[key]")
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key; check its spelling and its [section], or remove it"
    message = str(problem["msg"]).removeprefix("Value error, ")
    given = problem.get("input")
    shown = f" (given: {given!r})" if isinstance(given, str | int | float | bool) else ""
    told = f"{message}{_USERINFO.sub('//***@', shown)}"
    return f"{key}: {told}" if key else message
