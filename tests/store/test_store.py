"""Promises of the store itself: one writer, whole jobs or nothing, and what was acknowledged survives kill -9."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from camera_registry.model.health import Aspect, Flip, State, Subject
from camera_registry.store import ClaimLost, Conflict, Store, StoreError, Transaction, Unavailable, connection, health
from camera_registry.store.reserve import Reserve
from camera_registry.store.statements import counter, set_counter

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

ACKNOWLEDGING = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from camera_registry.model.health import Aspect, Flip, State, Subject
from camera_registry.store import Store, health

store = Store.open(sys.argv[1], Path(sys.argv[2]))
store.claim()
number = int(sys.argv[3])
while True:
    at = datetime.fromtimestamp(number, UTC)
    store.write_now(health.save, (), [Flip(Subject(f"cam-{number}", Aspect.REACH), State.OK, State.DOWN, at, at)])
    print(number, flush=True)
    number += 1
"""


def test_nothing_acknowledged_is_lost_by_kill_9_and_the_lock_of_the_dead_blocks_nobody(
    url: str, tmp_path: Path
) -> None:
    acknowledged: list[int] = []
    for _ in range(3):
        start = acknowledged[-1] + 1000 if acknowledged else 0
        program = [sys.executable, "-c", ACKNOWLEDGING, url, str(tmp_path), str(start)]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            acknowledged += [int(process.stdout.readline()) for _ in range(25)]
            os.kill(process.pid, signal.SIGKILL)
            acknowledged += [int(line) for line in process.stdout.read().split()]
    with Store.open(url, tmp_path) as store:
        store.claim()
        kept = {stored.flip.subject.device for stored in store.read_now(health.flips, limit=100_000)}
        assert {f"cam-{number}" for number in acknowledged} <= kept
        assert store.read_now(health.integrity) == []


def test_sqlite_is_told_to_survive_a_power_cut_and_to_check_references(tmp_path: Path) -> None:
    def switches(tx: Transaction) -> list[object]:
        return [tx.execute(text(f"PRAGMA {name}")).scalar() for name in ("synchronous", "journal_mode", "foreign_keys")]

    with Store.open("", tmp_path) as store:
        full = 2
        assert store.write_now(switches) == [full, "wal", 1]


def test_a_job_that_fails_leaves_nothing(store: Store) -> None:
    def half(tx: Transaction) -> None:
        health.save(tx, (), [Flip(Subject("cam-1", Aspect.REACH), State.OK, State.DOWN, AT, AT)])
        raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        store.write_now(half)
    assert store.read_now(health.flips) == []


async def test_two_hundred_writers_at_once_lose_no_update(url: str, tmp_path: Path) -> None:
    def step(tx: Transaction) -> None:
        set_counter(tx, "test", counter(tx, "test") + 1)

    with Store.open(url, tmp_path) as one, Store.open(url, tmp_path) as other:
        await asyncio.gather(*(store.write(step) for store in (one, other) for _ in range(100)))
        assert await one.read(counter, "test") == 200


async def test_a_cancelled_caller_leaves_a_whole_write_or_none(store: Store) -> None:
    flip = Flip(Subject("cam-1", Aspect.REACH), State.OK, State.DOWN, AT, AT)
    tasks = [asyncio.create_task(store.write(health.save, (), [flip, flip])) for _ in range(20)]
    await tasks[3]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(await store.read(health.flips)) % 2 == 0


def test_a_reader_sees_one_picture_and_cannot_write(store: Store) -> None:
    def twice(tx: Transaction) -> tuple[int, int]:
        before = counter(tx, "test")
        store.write_now(set_counter, "test", 7)
        return before, counter(tx, "test")

    assert store.read_now(twice) == (0, 0)
    assert store.read_now(counter, "test") == 7
    with pytest.raises(Exception, match=r"readonly|read-only"):
        store.read_now(set_counter, "test", 8)


def test_a_second_service_is_refused_and_told_who_holds_the_database(url: str, tmp_path: Path) -> None:
    with Store.open(url, tmp_path) as first, Store.open(url, tmp_path) as second:
        first.claim()
        with pytest.raises(StoreError, match=rf"another service runs on this database \(.*process {os.getpid()}"):
            second.claim()
        # A command writes beside the service all the same.
        second.write_now(set_counter, "test", 1)
        first.close()
        second.claim()


def test_a_claim_that_the_server_forgot_is_taken_again_or_known_to_be_lost(postgresql: str, tmp_path: Path) -> None:
    def forget(tx: Transaction) -> None:
        tx.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
                " WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )
        )

    with Store.open(postgresql, tmp_path) as one, Store.open(postgresql, tmp_path) as other:
        one.claim()
        one.hold()
        other.write_now(forget)
        one.hold()
        with pytest.raises(StoreError, match="another service"):
            other.claim()
        other.write_now(forget)
        other.claim()
        with pytest.raises(ClaimLost, match=rf"another service runs on this database \(.*process {os.getpid()}"):
            one.hold()


def test_a_claim_on_a_file_is_the_kernels_business(tmp_path: Path) -> None:
    with Store.open("", tmp_path) as store:
        store.hold()
        store.claim()
        store.hold()


def test_a_database_that_another_process_holds_is_unavailable_for_now(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.1)
    with Store.open(url, tmp_path) as one, Store.open(url, tmp_path) as other:

        def hold(tx: Transaction) -> None:
            with pytest.raises(Unavailable, match="can't answer now"):
                other.write_now(set_counter, "test", 2)

        one.write_now(hold)
        other.write_now(set_counter, "test", 3)
        assert one.read_now(counter, "test") == 3


def test_a_full_disk_is_unavailable_for_now_and_leaves_nothing_broken(tmp_path: Path) -> None:
    flips = [
        Flip(Subject(f"cam-{n}", Aspect.REACH), State.OK, State.DOWN, AT, AT, detail="x" * 900) for n in range(500)
    ]

    def limit(tx: Transaction, pages: int) -> None:
        tx.execute(text(f"PRAGMA max_page_count={pages}"))

    with Store.open("", tmp_path) as store:
        full = store.read_now(lambda tx: int(tx.execute(text("PRAGMA page_count")).scalar_one()))
        store.write_now(limit, full + 5)
        with pytest.raises(Unavailable, match="full"):
            store.write_now(health.save, (), flips)
        assert store.read_now(health.flips) == []
        assert store.read_now(health.integrity) == []
        store.write_now(limit, 1_000_000)
        store.write_now(health.save, (), flips)
        assert len(store.read_now(health.flips, limit=1000)) == 500


def test_a_value_the_database_refuses_is_a_conflict_that_repeats_no_value(store: Store) -> None:
    insert = text("INSERT INTO counter (name, value) VALUES ('a-secret', 1)")
    store.write_now(lambda tx: tx.execute(insert))
    with pytest.raises(Conflict) as conflict:
        store.write_now(lambda tx: tx.execute(insert))
    assert "INSERT" not in str(conflict.value)


def test_sqlite_files_belong_to_their_owner_alone(tmp_path: Path) -> None:
    with Store.open("", tmp_path / "data") as store:
        store.write_now(set_counter, "test", 1)
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
    assert modes == dict.fromkeys(("camera_registry.db", "camera_registry.db-wal", "camera_registry.db-shm"), 0o600)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_what_is_kept_in_reserve_is_given_up_when_the_disk_is_full_and_made_again(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, 1)
    reserve.keep()
    assert not reserve.spent
    assert (tmp_path / "reserve").stat().st_size == 1_048_576
    assert reserve.give_up()
    assert reserve.spent
    assert not reserve.give_up()
    reserve.keep()
    assert not reserve.spent
