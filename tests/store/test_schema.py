"""A database is brought to the shape this program knows, or refused with a remedy; it is never left in between."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, text

from camera_registry.model.device import Device, Kind
from camera_registry.model.health import AspectState, Subject
from camera_registry.model.people import Role
from camera_registry.model.rates import SUMS, Sums
from camera_registry.model.work_order import NO_INCIDENT
from camera_registry.rules import availability
from camera_registry.rules.dispatch import deeds
from camera_registry.store import (
    Store,
    StoreError,
    Transaction,
    decisions,
    frozen_coverage,
    frozen_rates,
    incidents,
    onlooking,
    orders,
    platform,
    register,
    schema,
)
from camera_registry.store.migrations import HEAD
from camera_registry.store.tables import METADATA, StateRow, table
from tests.notices import at, incident, order


def test_migrations_build_exactly_the_tables_that_statements_name(store: Store) -> None:
    def differences(tx: Transaction) -> list[object]:
        found = list(compare_metadata(MigrationContext.configure(tx), METADATA))
        if tx.dialect.name != "sqlite":
            return found
        # SQLite does not tell whether a key that was added to a table later is deferred: the same key, told otherwise.
        keys = [(one[1].table.name, tuple(one[1].column_keys)) for one in found if one[0] in ("remove_fk", "add_fk")]
        twice = {key for key in keys if keys.count(key) == 2}
        return [
            one
            for one in found
            if one[0] not in ("remove_fk", "add_fk") or (one[1].table.name, tuple(one[1].column_keys)) not in twice
        ]

    assert store.read_now(differences) == []


def test_the_newest_step_is_the_one_that_is_told_without_loading_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).with_name("migrations")))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_a_state_has_a_column_for_each_thing_it_holds() -> None:
    columns = [column.name for column in table(StateRow).columns]
    assert columns == [field.name for field in (*fields(Subject), *fields(AspectState)[1:])]


def test_a_database_of_a_newer_version_is_refused_with_a_remedy(url: str, tmp_path: Path) -> None:
    with Store.open(url, tmp_path) as store:
        store.write_now(lambda tx: tx.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(StoreError, match=r"newer version of this program.*install the newer version"):
        Store.open(url, tmp_path)


def test_a_database_of_another_program_is_refused_and_left_alone(url: str, tmp_path: Path) -> None:
    with Store.open(url, tmp_path) as store:
        store.write_now(lambda tx: tx.execute(text("DROP TABLE alembic_version")))
    with pytest.raises(StoreError, match="another program"):
        Store.open(url, tmp_path)


def test_a_sqlite_file_is_copied_aside_before_it_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open("", tmp_path):
        pass
    monkeypatch.setattr(schema, "HEAD", "later")
    with Store.open("", tmp_path):
        pass
    (copy,) = (tmp_path / "backups").iterdir()
    assert copy.stat().st_mode & 0o777 == 0o600
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
    connection.close()


def to(version: str, connection: Transaction) -> None:
    """Bring a database to the shape of an older release."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(schema.__file__).with_name("migrations")))
    command.upgrade(config, version)


def test_what_older_releases_froze_is_found_by_its_period(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    month = availability.month("2026-10", zone, datetime(2026, 12, 1, tzinfo=UTC))
    stretch = f"{month.begins.isoformat()}/{month.ends.isoformat()}"
    sums, site = list(range(len(SUMS))), {"dark": 7, "views": {"N": [1, 2, 3, 4]}}
    kept = {stretch: {"cam-1": sums}, f"coverage/{stretch}/Asia/Shanghai": {"gate": site}}
    monkeypatch.setattr(schema, "_upgrade", partial(to, "0014"))
    with Store.open(url, tmp_path) as store:
        insert = text("INSERT INTO frozen_report VALUES (:name, 5, 'li', '9/3', :figures)")
        values = [{"name": name, "figures": json.dumps(figures)} for name, figures in kept.items()]
        store.write_now(lambda tx: tx.execute(insert, values))
    monkeypatch.undo()
    with Store.open(url, tmp_path) as store:
        rates = store.read_now(frozen_rates.frozen, month)
        coverage = store.read_now(frozen_coverage.frozen, month)
    assert rates is not None
    assert rates.sums == {"cam-1": Sums(*sums)}
    assert (rates.freeze.by, rates.freeze.version) == ("li", "9/3")
    assert coverage is not None
    assert coverage.sites["gate"].dark == timedelta(microseconds=7)
    assert coverage.charged is None


def test_devices_of_an_older_database_are_all_there_after_it_was_brought_up_to_date(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_upgrade", partial(to, "0001"))
    with Store.open(url, tmp_path) as store:
        store.write_now(lambda tx: tx.execute(text(_OLD_DEVICE)))
    monkeypatch.undo()
    with Store.open(url, tmp_path) as store:
        devices = store.read_now(register.load_register).devices
    assert devices == {"cam-1": Device("cam-1", Kind.CAMERA, "East gate", "10.20.0.7", onvif_path="/onvif")}


def test_orders_that_people_opened_are_about_no_incident_after_an_upgrade_that_was_broken_off_once(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = deeds.accept(order(2, 2), deeds.Actor("li", Role.OPERATOR), at(10))
    monkeypatch.setattr(schema, "_upgrade", partial(to, "0015"))
    with Store.open(url, tmp_path) as store:
        store.write_now(incidents.save, [incident(NO_INCIDENT), incident(1), incident(2)])
        store.write_now(orders.save, [order(1), held.order], [held])
        store.write_now(platform.set_reference, 2, "GD-7")
        store.write_now(lambda tx: tx.execute(text("UPDATE work_order SET incident = 0 WHERE id = 2")))
    monkeypatch.undo()

    def look(store: Store) -> tuple[object, ...]:
        kept = [store.read_now(orders.get, id) for id in (1, 2)]
        return kept, store.read_now(orders.time_line, 2), store.read_now(platform.reference_of, 2)

    def kill(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.startswith("DELETE FROM incident"):
            raise StoreError("failed", why="killed here")

    event.listen(Engine, "before_cursor_execute", kill)
    with pytest.raises(StoreError, match="killed here"):
        Store.open(url, tmp_path)
    event.remove(Engine, "before_cursor_execute", kill)
    monkeypatch.setattr(schema, "HEAD", "0015")
    with Store.open(url, tmp_path) as store:
        before = look(store)
    monkeypatch.undo()
    with Store.open(url, tmp_path) as store:
        assert look(store) == before
        assert before[0] == [order(1), replace(held.order, incident=NO_INCIDENT)]
        assert len(store.read_now(orders.time_line, 2)) == 1
        assert store.read_now(platform.reference_of, 2) == "GD-7"
        assert [one.id for one in store.read_now(incidents.page, incidents.Wanted())] == [2, 1]
        assert store.read_now(orders.load, at(0)) == before[0]
        store.write_now(orders.save, [order(3), order(4, incident=NO_INCIDENT)])
        with pytest.raises(StoreError):
            store.write_now(orders.save, [order(5, 9)])


_OLD_DEVICE = """
INSERT INTO device (id, kind, name, host, life, national_code, probes, tcp_port, onvif_port, onvif_path, rtsp_port,
    http_port, manufacturer, model, serial, firmware, mac, mounting, pole, power_source, owner, tags, note, version,
    changed_at)
VALUES ('cam-1', 'camera', 'East gate', '10.20.0.7', 'active', '', '[]', 0, 80, '/onvif', 554, 80, '', '', '', '', '',
    '', '', '', '', '[]', '', 1, 0)
"""


def test_a_step_that_fails_half_way_leaves_the_old_shape(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(connection: Transaction) -> None:
        connection.execute(text("CREATE TABLE half (id INTEGER)"))
        raise StoreError("failed", why="killed here")

    monkeypatch.setattr(schema, "_upgrade", fail)
    with pytest.raises(StoreError, match="killed here"):
        Store.open(url, tmp_path)
    monkeypatch.undo()
    with Store.open(url, tmp_path) as store:
        tables = store.read_now(lambda tx: set(tx.dialect.get_table_names(tx)))
    assert "half" not in tables


def test_who_looks_on_sees_what_is_stored_and_leaves_the_database_as_it_is(shaped_url: str, tmp_path: Path) -> None:
    def files() -> dict[str, bytes]:
        # The index of SQLite's log is no data.
        found = (tmp_path / "data").glob("*.db*")
        return {one.name: one.read_bytes() for one in found if not one.name.endswith("-shm")}

    with Store.open(shaped_url, tmp_path / "data") as store:
        store.write_now(decisions.mark, 7)
        before = files()
        with onlooking(shaped_url, tmp_path / "data") as tx:
            assert decisions.marked(tx) == 7
        with pytest.raises(StoreError), onlooking(shaped_url, tmp_path / "data") as tx:
            decisions.mark(tx, 8)
        assert files() == before
        store.write_now(lambda tx: tx.execute(text("UPDATE alembic_version SET version_num = '0012'")))
    before = files()
    with pytest.raises(StoreError, match="its shape is 0012"), onlooking(shaped_url, tmp_path / "data"):
        pass
    assert files() == before


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://root@db/x", "use sqlite or postgresql"),
        ("sqlite://", "names no SQLite file"),
        ("no address", "not a database address"),
    ],
)
def test_an_address_that_cannot_work_is_told_with_a_remedy(url: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=told):
        Store.open(url, tmp_path)


def test_an_unreachable_server_is_told_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as error:
        Store.open("postgresql://ann:secret-7@127.0.0.1:1/x", tmp_path)
    assert "127.0.0.1" in str(error.value)
    assert "secret-7" not in str(error.value)


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "camera_registry.db"
    file.write_bytes(b"something else entirely " * 200)
    with pytest.raises(StoreError, match=r"camera_registry\.db.*not a database.*backup"):
        Store.open("", tmp_path)
    assert file.read_bytes() == b"something else entirely " * 200


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"can't be opened.*check \[storage\]"):
        Store.open("", tmp_path / "file" / "data")
