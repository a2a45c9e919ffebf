"""What the app can read: history between instants, pages, people, groups, channels."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack


@pytest.fixture
async def stamps(slack: FakeSlack, client: AsyncWebClient, clock: Any) -> list[str]:
    """Five messages, ten seconds apart, oldest first."""
    found = []
    for number in range(5):
        found.append((await client.chat_postMessage(channel="C0OPS", text=str(number)))["ts"])
        clock.advance(10)
    return found


def between(oldest: int | None, latest: int | None, inclusive: bool, stamps: list[str]) -> dict[str, Any]:
    bounds = {"oldest": oldest, "latest": latest}
    return {name: stamps[at] for name, at in bounds.items() if at is not None} | {"inclusive": inclusive}


@pytest.mark.parametrize(
    ("oldest", "latest", "inclusive", "texts"),
    [
        (None, None, False, "43210"),
        (1, None, False, "432"),
        (1, None, True, "4321"),
        (None, 3, False, "210"),
        (None, 3, True, "3210"),
        (1, 3, False, "2"),
        (1, 3, True, "321"),
        (2, 2, True, "2"),
        (2, 2, False, ""),
    ],
)
async def test_history_between(
    client: AsyncWebClient, stamps: list[str], oldest: int, latest: int, inclusive: bool, texts: str
) -> None:
    answer = await client.conversations_history(channel="C0OPS", **between(oldest, latest, inclusive, stamps))
    assert "".join(m["text"] for m in answer["messages"]) == texts


async def test_bounds_may_be_plain_seconds(client: AsyncWebClient, stamps: list[str]) -> None:
    second = str(int(float(stamps[1])) + 1)
    answer = await client.conversations_history(channel="C0OPS", oldest=second)
    assert [m["text"] for m in answer["messages"]] == ["4", "3", "2"]
    assert (await client.conversations_history(channel="C0OPS", oldest="0"))["messages"][-1]["text"] == "0"


async def test_pages_follow_each_other(client: AsyncWebClient, stamps: list[str]) -> None:
    texts, cursor = [], ""
    for _ in range(3):
        answer = await client.conversations_history(channel="C0OPS", limit=2, cursor=cursor)
        texts.append([m["text"] for m in answer["messages"]])
        cursor = answer.get("response_metadata", {}).get("next_cursor", "")
        assert answer["has_more"] == bool(cursor)
    assert texts == [["4", "3"], ["2", "1"], ["0"]] and cursor == ""


async def test_replies_page_from_the_parent_on(client: AsyncWebClient, stamps: list[str]) -> None:
    for number in range(3):
        await client.chat_postMessage(channel="C0OPS", text=f"r{number}", thread_ts=stamps[0])
    answer = await client.conversations_replies(channel="C0OPS", ts=stamps[0], limit=2)
    assert [m["text"] for m in answer["messages"]] == ["0", "r0"] and answer["has_more"]


@pytest.mark.parametrize(("asked", "shown"), [(True, True), (False, False)])
async def test_metadata_only_when_asked_for(client: AsyncWebClient, asked: bool, shown: bool) -> None:
    await client.chat_postMessage(channel="C0OPS", text="a", metadata={"event_type": "t", "event_payload": {"k": 1}})
    answer = await client.conversations_history(channel="C0OPS", include_all_metadata=asked)
    assert ("metadata" in answer["messages"][0]) == shown


async def test_a_limit_is_capped(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.budgets.on = False
    for number in range(101):
        await client.chat_postMessage(channel="C0OPS", text=str(number))
    assert len((await client.conversations_history(channel="C0OPS"))["messages"]) == 100
    assert len((await client.conversations_history(channel="C0OPS", limit=5000))["messages"]) == 101


PEOPLE = [
    ("U0ANA", {"name": "ana", "team_id": "T0AISQ", "deleted": False, "is_bot": False, "is_restricted": False}),
    ("U0EVE", {"name": "eve", "deleted": True}),
    ("U0GST", {"is_restricted": True, "is_ultra_restricted": False}),
    ("U0FOX", {"team_id": "T0OTHER", "deleted": False, "is_restricted": False}),
    ("U0STR", {"team_id": "T0OTHER", "is_stranger": True}),
    ("U0CIBOT", {"is_bot": True}),
]


@pytest.mark.parametrize(("user", "facts"), PEOPLE, ids=[user for user, _ in PEOPLE])
async def test_people(client: AsyncWebClient, user: str, facts: dict[str, Any]) -> None:
    person = (await client.users_info(user=user))["user"]
    assert {name: person[name] for name in facts} == facts


async def test_somebody_of_another_workspace_in_a_shared_channel_is_no_stranger(client: AsyncWebClient) -> None:
    assert "is_stranger" not in (await client.users_info(user="U0FOX"))["user"]


async def test_a_deactivated_person_has_no_zone_and_no_role(client: AsyncWebClient) -> None:
    person = (await client.users_info(user="U0EVE"))["user"]
    assert not {"tz", "is_restricted", "is_admin"} & person.keys()


async def test_an_address_needs_its_scope(slack: FakeSlack, client: AsyncWebClient) -> None:
    assert (await client.users_info(user="U0BEN"))["user"]["profile"]["email"] == "ben@aisq.example"
    slack.workspace.app.scopes.discard("users:read.email")
    assert "email" not in (await client.users_info(user="U0BEN"))["user"]["profile"]
    assert "email" not in (await client.users_profile_get(user="U0BEN"))["profile"]


async def test_lookup_ignores_case(client: AsyncWebClient) -> None:
    assert (await client.users_lookupByEmail(email="CHO@aisq.example"))["user"]["id"] == "U0CHO"


async def test_the_list_of_people_leaves_out_other_workspaces(client: AsyncWebClient) -> None:
    first = await client.users_list(limit=5)
    rest = await client.users_list(limit=5, cursor=first["response_metadata"]["next_cursor"])
    ids = [person["id"] for answer in (first, rest) for person in answer["members"]]
    assert not {"U0FOX", "U0STR"} & set(ids) and {"U0ANA", "U0EVE", "U0AISQ"} <= set(ids)
    assert rest["response_metadata"]["next_cursor"] == ""


async def test_groups_without_details(client: AsyncWebClient) -> None:
    listed = (await client.usergroups_list())["usergroups"][0]
    assert listed["id"] == "S0ONCALL" and not {"users", "user_count"} & listed.keys()


async def test_groups(slack: FakeSlack, client: AsyncWebClient) -> None:
    assert (await client.usergroups_users_list(usergroup="S0ONCALL"))["users"] == ["U0ANA", "U0BEN"]
    slack.workspace.groups["S0LEADS"].is_disabled = True
    listed = (await client.usergroups_list(include_users=True, include_count=True))["usergroups"]
    assert [(g["handle"], g["user_count"], g["users"]) for g in listed] == [
        ("oncall", 2, ["U0ANA", "U0BEN"]),
        ("devs", 1, ["U0DEV"]),
    ]
    with pytest.raises(Exception, match="no_such_subteam"):
        await client.usergroups_users_list(usergroup="S0LEADS")
    assert (await client.usergroups_users_list(usergroup="S0LEADS", include_disabled=True))["users"] == ["U0CHO"]


async def test_channels(client: AsyncWebClient) -> None:
    shown = (await client.conversations_info(channel="C0AISQ"))["channel"]
    assert (shown["name"], shown["is_member"], shown["is_private"]) == ("ai-square-ops", True, False)
    assert not (await client.conversations_info(channel="C0RANDOM"))["channel"]["is_member"]
    members = await client.conversations_members(channel="C0AISQ")
    assert members["members"] == ["U0ANA", "U0BEN", "U0DEV", "U0AISQ"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, {"ops", "ai-square-ops", "eaili5-ops", "random", "old-ops"}),
        ({"exclude_archived": True}, {"ops", "ai-square-ops", "eaili5-ops", "random"}),
        ({"types": "private_channel"}, set()),
    ],
)
async def test_lists_of_channels(client: AsyncWebClient, query: dict[str, Any], names: set[str]) -> None:
    assert {channel["name"] for channel in (await client.conversations_list(**query))["channels"]} == names


async def test_a_private_channel_shows_once_the_app_is_in_it(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.workspace.channels["C0SECRET"].members.append("U0AISQ")
    listed = (await client.conversations_list(types="private_channel"))["channels"]
    assert [(channel["name"], channel["is_group"]) for channel in listed] == [("leads", True)]
    slack.workspace.app.scopes.discard("groups:history")
    with pytest.raises(Exception, match="groups:history"):
        await client.conversations_history(channel="C0SECRET")


async def test_direct_messages(slack: FakeSlack, client: AsyncWebClient) -> None:
    again = [(await client.conversations_open(users="U0ANA"))["channel"]["id"] for _ in range(2)]
    assert again == ["D0ANA", "D0ANA"]
    whole = (await client.conversations_open(users="U0ANA", return_im=True))["channel"]
    assert whole == {"id": "D0ANA", "is_im": True, "is_channel": False, "user": "U0ANA"}
    assert (await client.conversations_open(channel="D0ANA"))["channel"]["id"] == "D0ANA"
    assert [c["id"] for c in (await client.conversations_list(types="im"))["channels"]] == ["D0ANA"]
    with pytest.raises(Exception, match="method_not_supported_for_channel_type"):
        await client.conversations_open(users="U0ANA,U0BEN")


async def test_auth_test_says_who_and_with_which_scopes(client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["user_id"], answer["bot_id"], answer["url"]) == ("U0AISQ", "B0AISQ", "https://aisq.slack.com/")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_validate_says_what_is_wrong_and_posts_nothing(slack: FakeSlack, client: AsyncWebClient) -> None:
    section = {"type": "section", "text": {"type": "plain_text", "text": "a"}}
    assert (await client.api_call("blocks.validate", json={"blocks": [section]}))["ok"]
    assert (await client.api_call("blocks.validate", json={"message": {"blocks": [section]}}))["ok"]
    with pytest.raises(Exception, match="invalid_blocks") as refused:
        await client.api_call("blocks.validate", json={"blocks": [{"type": "header"}]})
    assert refused.value.response["errors"] == [
        {
            "code": "failed_constraint",
            "message": "missing required field: text",
            "pointer": "/0",
            "constraint": {"type": "required_field"},
        }
    ]
    assert slack.workspace.messages == {}
