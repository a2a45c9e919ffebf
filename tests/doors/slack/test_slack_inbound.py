"""Payloads in, requests out."""

import pytest

from bot.doors.slack.inbound import from_click, from_command, is_foreign, typed
from tests.doors.slack.harness import TEAM

COMMAND = {
    "team_id": TEAM,
    "channel_id": "C0AISQ",
    "user_id": "U0ANA",
    "command": "/aisq",
    "text": "rollback backend",
    "response_url": "https://hooks.slack.com/x",
    "trigger_id": "123.456",
}
CLICK = {
    "type": "block_actions",
    "team": {"id": TEAM},
    "user": {"id": "U0BEN", "team_id": TEAM},
    "channel": {"id": "C0AISQ"},
    "container": {"message_ts": "1790000000.000100"},
    "response_url": "https://hooks.slack.com/y",
    "actions": [{"action_id": "aisq.approve", "value": "7k3qabcdef c0ffee", "action_ts": "1790000009.1"}],
}


def test_a_command_becomes_a_request() -> None:
    ask = from_command(COMMAND, "v0=abc")
    assert (ask.actor, ask.text, ask.channel) == ("slack:U0ANA", "rollback backend", "C0AISQ")
    assert (ask.heard_as, ask.signature) == ("slack:command:123.456", "v0=abc")
    assert ask.address.door == "slack"
    assert ask.address.place == {
        "channel": "C0AISQ",
        "user": "U0ANA",
        "team": TEAM,
        "response_url": "https://hooks.slack.com/x",
        "thread_ts": "",
    }


@pytest.mark.parametrize("text", ["", "   ", None])
def test_a_bare_command_asks_for_help_where_no_form_can_be_opened(text: str | None) -> None:
    assert from_command({**COMMAND, "text": text}, "").text == "help"


def test_approve_names_the_plan_that_was_shown() -> None:
    ask = from_click(CLICK, "v0=abc")
    assert ask.text == "approve 7k3qabcdef --digest c0ffee"
    assert (ask.actor, ask.channel, ask.signature) == ("slack:U0BEN", "C0AISQ", "v0=abc")
    assert ask.heard_as == "slack:click:1790000000.000100:1790000009.1:U0BEN:aisq.approve"
    assert ask.address.place["response_url"] == "https://hooks.slack.com/y"


def test_deny_needs_no_plan() -> None:
    action = {"action_id": "aisq.deny", "value": "7k3qabcdef", "action_ts": "1"}
    assert from_click({**CLICK, "actions": [action]}, "").text == "deny 7k3qabcdef"


def test_two_clicks_are_two_requests_and_one_heard_twice_is_one() -> None:
    later = {**CLICK, "actions": [{**CLICK["actions"][0], "action_ts": "1790000010.0"}]}
    assert from_click(CLICK, "a").heard_as == from_click(CLICK, "b").heard_as
    assert from_click(CLICK, "a").heard_as != from_click(later, "a").heard_as


FOREIGN = {
    "our command": (COMMAND, False),
    "a command of another workspace": ({**COMMAND, "team_id": "T0OTHER"}, True),
    "our click": (CLICK, False),
    "a click in another workspace": ({**CLICK, "team": {"id": "T0OTHER"}}, True),
    "a click by somebody of another workspace": ({**CLICK, "user": {"id": "U0FOX", "team_id": "T0OTHER"}}, True),
    "a click that does not say whose": ({**CLICK, "team": None, "user": {"id": "U0FOX"}}, True),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_people_of_other_workspaces_are_foreign(name: str) -> None:
    payload, wanted = FOREIGN[name]
    assert is_foreign(payload, TEAM) is wanted
    assert not is_foreign(payload, ""), "nothing is foreign where no workspace is set"


TYPED = {
    "plain": ("rollback backend", "rollback backend"),
    "entities": ('--reason "p99 &gt; 2 s &amp; rising"', '--reason "p99 > 2 s & rising"'),
    "an entity that was typed": ("&amp;lt;", "&lt;"),
    "a person": ("--reason <@U0BEN|ben>", "--reason @ben"),
    "a person without a name": ("--reason <@U0BEN>", "--reason @U0BEN"),
    "a channel": ("see <#C0OPS|ops>", "see #ops"),
    "a group": ("ask <!subteam^S0ONCALL|@oncall>", "ask @oncall"),
    "everybody": ("<!here> <!channel>", "@here @channel"),
    "a link": ("see <https://status.example/1>", "see https://status.example/1"),
    "a link with a label": ("rollback <http://backend.prod|backend.prod>", "rollback backend.prod"),
    "a typed comparison": ("a &lt; b &gt; c", "a < b > c"),
    "lines": ("rollback backend\n", "rollback backend"),
}


@pytest.mark.parametrize("name", TYPED)
def test_what_was_typed(name: str) -> None:
    sent, wanted = TYPED[name]
    assert typed(sent) == wanted
