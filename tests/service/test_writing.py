"""What is written of readings that only move times: a kill leaves nothing old that was fresh."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from camera_registry.model.health import Aspect, State, Status
from camera_registry.model.observation import ProbeSeen
from camera_registry.rules.availability import Period
from camera_registry.service import saving
from camera_registry.service.changes import Changes
from camera_registry.service.ledger import Ledger
from camera_registry.service.watched import PATIENCE
from camera_registry.store import Store, exclusions, health, register
from tests.service.test_ledger import CAMERAS, SILENT, SWITCH, at, ledger, registered, seen, shown, well
from tests.shaped import shaped

PROBES = ("onvif", "rtsp", "snapshot")
PERIOD = Period(at(0), at(86_400), ZoneInfo("Asia/Shanghai"), "a day")
LATE = PATIENCE + timedelta(seconds=1)
"""How old what is on disk may be: its patience, and the second until it is written."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open("", shaped(tmp_path)) as opened:
        opened.write_now(register.apply, [SWITCH, *CAMERAS], author="test", at=at(-60))
        yield opened


def save(tx: Connection, changes: Changes) -> None:
    saving.batch(tx, changes, (), (), None, 0)


def started(store: Store, of: Ledger, now: datetime) -> Ledger:
    """Another service on what is on disk."""
    again = Ledger(of.policy, of.polls)
    again.load(store.read_now(health.load_states), store.read_now(health.load_seen))
    again.follow(registered(SWITCH, *CAMERAS), now)
    return again


def minutes(book: Ledger, store: Store, until: int) -> Iterator[int]:
    """A life in which each camera is asked all once a minute at its own second, and all is written as it is due."""
    for second in range(until):
        for number, camera in enumerate(CAMERAS):
            if second % 60 == 20 * number:
                well(book, camera.id, second)
        changes = book.collect(at(second))
        if any(changes.rows()):
            store.write_now(save, changes)
        yield second


def test_only_the_run_that_moved_is_written_with_the_states_that_it_feeds() -> None:
    book = ledger(CAMERAS[0])
    well(book, "cam-0")
    book.collect(None)
    book.judge([seen("cam-0", "snapshot", 60)], at(60))
    taken = book.collect(at(60) + PATIENCE)
    assert set(taken.again) == {("cam-0", ("snapshot", ""))}
    assert {subject.aspect for subject in taken.moved} == {Aspect.PICTURE}
    assert (taken.seen, taken.states) == ({}, {})
    assert not any(book.collect(at(900)).rows()), "and once"


def test_each_run_that_moved_meanwhile_is_written_and_as_it_is_now() -> None:
    book = ledger(CAMERAS[0])
    well(book, "cam-0")
    book.collect(None)
    book.judge([seen("cam-0", "snapshot", 60)], at(60))
    book.judge([seen("cam-0", "rtsp", 70)], at(70))
    book.judge([seen("cam-0", "snapshot", 80)], at(80))
    taken = book.collect(at(60) + PATIENCE)
    assert {run: one.at for (_, run), one in taken.again.items()} == {("snapshot", ""): at(80), ("rtsp", ""): at(70)}
    assert {state.read_at for state in taken.moved.values()} == {at(80), at(70)}


def test_what_a_run_says_anew_is_written_whole_and_a_clock_that_moved_once_in_five_minutes() -> None:
    book = ledger(CAMERAS[0])
    well(book, "cam-0")
    book.collect(None)
    whole = ("cam-0", ("onvif", ""))
    told = [(60, {"device_time": "1"}, False), (120, {"device_time": "2", "model": "new"}, True)]
    told += [(180, {"device_time": "3"}, False), (300 + 60, {"device_time": "4"}, True)]
    for second, facts, new in told:
        book.judge([seen("cam-0", "onvif", second, facts=facts)], at(second))
        taken = book.collect(at(second) + PATIENCE)
        assert (whole in taken.seen, whole in taken.again) == (new, not new), second


def test_what_moved_is_written_after_all_where_the_store_would_not_take_it() -> None:
    book = ledger(CAMERAS[0])
    well(book, "cam-0")
    book.collect(None)
    book.judge([seen("cam-0", "rtsp", 60)], at(60))
    lost = book.collect(at(60) + PATIENCE)
    book.judge([seen("cam-0", "snapshot", 95)], at(95))
    book.restore(lost)
    assert set(book.collect(at(96)).again) == {("cam-0", ("rtsp", ""))}
    assert set(book.collect(at(95) + PATIENCE).again) == {("cam-0", ("snapshot", ""))}


def test_of_what_waited_for_the_store_the_newest_is_written(store: Store) -> None:
    book = ledger(SWITCH, *CAMERAS)
    well(book, "cam-0")
    store.write_now(save, book.collect(None))
    book.judge([seen("cam-0", "rtsp", 60)], at(60))
    book.restore(book.collect(at(60) + PATIENCE))
    book.judge([seen("cam-0", "rtsp", 95, SILENT)], at(95))
    for second in (105, 115):
        book.judge([seen("cam-0", "rtsp", second, SILENT)], at(second))
    store.write_now(save, book.collect(at(116)))
    again = started(store, book, at(116))
    assert [state.settled for state in shown(again, "cam-0").states] == [
        state.settled for state in shown(book, "cam-0").states
    ]
    failures = [{run.probe: run.failure for run in shown(one, "cam-0").probes} for one in (again, book)]
    assert failures[0] == failures[1]
    assert failures[0]["rtsp"] == SILENT


def test_killed_at_any_second_nothing_is_old_that_was_fresh_and_a_restart_finds_all_as_it_was(store: Store) -> None:
    book = ledger(SWITCH, *CAMERAS)
    wanted = {(camera.id, probe, "") for camera in CAMERAS for probe in PROBES}
    for second in minutes(book, store, 400):
        if second < 100 or second % 7:
            continue
        kept: dict[tuple[str, str, str], ProbeSeen] = {
            (id, run.probe, run.channel): run for id, run in store.read_now(health.load_seen)
        }
        assert kept.keys() == wanted
        for camera in CAMERAS:
            for run in shown(book, camera.id).probes:
                assert run.at == kept[camera.id, run.probe, run.channel].at or at(second) - run.at < LATE
        # Away for a minute: nobody has asked meanwhile, and yet nothing is too old to be believed.
        again = started(store, book, at(second + 45))
        again.tick(at(second + 45), 1)
        assert {shown(again, camera.id).status for camera in CAMERAS} == {Status.OK}
        assert again.collect(None).flips == []


def test_the_time_up_to_which_rates_count_is_behind_by_no_more_than_that(store: Store) -> None:
    book = ledger(SWITCH, *CAMERAS)
    for second in minutes(book, store, 300):
        if second < 100 or second % 13:
            continue
        heard = store.read_now(exclusions.basis, registered(*CAMERAS), PERIOD).heard
        assert heard is not None
        assert at(second) - heard <= LATE + timedelta(seconds=20), "20 s: from one camera's turn to the next one's"


def test_a_flip_is_on_disk_with_its_state_at_once_whatever_times_wait(store: Store) -> None:
    book = ledger(SWITCH, *CAMERAS)
    second = max(minutes(book, store, 121))
    silent = [seen("cam-0", "rtsp", second + step, SILENT) for step in (1, 11, 21)]
    for one in silent:
        book.judge([one], one.at)
        store.write_now(save, book.collect(one.at))
    again = started(store, book, silent[-1].at)
    assert shown(again, "cam-0").status is shown(book, "cam-0").status is not Status.OK
    assert [flip.after for flip in store.read_now(health.flips_after, 0)][-1] is State.DOWN
