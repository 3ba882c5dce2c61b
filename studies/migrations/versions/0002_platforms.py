"""Platforms and money: listings, what platforms say of submissions, the payment ledger, groups, invitations.

Written out and never changed, as every migration. `payment` is made anew: no release wrote to it before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables, and room for sealed platform ids."""
    with op.batch_alter_table("participant") as participant:
        participant.alter_column("platform_id", existing_type=sa.String(200), type_=sa.Text(), existing_nullable=True)
    op.create_table(
        "listing",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("posting_id", KEY, nullable=False),
        sa.Column("batch_id", KEY, nullable=True),
        sa.Column("submission_id", KEY, nullable=True),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("remote_id", sa.String(100), nullable=True),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"]),
        sa.ForeignKeyConstraint(["posting_id"], ["posting.id"]),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    op.create_index("ix_listing_posting_id", "listing", ["posting_id"])
    op.create_index("ix_listing_remote_id", "listing", ["remote_id"])
    op.create_table(
        "invitation",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("posting_id", KEY, nullable=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["posting_id"], ["posting.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    op.create_index("ix_invitation_posting_id", "invitation", ["posting_id"])
    op.create_table(
        "participant_group",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("study_id", KEY, nullable=False),
        sa.Column("platform", sa.String(20), nullable=False),
        sa.Column("service", sa.String(200), nullable=False),
        sa.Column("remote_id", sa.String(100), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("study_id", "platform", "service"),
    )
    op.create_table(
        "remote_submission",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("posting_id", KEY, nullable=False),
        sa.Column("listing_id", KEY, nullable=True),
        sa.Column("participant_id", KEY, nullable=False),
        sa.Column("submission_id", KEY, nullable=True),
        sa.Column("remote_id", sa.String(100), nullable=True),
        sa.Column("return_to", sa.Text(), nullable=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("vendor_state", sa.String(30), nullable=True),
        sa.Column("code", sa.String(100), nullable=True),
        sa.Column("grouped", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("arrived_at", TIME, nullable=True),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("submitted_at", TIME, nullable=True),
        sa.Column("seen_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"]),
        sa.ForeignKeyConstraint(["participant_id"], ["participant.id"]),
        sa.ForeignKeyConstraint(["posting_id"], ["posting.id"]),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("posting_id", "remote_id", "participant_id"),
    )
    op.create_index("ix_remote_submission_participant_id", "remote_submission", ["participant_id"])
    op.create_index("ix_remote_submission_submission_id", "remote_submission", ["submission_id"])
    op.drop_table("payment")
    op.create_table(
        "payment",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("submission_id", KEY, nullable=False),
        sa.Column("remote_submission_id", KEY, nullable=True),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reference", sa.String(100), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["remote_submission_id"], ["remote_submission.id"]),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("submission_id", "purpose"),
        sa.UniqueConstraint("token"),
    )
    op.create_index("payment_by_state", "payment", ["state"])
    op.create_table(
        "hook_event",
        sa.Column("platform", sa.String(20), nullable=False),
        sa.Column("event_id", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("platform", "event_id"),
    )
