"""Sessions of live tasks: the trial whose page asked for a job, what people say aloud, codes of interactions.

Written out and never changed, as every migration.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("job", sa.Column("trial", sa.String(50), nullable=True))
    op.create_table(
        "recording",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("submission_id", KEY, nullable=False),
        sa.Column("item_id", KEY, nullable=False),
        sa.Column("repeat_index", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offset_ms", sa.Integer(), nullable=False),
        sa.Column("mime", sa.String(100), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"]),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("submission_id", "item_id", "repeat_index", "number", "chunk"),
    )
    _delete_recordings_when_asked()
    for table in ("coding", "adjudication"):
        with op.batch_alter_table(table) as changed:  # SQLite makes the table anew, without its triggers
            changed.add_column(sa.Column("response_id", KEY, nullable=True))
            changed.add_column(sa.Column("interaction", sa.Integer(), nullable=True))
            changed.create_foreign_key(f"{table}_response_id_fkey", "response", ["response_id"], ["id"])
        if op.get_bind().dialect.name == "sqlite":
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )


def _delete_recordings_when_asked() -> None:
    """Let the database itself refuse UPDATE, and DELETE without an event that says who asked for it."""
    asked = "SELECT 1 FROM event WHERE event.submission_id = OLD.submission_id AND event.kind = 'audio_deleted'"
    refusal = "recording is deleted only after an event audio_deleted"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER recording_no_update BEFORE UPDATE ON recording "
            "BEGIN SELECT RAISE(ABORT, 'recording is append-only'); END"
        )
        op.execute(
            f"CREATE TRIGGER recording_no_delete BEFORE DELETE ON recording WHEN NOT EXISTS ({asked}) "
            f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION recording_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'recording is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER recording_append_only BEFORE UPDATE OR TRUNCATE ON recording "
        "FOR EACH STATEMENT EXECUTE FUNCTION recording_append_only()"
    )
    op.execute(
        "CREATE FUNCTION recording_deleted_when_asked() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF NOT EXISTS ({asked}) THEN RAISE EXCEPTION '{refusal}'; END IF; RETURN OLD; END $$"
    )
    op.execute(
        "CREATE TRIGGER recording_deleted_when_asked BEFORE DELETE ON recording "
        "FOR EACH ROW EXECUTE FUNCTION recording_deleted_when_asked()"
    )
