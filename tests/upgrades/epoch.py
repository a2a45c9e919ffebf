"""What an epoch and our rows fix, as data: epoch.yaml has it as it was recorded, `today` as the code has it now.

`run`, `steps` and `outputs` are what the durable library persists and matches when it replays: they hold within one
EPOCH. The others hold over all epochs, because rows stay, and older replicas read new ones: `models` are those of JSON
columns, `operations` (changes) have parameters and checks that rows name, `writes` are what a step calls, and `tables`.
"""

import inspect
import json
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from pydantic.json_schema import models_json_schema
from ruamel.yaml import YAML

from bot import operations
from bot.core import folder
from bot.core.answer import Answer
from bot.core.catalog import Catalog
from bot.core.operation import Operation
from bot.core.plan import Plan, Step
from bot.core.ports import PORTS, Effect
from bot.core.request import Actor, Request
from bot.core.rules import PolicyFiles
from bot.core.system import Pin
from bot.engine import workflow
from bot.engine.apply import Done
from bot.engine.registry import Registry
from bot.settings import HERE as ROOT
from bot.stores import database
from bot.stores.catalog_files import load_catalog
from bot.stores.policy_files import policy_files
from bot.stores.tables import Base
from tests.engine.conftest import GOOD, NOON, Bot, close

FILE = Path(__file__).with_name("epoch.yaml")
ABOUT = "# What an epoch and our rows fix: docs/architecture.md 8. Written by `python -m tests.upgrades.keep`.\n"
MODELS = (Request, Plan, Step, Actor, Answer, Pin, Done)  # what JSON columns and outputs of steps are made of
IN_AN_EPOCH, IN_ROWS = ("run", "steps", "outputs"), ("models", "operations", "writes", "tables")
NAMED_BY_STEPS = re.compile("(check|judge)_")
ASKED = (
    "select w.application_name, w.name, w.queue_name, w.workflow_uuid, w.queue_partition_key, w.serialization, i.inputs"
    " from workflow_status w join workflow_input i using (workflow_uuid)"
)
RUN = ("application", "workflow", "queue", "id", "partition", "serialization", "inputs")
DONE = "select function_name, output from operation_outputs order by function_id"
Json = dict[str, Any]

REPLAYED = (
    "What the durable library replays has changed within epoch {epoch}: {what}. A run that an older program began "
    "would be replayed wrongly. Either keep it as it was, or raise EPOCH in bot/engine/workflow.py (what an older "
    "epoch began is then begun anew from our rows) and record it: python -m tests.upgrades.keep"
)
ROWS = (
    "What rows are made of has changed: {what}. Rows of every version have it, and older replicas read it while a "
    "newer one is rolled out; raising EPOCH does not help. Keep it, and add what is new beside it, with a default. "
    "If nobody can miss it, edit tests/upgrades/epoch.yaml by hand."
)
RAISED = "EPOCH is {epoch}, and what it fixes is not recorded: python -m tests.upgrades.keep"


def recorded() -> Json:
    return dict(YAML(typ="safe").load(FILE))


def record(found: Json) -> None:
    """Write the file."""
    writer = YAML()
    writer.width = 120
    with FILE.open("w") as out:
        out.write(ABOUT)
        writer.dump(found, out)


def changes(before: Json, now: Json) -> list[str]:
    """A sentence for each change that must not be; nothing for what is only added and has a default."""
    if before["epoch"] != now["epoch"]:
        return [RAISED.format(epoch=now["epoch"]), *_of_rows(before, now)]
    replayed = [f"{part} {key}" for part in IN_AN_EPOCH for key in _differing(before[part], now[part])]
    return [REPLAYED.format(epoch=now["epoch"], what=", ".join(replayed))] * bool(replayed) + _of_rows(before, now)


def _differing(before: Json, now: Json) -> list[str]:
    said = {key: (before.get(key), now.get(key)) for key in {**before, **now}}
    return [f"{key} was {was}, is {is_}" for key, (was, is_) in said.items() if was != is_]


def _of_rows(before: Json, now: Json) -> list[str]:
    found = [one for part in IN_ROWS for one in _missing(before[part], now[part])]
    found += [one for part in ("models", "operations", "writes") for one in _demanding(before[part], now[part])]
    return [ROWS.format(what=", ".join(found))] * bool(found)


def _missing(before: Json, now: Json) -> Iterator[str]:
    for name, fields in before.items():
        for field, kind in fields.items():
            if (is_ := now.get(name, {}).get(field)) != kind:
                yield f"{name}.{field} was {kind}, is {is_ or 'gone'}"


def _demanding(before: Json, now: Json) -> Iterator[str]:
    """New fields that old rows do not have."""
    for name, fields in now.items():
        for field in fields.keys() - before.get(name, fields).keys():
            if not fields[field].endswith("?"):
                yield f"{name}.{field} is new and has no default"


# --- as it is now


def today(within: Path) -> Json:
    """From real runs in that empty folder, and from the models and tables."""
    applied, put_back, refused = (within / name for name in ("applied", "put back", "refused"))
    run, first = _replayable(applied)
    stories = {"applied": first, "put back": _put_back(put_back), "refused": _refused(refused)}
    return {
        "epoch": workflow.EPOCH,
        "run": run,
        "steps": {story: ", ".join(name for name, _ in told) for story, told in stories.items()},
        "outputs": {f"{story}: {name}": _shape(output) for story, told in stories.items() for name, output in told},
        "models": models(),
        "operations": {name: _operation(made) for name, made in _registry().operations.items() if made.verb == "plan"},
        "writes": dict(_writes()),
        "tables": tables(),
    }


def models() -> Json:
    """Model to field to type; `?`: may be left out."""
    _, schema = models_json_schema([(model, "validation") for model in MODELS])
    return {name: _fields(made) for name, made in sorted(schema["$defs"].items()) if "properties" in made}


def _registry() -> Registry:
    return Registry({name.replace("_", " "): made for name, made in folder.every(operations, None).items()})


def _operation(made: type[Operation]) -> Json:
    """Its parameters, and what its steps name. The methods may be asked for less, but not for more."""
    named = sorted(name for name in dir(made) if NAMED_BY_STEPS.match(name))
    return _fields(made.model_json_schema()) | {f"{name}()": "method?" for name in named}


def _writes() -> Iterator[tuple[str, Json]]:
    """Port.method to the names of its arguments."""
    for name, port in PORTS.items():
        for method, made in inspect.getmembers(port, inspect.isfunction):
            given = list(inspect.signature(made).parameters.values())[1:]
            if given and get_type_hints(made).get(given[0].name) is Effect:
                wanted = {one.name: "argument" + "?" * (one.default is not one.empty) for one in given[1:]}
                yield f"{name}.{method}", wanted


def tables() -> Json:
    return {
        str(table.name): {
            str(column.name): f"{column.type}{' null' * bool(column.nullable)}" for column in table.columns
        }
        for table in Base.metadata.sorted_tables
    }


def _fields(made: Json) -> Json:
    required = made.get("required", ())
    return {name: _type(one) + "?" * (name not in required) for name, one in made["properties"].items()}


def _type(made: Json) -> str:
    """A JSON Schema in a few words."""
    if reference := made.get("$ref"):
        return str(reference.rpartition("/")[2])
    if choice := made.get("anyOf") or made.get("oneOf"):
        return " or ".join(_type(one) for one in choice)
    if "const" in made or "enum" in made:
        return " or ".join(repr(one) for one in made.get("enum", [made.get("const")]))
    if "items" in made:
        return f"[{_type(made['items'])}]"
    if isinstance(more := made.get("additionalProperties"), dict):
        return f"{{{_type(more)}}}"
    return str(made.get("format") or made.get("type") or "anything")


def _shape(output: Json) -> Json:
    return {key: type(value).__name__ for key, value in output.items()}


# --- runs


@cache
def _shipped() -> tuple[Catalog, PolicyFiles]:
    return load_catalog(ROOT / "catalog"), policy_files(ROOT / "policies")


def _bot(state: Path) -> Bot:
    state.mkdir()
    url = f"sqlite:///{state / 'aisq.sqlite'}"
    database.upgrade(url)
    made = Bot(state, url, *_shipped())
    made.platform.serve(GOOD, minutes=60, until=NOON)
    return made


def _replayable(state: Path) -> tuple[Json, list[tuple[str, Json]]]:
    """A run by the durable library itself, as its tables have it."""
    bot = _bot(state)
    operation, worker = bot.approved(), bot.worker()
    worker.start()
    deadline = time.monotonic() + 30
    while bot.ledger.operation(operation).state != "applied":
        assert time.monotonic() < deadline, "the run did not end"
        time.sleep(0.02)
    worker.stop(2)
    close(bot)
    with closing(sqlite3.connect(state / "aisq-progress.sqlite")) as progress:
        (row,) = progress.execute(ASKED).fetchall()
        steps = [(name, json.loads(output)) for name, output in progress.execute(DONE)]
    return {name: str(value).replace(operation, "OPERATION") for name, value in zip(RUN, row, strict=True)}, steps


def _put_back(state: Path) -> list[tuple[str, Json]]:
    """The rollout fails, and is undone."""
    bot = _bot(state)
    bot.platform.rollout_fails = "it does not start"
    return _told(bot)


def _refused(state: Path) -> list[tuple[str, Json]]:
    """Somebody else was faster."""
    bot = _bot(state)
    operation = bot.approved()
    bot.platform.somebody_sets({GOOD: 50, "backend-00040-fom": 50})
    return _told(bot, operation)


def _told(bot: Bot, operation: str = "") -> list[tuple[str, Json]]:
    """The steps of a run and their outputs."""
    steps = list[tuple[str, Json]]()

    def durable(name: str, call: Any, *args: Any) -> Json:
        steps.append((name, json.loads(json.dumps(call(*args)))))
        return steps[-1][1]

    bot.applier.apply(operation or bot.approved(), durable)
    close(bot)
    return steps
