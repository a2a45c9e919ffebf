"""Replies in the thread of a message, and an index for what moved last."""

import sqlalchemy as sa
from alembic import op

from bot.stores.tables import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "replies",
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.JSON(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("tried_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["operation"], ["operations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("operation", "kind"),
    )
    op.create_index("ix_operations_updated_at", "operations", ["updated_at"])
