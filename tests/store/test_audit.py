"""The audit trail cannot be edited, and where somebody got around that, it shows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from camera_registry.store import Store, Transaction, audit

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def filled(store: Store) -> Store:
    for number in range(1, 6):
        store.write_now(audit.append, "ann", "picture.view", f"device/cam-{number}", {"kind": "last"}, AT)
    return store


def tamper(store: Store, statement: str) -> None:
    """What somebody with the database's own tools can do: switch the guard off first."""

    def job(tx: Transaction) -> None:
        if tx.dialect.name == "sqlite":
            tx.execute(text("DROP TRIGGER audit_no_update"))
            tx.execute(text("DROP TRIGGER audit_no_delete"))
        else:
            tx.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        tx.execute(text(statement))

    store.write_now(job)


def test_an_untouched_trail_is_good(filled: Store) -> None:
    verdict = filled.read_now(audit.verify)
    assert (verdict.rows, verdict.broken) == (5, None)
    filled.write_now(audit.append, "ann", "sign_out", "user/ann", None, AT)
    assert filled.read_now(audit.verify).head != verdict.head


@pytest.mark.parametrize("table", ["audit", "change"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = 99", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_remove_rows(filled: Store, statement: str, table: str) -> None:
    row = "INSERT INTO change (kind, item, author, at) VALUES ('area', 'a', 'ann', 0)"
    filled.write_now(lambda tx: tx.execute(text(row)))
    with pytest.raises(Exception, match="never changed or removed"):
        filled.write_now(lambda tx: tx.execute(text(statement.format(table))))


@pytest.mark.parametrize(
    ("statement", "broken", "reason"),
    [
        ("UPDATE audit SET actor = 'bob' WHERE id = 3", 3, "changed after"),
        ("UPDATE audit SET at = at + 1 WHERE id = 1", 1, "changed after"),
        ("DELETE FROM audit WHERE id = 2", 2, "missing"),
        ("DELETE FROM audit WHERE id = 1", 1, "missing"),
        ("DELETE FROM audit WHERE id >= 4", 4, "missing at the end"),
        ("UPDATE audit SET previous = hash WHERE id = 4", 4, "does not follow"),
    ],
)
def test_verify_names_the_first_broken_row(filled: Store, statement: str, broken: int, reason: str) -> None:
    tamper(filled, statement)
    verdict = filled.read_now(audit.verify)
    assert verdict.broken == broken
    assert reason in verdict.reason


def test_the_trail_is_read_newest_first_by_object_and_actor(filled: Store) -> None:
    filled.write_now(audit.append, "bob", "register.edit", "device/cam-1", None, AT)
    assert [row.actor for row in filled.read_now(audit.trail, about="device/cam-1")] == ["bob", "ann"]
    assert [row.id for row in filled.read_now(audit.trail, limit=2)] == [6, 5]
    assert [row.id for row in filled.read_now(audit.trail, actor="ann", before_id=3)] == [2, 1]
