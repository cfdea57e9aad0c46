"""Work orders that are about no incident name none: they named one that was kept for that, numbered 0."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Let the column be empty, empty it where it says 0, and take that incident away."""
    if op.get_bind().dialect.name == "sqlite":
        _make_anew()
    else:
        op.alter_column("work_order", "incident", existing_type=sa.BigInteger(), nullable=True)
    op.execute("UPDATE work_order SET incident = NULL WHERE incident = 0")
    op.execute("DELETE FROM incident WHERE id = 0")


def _make_anew() -> None:
    """SQLite can't alter a column. What refers to an order is held against the new table when the rows are in it: one
    that is renamed to the old one's name would not do, and keys can't be switched off within a transaction."""
    run = op.get_bind().exec_driver_sql
    made = "SELECT sql FROM sqlite_master WHERE tbl_name = 'work_order' AND sql IS NOT NULL ORDER BY type DESC"
    statements = [str(sql) for (sql,) in run(made).all()]
    run("PRAGMA defer_foreign_keys = ON")
    run("CREATE TABLE work_order_before AS SELECT * FROM work_order")
    run("DROP TABLE work_order")
    for sql in statements:
        run(sql.replace("incident INTEGER NOT NULL", "incident INTEGER"))
    run("INSERT INTO work_order SELECT * FROM work_order_before")
    run("DROP TABLE work_order_before")
