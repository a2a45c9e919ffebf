"""What each process that takes work can carry out; older ones do not say it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("leases", sa.Column("program", sa.Integer(), nullable=True))
