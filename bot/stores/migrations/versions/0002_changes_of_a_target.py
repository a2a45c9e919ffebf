"""An index for the changes of a target, newest first; what is open of it is found among what is open."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_operations_target_created_at", "operations", ["target", "created_at"])
    op.drop_index("ix_operations_target_state", "operations")
