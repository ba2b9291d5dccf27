"""Looks name the network that made their vector and the track they were learned from; three columns get their comment."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COMMENTS = (
    ("chunk_marks", "state", sa.Text(), "what chunks.state is to become"),
    ("chunk_marks", "cause", sa.Text(), "why the analysis failed, a sentence; null when it did not"),
    ("observed_minutes", "minute", sa.DateTime(timezone=True), "its start"),
)


def upgrade() -> None:
    op.add_column(
        "horse_looks",
        sa.Column(
            "network",
            sa.Text(),
            nullable=True,
            comment="name and fingerprint of the network that made the vector, comparable only with its own; null: not kept",
        ),
    )
    op.add_column(
        "horse_looks",
        sa.Column(
            "stream_id",
            sa.Uuid(as_uuid=False),
            nullable=True,
            comment="the camera it was learned from; no foreign key, it outlives the camera",
        ),
    )
    op.add_column(
        "horse_looks",
        sa.Column(
            "track_id", sa.BigInteger(), nullable=True, comment="the track it was learned from, so that a refusal finds it"
        ),
    )
    op.add_column(
        "horse_looks",
        sa.Column(
            "vouched",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="true when a person said who it shows",
        ),
    )
    for table, column, kind, comment in COMMENTS:
        op.alter_column(table, column, existing_type=kind, comment=comment)


def downgrade() -> None:
    for column in ("vouched", "track_id", "stream_id", "network"):
        op.drop_column("horse_looks", column)
    for table, column, kind, comment in COMMENTS:
        op.alter_column(table, column, existing_type=kind, comment=None, existing_comment=comment)
