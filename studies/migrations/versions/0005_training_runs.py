"""Training runs: what came of each, for each row of a table that asks for it.

Written out and never changed, as every migration.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table and its indexes."""
    op.create_table(
        "training_run",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("study_id", KEY, nullable=True),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("experiment", sa.Text(), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.Column("network", sa.String(50), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    op.create_index(
        "training_run_of_study",
        "training_run",
        ["study_id", "experiment", "row", "digest"],
        unique=True,
        sqlite_where=sa.text("study_id IS NOT NULL"),
        postgresql_where=sa.text("study_id IS NOT NULL"),
    )
    op.create_index(
        "training_run_of_nobody",
        "training_run",
        ["experiment", "row", "digest"],
        unique=True,
        sqlite_where=sa.text("study_id IS NULL"),
        postgresql_where=sa.text("study_id IS NULL"),
    )
