"""The app's manifest asks for what the door uses, and for nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.doors import slack
from bot.doors.slack.bolt import COMMAND
from bot.doors.slack.door import PATH

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
    "users_info": {"users:read"},
    "usergroups_users_list": {"usergroups:read"},
}


@pytest.fixture(scope="module")
def manifest() -> Any:
    return YAML(typ="safe").load(MANIFEST)


def test_every_method_that_is_called_has_its_scope_and_every_scope_its_method(manifest: Any) -> None:
    methods = set(re.findall(r'"((?:chat|conversations|views|files|users|usergroups)\.\w+)"', SOURCES))
    methods |= set(re.findall(r"_web\.(\w+)\(", SOURCES)) - {"api_call"}
    assert methods == set(SCOPES), "a new method: name its scopes here and in the manifest"
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == {"commands"}.union(*SCOPES.values())


def test_every_scope_says_what_needs_it() -> None:
    scopes = re.findall(r"^      - (\S+)(.*)$", MANIFEST.read_text().partition("    bot:\n")[2], re.MULTILINE)
    assert len(scopes) >= 7
    assert [scope for scope, comment in scopes if not re.match(r" # \S.{4,}", comment)] == []


def test_commands_and_clicks_arrive_where_the_door_listens(manifest: Any) -> None:
    (command,) = manifest["features"]["slash_commands"]
    assert (command["command"], command["should_escape"]) == (COMMAND, True)
    for url in (command["url"], manifest["settings"]["interactivity"]["request_url"]):
        assert url.startswith("https://") and url.endswith(PATH)


def test_nothing_that_cannot_be_undone_is_switched_on(manifest: Any) -> None:
    told = manifest["settings"]
    assert [told[name] for name in ("org_deploy_enabled", "socket_mode_enabled", "token_rotation_enabled")] == [
        False
    ] * 3
