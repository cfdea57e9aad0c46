"""This file turns the settings of health into the policy of each device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, create_model, model_validator

from camera_registry.model.baseline import Persistence
from camera_registry.model.device import Kind
from camera_registry.model.health import Cause
from camera_registry.model.place import SiteCategory
from camera_registry.model.policy import (
    FAILURES_BY_CAUSE,
    HOLD_BY_CAUSE,
    PERSISTENCE,
    PicturePolicy,
    Policies,
    Policy,
    RecordingPolicy,
    StreamPolicy,
    WeatherPolicy,
)
from camera_registry.settings_section import Seconds, Section, refused


class _Persistence(Section):
    """How long a cause must be seen in pictures; see ``model.baseline.Persistence``."""

    pictures: int = Field(3, ge=1)
    of: int = Field(4, ge=1, le=20)
    seconds: float = Field(1800, ge=0)
    recoveries: int = Field(2, ge=1)
    sure: float = Field(0, ge=0, le=1)
    doubtful: float = Field(0, ge=0)

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.pictures > self.of:
            raise refused(
                "pictures_above",
                "pictures ({pictures}) must not be above of ({of}), or it would never be seen",
                pictures=self.pictures,
                of=self.of,
            )
        return self


class _Weather(Section):
    """When what many cameras of an area show at once is weather; see ``model.policy.WeatherPolicy``."""

    cameras: int = Field(WeatherPolicy.cameras, ge=2)
    showing: int = Field(WeatherPolicy.showing, ge=2)
    share: float = Field(WeatherPolicy.share, gt=0, le=1)
    comes: Seconds = WeatherPolicy.comes
    together: int = Field(WeatherPolicy.together, ge=2)
    share_together: float = Field(WeatherPolicy.share_together, gt=0, le=1)
    late: Seconds = WeatherPolicy.late
    clears: Seconds = WeatherPolicy.clears
    longest: Seconds = WeatherPolicy.longest


class _HealthBase(Section):
    """What may differ between devices."""

    failures: int = Field(3, ge=1)
    recoveries: int = Field(2, ge=1)
    retry: Seconds = 10
    stale_intervals: float = Field(2.5, gt=1)
    unasked_factor: float = Field(4, ge=1)
    clock_limit: Seconds = 30
    certificate_days: float = Field(30, ge=0)
    failures_by_cause: dict[Cause, Annotated[int, Field(ge=1)]] = Field(default_factory=lambda: dict(FAILURES_BY_CAUSE))
    flapping_start: float = Field(0.30, gt=0, le=1)
    flapping_end: float = Field(0.25, gt=0, le=1)
    hold: float = Field(60, ge=0)
    hold_by_cause: dict[Cause, Annotated[float, Field(ge=0)]] = Field(default_factory=lambda: dict(HOLD_BY_CAUSE))
    black_luma: float = Field(24, ge=0, le=255)
    flat_share: float = Field(0.80, gt=0, le=1)
    persistence: dict[Cause, _Persistence] = Field(default_factory=dict)
    """What differs from ``model.policy.PERSISTENCE``."""
    may_move: bool = False
    lens_fall: float = Field(0.25, gt=0, lt=1)
    lens_limit: float = Field(0.5, gt=0, lt=1)
    frame_rate_share: float = Field(0.5, gt=0, le=1)
    frame_rate_seconds: Seconds = 2
    recording_age_limit: Seconds = 1800
    recording_gap_limit: Seconds = 1800


_PARTS: Mapping[str, Mapping[str, str]] = {
    "picture": {
        "black_luma": "black_luma",
        "flat_share": "flat_share",
        "persistence": "persistence",
        "may_move": "may_move",
        "lens_fall": "lens_fall",
        "lens_limit": "lens_limit",
    },
    "stream": {"frame_rate_share": "rate_share", "frame_rate_seconds": "rate_seconds"},
    "recording": {"recording_age_limit": "age_limit", "recording_gap_limit": "gap_limit"},
}
"""Fields of ``Policy`` that hold limits of their own: by key of [health], the field of theirs."""


def _of_policy(given: dict[str, Any]) -> dict[str, Any]:
    """Keys of [health] as fields of ``Policy``."""
    for part, keys in _PARTS.items():
        if values := {name: given.pop(key) for key, name in keys.items() if key in given}:
            given[part] = values
    if own := given.get("picture", {}).pop("persistence", None):
        given["picture"]["persistence"] = {**PERSISTENCE, **{cause: _persistence(one) for cause, one in own.items()}}
    return given


def _persistence(given: _Persistence | dict[str, Any]) -> Persistence:
    whole = given if isinstance(given, _Persistence) else _Persistence(**given)
    return Persistence(**whole.model_dump())


def _optional() -> dict[str, Any]:
    """Every key of [health] as one that may stand there or not."""
    fields = _HealthBase.model_fields.items()
    return {name: (Annotated[(field.annotation, "", *field.metadata)] | None, None) for name, field in fields}


Overrides = create_model("Overrides", __base__=Section, **_optional())


class Health(_HealthBase):
    """When a reading becomes a state, and a state an incident. What is overridden counts for the kind, then for the
    category of the site, then for the device itself."""

    weather: _Weather = Field(default_factory=_Weather)
    """The same for all devices, for it is told of many together."""
    by_kind: dict[Kind, Overrides] = Field(default_factory=dict)
    by_site_category: dict[SiteCategory, Overrides] = Field(default_factory=dict)
    by_device: dict[str, Overrides] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ends_below_start(self) -> Self:
        sections: list[Any] = [*self.by_kind.values(), *self.by_site_category.values(), *self.by_device.values()]
        for section in (self, *sections):
            start, end = section.flapping_start or self.flapping_start, section.flapping_end or self.flapping_end
            if end > start:
                raise refused(
                    "flapping",
                    "flapping_end ({end}) must not be above flapping_start ({start}), or it would end as it begins",
                    end=f"{end:g}",
                    start=f"{start:g}",
                )
        return self

    def policy(self) -> Policies:
        own = {name: getattr(self, name) for name in _HealthBase.model_fields}
        base = _of_policy(own)
        base["picture"] = PicturePolicy(**base["picture"], weather=WeatherPolicy(**self.weather.model_dump()))
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
