"""Fault scripts: annotated TOML that says which fault begins when, for how long and on which devices.

seed = 7                                  # chooses the devices of `pick`; the same seed chooses the same
[[step]]
at = 30                                   # seconds after the start
for = 60                                  # seconds; left out: until the end
fault = "clock_drift"                     # see camera_registry.simulator.faults
seconds = 86400                           # options of the fault
target = "cam-00007"                      # one device or a list of them, or
pick = { kind = "camera", count = 2 }     # so many that fit: kind, traffic_kind, area, maker, parent, leaf
optional = true                           # left out where the fleet has too few that fit
note = "the fibre was cut"                # what really happened, for the one who reads along
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from camera_registry.model.device import Kind
from camera_registry.simulator.faults import OF_ENCRYPTION, SILENT, Fault, FaultError, options_of
from camera_registry.simulator.member import Member
from camera_registry.simulator.plan import Fleet
from camera_registry.texts import Texts
from camera_registry.texts.errors import TellableError

STEP_KEYS = frozenset({"at", "for", "fault", "target", "pick", "optional", "note"})
_NAMED = 5
"""Devices of an event that are told by name."""

PICK_KEYS = frozenset({"kind", "traffic_kind", "area", "maker", "parent", "leaf", "count"})


class ScriptError(TellableError):
    """A fault script can't be used; the message says where in it, why, and what to do."""

    section = "script_error"


@dataclass(frozen=True, slots=True)
class Pick:
    """Any ``count`` devices that fit. ``area``: in it or below; ``leaf``: no switch hangs on it (false: one does)."""

    count: int = 1
    kind: str = ""
    traffic_kind: str = ""
    area: str = ""
    maker: str = ""
    parent: str = ""
    leaf: bool | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One fault as the script has it. Times are seconds; ``lasts`` None: until the end."""

    at: float
    lasts: float | None
    fault: Fault
    options: Mapping[str, float]
    targets: tuple[str, ...]
    pick: Pick | None
    optional: bool
    note: str


@dataclass(frozen=True, slots=True)
class Event:
    """A fault that begins (or, ``ends``, is over) ``at`` seconds after the start on these devices."""

    at: float
    fault: Fault
    devices: tuple[str, ...]
    options: Mapping[str, float]
    ends: bool
    note: str

    def told(self, words: Texts) -> str:
        """What happens, in a language."""
        names, more = ", ".join(self.devices[:_NAMED]), len(self.devices) - _NAMED
        devices = words("simulate.more", names=names, more=more) if more > 0 else names
        key = "simulate.ends" if self.ends else "simulate.begins"
        return words(key, at=f"{self.at:g}", fault=self.fault.value, devices=devices) + (
            words("simulate.note", note=self.note) if self.note else ""
        )


@dataclass(frozen=True, slots=True)
class Script:
    """A time line of faults, not yet tied to a fleet. ``place`` is where it came from, for messages."""

    place: str
    seed: int
    steps: tuple[Step, ...]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises ScriptError."""
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise ScriptError("no_file", place=path) from error
        except (OSError, UnicodeDecodeError) as error:
            raise ScriptError("unreadable", place=path, why=error) from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, place: str = "fault script") -> Self:
        """Raises ScriptError."""
        try:
            raw = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ScriptError("no_toml", place=place, why=error) from error
        _only(raw, frozenset({"seed", "step"}), place)
        seed, steps = raw.get("seed", 1), raw.get("step", [])
        if not isinstance(seed, int):
            raise ScriptError("seed", place=place, given=seed)
        if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
            raise ScriptError("steps", place=place)
        return cls(place, seed, tuple(_step(step, f"{place}, step {number}") for number, step in enumerate(steps, 1)))

    def resolve(self, fleet: Fleet) -> tuple[Event, ...]:
        """The time line for this fleet, in order; the same fleet and seed give the same. Devices are picked apart: none
        twice, and none beneath a picked device that goes silent. Raises ScriptError."""
        rng = random.Random(f"{self.seed} {fleet.seed}")  # noqa: S311 - must repeat
        taken = {target for step in self.steps for target in step.targets}
        events: list[Event] = []
        for number, step in enumerate(self.steps, 1):
            devices = _devices(step, fleet, taken, rng, f"{self.place}, step {number}")
            for device in devices:
                taken.update(fleet.beneath(device) if _silences(step.fault) else (device,))
            if not devices:
                continue
            events.append(Event(step.at, step.fault, devices, step.options, ends=False, note=step.note))
            if step.lasts is not None:
                events.append(Event(step.at + step.lasts, step.fault, devices, {}, ends=True, note=step.note))
        return tuple(sorted(events, key=lambda event: event.at))


def _devices(step: Step, fleet: Fleet, taken: set[str], rng: random.Random, place: str) -> tuple[str, ...]:
    """The devices of a step; none for an optional one that can't be. Raises ScriptError."""
    unknown = [target for target in step.targets if target not in fleet.by_id]
    if unknown:
        raise ScriptError("no_target", place=place, target=unknown[0], devices=len(fleet.members))
    if step.pick is None:
        return step.targets
    pick = step.pick
    fitting = [
        member.id
        for member in fleet.members
        if _fits(member, pick, fleet) and _can_have(member, step.fault) and member.id not in taken
    ]
    if _silences(step.fault):
        fitting = [device for device in fitting if taken.isdisjoint(fleet.beneath(device))]
    if len(fitting) < pick.count:
        if step.optional:
            return ()
        raise ScriptError("too_few", place=place, wanted=pick.count, fit=len(fitting))
    return tuple(rng.sample(fitting, pick.count))


def _can_have(member: Member, fault: Fault) -> bool:
    """Whether anything would be seen of this fault on this device."""
    if fault in OF_ENCRYPTION:
        return member.encrypts
    if fault is Fault.ON_BATTERY:
        return member.manages
    return fault is not Fault.POE_OFF or bool(member.device.parent_port and not member.manages)


def _silences(fault: Fault) -> bool:
    return fault in SILENT or fault is Fault.FLAPPING


def _fits(member: Member, pick: Pick, fleet: Fleet) -> bool:
    device = member.device
    return (
        (not pick.kind or device.kind == pick.kind)
        and (not pick.traffic_kind or device.traffic_kind == pick.traffic_kind)
        and (not pick.area or pick.area in fleet.areas_of(device.area))
        and (not pick.maker or member.maker.name == pick.maker)
        and (not pick.parent or device.parent == pick.parent)
        and (pick.leaf is None or pick.leaf is not _has_switches(member, fleet))
    )


def _has_switches(member: Member, fleet: Fleet) -> bool:
    return any(fleet.by_id[child].device.kind is Kind.NETWORK for child in fleet.children.get(member.id, ()))


def _step(raw: Mapping[str, object], place: str) -> Step:
    try:
        fault = Fault(str(raw.get("fault", "")))
    except ValueError as error:
        raise ScriptError("no_fault", place=place, known=", ".join(Fault), given=raw.get("fault", "")) from error
    try:
        options = options_of(fault, {name: value for name, value in raw.items() if name not in STEP_KEYS})
    except FaultError as error:
        raise ScriptError("fault", place=place, why=error) from error
    targets = raw.get("target", [])
    names = (targets,) if isinstance(targets, str) else targets
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ScriptError("target", place=place, given=targets)
    if ("target" in raw) == ("pick" in raw):
        raise ScriptError("either", place=place)
    optional = raw.get("optional", False)
    if not isinstance(optional, bool):
        raise ScriptError("flag", place=place, name="optional", given=optional)
    return Step(
        at=_seconds(raw, "at", place),
        lasts=_seconds(raw, "for", place) if "for" in raw else None,
        fault=fault,
        options=options,
        targets=tuple(names),
        pick=_pick(raw["pick"], place) if "pick" in raw else None,
        optional=optional,
        note=str(raw.get("note", "")),
    )


def _pick(raw: object, place: str) -> Pick:
    if not isinstance(raw, dict):
        raise ScriptError("pick", place=place, example='{ kind = "camera", count = 2 }')
    _only(raw, PICK_KEYS, f"{place}, pick")
    count, leaf = raw.get("count", 1), raw.get("leaf")
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise ScriptError("count", place=f"{place}, pick", given=count)
    if leaf is not None and not isinstance(leaf, bool):
        raise ScriptError("flag", place=f"{place}, pick", name="leaf", given=leaf)
    texts = {name: value for name, value in raw.items() if name not in ("count", "leaf")}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise ScriptError("text", place=f"{place}, pick", name=name, given=value)
    if texts.get("kind", "camera") not in set(Kind):
        raise ScriptError("kind", place=f"{place}, pick", known=", ".join(Kind), given=texts["kind"])
    return Pick(count=count, leaf=leaf, **texts)


def _seconds(raw: Mapping[str, object], name: str, place: str) -> float:
    value = raw.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ScriptError("seconds", place=place, name=name, given=value)
    return float(value)


def _only(raw: Mapping[str, object], known: frozenset[str], place: str) -> None:
    for name in raw:
        if name not in known:
            raise ScriptError("no_key", place=place, name=name, known=", ".join(sorted(known)))
