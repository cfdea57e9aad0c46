"""What health found survives a restart, exactly."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Aspect, AspectState, Cause, Flip, State, Subject
from camera_registry.model.observation import Failure, FailureKind, ProbeSeen, Stage
from camera_registry.model.place import Area
from camera_registry.store import Store, health, register

AT = datetime(2026, 11, 23, 8, 0, 0, 1, tzinfo=UTC)
SUBJECT = Subject("cam-1", Aspect.STREAM, "cam-1/2")
DOWN = AspectState(
    SUBJECT,
    State.SUSPECT,
    State.DOWN,
    State.OK,
    AT,
    Cause.AUTH,
    "401 密码",
    3,
    Cause.TIMEOUT,
    AT,
    AT + timedelta(seconds=1),
    good=False,
    changes=0xFFFFF,
)


def flip(device: str, seconds: int) -> Flip:
    at = AT + timedelta(seconds=seconds)
    subject = Subject(device, Aspect.REACH)
    return Flip(subject, State.OK, State.DOWN, at, at + timedelta(seconds=20), Cause.TIMEOUT, "no answer")


def test_states_runs_and_flips_come_back_as_they_were_after_a_restart(url: str, tmp_path: Path) -> None:
    seen = ProbeSeen(
        "rtsp", "cam-1/2", AT, 0.25, Failure(FailureKind.AUTH, Stage.AUTHENTICATE, "401"), None, {"codec": "h264"}
    )
    with Store.open(url, tmp_path) as store:
        store.write_now(health.save, [DOWN], [flip("cam-1", 0)], [("cam-1", seen)])
    with Store.open(url, tmp_path) as store:
        assert store.read_now(health.load_states) == [DOWN]
        assert store.read_now(health.load_seen) == [("cam-1", seen)]
        assert [stored.flip for stored in store.read_now(health.flips)] == [flip("cam-1", 0)]


def test_a_later_state_replaces_the_earlier_one_and_flips_pile_up(store: Store) -> None:
    store.write_now(health.save, [DOWN], [flip("cam-1", 0)])
    recovered = AspectState(SUBJECT, State.OK, State.OK, since=AT, good=True)
    store.write_now(health.save, [recovered], [flip("cam-1", 60)])
    assert store.read_now(health.load_states) == [recovered]
    assert len(store.read_now(health.flips)) == 2


def test_what_was_only_heard_of_again_is_as_it_was_at_a_later_time_whatever_was_stored(store: Store) -> None:
    well = AspectState(SUBJECT, State.OK, State.OK, since=AT, read_at=AT, good=True)
    other = replace(well, subject=Subject("cam-2", Aspect.REACH), changes=4)
    facts = {"codec": "h264"}
    seen = ProbeSeen("rtsp", "cam-1/2", AT, 0.25, None, AT, facts)
    store.write_now(health.save, [well, other], (), [("cam-1", seen)])
    later = AT + timedelta(seconds=60)
    # One is as it is stored, one is not any more, and of one nothing is stored: another program deleted its row.
    states = [replace(well, read_at=later), replace(other, read_at=later, changes=0)]
    states.append(replace(well, subject=Subject("cam-3", Aspect.REACH), read_at=later))
    runs = [(id, replace(seen, at=later, last_success=later, took=0.5)) for id in ("cam-1", "cam-3")]
    runs.append(("cam-2", ProbeSeen("rtsp", "", later, 1.0, Failure(FailureKind.TIMEOUT, Stage.CONNECT, ""), AT, {})))
    store.write_now(health.move, states, runs)
    assert set(store.read_now(health.load_states)) == set(states)
    assert sorted(store.read_now(health.load_seen), key=lambda one: one[0]) == sorted(runs, key=lambda one: one[0])
    store.write_now(health.move, states[:1], [(runs[0][0], replace(runs[0][1], facts={"codec": "passed over"}))])
    assert dict(store.read_now(health.load_seen))["cam-1"].facts == facts


def test_flips_are_read_newest_first_by_device_area_and_period_in_pages(store: Store) -> None:
    items = (
        Area("city"),
        Area("east", parent="city"),
        Device("cam-1", Kind.CAMERA, area="east"),
        Device("cam-2", Kind.CAMERA),
    )
    store.write_now(register.apply, items, author="ann", at=AT)
    store.write_now(health.save, (), [flip("cam-1", 0), flip("cam-2", 10), flip("cam-1", 20)])

    def seconds(**filters: object) -> list[float]:
        found = store.read_now(health.flips, **filters)  # type: ignore[arg-type]
        return [(stored.flip.at - AT).total_seconds() for stored in found]

    assert seconds() == [20, 10, 0]
    assert seconds(device="cam-2") == [10]
    assert seconds(area="city") == [20, 0]
    assert seconds(since=AT + timedelta(seconds=10), until=AT + timedelta(seconds=20)) == [10]
    newest = store.read_now(health.flips, limit=1)
    assert seconds(before_id=newest[0].id) == [10, 0]


def test_text_that_no_database_takes_is_kept_readable(store: Store) -> None:
    odd = AspectState(SUBJECT, detail="a\x00b\ud800c")
    run = ProbeSeen("onvif", "", AT, 0.1, None, AT, {"serial": "x\x00\ud83d", "profiles": [{"token": "\x00"}]})
    store.write_now(health.save, [odd], (), [("cam-1", run)])
    assert store.read_now(health.load_states)[0].detail == "a\N{REPLACEMENT CHARACTER}b?c"
    assert store.read_now(health.load_seen)[0][1].facts["profiles"] == [{"token": "\N{REPLACEMENT CHARACTER}"}]


def test_a_sound_database_has_nothing_to_report(store: Store) -> None:
    store.write_now(health.save, [DOWN])
    assert store.read_now(health.integrity) == []
