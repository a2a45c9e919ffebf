"""A version that might come after this one: of another epoch, and with one more migration if need be."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from alembic.config import Config

from bot.engine import workflow
from bot.sandbox import launcher
from bot.sandbox.replica import Child, Starter
from bot.stores import database

OLD, NEW = workflow.EPOCH, "the next epoch"
REVISION = "the next one"
ADDS = (
    "op.add_column('operations', sa.Column('cost', sa.Text(), nullable=False, server_default='none'));"
    " op.create_table('costs', sa.Column('usd', sa.Double(), nullable=False))"
)
MIGRATION = """\
import sqlalchemy as sa
from alembic import op

revision, down_revision = {revision!r}, {before!r}


def upgrade():
    {does}
"""


def migrations(folder: Path, does: str) -> Path:
    """This version's migrations and one more, in a folder that is made; the folder."""
    before = database.wanted()
    shutil.copytree(Path(database.__file__).with_name("migrations"), folder)
    text = MIGRATION.format(revision=REVISION, before=before, does=does)
    (folder / "versions" / "the_next_one.py").write_text(text)
    return folder


def config(folder: Path) -> Config:
    """What makes the program have those migrations: `database._config`, replaced."""
    made = Config()
    made.set_main_option("script_location", str(folder))
    return made


def upgrade(url: str, folder: Path) -> None:
    """`aisq db upgrade` of that version."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "_config", lambda: config(folder))
        assert database.upgrade(url) == REVISION


def of_epoch(epoch: str, folder: Path | None = None) -> Starter:
    """Starts a bot of an epoch, with the migrations in a folder or its own."""

    def start(environment: Mapping[str, str], log: Path) -> Child:
        given = (epoch, folder, dict(environment), str(log))
        return launcher.Forked(launcher.FORK.Process(target=serve, args=given, daemon=True))

    return start


def serve(epoch: str, folder: Path | None, environment: dict[str, str], log: str) -> None:
    """In the child: become `aisq serve` of that version."""
    workflow.EPOCH = epoch
    if folder:
        database._config = lambda: config(folder)
    launcher.serve(environment, log)
