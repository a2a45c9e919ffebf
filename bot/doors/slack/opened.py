"""What a modal remembers between its payloads: where it was opened, for what, and what was entered."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.core.request import Form

LONGEST = 3000  # characters that Slack keeps (docs.slack.dev, "Modal views", private_metadata)
PICK, FIELD = "aisq.pick", "aisq.field."  # and the parameter's name
YES = "yes"


class Opened(BaseModel, frozen=True):
    """A modal's `private_metadata`. `place` is where the answer goes; `entered` also holds what other forms asked."""

    place: dict[str, str] = {}
    operation: str = ""
    entered: dict[str, str | bool] = {}

    def kept(self) -> str:
        """As Slack keeps it; what was entered last is left out first when there is too much."""
        entered = dict(self.entered)
        while len(text := self.model_copy(update={"entered": entered}).model_dump_json()) > LONGEST and entered:
            entered.popitem()
        return text

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> "Opened":
        """What a payload's view remembers, with what stands in it now."""
        try:
            kept = cls.model_validate_json(view.get("private_metadata") or "{}")
        except ValidationError:  # another version's
            kept = cls()
        return kept.model_copy(update={"entered": {**kept.entered, **entries(view)}})

    def form(self, fields: Mapping[str, object]) -> Form:
        """What was entered into these fields."""
        values = {name: value for name, value in self.entered.items() if name in fields}
        return Form(operation=self.operation, values=values)


def entries(view: Mapping[str, Any]) -> dict[str, str | bool]:
    """What stands in the fields of a view, by parameter; an empty one is an empty text."""
    values = (view.get("state") or {}).get("values") or {}
    return {
        action.removeprefix(FIELD): _entry(entry)
        for actions in values.values()
        for action, entry in actions.items()
        if action.startswith(FIELD)
    }


def picked(view: Mapping[str, Any]) -> str:
    """The operation that is chosen in a view; empty for none."""
    values = (view.get("state") or {}).get("values") or {}
    return str(_entry((values.get(PICK) or {}).get(PICK) or {}))


def field_of(block_id: str) -> str:
    """The parameter of a block."""
    return block_id.partition("@")[0]


def _entry(entry: Mapping[str, Any]) -> str | bool:
    if entry.get("type") == "checkboxes":
        return bool(entry.get("selected_options"))
    option = entry.get("selected_option")
    return str((option.get("value") if option else entry.get("value")) or "")


def metadata(view: Mapping[str, Any]) -> dict[str, str]:
    """What an App Home remembers: where its owner is written to."""
    try:
        kept = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in kept.items()} if isinstance(kept, dict) else {}
