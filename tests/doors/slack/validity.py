"""Whether Slack would take what the bot sends, asked of everybody who knows something about it.

* `Schema`: the JSON Schema that `make schemas` generates from Slack's own types (@slack/types); types, no numbers
* slack_sdk's models: lengths of texts and lists
* the sandbox's rules, and counts of our own: everything that neither of the two knows, and blocks that are too new for
  both (NEW), which are therefore taken out before those are asked
"""

import copy
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft7Validator
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block as SdkBlock
from slack_sdk.models.views import View as SdkView

from bot.doors.slack.draw.blocks import BUDGET, Block, Card
from bot.sandbox.slack.blockkit.surface import message_problems, view_problems
from bot.sandbox.slack.blocks import text_length
from bot.sandbox.slack.mentions import in_blocks, in_text

MADE = Path(__file__).parents[3] / "build/schemas/slack.json"
NEW = {"data_visualization"}  # @slack/types 3.2.0 does not know it, and slack_sdk 3.47 drops it
EDITED_TEXT = 4000  # what chat.update takes
ROWS, COLUMNS, TABLES, CHARTS, BLOCKS, VIEW_BLOCKS = 100, 20, 1, 2, 50, 100
STATUSES = {"pending", "in_progress", "complete", "error"}


class Schema:
    """Slack's own types. Raises FileNotFoundError when nobody made the schema."""

    def __init__(self, made: Path = MADE) -> None:
        self._whole = json.loads(made.read_text(encoding="utf-8"))
        self._validators: dict[str, Draft7Validator] = {}
        known = (one["$ref"].rpartition("/")[2] for one in self._whole["definitions"]["KnownBlock"]["anyOf"])
        self.blocks = {self._kind(name): name for name in known}

    def of_message(self, blocks: list[Block]) -> list[str]:
        """What is wrong with blocks, each held against the type that it says to be."""
        found = [(at, block) for at, block in enumerate(blocks) if block["type"] not in NEW]
        return [
            f"/{at} {said}"
            for at, block in found
            for said in self._wrong(self.blocks.get(block["type"], "KnownBlock"), block)
        ]

    def of_view(self, view: Block) -> list[str]:
        """What is wrong with a modal or an App Home."""
        kind = {"modal": "ModalView", "home": "HomeView"}[view["type"]]
        rest = {**view, "blocks": [block for block in view["blocks"] if block["type"] not in NEW]}
        return [*self._wrong(kind, {**rest, "blocks": []}), *self.of_message(rest["blocks"])]

    def _wrong(self, definition: str, value: Any) -> Iterator[str]:
        if definition not in self._validators:
            schema = {"$ref": f"#/definitions/{definition}", "definitions": self._whole["definitions"]}
            self._validators[definition] = Draft7Validator(schema)
        for error in self._validators[definition].iter_errors(value):
            yield f"{'/'.join(map(str, error.instance_path))}: {error.message[:300]}"

    def _kind(self, definition: str) -> str:
        described = self._whole["definitions"][definition]
        one = described.get("anyOf", [described])[0]  # an image is told in two ways
        return str(one["properties"]["type"]["const"])


def by_sdk(blocks: list[Block]) -> list[str]:
    """What slack_sdk's models refuse, and what they lose."""
    found = []
    for at, block in enumerate(blocks):
        if block["type"] in NEW:
            continue
        try:
            model = SdkBlock.parse(copy.deepcopy(block))
            if model is None:
                found.append(f"/{at}: slack_sdk does not know the block {block['type']}")
            else:
                model.to_dict()
        except (SlackObjectFormationError, TypeError) as error:
            found.append(f"/{at}: {error}")
    return found


def view_by_sdk(view: Block) -> list[str]:
    """The same for a view."""
    try:
        SdkView(**{**copy.deepcopy(view), "blocks": [{"type": "divider"}]}).validate_json()
    except (SlackObjectFormationError, TypeError) as error:
        return [str(error)]
    return by_sdk(view["blocks"])


def by_count(blocks: list[Block], most: int = BLOCKS) -> list[str]:
    """What only counting shows."""
    kinds = Counter(block["type"] for block in blocks)
    ids = Counter(block["block_id"] for block in blocks if "block_id" in block)
    counted = {
        "blocks": len(blocks) <= most,
        "tables": kinds["table"] <= TABLES,
        "charts": kinds["data_visualization"] <= CHARTS,
        "rows": all(1 <= len(block["rows"]) <= ROWS for block in blocks if block["type"] == "table"),
        "columns": all(1 <= len(row) <= COLUMNS for b in blocks if b["type"] == "table" for row in b["rows"]),
        "statuses": all(task["status"] in STATUSES for b in blocks if b["type"] == "plan" for task in b["tasks"]),
        "task ids": all(_once(task["task_id"] for task in b["tasks"]) for b in blocks if b["type"] == "plan"),
        "block ids": all(count == 1 for count in ids.values()),
        "characters": text_length(blocks) <= BUDGET,
    }
    return [f"too many, or wrong: {name}" for name, is_right in counted.items() if not is_right]


def _once(names: Iterator[str]) -> bool:
    return all(count == 1 for count in Counter(names).values())


def message(card: Card, schema: Schema | None) -> list[str]:
    """Everything that is wrong with a message; `schema` None leaves Slack's own types out."""
    blocks: list[Block] = json.loads(json.dumps(list(card.blocks), allow_nan=False, ensure_ascii=False).encode())
    found = [problem.line() for problem in message_problems(blocks)] + by_count(blocks) + by_sdk(blocks)
    if not 0 < len(card.text) <= EDITED_TEXT:
        found.append(f"a text of {len(card.text)} characters")
    if in_text(card.text) | in_blocks(blocks):
        found.append("it notifies somebody")
    return found + (schema.of_message(blocks) if schema else [])


def view(body: Block, schema: Schema | None) -> list[str]:
    """Everything that is wrong with a modal or an App Home."""
    sent: Block = json.loads(json.dumps(body, allow_nan=False, ensure_ascii=False).encode())
    found = [problem.line() for problem in view_problems(sent)] + by_count(sent["blocks"], VIEW_BLOCKS)
    found += view_by_sdk(sent)
    return found + (schema.of_view(sent) if schema else [])
