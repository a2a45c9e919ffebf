"""Payloads in, requests out."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.core.request import Form
from bot.doors.slack.inbound import (
    from_click,
    from_command,
    from_message,
    from_submission,
    is_foreign,
    of_click,
    of_message,
    of_shortcut,
    typed,
)
from bot.doors.slack.opened import Opened
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


STEERING = {
    "aisq.advance": ("7k3qabcdef 2", "ops advance 7k3qabcdef --stage 2"),
    "aisq.hold": ("7k3qabcdef 2", "ops hold 7k3qabcdef --stage 2"),
    "aisq.back": ("7k3qabcdef", "ops cancel 7k3qabcdef"),
}


@pytest.mark.parametrize("action", STEERING)
def test_what_is_said_of_a_stage_names_the_one_that_was_shown(action: str) -> None:
    value, text = STEERING[action]
    ask = from_click({**CLICK, "actions": [{"action_id": action, "value": value, "action_ts": "1"}]}, "v0=abc")
    assert (ask.text, ask.actor, ask.channel) == (text, "slack:U0BEN", "C0AISQ")
    assert ask.heard_as == f"slack:click:1790000000.000100:1:U0BEN:{action}"


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


# --- where the answer goes

THREAD = {"message_ts": "1790000000.000200", "thread_ts": "1790000000.000100"}
WHERE = {"channel": "C0AISQ", "user": "U0BEN", "team": TEAM, "response_url": "", "thread_ts": ""}
MESSAGE = {"ts": "1790000000.000200"}
SHORTCUT = {**CLICK, "message_ts": "1790000000.000200", "message": MESSAGE}


def said(**changed: Any) -> dict[str, Any]:
    event = {
        "type": "app_mention",
        "channel": "C0AISQ",
        "user": "U0BEN",
        "ts": "1.2",
        "text": "<@U0AISQ> status",
        **changed,
    }
    return {"team_id": TEAM, "event_id": "Ev1", "event": event, "authorizations": [{"user_id": "U0AISQ"}]}


PLACES: dict[str, tuple[Callable[[Any], dict[str, str]], Any, dict[str, str]]] = {
    "a button": (of_click, CLICK, {"response_url": "https://hooks.slack.com/y"}),
    "a button in a thread": (
        of_click,
        {**CLICK, "container": THREAD},
        {"thread_ts": THREAD["thread_ts"], "in_thread": "yes", "spare_url": "https://hooks.slack.com/y"},
    ),
    "a button of what begins a thread": (
        of_click,
        {**CLICK, "container": {**THREAD, "message_ts": THREAD["thread_ts"]}},
        {"response_url": "https://hooks.slack.com/y"},
    ),
    "a button in the Home": (
        of_click,
        {**CLICK, "channel": None, "response_url": None, "view": {"private_metadata": '{"channel": "D0BEN"}'}},
        {"channel": "D0BEN"},
    ),
    "a button in a Home of another version": (
        of_click, {**CLICK, "channel": None, "response_url": None}, {"channel": "U0BEN"},
    ),
    "a shortcut on a message": (
        of_shortcut, SHORTCUT, {"thread_ts": MESSAGE["ts"], "in_thread": "", "spare_url": "https://hooks.slack.com/y"},
    ),
    "a shortcut in a thread": (
        of_shortcut,
        {**SHORTCUT, "message": {**MESSAGE, "thread_ts": "1.1"}},
        {"thread_ts": "1.1", "in_thread": "yes", "spare_url": "https://hooks.slack.com/y"},
    ),
    "a mention": (of_message, said(), {"thread_ts": "1.2", "in_thread": ""}),
    "a mention in a thread": (of_message, said(thread_ts="1.1"), {"thread_ts": "1.1", "in_thread": "yes"}),
    "a direct message": (of_message, said(channel="D0BEN", channel_type="im"), {"channel": "D0BEN", "in_thread": ""}),
    "a direct message in a thread": (
        of_message,
        said(channel="D0BEN", channel_type="im", thread_ts="1.1"),
        {"channel": "D0BEN", "thread_ts": "1.1", "in_thread": "yes"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_the_answer_goes_where_it_was_asked(name: str) -> None:
    of, payload, wanted = PLACES[name]
    assert of(payload) == {**WHERE, **wanted}


MENTIONS = {
    "<@U0AISQ> status": "status",
    "<@U0AISQ|aisq>: rollback backend": "rollback backend",
    "please <@U0AISQ>, rollback backend": "rollback backend",
    "rollback backend <@U0AISQ>": "rollback backend",
    "<@U0AISQ> <@U0AISQ> status": "status",
    "<@U0AISQ> /aisq status": "status",
    "<@U0AISQ>": "help",
    "<@U0AISQ> deny 7k3q --reason “p99 &gt; 2 s &amp; <@U0BEN> waits”": "deny 7k3q --reason “p99 > 2 s & @U0BEN waits”",
    "<@U0AISQ> see <https://status.example/1|status>": "see status",
    "status": "status",
}


@pytest.mark.parametrize("text", MENTIONS)
def test_what_is_said_to_us(text: str) -> None:
    ask = from_message(said(text=text), "v0=abc")
    assert (ask.text, ask.heard_as, ask.actor, ask.channel) == (
        MENTIONS[text],
        "slack:event:Ev1",
        "slack:U0BEN",
        "C0AISQ",
    )


def test_a_submission_is_a_form_and_known_by_its_view() -> None:
    view = {
        "id": "V1",
        "hash": "1.a",
        "private_metadata": Opened(place={"channel": "C0AISQ", "thread_ts": "1.1"}).kept(),
    }
    form = Form(operation="rollback", values={"service": "backend"})
    payload = {**CLICK, "view": view}
    ask = from_submission(payload, "v0=abc", form)
    assert (ask.form, ask.channel, ask.address.place["thread_ts"]) == (form, "C0AISQ", "1.1")
    assert ask.heard_as.startswith("slack:submit:V1:1.a:")
    assert ask.heard_as == from_submission(payload, "other", form).heard_as
    other = form.model_copy(update={"values": {"service": "web"}})
    assert ask.heard_as != from_submission(payload, "v0=abc", other).heard_as
    assert ask.heard_as != from_submission({**payload, "view": {**view, "hash": "2.b"}}, "v0=abc", form).heard_as


@pytest.mark.parametrize("of", [{"team": "T0OTHER"}, {"user_team": "T0OTHER"}])
def test_what_somebody_of_another_workspace_says_is_foreign(of: dict[str, str]) -> None:
    assert is_foreign(said(**of), TEAM)
    assert not is_foreign(said(team=TEAM), TEAM)
