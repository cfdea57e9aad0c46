"""Incidents with their time lines, maintenance windows, and a second parent for devices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, and add the column, which is empty for devices that are there already."""
    # By hand, because Alembic adds the reference in a second step, which SQLite does not have.
    op.execute(
        "ALTER TABLE device ADD COLUMN backup_parent VARCHAR REFERENCES device (id) DEFERRABLE INITIALLY DEFERRED"
    )
    op.create_index("ix_device_backup_parent", "device", ["backup_parent"])
    op.create_table(
        "incident",
        sa.Column("id", _BIG, primary_key=True, autoincrement=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("flapping", sa.Boolean(), nullable=False),
        sa.Column("symptoms", sa.Text(), nullable=False),
        sa.Column("causes", sa.Text(), nullable=False),
        sa.Column("spans", sa.Text(), nullable=False),
        sa.Column("parent", _BIG, nullable=True),
        sa.Column("window_id", _BIG, nullable=True),
        sa.Column("affected", sa.Integer(), nullable=False),
        sa.Column("acknowledged", sa.Text(), nullable=True),
        sa.Column("assignee", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_index("ix_incident_ended", "incident", ["ended", "id"])
    op.create_index("ix_incident_about", "incident", ["about", "id"])
    op.create_index("ix_incident_area", "incident", ["area", "id"])
    op.create_index("ix_incident_started", "incident", ["started"])
    op.create_index("ix_incident_parent", "incident", ["parent"])
    op.create_table(
        "incident_step",
        sa.Column("id", _BIG, primary_key=True, autoincrement=True),
        sa.Column("incident", _BIG, sa.ForeignKey("incident.id"), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("other", _BIG, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
    )
    op.create_index("ix_incident_step_incident", "incident_step", ["incident"])
    op.create_table(
        "incident_device",
        sa.Column("incident", _BIG, sa.ForeignKey("incident.id"), primary_key=True, autoincrement=False),
        sa.Column("device", sa.String(), primary_key=True),
        sa.Column("since", sa.BigInteger(), primary_key=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_incident_device_device", "incident_device", ["device"])
    op.create_table(
        "maintenance_window",
        sa.Column("id", _BIG, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cover", sa.Text(), nullable=False),
        sa.Column("begins", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=True),
        sa.Column("lasts", sa.Float(), nullable=False),
        sa.Column("schedule", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_at", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_by", sa.String(), nullable=False),
    )
