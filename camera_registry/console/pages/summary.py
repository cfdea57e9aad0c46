"""A device in few lines: what its channels have in common is told once, so that a large recorder can be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from camera_registry.board import BoardEntry
from camera_registry.model.health import Aspect, AspectState, Cause, Reason, State, Subject
from camera_registry.model.observation import Failure, Observation, ProbeSeen
from camera_registry.model.policy import Policies
from camera_registry.rules import verdict

_FACTS = (
    "manufacturer", "model", "serial", "firmware", "clock_offset_seconds", "codec", "size", "frame_rate",
    "declared_frame_rate", "transport", "time_to_first_frame_seconds",
)  # fmt: skip
"""What a device says of itself that people ask for; the rest is in the API."""


@dataclass(frozen=True, slots=True)
class HeldLine:
    """One state, or the good states of ``count`` channels told together by the newest of them."""

    held: AspectState
    channel: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class RunLine:
    """One probe run, or the good runs of ``count`` channels told together by the newest of them."""

    run: ProbeSeen
    channel: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class FactLine:
    """One thing that the device says; ``channel`` is empty where all channels say the same."""

    fact: str
    value: str
    channel: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What stands behind a status: the reasons of one cause (and one parent that explains them), told together."""

    cause: Cause
    blamed: str
    since: datetime | None
    where: tuple[tuple[Aspect, str], ...]
    """Aspect and name of the channel (empty: the device, or its only channel)."""
    details: tuple[str, ...]
    unsteady: bool
    """Whether it comes and goes: then it is no dead device that somebody looks for."""


def grounds(entry: BoardEntry, tell: Callable[[Failure], str], retold: Callable[[str], str]) -> Sequence[Ground]:
    """The reasons in their order, those of the same cause together: a dead camera is one fault, not one an aspect.
    ``tell`` says a failure in the reader's language, ``retold`` what the newest runs do not say any more."""
    names = channel_names(entry)
    told = {run.failure.detail: tell(run.failure) for run in entry.probes if run.failure is not None}
    unsteady = {held.subject for held in entry.states if held.settled is State.FLAPPING}
    grouped: dict[tuple[Cause, str], list[Reason]] = {}
    for reason in entry.reasons:
        grouped.setdefault((reason.cause, reason.blamed), []).append(reason)
    return [
        Ground(
            cause,
            blamed,
            min((reason.since for reason in reasons if reason.since is not None), default=None),
            tuple(dict.fromkeys((reason.aspect, _called(names, reason.channel)) for reason in reasons)),
            tuple(
                dict.fromkeys(told.get(reason.detail) or retold(reason.detail) for reason in reasons if reason.detail)
            ),
            any(Subject(entry.device.id, reason.aspect, reason.channel) in unsteady for reason in reasons),
        )
        for (cause, blamed), reasons in grouped.items()
    ]


def found_by(seen: Sequence[Observation], entry: BoardEntry, policies: Policies) -> Sequence[Cause]:
    """What these runs find bad, each cause once, by the rules that judge the fleet; nothing of it is confirmed yet."""
    policy = policies.of(entry.device)
    before = {(run.probe, run.channel): run.facts for run in entry.probes}
    readings = [
        reading
        for one in seen
        for reading in verdict.read(
            one, before.get((one.probe, one.channel), {}), policy, entry.device, feeds_reach=one is seen[0]
        )
    ]
    failed = [Cause(one.failure.kind) for one in seen if one.failure is not None]
    return list(dict.fromkeys([*(reading.cause for reading in readings if reading.cause is not None), *failed]))


def channel_names(entry: BoardEntry) -> Mapping[str, str]:
    """What each channel is called on its device's page: its number, and its name where that says more than the
    device's own. The only channel of a device needs no name."""
    if len(entry.channels) <= 1:
        return {channel.id: "" for channel in entry.channels}
    own = entry.device.name
    names = {}
    for channel in entry.channels:
        says_more = channel.name and not (own and channel.name.startswith(own))
        names[channel.id] = f"#{channel.number} {channel.name}" if says_more else f"#{channel.number}"
    return names


def held_lines(entry: BoardEntry) -> Sequence[HeldLine]:
    """The states in their order; more than one good channel of an aspect make one line."""
    names = channel_names(entry)
    lines: list[HeldLine] = []
    for aspect in dict.fromkeys(held.subject.aspect for held in entry.states):
        states = sorted(
            (held for held in entry.states if held.subject.aspect is aspect),
            key=lambda held: _place(entry, held.subject.channel),
        )
        good = [held for held in states if held.state is State.OK]
        lines += [HeldLine(held, _called(names, held.subject.channel)) for held in states if held.state is not State.OK]
        if len(good) > 1:
            newest = max(good, key=lambda held: held.begun.timestamp() if held.begun else 0)
            lines.append(HeldLine(newest, "", len(good)))
        else:
            lines += [HeldLine(held, _called(names, held.subject.channel)) for held in good]
    return lines


def run_lines(entry: BoardEntry) -> Sequence[RunLine]:
    """The newest runs by probe; more than one good channel of a probe make one line."""
    names = channel_names(entry)
    lines: list[RunLine] = []
    for probe in dict.fromkeys(run.probe for run in entry.probes):
        runs = sorted((run for run in entry.probes if run.probe == probe), key=lambda run: _place(entry, run.channel))
        good = [run for run in runs if run.failure is None]
        lines += [RunLine(run, _called(names, run.channel)) for run in runs if run.failure is not None]
        if len(good) > 1:
            lines.append(RunLine(max(good, key=lambda run: run.at), "", len(good)))
        else:
            lines += [RunLine(run, _called(names, run.channel)) for run in good]
    return lines


def fact_lines(entry: BoardEntry) -> Sequence[FactLine]:
    """What the device says of itself, each fact once unless its channels differ."""
    names = channel_names(entry)
    told: dict[str, dict[str, str]] = {}
    for run in sorted(entry.probes, key=lambda run: _place(entry, run.channel)):
        known = dict(run.facts)
        if "width" in known and "height" in known and run.probe == "rtsp":
            known["size"] = f"{known['width']} × {known['height']}"
        for fact in _FACTS:
            if (value := known.get(fact)) not in (None, ""):
                told.setdefault(fact, {}).setdefault(run.channel, _plain(value))
    lines: list[FactLine] = []
    for fact in (fact for fact in _FACTS if fact in told):
        values = told[fact]
        if len(set(values.values())) == 1:
            lines.append(FactLine(fact, next(iter(values.values())), ""))
        else:
            lines += [FactLine(fact, value, _called(names, channel)) for channel, value in values.items()]
    return lines


def _plain(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _called(names: Mapping[str, str], channel: str) -> str:
    return names.get(channel, channel)


def _place(entry: BoardEntry, channel: str) -> int:
    """A channel's number; the device itself comes first."""
    return next((one.number for one in entry.channels if one.id == channel), 0)
