"""Stages of what runs for long, and locks. A stage goes with its operation: older programs do not know of it."""

import sqlalchemy as sa
from alembic import op

from bot.stores.tables import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stages",
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("steered", sa.Text(), nullable=True),
        sa.Column("steered_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["operation"], ["operations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("operation", "position"),
    )
    op.create_table(
        "locks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lock", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
