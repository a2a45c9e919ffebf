"""Whether the real Slack takes every message and form that the bot can send: asks blocks.validate, and posts nothing.

    SLACK_BOT_TOKEN=xoxb-… .venv/bin/python -m tests.live.slack_blocks

Prints what Slack refuses, then how many there were; ends with 1 when it refused any. The messages are those of
tests/doors/slack/draw/test_slack_registry.py, the forms are those of all operations; the token needs no scope.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from bot.core.answer import Answer, Series
from bot.core.request import STATES
from bot.doors.slack.draw.answers import answer
from bot.doors.slack.draw.details import details
from bot.doors.slack.draw.form import form, loading
from bot.doors.slack.draw.reminder import reminder
from bot.doors.slack.opened import Opened
from tests.doors.slack.draw.test_slack_registry import messages, of, rollouts_of, rows_of
from tests.doors.slack.harness import NOON, record
from tests.operations.runner import COMMANDS

API = "https://slack.com/api/"


def every() -> Iterator[tuple[str, dict[str, Any]]]:
    """What is sent, by what it is, as arguments of blocks.validate."""
    for command in COMMANDS:
        for number, row in enumerate(rows_of(command)):
            for shown in messages(row):
                yield f"{command}, {row.state}, {number}", {"blocks": list(shown.blocks)}
        for number, one in enumerate(rollouts_of(command, None)):
            yield f"{command} in stages, {number}", {"blocks": list(one.blocks)}
        yield f"the form of {command}", {"view": form(Opened(operation=command), COMMANDS, {})}
    for state in STATES:
        yield f"details, {state}", {"blocks": list(details(record(state), ()).blocks)}
    yield "a reminder", {"blocks": list(reminder(record()).blocks)}
    yield "a form that is not there yet", {"view": loading()}
    curve = Series(title="p99", unit="ms", at=(NOON, NOON.replace(hour=13)), lines={"backend": (120.0, 80.0)})
    shown = answer(Answer(title="A chart", parts=(curve,)), of("status", "answered", plan=None))
    yield "a chart", {"blocks": list(shown.blocks)}


def refused(slack: WebClient, sent: Mapping[str, Any]) -> str:
    """What Slack says against it; empty for nothing. Raises SlackApiError for a token that it does not take."""
    try:
        slack.api_call("blocks.validate", json=dict(sent))
    except SlackApiError as error:
        if str(error.response["error"]).startswith("invalid_") and error.response["error"] != "invalid_auth":
            return json.dumps(error.response.get("errors") or error.response["error"], ensure_ascii=False)
        raise
    return ""


def main(environment: Mapping[str, str]) -> int:
    """The exit code."""
    if not environment.get("SLACK_BOT_TOKEN"):
        print("set SLACK_BOT_TOKEN to the token of an app in a test workspace", file=sys.stderr)
        return 2
    slack = WebClient(environment["SLACK_BOT_TOKEN"], environment.get("SLACK_API_URL", API))
    slack.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=5))
    asked, wrong = set[str](), 0
    for name, sent in every():
        body = json.dumps(sent, sort_keys=True)
        if body in asked:
            continue
        asked.add(body)
        if said := refused(slack, sent):
            wrong += 1
            print(f"{name}: {said}")
    print(f"{len(asked)} messages and forms, {wrong} refused")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
