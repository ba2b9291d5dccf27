"""Horses that were strangers know since when they have a name."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "horses",
        sa.Column(
            "named_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when a person said who this stranger is: what was seen of it before is certain; null: it was none",
        ),
    )


def downgrade() -> None:
    op.drop_column("horses", "named_at")
