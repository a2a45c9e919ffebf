"""Messages through the real SDK: posting, editing, threads, ephemerals, deleting, reactions."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.state import Message

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "in blocks"}}
METADATA = {"event_type": "aisq_operation", "event_payload": {"id": "op1"}}


def message(slack: FakeSlack, ts: str, channel: str = "C0OPS") -> Message:
    found = slack.workspace.find_message(channel, ts)
    assert found is not None
    return found


async def test_a_post_is_answered_with_the_message(client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(channel="C0OPS", text="hi", blocks=[SECTION], metadata=METADATA)
    shown = answer["message"]
    assert answer["channel"] == "C0OPS" and shown["ts"] == answer["ts"]
    assert (shown["user"], shown["bot_id"], shown["app_id"]) == ("U0AISQ", "B0AISQ", "A0AISQ")
    assert shown["metadata"] == METADATA and shown["blocks"][0]["text"] == SECTION["text"]
    assert shown["blocks"][0]["block_id"]


async def test_ids_are_given_to_blocks_and_elements_that_have_none(slack: FakeSlack, client: AsyncWebClient) -> None:
    go = {"type": "button", "text": {"type": "plain_text", "text": "go"}}
    blocks = [{"type": "actions", "elements": [go, go]}, {**SECTION, "block_id": "mine"}]
    answer = await client.chat_postMessage(channel="C0OPS", text="a", blocks=blocks)
    first, second = answer["message"]["blocks"]
    ids = [element["action_id"] for element in first["elements"]]
    assert len(set(ids)) == 2 and all(ids) and first["block_id"] and second["block_id"] == "mine"
    assert "action_id" not in go, "what the caller sent is left alone"


@pytest.mark.parametrize(
    ("args", "warned"),
    [({"blocks": [SECTION]}, True), ({"text": "a", "blocks": [SECTION]}, False), ({"text": "a"}, False)],
)
@pytest.mark.filterwarnings("ignore:The top-level `text`")
async def test_blocks_without_text_are_warned_about(client: AsyncWebClient, args: dict[str, Any], warned: bool) -> None:
    answer = await client.chat_postMessage(channel="C0OPS", **args)
    assert answer.get("warning") == ("missing_text_in_message" if warned else None)
    assert ("response_metadata" in answer.data) == warned


async def test_every_message_has_a_ts_of_its_own_even_in_one_instant(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.budgets.on = False
    stamps = [(await client.chat_postMessage(channel="C0OPS", text=str(n)))["ts"] for n in range(20)]
    assert stamps == sorted(set(stamps))
    assert all(abs(float(ts) - slack.workspace.now()) < 1 for ts in stamps)


async def test_a_person_is_a_channel_too(slack: FakeSlack, client: AsyncWebClient) -> None:
    sent = await client.chat_postMessage(channel="U0ANA", text="hi")
    opened = await client.conversations_open(users="U0ANA")
    assert sent["channel"] == opened["channel"]["id"] == "D0ANA"
    edited = await client.chat_update(channel="D0ANA", ts=sent["ts"], text="hello")
    assert edited["text"] == "hello"


class TestEdit:
    """What an edit keeps and what it takes away (docs.slack.dev, chat.update)."""

    CASES = (
        ("text alone removes blocks", {"text": "new"}, "new", 0, 1, METADATA),
        ("blocks alone keep the text", {"blocks": [SECTION, SECTION]}, "old", 2, 1, METADATA),
        ("both", {"text": "new", "blocks": [SECTION, SECTION]}, "new", 2, 1, METADATA),
        ("empty blocks", {"text": "new", "blocks": []}, "new", 0, 1, METADATA),
        ("empty attachments", {"text": "new", "attachments": []}, "new", 0, 0, METADATA),
        (
            "attachments alone keep the rest",
            {"attachments": [{"text": "b", "fallback": "b"}] * 2},
            "old",
            1,
            2,
            METADATA,
        ),
        ("empty metadata", {"text": "new", "metadata": {}}, "new", 0, 1, {}),
    )

    @pytest.mark.parametrize(
        ("change", "text", "blocks", "attachments", "metadata"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
    )
    @pytest.mark.filterwarnings("ignore:The top-level `text`")
    async def test_edit(
        self,
        slack: FakeSlack,
        client: AsyncWebClient,
        change: dict[str, Any],
        text: str,
        blocks: int,
        attachments: int,
        metadata: dict[str, Any],
    ) -> None:
        posted = await client.chat_postMessage(
            channel="C0OPS", text="old", blocks=[SECTION], attachments=[{"text": "a"}], metadata=METADATA
        )
        await client.chat_update(channel="C0OPS", ts=posted["ts"], **change)
        after = message(slack, posted["ts"])
        assert (after.text, len(after.blocks), len(after.attachments)) == (text, blocks, attachments)
        assert after.metadata == metadata

    async def test_earlier_versions_are_kept(self, slack: FakeSlack, client: AsyncWebClient, clock: Any) -> None:
        posted = await client.chat_postMessage(channel="C0OPS", text="0", blocks=[SECTION])
        for text in ("1", "2"):
            clock.advance(3)
            await client.chat_update(channel="C0OPS", ts=posted["ts"], text=text)
        edits = message(slack, posted["ts"]).edits
        assert [(edit.text, len(edit.blocks)) for edit in edits] == [("0", 1), ("1", 0)]
        assert edits[1].at - edits[0].at == 3

    async def test_only_a_text_is_marked_as_edited(self, client: AsyncWebClient) -> None:
        posted = await client.chat_postMessage(channel="C0OPS", text="a", blocks=[SECTION])
        quiet = await client.chat_update(channel="C0OPS", ts=posted["ts"], text="b", blocks=[SECTION])
        loud = await client.chat_update(channel="C0OPS", ts=posted["ts"], text="c")
        assert "edited" not in quiet["message"] and loud["message"]["edited"]["user"] == "U0AISQ"

    async def test_an_archived_channel_is_closed(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        posted = await client.chat_postMessage(channel="C0OPS", text="a")
        slack.workspace.channels["C0OPS"].is_archived = True
        with pytest.raises(Exception, match="is_inactive"):
            await client.chat_update(channel="C0OPS", ts=posted["ts"], text="b")
        assert message(slack, posted["ts"]).text == "a"


async def test_a_thread(slack: FakeSlack, client: AsyncWebClient) -> None:
    parent = (await client.chat_postMessage(channel="C0OPS", text="parent"))["ts"]
    reply = (await client.chat_postMessage(channel="C0OPS", text="one", thread_ts=parent))["ts"]
    nested = (await client.chat_postMessage(channel="C0OPS", text="two", thread_ts=reply))["ts"]
    loud = (await client.chat_postMessage(channel="C0OPS", text="3", thread_ts=parent, reply_broadcast=True))["ts"]
    lost = (await client.chat_postMessage(channel="C0OPS", text="lost", thread_ts="1.000001"))["ts"]
    assert message(slack, nested).thread_ts == parent, "a reply to a reply belongs to the same thread"
    replies = (await client.conversations_replies(channel="C0OPS", ts=reply))["messages"]
    assert [m["ts"] for m in replies] == [parent, reply, nested, loud]
    assert replies[0]["reply_count"] == 3 and replies[0]["latest_reply"] == loud
    assert replies[0]["reply_users"] == ["U0AISQ"] and replies[3]["subtype"] == "thread_broadcast"
    history = (await client.conversations_history(channel="C0OPS"))["messages"]
    assert [m["ts"] for m in history] == [lost, loud, parent], "replies stay in their thread"


async def test_an_ephemeral_is_for_one_person(slack: FakeSlack, client: AsyncWebClient) -> None:
    sent = await client.chat_postEphemeral(channel="C0OPS", user="U0ANA", text="psst", blocks=[SECTION])
    assert slack.workspace.in_channel("C0OPS") == []
    kept = slack.workspace.find_ephemeral("C0OPS", sent["message_ts"])
    assert kept is not None and (kept.visible_to, kept.text) == ("U0ANA", "psst")
    assert (await client.conversations_history(channel="C0OPS"))["messages"] == []


async def test_an_ephemeral_is_seen_only_in_a_thread_that_is_there(slack: FakeSlack, client: AsyncWebClient) -> None:
    parent = (await client.chat_postMessage(channel="C0OPS", text="a"))["ts"]
    for _ in range(2):
        sent = await client.chat_postEphemeral(channel="C0OPS", user="U0ANA", text="psst", thread_ts=parent)
        assert slack.workspace.find_ephemeral("C0OPS", sent["message_ts"]) is None
    await client.chat_postMessage(channel="C0OPS", text="b", thread_ts=parent)
    sent = await client.chat_postEphemeral(channel="C0OPS", user="U0ANA", text="psst", thread_ts=parent)
    kept = slack.workspace.find_ephemeral("C0OPS", sent["message_ts"])
    assert kept is not None and kept.thread_ts == parent


async def test_delete_takes_it_out_of_the_channel(slack: FakeSlack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="C0OPS", text="a")
    await client.chat_delete(channel="C0OPS", ts=posted["ts"])
    assert slack.workspace.in_channel("C0OPS") == [] and slack.workspace.deleted[0].text == "a"


async def test_permalinks(client: AsyncWebClient) -> None:
    parent = (await client.chat_postMessage(channel="C0OPS", text="a"))["ts"]
    reply = (await client.chat_postMessage(channel="C0OPS", text="b", thread_ts=parent))["ts"]
    plain = (await client.chat_getPermalink(channel="C0OPS", message_ts=parent))["permalink"]
    nested = (await client.chat_getPermalink(channel="C0OPS", message_ts=reply))["permalink"]
    assert plain == f"https://aisq.slack.com/archives/C0OPS/p{parent.replace('.', '')}"
    assert nested.endswith(f"p{reply.replace('.', '')}?thread_ts={parent}&cid=C0OPS")


async def test_reactions(slack: FakeSlack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="C0OPS", text="a")
    item = {"channel": "C0OPS", "timestamp": posted["ts"]}
    await client.reactions_add(**item, name="white_check_mark")
    with pytest.raises(Exception, match="already_reacted"):
        await client.reactions_add(**item, name=":white_check_mark:")
    shown = (await client.conversations_history(channel="C0OPS"))["messages"][0]["reactions"]
    assert shown == [{"name": "white_check_mark", "users": ["U0AISQ"], "count": 1}]
    for message in slack.workspace.in_channel("C0OPS"):
        message.reactions["white_check_mark"].append("U0ANA")
    await client.reactions_remove(**item, name="white_check_mark")
    assert (await client.conversations_history(channel="C0OPS"))["messages"][0]["reactions"][0]["users"] == ["U0ANA"]
    slack.workspace.in_channel("C0OPS")[0].reactions.clear()
    await client.reactions_add(**item, name="white_check_mark")
    await client.reactions_remove(**item, name="white_check_mark")
    assert "reactions" not in (await client.conversations_history(channel="C0OPS"))["messages"][0]


async def test_one_person_has_23_reactions(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.budgets.on = False
    posted = await client.chat_postMessage(channel="C0OPS", text="a")
    for number in range(23):
        await client.reactions_add(channel="C0OPS", timestamp=posted["ts"], name=f"e{number}")
    with pytest.raises(Exception, match="too_many_reactions"):
        await client.reactions_add(channel="C0OPS", timestamp=posted["ts"], name="e23")
