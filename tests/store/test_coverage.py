"""Coverage is read back from what was stored: flips, changes of the register and windows, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from camera_registry.model.device import Channel, Device, Kind, Life
from camera_registry.model.health import Aspect, AspectState, Flip, State, Subject
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.model.place import Site, View
from camera_registry.rules.coverage.period import sum_up
from camera_registry.rules.coverage.sight import NEEDED
from camera_registry.store import coverage, health, register, windows

T0 = datetime(2026, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ZONE = ZoneInfo("UTC")


def flip(device: str, aspect: Aspect, before: State, after: State, at: datetime) -> Flip:
    return Flip(Subject(device, aspect), before, after, at, at + timedelta(seconds=20))


def fill(store) -> None:
    """A site with one view by cam-1 since day -3; cam-1 well since day -2, down on day 0 from 6 to 9 o'clock, planned
    until 7 o'clock; retired at 18 o'clock."""
    camera = Device("cam-1", Kind.CAMERA)
    items = [Site("gate"), camera, Channel("cam-1/1", "cam-1"), View("N", "gate", channels=("cam-1/1",))]
    store.write_now(register.apply, items, author="root", at=T0 - 3 * DAY)
    well = [flip("cam-1", aspect, State.UNKNOWN, State.OK, T0 - 2 * DAY) for aspect in NEEDED]
    lost, back = T0 + timedelta(hours=6), T0 + timedelta(hours=9)
    changes = [
        flip("cam-1", Aspect.REACH, State.OK, State.DOWN, lost),
        flip("cam-1", Aspect.REACH, State.DOWN, State.OK, back),
    ]
    store.write_now(health.save, (), [*well, *changes])
    window = Window(
        0, WindowKind.FIXED, Cover(devices=("cam-1",)), lost, lost + timedelta(hours=1), "new lens", "root", T0
    )
    store.write_now(windows.create, window)
    retired = Device("cam-1", Kind.CAMERA, life=Life.RETIRED)
    store.write_now(register.apply, [retired], author="root", at=T0 + timedelta(hours=18))


def test_a_day_is_summed_from_what_was_stored(store):
    """24 h: planned 6-7 (1 h), uncovered 7-9 and 18-24 (8 h), covered the other 15 h."""
    fill(store)
    _, history = store.read_now(coverage.gather, T0, T0 + DAY)
    (site,) = sum_up(history, ZONE, T0, T0 + DAY)
    hours = [
        length / timedelta(hours=1) for length in (site.totals.covered, site.totals.uncovered, site.totals.planned)
    ]
    assert hours == [15, 8, 1]


def test_a_past_moment_is_as_the_register_and_the_devices_were_then(store):
    fill(store)
    for after, ratio in ((-30, None), (5, 1.0), (8, 0.0), (12, 1.0), (20, 0.0)):
        at = T0 + timedelta(hours=after)
        then, history = store.read_now(coverage.gather, at, at)
        (site,) = history.standing(then.end, ZONE, at)
        assert site.ratio == (1.0 if ratio is None else ratio)
    before = T0 - 4 * DAY
    then, history = store.read_now(coverage.gather, before, before)
    assert then.end.sites == {}
    assert history.standing(then.end, ZONE, before) == []


def test_a_state_without_any_flip_has_stood_since_it_began(store):
    items = [
        Site("gate"), Device("cam-1", Kind.CAMERA), Channel("c", "cam-1"), View("N", "gate", channels=("c",)),
    ]  # fmt: skip
    store.write_now(register.apply, items, author="root", at=T0)
    states = [AspectState(Subject("cam-1", aspect), State.OK, State.OK, since=T0) for aspect in NEEDED]
    store.write_now(health.save, states)
    _, history = store.read_now(coverage.gather, T0 + DAY, T0 + 2 * DAY)
    (site,) = sum_up(history, ZONE, T0 + DAY, T0 + 2 * DAY)
    assert site.totals.covered == DAY


def test_what_nobody_measured_is_not_known_to_have_been_covered(store):
    """The service stopped at 16 o'clock and never ran again. Of 24 h one is planned, 7-9 uncovered, 16-24 not known."""
    fill(store)
    at = T0 + timedelta(hours=16)
    states = [AspectState(Subject("cam-1", aspect), State.OK, State.OK, since=T0, read_at=at) for aspect in NEEDED]
    store.write_now(health.save, states)
    # It was not retired, after all.
    store.write_now(register.apply, [Device("cam-1", Kind.CAMERA)], author="root", at=T0 + timedelta(hours=18))
    _, history = store.read_now(coverage.gather, T0, T0 + DAY)
    (site,) = sum_up(history, ZONE, T0, T0 + DAY)
    hours = [part / timedelta(hours=1) for part in (site.totals.covered, site.totals.uncovered, site.totals.unknown)]
    assert hours == [13, 2, 8]
    then, history = store.read_now(coverage.gather, T0 + DAY, T0 + DAY)
    (seen,) = history.standing(then.end, ZONE, T0 + DAY)
    assert seen.ratio is None
