"""An index for what is open, newest first: of a million operations a handful, which PostgreSQL may not guess."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('accepted', 'waiting', 'queued', 'running')")


def upgrade() -> None:
    op.create_index("ix_operations_open", "operations", ["created_at"], sqlite_where=OPEN, postgresql_where=OPEN)
