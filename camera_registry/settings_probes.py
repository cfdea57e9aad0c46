"""This file turns the settings of probes into what each kind of device is asked, how often and how patiently."""

from __future__ import annotations

from typing import Annotated, Any, Self, cast

from pydantic import AfterValidator, Field, create_model, model_validator

from camera_registry.model.device import Kind, TrafficKind
from camera_registry.model.place import SiteCategory
from camera_registry.model.policy import Intervals, Pace, PollPolicy
from camera_registry.model.probe import PROBES
from camera_registry.settings_section import Seconds, Section, refused


def _probe(text: str) -> str:
    if text not in PROBES:
        raise refused(
            "no_probe", "there is no probe '{given}'; choose from {known}", given=text, known=", ".join(PROBES)
        )
    return text


Probe = Annotated[str, AfterValidator(_probe)]


class ProbeSettings(Section):
    """How often one probe asks, and how long it waits."""

    interval: Seconds = 60
    timeout: Seconds = 5

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.timeout >= self.interval:
            raise refused(
                "timeout",
                "timeout ({timeout} s) must be shorter than interval ({interval} s): "
                "lower the timeout or ask less often",
                timeout=f"{self.timeout:g}",
                interval=f"{self.interval:g}",
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


class ProbeIntervals(Section):
    """How often devices are asked, in seconds, where it is not as often as each probe's own section says."""

    by_kind: dict[Kind, Seconds] = Field(default_factory=dict)
    by_site_category: dict[SiteCategory, Seconds] = Field(default_factory=dict)
    """Of whatever shows a view of such a site, and of all that it stands behind; never less often than otherwise."""
    by_site: dict[str, Seconds] = Field(default_factory=dict)
    """The same for one site, by its identifier; in place of its category's. The register's own goes before both."""


class _ProbesBase(Section):
    """Settings of all probes; those of each one are made from the table of probes."""

    rtsp_frames: bool = False
    """Play each stream until its first key frame (costs bandwidth and one session), not only DESCRIBE it."""
    rtsp_seconds: float = Field(0, ge=0)
    """Play each stream for so long and measure its frame rate; 0: don't."""
    onvif_refresh: Seconds = 3600
    """How old the profiles and addresses that a device told may grow before it is asked for them again."""
    onvif_identity: float = Field(0, ge=0)
    """How old what a device told of itself (serial, firmware) may grow before it is asked again; 0: each time."""
    long_down: Seconds = 86400
    """How long a device must have been down to be asked less often; one that carries others never is."""
    long_down_factor: float = Field(5, ge=1, le=60)
    """By how much its intervals are longer then, until it answers; 1: never."""
    by_kind: dict[Kind, tuple[Probe, ...]] = Field(default_factory=_probes_by_kind)
    """Which probes each kind of device gets, unless its register entry says otherwise: those whose port it has, and
    ``http`` only with a path."""
    by_traffic_kind: dict[TrafficKind, tuple[Probe, ...]] = Field(default_factory=_probes_by_traffic_kind)
    """The same for traffic units that differ from others by having no picture."""

    intervals: ProbeIntervals = ProbeIntervals()

    @model_validator(mode="after")
    def _played_in_time(self) -> Self:
        timeout = self.of("rtsp").timeout
        if self.rtsp_seconds and self.rtsp_seconds > timeout - _PLAYED_WITHIN:
            raise refused(
                "rtsp_seconds",
                "rtsp_seconds ({seconds} s) must leave {first} s of [probes.rtsp] timeout ({timeout} s) for the first "
                "key frame: play for a shorter time or raise the timeout",
                seconds=f"{self.rtsp_seconds:g}",
                first=f"{_PLAYED_WITHIN:g}",
                timeout=f"{timeout:g}",
            )
        return self

    def of(self, probe: str) -> ProbeSettings:
        """The settings of one probe. Raises AttributeError for a name that is not in the table."""
        return cast("ProbeSettings", getattr(self, probe))

    def policy(self) -> PollPolicy:
        paces = {name: Pace(self.of(name).interval, self.of(name).timeout) for name in PROBES}
        options: dict[str, dict[str, object]] = {
            "rtsp": {"frames": self.rtsp_frames, "seconds": self.rtsp_seconds},
            "onvif": {"refresh": self.onvif_refresh, "identity": self.onvif_identity},
        }
        return PollPolicy(
            paces,
            self.by_kind,
            self.by_traffic_kind,
            options,
            self.long_down,
            self.long_down_factor,
            Intervals(self.intervals.by_kind, self.intervals.by_site_category, self.intervals.by_site),
        )


def _paces() -> dict[str, Any]:
    """A section for each probe, whose defaults are the probe's own, so that a file may give one and leave the other."""
    made: dict[str, Any] = {}
    for name, kind in PROBES.items():
        pace = {"interval": (Seconds, kind.interval), "timeout": (Seconds, kind.timeout)}
        section = create_model(f"Probe_{name}", __base__=ProbeSettings, **cast("Any", pace))
        made[name] = (section, section())
    return made


Probes = create_model("Probes", __base__=_ProbesBase, **_paces())
