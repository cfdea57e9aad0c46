"""What devices had measured outlives them for as long as reports may ask for it, and no longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from camera_registry.model.baseline import Regime
from camera_registry.model.device import Channel, Device, Kind
from camera_registry.model.trend import PictureDay
from camera_registry.store import Store, gone, picture_days, recordings, register
from tests.store.test_rates import gap, record, recording

REGISTERED = datetime(2026, 9, 1, tzinfo=UTC)
REMOVED = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def kept(store: Store) -> tuple[set[str], set[tuple[str, str]]]:
    """The devices of which recordings are known, and the channels of which days are."""
    days = store.read_now(picture_days.between, date(2026, 9, 1), date(2026, 11, 1))
    return {one.device for one in store.read_now(recordings.load)}, {(one[0].device, one[0].channel) for one in days}


def test_a_device_that_was_removed_is_forgotten_after_its_time_and_one_that_came_back_is_not(store: Store) -> None:
    ids = ("rec-1", "rec-2", "rec-3")
    channels = [Channel(f"{id}/1", id) for id in ids] + [Channel("rec-1/2", "rec-1")]
    devices = [Device(id, Kind.RECORDER) for id in ids]
    store.write_now(register.apply, [*devices, *channels], author="test", at=REGISTERED)
    for id in ids:
        record(store, replace(recording("a", -24, 100, gap(1, 2)), device=id))
    seen = [
        PictureDay(one.device, one.id, Regime.DAY, date(2026, 10, 1), date(2026, 9, 1), 9, 1.0, 1.0, 1.0)
        for one in channels
    ]
    store.write_now(picture_days.save, seen)
    out = [("device", "rec-2"), ("device", "rec-3"), ("channel", "rec-1/2")]
    store.write_now(register.apply, (), out, author="test", at=REMOVED)
    # October may be asked for again: all is there, until its time is up.
    assert store.write_now(gone.sweep, REMOVED) == 0
    assert kept(store) == (set(ids), {(one.device, one.id) for one in channels})
    store.write_now(register.apply, [devices[2]], author="test", at=REMOVED + 9 * DAY)
    # Of rec-2 a recording, its gap and a day; a day of the channel of rec-1, and of that of rec-3, which is gone still.
    assert store.write_now(gone.sweep, REMOVED + DAY) == 5
    assert kept(store) == ({"rec-1", "rec-3"}, {("rec-1", "rec-1/1")})
    # Who leaves again is kept from then on.
    store.write_now(register.apply, (), [("device", "rec-3")], author="test", at=REMOVED + 20 * DAY)
    assert store.write_now(gone.sweep, REMOVED + 20 * DAY) == 0
    assert store.write_now(gone.sweep, REMOVED + 21 * DAY) == 2
    assert kept(store)[0] == {"rec-1"}
