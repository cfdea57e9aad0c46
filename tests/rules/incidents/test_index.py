"""A fold that looks only at what it can concern decides what one that looks at everything decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from camera_registry.model.health import Aspect, AspectState, Cause, Flip, State, Subject
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.rules.incidents.book import Blindness, Book, Fleet
from camera_registry.rules.incidents.fold import fold
from camera_registry.rules.maintenance import plan
from tests.rules.incidents.city import NOON, at, camera

DEVICES = [
    camera(0, host="10.1.0.1"),
    camera(1, host="10.1.1.1", parent="cam-000"),
    *(camera(n, host=f"10.9.9.{n}", parent="cam-001") for n in (2, 3)),
    camera(4, host="10.2.0.1", parent="cam-001", backup_parent="cam-000"),
    *(camera(n, host=f"10.7.7.{n}", area="north", power_source="mast") for n in (5, 6, 7, 8)),
    *(camera(n, host=f"10.8.{n}.1", area="south") for n in (9, 10, 11)),
]
BY_ID = {device.id: device for device in DEVICES}
PARENTS = {device.id: device.parents for device in DEVICES}
AREAS = {"north": "city", "south": "city", "city": ""}
WINDOW = Window(1, WindowKind.FIXED, Cover(devices=("cam-005", "cam-009")), at(300), at(500), "mast", "x", NOON)
FLEXIBLE = replace(
    WINDOW, id=2, kind=WindowKind.FLEXIBLE, cover=Cover(devices=("cam-010",)), lasts=timedelta(minutes=2)
)

events = st.tuples(
    st.lists(st.sampled_from(range(len(DEVICES))), min_size=1, max_size=6, unique=True),
    st.sampled_from((Aspect.REACH, Aspect.REACH, Aspect.PICTURE)),
    st.sampled_from((State.DOWN, State.DOWN, State.OK, State.STALE, State.FLAPPING, State.UNKNOWN)),
    st.sampled_from((Cause.TIMEOUT, Cause.UNREACHABLE, Cause.AUTH)),
)
turns = st.lists(
    st.tuples(st.lists(events, max_size=3), st.sampled_from((1, 10, 10, 30, 100)), st.booleans()), max_size=25
)


@settings(max_examples=150, deadline=None)
@given(turns, st.booleans())
def test_with_its_index_and_without_it_a_fold_decides_the_same(
    happens: list[tuple[list[tuple[list[int], Aspect, State, Cause]], int, bool]], planned: bool
) -> None:
    heard: dict[Subject, AspectState] = {}
    windows = plan((WINDOW, FLEXIBLE) if planned else (), BY_ID, AREAS, PARENTS)
    fleet = Fleet(BY_ID, PARENTS, AREAS, heard.get, windows=windows)
    fleet = replace(fleet, rules=replace(fleet.rules, minimum=3))
    quick = whole = Book(NOON)
    now = 0
    for number, (events_now, seconds, bad) in enumerate(happens):
        now += seconds
        flips = [
            Flip(
                Subject(DEVICES[n].id, aspect),
                State.OK,
                after,
                at(now - 5),
                at(now),
                cause if after in (State.DOWN, State.FLAPPING) else None,
            )
            for devices, aspect, after, cause in events_now
            for n in devices
        ]
        for device in BY_ID:
            subject = Subject(device, Aspect.REACH)
            heard[subject] = AspectState(subject, read_at=at(now), good=not bad)
        blind = Blindness("local", at(now), at(now)) if number % 9 == 8 else None
        fleet = replace(fleet, blind=blind)
        quick, told = fold(quick, flips, fleet, at(now))
        whole, told_whole = fold(replace(whole, index=None), flips, fleet, at(now))
        assert told == told_whole
        assert quick == whole
