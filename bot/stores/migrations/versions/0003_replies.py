"""Replies in the thread of a message, and an index for what moved last. What ended before needs no replies any more."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from bot.stores.tables import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OPEN = ("accepted", "waiting", "queued", "running")
FINAL = 2**31 - 1


def upgrade() -> None:
    replies = op.create_table(
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
    for kind in ("details", "file"):
        told = sa.literal(kind), sa.literal({}, sa.JSON()), sa.literal(FINAL)
        op.execute(replies.insert().from_select(["operation", "kind", "place", "shown"], _ended(*told)))


def _ended(*told: sa.ColumnElement[Any]) -> sa.Select[Any]:
    operations = sa.table("operations", sa.column("id", sa.Text()), sa.column("state", sa.Text()))
    messages = sa.table("messages", sa.column("operation", sa.Text()))
    both = messages.join(operations, operations.c.id == messages.c.operation)
    return sa.select(operations.c.id, *told).select_from(both).where(operations.c.state.not_in(OPEN))
