"""The app's manifest asks for what the door uses, and for nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.doors import slack
from bot.doors.slack.bolt import COMMAND, MESSAGES, OPENED, SHORTCUT
from bot.doors.slack.changes import CHANGES
from bot.doors.slack.door import PATH
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.budgets import Budgets
from bot.sandbox.slack.link import Link
from bot.sandbox.slack.refusals import Refusal
from bot.sandbox.slack.web_api import METHODS, WebApi
from bot.sandbox.slack.workspace import SHIPPED, load

MANIFEST = Path(slack.__file__).parents[3] / "slack" / "manifest.yaml"
SOURCES = "".join(path.read_text() for path in sorted(Path(slack.__file__).parent.rglob("*.py")))
SCOPES: dict[str, set[str]] = {  # docs.slack.dev/reference/methods; history needs one for each kind of channel
    "chat.postMessage": {"chat:write"},
    "chat.postEphemeral": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": {"channels:history", "groups:history", "im:history"},
    "conversations.replies": {"channels:history", "groups:history", "im:history"},
    "files.getUploadURLExternal": {"files:write"},
    "files.completeUploadExternal": {"files:write"},
    "views.open": set(),
    "views.update": set(),
    "views.publish": set(),
    "users.info": {"users:read"},
    "usergroups.users.list": {"usergroups:read"},
}

CALLED = {"users_info": "users.info", "usergroups_users_list": "usergroups.users.list"}  # by slack_sdk's own names
EVENTS: dict[str, set[str]] = {  # docs.slack.dev/reference/events
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "message.im": {"im:history"},
    "user_change": {"users:read"},
    "team_join": {"users:read"},
    "subteam_members_changed": {"usergroups:read"},
    "subteam_updated": {"usergroups:read"},
}


@pytest.fixture(scope="module")
def manifest() -> Any:
    return YAML(typ="safe").load(MANIFEST)


def test_every_method_that_is_called_has_its_scope_and_every_scope_its_method(manifest: Any) -> None:
    methods = set(re.findall(r'"((?:chat|conversations|views|files|users|usergroups)\.\w+)"', SOURCES))
    methods |= {CALLED[name] for name in re.findall(r"_web\.(\w+)\(", SOURCES) if name != "api_call"}
    assert methods == set(SCOPES), "a new method: name its scopes here and in the manifest"
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == {"commands"}.union(*SCOPES.values(), *EVENTS.values())


def test_every_event_that_is_heard_is_sent_and_no_other(manifest: Any) -> None:
    sent = manifest["settings"]["event_subscriptions"]["bot_events"]
    assert sorted(sent) == sorted(EVENTS), "a new event: name its scopes here and in the manifest"
    assert {name.partition(".")[0] for name in sent} == {*MESSAGES, OPENED, *CHANGES}


@pytest.mark.parametrize("method", [method for method in SCOPES if SCOPES[method]])
def test_the_sandbox_wants_the_scopes_of_this_table(method: str) -> None:
    """Two readings of Slack's documentation; for history any one of several will do, by the kind of channel."""
    assert SCOPES[method] <= set(METHODS[method].scopes)


def test_every_call_of_a_token_without_its_scope_is_refused() -> None:
    workspace = load(SHIPPED, lambda: 0.0)
    api = WebApi(workspace, "xoxb", Budgets(workspace.now, False), "", Link(""))
    workspace.app.scopes = set()
    for method in (name for name, one in METHODS.items() if one.scopes):
        with pytest.raises(Refusal, match="missing_scope"):
            api.run(method, Arguments({}))


def test_the_shortcut_is_the_one_that_is_heard(manifest: Any) -> None:
    (shortcut,) = manifest["features"]["shortcuts"]
    assert (shortcut["callback_id"], shortcut["type"]) == (SHORTCUT, "message")
    assert len(shortcut["name"]) <= 24 and shortcut["description"]


def test_the_home_is_shown_and_one_can_write_in_it(manifest: Any) -> None:
    home = manifest["features"]["app_home"]
    assert home["home_tab_enabled"] and home["messages_tab_enabled"]
    assert not home["messages_tab_read_only_enabled"]


def test_every_scope_says_what_needs_it() -> None:
    scopes = re.findall(r"^      - (\S+)(.*)$", MANIFEST.read_text().partition("    bot:\n")[2], re.MULTILINE)
    assert len(scopes) >= 7
    assert [scope for scope, comment in scopes if not re.match(r" # \S.{4,}", comment)] == []


def test_everything_arrives_where_the_door_listens(manifest: Any) -> None:
    (command,) = manifest["features"]["slash_commands"]
    assert (command["command"], command["should_escape"]) == (COMMAND, True)
    clicks, events = (manifest["settings"][name] for name in ("interactivity", "event_subscriptions"))
    for url in (command["url"], clicks["request_url"], clicks["message_menu_options_url"], events["request_url"]):
        assert url.startswith("https://") and url.endswith(PATH)


def test_nothing_that_cannot_be_undone_is_switched_on(manifest: Any) -> None:
    told = manifest["settings"]
    assert [told[name] for name in ("org_deploy_enabled", "socket_mode_enabled", "token_rotation_enabled")] == [
        False
    ] * 3
