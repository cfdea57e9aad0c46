"""Whose orders an account sees."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0005"


def upgrade() -> None:
    """Add the column. By hand, because Alembic adds the reference in a second step, which SQLite does not have."""
    op.execute("ALTER TABLE account ADD COLUMN crew VARCHAR REFERENCES crew (id) DEFERRABLE INITIALLY DEFERRED")
    op.create_index("ix_account_crew", "account", ["crew"])
