"""The arguments of a Web API call: Slack takes them as form, JSON or query, all spelled alike."""

import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from bot.sandbox.slack.refusals import Refusal, missing

TRUE = ("1", "true", "True")


class Arguments:
    """Typed access to what a caller sent; every accessor refuses in Slack's words."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw

    def __contains__(self, name: str) -> bool:
        return self.raw.get(name) is not None

    def text(self, name: str) -> str:
        """The argument as text, "" if it was not sent."""
        value = self.raw.get(name)
        return "" if value is None else str(value)

    def need(self, name: str) -> str:
        """The argument as text; refused if absent or empty."""
        if not (value := self.text(name)):
            raise missing(name)
        return value

    def flag(self, name: str) -> bool:
        """True for true, "true", "1" and 1."""
        value = self.raw.get(name)
        return value is True or str(value) in TRUE

    def number(self, name: str, default: int, most: int) -> int:
        """A count between 1 and `most`; anything else is invalid_limit."""
        value = self.text(name)
        if not value:
            return default
        if not value.lstrip("-").isdigit() or int(value) < 1:
            raise Refusal("invalid_limit")
        return min(int(value), most)

    def listed(self, name: str) -> list[str]:
        """A comma-separated argument, or a JSON array of strings."""
        value = self.raw.get(name)
        if isinstance(value, list):
            return [str(item) for item in value]
        return [item.strip() for item in self.text(name).split(",") if item.strip()]

    def document(self, name: str, error: str) -> Any:
        """A nested argument, parsed if it came as text; `error` is Slack's word for broken JSON."""
        value = self.raw.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise Refusal(error) from None


async def read(request: Request) -> Arguments:
    """The arguments of a request. Raises Refusal(invalid_json, json_not_object, invalid_form_data)."""
    raw: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "")
    if "multipart/form-data" in kind:
        raise Refusal("invalid_post_type")  # Slack takes it; nothing here sends it
    body = await request.body()
    return Arguments(raw | (_from_json(body) if "json" in kind else _from_form(body)))


def _from_json(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        raise Refusal("invalid_json") from None
    if not isinstance(parsed, dict):
        raise Refusal("json_not_object")
    return parsed


def _from_form(body: bytes) -> dict[str, Any]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        raise Refusal("invalid_form_data") from None
