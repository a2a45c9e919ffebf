"""Migrations only add: older programs work on the newer schema while it is rolled out, and when they come back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from ruamel.yaml import YAML

from bot.stores import database
from tests.upgrades import migrations, next_version

ROWS = YAML(typ="safe").load(Path(__file__).with_name("migrations.yaml"))


@pytest.fixture(params=["sqlite", "new_postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without a schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite'}"
    return str(request.getfixturevalue(request.param))


def test_every_migration_only_adds(empty: str) -> None:
    assert migrations.revisions()[0] == "0001"
    assert migrations.harms(empty) == [], "an older program still works on it: add, and let what is old stand"


def test_a_migration_that_does_more_is_named(empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = next_version.migrations(tmp_path / "migrations", "op.drop_table('pins')")
    monkeypatch.setattr(database, "_config", lambda: next_version.config(folder))
    assert migrations.harms(empty) == [f"{next_version.REVISION}: table pins is gone or renamed"]


@pytest.fixture
def connection(row: dict[str, str], request: pytest.FixtureRequest) -> Iterator[sa.Connection]:
    """To a database that has today's schema, and afterwards has it again; SQLite unless the row says otherwise."""
    engine = database.connect(str(request.getfixturevalue(row.get("only", "sqlite"))))
    with engine.connect() as made:
        yield made
        made.rollback()
    engine.dispose()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["does"])
def test_what_does_more_than_add_is_seen(row: dict[str, str], connection: sa.Connection) -> None:
    before = migrations.schema(connection)
    eval(row["does"], {"op": Operations(MigrationContext.configure(connection)), "sa": sa})
    found = list(migrations.between(before, migrations.schema(connection)))
    assert found == ([row["harm"]] if "harm" in row else [])
