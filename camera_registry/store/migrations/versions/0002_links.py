"""How devices are spoken to besides ONVIF and RTSP: encrypted, over SNMP, by credentials of one protocol alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_CREDENTIALS = ("onvif_credential", "snmp_credential")


def upgrade() -> None:
    """Add the columns, with what they hold for devices that are there already."""
    for name in ("parent_port", "http_path", "certificate"):
        op.add_column("device", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("device", sa.Column("tls", sa.String(), nullable=False, server_default="off"))
    for name in ("tls_port", "snmp_port"):
        op.add_column("device", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    for name in _CREDENTIALS:
        # By hand, because Alembic adds the reference in a second step, which SQLite does not have.
        op.execute(
            f"ALTER TABLE device ADD COLUMN {name} VARCHAR REFERENCES credential (id) DEFERRABLE INITIALLY DEFERRED"
        )
        op.create_index(f"ix_device_{name}", "device", [name])
