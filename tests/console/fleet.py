"""A fleet on a board, with faults that differ: what the console is shown in tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from camera_registry.board import Board, BoardEntry, Names
from camera_registry.model.device import Channel, Device, Kind, Life, TrafficKind
from camera_registry.model.health import Aspect, AspectState, Cause, Reason, State, Status, Subject
from camera_registry.model.observation import Failure, FailureKind, ProbeSeen, Stage
from camera_registry.model.people import Crew

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

AREAS = {"5101": "锦城市", "510104": "东江区", "510104001": "水井坊街道", "510104002": "合江亭街道"}
PARENTS = {"510104": "5101", "510104001": "510104", "510104002": "510104"}
STREETS = ("滨江东路", "天仙桥南街", "人民南路", "望福街", "水津街", "大慈寺路")
MAKERS = (("Hikvision", "DS-2CD2T47"), ("Dahua", "IPC-HFW5442T"), ("Uniview", "IPC2324"))
CREWS = (Crew("crew-east", "东江一班", "weibao-1"), Crew("crew-west", "西江二班", "weibao-1"))


def camera(number: int, *, parent: str = "", life: Life = Life.ACTIVE) -> Device:
    """A camera like many others; what differs comes from its number."""
    maker, model = MAKERS[number % len(MAKERS)]
    traffic = number % 20 == 7
    return Device(
        id=f"cam-{number:05d}",
        kind=Kind.TRAFFIC_UNIT if traffic else Kind.CAMERA,
        name=f"{STREETS[number % len(STREETS)]}{number}号" + ("卡口" if traffic else "杆"),
        host=f"127.{number // 62_500 + 1}.{number // 250 % 250}.{number % 250 + 1}",
        life=life,
        traffic_kind=TrafficKind.CHECKPOINT if traffic else None,
        area="510104001" if number % 2 else "510104002",
        parent=parent,
        manufacturer=maker,
        model=model,
        serial=f"SN{number:08d}",
        mac=f"00:11:22:{number // 65536 % 256:02x}:{number // 256 % 256:02x}:{number % 256:02x}",
        contractor="weibao-1",
    )


def healthy(device: Device, since: datetime = NOW - timedelta(days=2)) -> BoardEntry:
    """In service, and every probe good."""
    states = tuple(
        AspectState(Subject(device.id, aspect), State.OK, State.OK, since=since, read_at=NOW, good=True)
        for aspect in (Aspect.REACH, Aspect.CONTROL, Aspect.STREAM, Aspect.PICTURE, Aspect.CLOCK)
    )
    facts: dict[str, dict[str, object]] = {
        "onvif": {
            "manufacturer": device.manufacturer,
            "model": device.model,
            "serial": device.serial,
            "firmware": "V5.7.13",
            "clock_offset_seconds": 0.42,
        },
        "rtsp": {"codec": "H264", "width": 1920, "height": 1080, "transport": "tcp"},
        "snapshot": {"bytes": 81_234, "width": 1920, "height": 1080},
    }
    probes = tuple(
        ProbeSeen(name, "", NOW - timedelta(seconds=20), 0.031, None, NOW - timedelta(seconds=20), told)
        for name, told in facts.items()
    )
    channels = (Channel(f"{device.id}-1", device.id),)
    return BoardEntry(device, channels, states, probes, Status.OK, since, ())


def faulty(
    entry: BoardEntry,
    aspect: Aspect,
    cause: Cause,
    since: datetime,
    *,
    status: Status = Status.DEGRADED,
    detail: str = "",
    blamed: str = "",
) -> BoardEntry:
    """The same device with one confirmed fault."""
    states = tuple(
        replace(state, state=State.DOWN, settled=State.DOWN, since=since, cause=cause, detail=detail, good=False)
        if state.subject.aspect is aspect
        else state
        for state in entry.states
    )
    probes = entry.probes
    if aspect is Aspect.REACH:
        failure = Failure(FailureKind.TIMEOUT, Stage.CONNECT, detail or "no answer within 5 s")
        probes = tuple(replace(run, failure=failure, took=5.0, last_success=since) for run in probes)
    shown = Cause.PARENT_DOWN if blamed else cause
    reason = Reason(aspect, shown, since, detail, "", blamed)
    return replace(entry, states=states, probes=probes, status=status, since=since, reasons=(*entry.reasons, reason))


def silent(entry: BoardEntry, since: datetime) -> BoardEntry:
    """The same device after measurements ceased to come."""
    states = tuple(
        replace(one, state=State.STALE, settled=State.STALE, read_at=since, good=None) for one in entry.states
    )
    return replace(entry, states=states, status=Status.UNKNOWN, since=since, reasons=())


def fleet(size: int) -> Iterator[BoardEntry]:
    """One switch that is down with a tenth of the cameras behind it, single faults, silence, and the rest good."""
    cut = NOW - timedelta(minutes=12)
    switch = Device("sw-001", Kind.NETWORK, "合江亭汇聚交换机", "127.200.0.1", area="510104002", tcp_port=22)
    yield faulty(healthy(switch), Aspect.REACH, Cause.TIMEOUT, cut, status=Status.DOWN, detail="no answer within 5 s")
    for number in range(size):
        ago = timedelta(minutes=7 * (number % 97) + 3)
        if number % 10 == 1:
            entry = healthy(camera(number, parent="sw-001"))
            yield faulty(
                entry,
                Aspect.REACH,
                Cause.TIMEOUT,
                cut,
                status=Status.DOWN,
                detail="no answer within 5 s",
                blamed="sw-001",
            )
        elif number % 50 == 3:
            yield faulty(healthy(camera(number)), Aspect.PICTURE, Cause.BLACK, NOW - ago, detail="95 % darker than 24")
        elif number % 50 == 13:
            yield faulty(healthy(camera(number)), Aspect.CLOCK, Cause.CLOCK_DRIFT, NOW - ago, detail="74 s ahead")
        elif number % 50 == 23:
            entry = faulty(healthy(camera(number)), Aspect.STREAM, Cause.AUTH, NOW - ago, detail="401 to DESCRIBE")
            yield faulty(entry, Aspect.PICTURE, Cause.FROZEN, NOW - ago, detail="4 identical pictures")
        elif number % 100 == 33:
            yield faulty(healthy(camera(number)), Aspect.REACH, Cause.REFUSED, NOW - ago, status=Status.DOWN)
        elif number % 50 == 43:
            yield silent(healthy(camera(number)), NOW - ago)
        elif number % 100 == 99:
            yield BoardEntry(camera(number, life=Life.SUSPENDED))
        else:
            yield healthy(camera(number))


def board(size: int) -> Board:
    """A board with such a fleet on it."""
    made = Board()
    made.names = Names(AREAS, PARENTS, {}, {"weibao-1": "蓉安维保"})
    made.swap(fleet(size))
    return made
