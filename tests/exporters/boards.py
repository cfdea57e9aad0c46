"""Boards for tests: a small fleet written out, and random ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from camera_registry.board import Board, BoardEntry, Names
from camera_registry.model.device import Device, Kind, Life
from camera_registry.model.health import Aspect, AspectState, Cause, Reason, State, Status, Subject
from camera_registry.model.observation import Failure, FailureKind, ProbeSeen, Stage

NOW = datetime(2026, 10, 1, 8, 0, 0, tzinfo=UTC)


def entry(
    id: str,
    status: Status = Status.OK,
    *,
    kind: Kind = Kind.CAMERA,
    area: str = "north-1",
    parent: str = "",
    life: Life = Life.ACTIVE,
    reasons: tuple[Reason, ...] = (),
) -> BoardEntry:
    """A device with a reach state that goes with its status."""
    settled = {Status.OK: State.OK, Status.DEGRADED: State.OK, Status.DOWN: State.DOWN}.get(status, State.UNKNOWN)
    device = Device(id, kind, name=f"device {id}", host="127.0.0.7", area=area, parent=parent, life=life)
    states = (AspectState(Subject(id, Aspect.REACH), settled, settled, since=NOW),)
    return BoardEntry(device, (), states, (), status, NOW, reasons)


def lost(id: str, **given: str) -> BoardEntry:
    """A camera that does not answer; ``blamed`` names the parent that explains it."""
    blamed = given.pop("blamed", "")
    reason = Reason(Aspect.REACH, Cause.TIMEOUT, NOW, "no answer within 5 s", blamed=blamed)
    return entry(id, Status.DOWN, parent=blamed, reasons=(reason,), **given)


def seen(probe: str, *, channel: str = "", age: float = 0.0, good: bool = True, **facts: object) -> ProbeSeen:
    """A run of a probe ``age`` seconds ago."""
    at = NOW - timedelta(seconds=age)
    failure = None if good else Failure(FailureKind.TIMEOUT, Stage.CONNECT, "no answer")
    return ProbeSeen(probe, channel, at, 0.031, failure, at if good else None, facts)


def board(*entries: BoardEntry, names: Names | None = None) -> Board:
    made = Board()
    made.names = names or Names(
        areas={"city": "城区", "north": "北区", "north-1": "网格 1", "north-2": "网格 2", "south": "南区"},
        area_parents={"city": "", "north": "city", "north-1": "north", "north-2": "north", "south": "city"},
        sites={"gate": "North gate"},
        contractors={"acme": "ACME 安防"},
    )
    made.swap(entries)
    return made


text = st.text(max_size=12) | st.sampled_from(
    ['a"b', "back\\slash", "two\nlines", "=cmd|'/c'!A1", "<img onerror>", "}"]
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants bare bounds
channels = st.sampled_from(["", "one", "two"])
numbers = st.floats(allow_nan=False) | st.integers(-(2**60), 2**60)


@st.composite
def states(draw: st.DrawFn) -> AspectState:
    settled = draw(st.sampled_from(State))
    return AspectState(
        Subject("x", draw(st.sampled_from(Aspect)), draw(channels)), settled, settled, since=draw(moments)
    )


@st.composite
def runs(draw: st.DrawFn) -> ProbeSeen:
    facts: dict[str, object] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "clock_offset_seconds": numbers | st.none(),
                "manufacturer": text,
                "firmware": text | st.integers(),
                "picture": st.dictionaries(st.sampled_from(["luma_p95", "flat_share", "other"]), numbers | st.none()),
            },
        )
    )
    took = draw(st.floats(0, 60))
    success = draw(moments | st.none())
    return ProbeSeen(
        draw(st.sampled_from(["tcp", "onvif", "rtsp"])), draw(channels), draw(moments), took, None, success, facts
    )


reasons = st.builds(Reason, st.sampled_from(Aspect), st.sampled_from(Cause), st.none(), blamed=text)


@st.composite
def entries(draw: st.DrawFn) -> BoardEntry:
    device = Device(
        draw(text),
        draw(st.sampled_from(Kind)),
        name=draw(text),
        area=draw(st.sampled_from(["", "city", "north", "north-1", "astray"])),
        site=draw(text),
        model=draw(text),
        contractor=draw(text),
        life=draw(st.sampled_from([Life.ACTIVE, Life.ACTIVE, Life.PLANNED])),
    )
    return BoardEntry(
        device,
        (),
        tuple(draw(st.lists(states(), max_size=4))),
        tuple(draw(st.lists(runs(), max_size=4))),
        draw(st.sampled_from(Status)),
        None,
        tuple(draw(st.lists(reasons, max_size=3))),
    )


boards = st.lists(entries(), max_size=6).map(lambda made: board(*made))


def renamed(given: BoardEntry, id: str) -> BoardEntry:
    return replace(given, device=replace(given.device, id=id))
