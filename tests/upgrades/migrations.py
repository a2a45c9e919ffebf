"""What a migration does to a schema that older programs still work on: it may add, and nothing else."""

from collections.abc import Iterator
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from bot.stores import database

Json = dict[str, Any]
OURS = "alembic_version"


def revisions() -> list[str]:
    """Oldest first."""
    walked = ScriptDirectory.from_config(database._config()).walk_revisions()
    return [str(script.revision) for script in walked][::-1]


def harms(url: str) -> list[str]:
    """What the migrations, made one after the other in that empty database, do to what was there before each."""
    engine, found, before = database.connect(url), list[str](), Json()
    for revision in revisions():
        with engine.begin() as connection:
            config = database._config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            after = schema(connection)
        found += [f"{revision}: {harm}" for harm in between(before, after)]
        before = after
    engine.dispose()
    return found


def schema(connection: Connection) -> Json:
    """Table to its columns, and to what it demands of whoever writes."""
    found = inspect(connection)
    return {table: _table(found, table) for table in found.get_table_names() if table != OURS}


def between(before: Json, after: Json) -> Iterator[str]:
    """What an older program, which knows `before`, cannot work with."""
    for name, table in before.items():
        if name not in after:
            yield f"table {name} is gone or renamed"
            continue
        yield from (f"{name}{harm}" for harm in _of_columns(table["columns"], after[name]["columns"]))
        for kind, columns in sorted(after[name]["demands"] - table["demands"]):
            yield f"{name} has a new {kind} on {columns}"
        for kind, columns in sorted(table["demands"] - after[name]["demands"]):
            yield f"{name} has no {kind} on {columns} any more"


def _table(found: Any, name: str) -> Json:
    columns = {one["name"]: one for one in found.get_columns(name)}
    keys = [tuple(one["constrained_columns"]) for one in found.get_foreign_keys(name)]
    uniques = [tuple(one["column_names"]) for one in found.get_unique_constraints(name)]
    uniques += [tuple(one["column_names"]) for one in found.get_indexes(name) if one["unique"]]
    checks = [one["sqltext"] for one in found.get_check_constraints(name)]
    primary = tuple(found.get_pk_constraint(name)["constrained_columns"])
    demands = {*(("unique", one) for one in uniques), *(("foreign key", one) for one in keys), ("primary key", primary)}
    return {"columns": columns, "demands": demands | {("check", one) for one in checks}}


def _of_columns(before: Json, after: Json) -> Iterator[str]:
    for name, column in before.items():
        if name not in after:
            yield f".{name} is gone or renamed"
        elif str(column["type"]) != str(after[name]["type"]):
            yield f".{name} was {column['type']} and is {after[name]['type']}"
        elif column["nullable"] and not after[name]["nullable"]:
            yield f".{name} must not be empty any more"
        elif column["default"] and not after[name]["default"]:
            yield f".{name} has no default any more"
    for name in after.keys() - before.keys():
        if not after[name]["nullable"] and after[name]["default"] is None:
            yield f".{name} is new, must not be empty and has no default"
