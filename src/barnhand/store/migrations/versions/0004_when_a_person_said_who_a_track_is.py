"""Tracks know when a person said who they are."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "tracks",
        sa.Column(
            "told_us",
            sa.BigInteger(),
            nullable=True,
            comment="when a person said who it is, microseconds since 1970 UTC: earlier pictures show horse_id; null: never",
        ),
    )


def downgrade() -> None:
    op.drop_column("tracks", "told_us")
