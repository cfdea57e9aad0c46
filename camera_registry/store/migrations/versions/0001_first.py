"""The first shape of the database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_APPEND_ONLY = ("audit", "change")

_REFUSAL = "rows of this table are never changed or removed"


def upgrade() -> None:
    """Make every table, and the triggers that keep the audit trail and the changes as they were written."""
    op.create_table(
        "account",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "area",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "parent", sa.String(), sa.ForeignKey("area.id", deferrable=True, initially="DEFERRED"), nullable=True
        ),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_area_parent", "area", ["parent"])
    op.create_table(
        "aspect_state",
        sa.Column("device", sa.String(), primary_key=True),
        sa.Column("aspect", sa.String(), primary_key=True),
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("settled", sa.String(), nullable=False),
        sa.Column("was", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("run_cause", sa.String(), nullable=True),
        sa.Column("run_at", sa.BigInteger(), nullable=True),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("good", sa.Boolean(), nullable=True),
        sa.Column("changes", sa.Integer(), nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", _BIG, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
    )
    op.create_index("ix_audit_about", "audit", ["about"])
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "change",
        sa.Column("id", _BIG, primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_change_item", "change", ["kind", "item", "id"])
    op.create_table(
        "contractor",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("value", sa.Integer(), nullable=False),
    )
    op.create_table(
        "credential",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "flip",
        sa.Column("id", _BIG, primary_key=True),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("aspect", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
    )
    op.create_index("ix_flip_at", "flip", ["at"])
    op.create_index("ix_flip_device", "flip", ["device", "id"])
    op.create_index("ix_flip_subject", "flip", ["device", "channel", "aspect", "at"])
    op.create_table(
        "login_failure",
        sa.Column("subject", sa.String(), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "probe_seen",
        sa.Column("device", sa.String(), primary_key=True),
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("probe", sa.String(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("took", sa.Float(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("last_success", sa.BigInteger(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
    )
    op.create_table(
        "setup",
        sa.Column("token_hash", sa.String(), primary_key=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "token",
        sa.Column("prefix", sa.String(), primary_key=True),
        sa.Column("token_hash", sa.String(), nullable=False, unique=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
    )
    op.create_table(
        "crew",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "contractor",
            sa.String(),
            sa.ForeignKey("contractor.id", deferrable=True, initially="DEFERRED"),
            nullable=True,
        ),
        sa.Column("area", sa.String(), sa.ForeignKey("area.id", deferrable=True, initially="DEFERRED"), nullable=True),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_crew_area", "crew", ["area"])
    op.create_index("ix_crew_contractor", "crew", ["contractor"])
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(), primary_key=True),
        sa.Column("account", sa.String(), sa.ForeignKey("account.name", ondelete="CASCADE"), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_session_account", "session", ["account"])
    op.create_table(
        "site",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("area", sa.String(), sa.ForeignKey("area.id", deferrable=True, initially="DEFERRED"), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("polygon", sa.Text(), nullable=False),
        sa.Column("required_availability", sa.Float(), nullable=True),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_site_area", "site", ["area"])
    op.create_table(
        "device",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("life", sa.String(), nullable=False),
        sa.Column("traffic_kind", sa.String(), nullable=True),
        sa.Column("national_code", sa.Text(), nullable=False),
        sa.Column("area", sa.String(), sa.ForeignKey("area.id", deferrable=True, initially="DEFERRED"), nullable=True),
        sa.Column("site", sa.String(), sa.ForeignKey("site.id", deferrable=True, initially="DEFERRED"), nullable=True),
        sa.Column(
            "parent", sa.String(), sa.ForeignKey("device.id", deferrable=True, initially="DEFERRED"), nullable=True
        ),
        sa.Column(
            "credential",
            sa.String(),
            sa.ForeignKey("credential.id", deferrable=True, initially="DEFERRED"),
            nullable=True,
        ),
        sa.Column("probes", sa.Text(), nullable=False),
        sa.Column("interval", sa.Float(), nullable=True),
        sa.Column("tcp_port", sa.Integer(), nullable=False),
        sa.Column("onvif_port", sa.Integer(), nullable=False),
        sa.Column("onvif_path", sa.Text(), nullable=False),
        sa.Column("rtsp_port", sa.Integer(), nullable=False),
        sa.Column("http_port", sa.Integer(), nullable=False),
        sa.Column("manufacturer", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("firmware", sa.Text(), nullable=False),
        sa.Column("mac", sa.Text(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("mounting", sa.Text(), nullable=False),
        sa.Column("height", sa.Float(), nullable=True),
        sa.Column("azimuth", sa.Float(), nullable=True),
        sa.Column("view_angle", sa.Float(), nullable=True),
        sa.Column("view_range", sa.Float(), nullable=True),
        sa.Column("pole", sa.Text(), nullable=False),
        sa.Column("power_source", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column(
            "contractor",
            sa.String(),
            sa.ForeignKey("contractor.id", deferrable=True, initially="DEFERRED"),
            nullable=True,
        ),
        sa.Column("contract_end", sa.Date(), nullable=True),
        sa.Column("warranty_end", sa.Date(), nullable=True),
        sa.Column("installed", sa.Date(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_device_area", "device", ["area"])
    op.create_index("ix_device_contractor", "device", ["contractor"])
    op.create_index("ix_device_credential", "device", ["credential"])
    op.create_index("ix_device_national_code", "device", ["national_code"])
    op.create_index("ix_device_parent", "device", ["parent"])
    op.create_index("ix_device_site", "device", ["site"])
    op.create_table(
        "view",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("site", sa.String(), sa.ForeignKey("site.id", deferrable=True, initially="DEFERRED"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_view_site", "view", ["site"])
    op.create_table(
        "channel",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column(
            "device", sa.String(), sa.ForeignKey("device.id", deferrable=True, initially="DEFERRED"), nullable=False
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("rtsp_path", sa.Text(), nullable=False),
        sa.Column("snapshot_path", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_channel_device", "channel", ["device"])
    for name in _APPEND_ONLY:
        _forbid_changes(name)


def _forbid_changes(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return
    op.execute(
        f"CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
