"""Uploads in three steps, by slack_sdk's files_upload_v2 and by hand."""

from typing import Any

import httpx
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack

PNG = b"\x89PNG" + bytes(2_000)


async def test_files_upload_v2(slack: FakeSlack, client: AsyncWebClient) -> None:
    parent = await client.chat_postMessage(channel="C0OPS", text="chart follows")
    answer = await client.files_upload_v2(
        channel="C0OPS", filename="p99.png", content=PNG, title="p99", initial_comment="see", thread_ts=parent["ts"]
    )
    upload = slack.workspace.uploads[answer["file"]["id"]]
    assert (upload.data, upload.state, upload.title) == (PNG, "complete", "p99")
    shared = slack.workspace.in_channel("C0OPS")[1]
    assert (shared.text, shared.thread_ts, shared.files[0]["name"]) == ("see", parent["ts"], "p99.png")


async def announced(client: AsyncWebClient, length: int = 3) -> tuple[str, str]:
    answer = await client.files_getUploadURLExternal(filename="a.txt", length=length)
    return answer["file_id"], answer["upload_url"]


async def put(url: str, content: bytes) -> int:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.post(url, content=content)).status_code


async def test_the_length_must_be_as_announced(slack: FakeSlack, client: AsyncWebClient) -> None:
    file_id, url = await announced(client)
    assert await put(url, b"abcd") == 400
    with pytest.raises(Exception, match="file_not_found"):
        await client.files_completeUploadExternal(files=[{"id": file_id}])
    assert await put(url, b"abc") == 200
    assert slack.workspace.calls[-1].args == {"file_id": file_id, "bytes": 3}


async def test_each_step_happens_once(client: AsyncWebClient) -> None:
    file_id, url = await announced(client)
    assert await put(url, b"abc") == 200
    assert await put(url, b"abc") == 404
    assert await put(url + "x", b"abc") == 404
    assert (await client.files_completeUploadExternal(files=[{"id": file_id}]))["files"][0]["title"] == "a.txt"
    with pytest.raises(Exception, match="file_not_found"):
        await client.files_completeUploadExternal(files=[{"id": file_id}])


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ({"channel_id": "C0NONE"}, "channel_not_found"),
        ({"channel_id": "C0RANDOM"}, "not_in_channel"),
        ({"channel_id": "C0OPS", "blocks": '[{"type": "banner"}]'}, "invalid_blocks"),
    ],
)
async def test_a_bad_place_shares_nothing(
    slack: FakeSlack, client: AsyncWebClient, where: dict[str, Any], error: str
) -> None:
    file_id, url = await announced(client)
    await put(url, b"abc")
    with pytest.raises(Exception, match=error):
        await client.files_completeUploadExternal(files=[{"id": file_id}], **where)
    assert slack.workspace.messages == {} and slack.workspace.uploads[file_id].state == "uploaded"


async def test_channels_as_a_list_in_json(slack: FakeSlack, client: AsyncWebClient) -> None:
    file_id, url = await announced(client)
    await put(url, b"abc")
    body = {"files": [{"id": file_id, "title": "t"}], "channels": ["C0OPS"], "blocks": []}
    await client.api_call("files.completeUploadExternal", json=body)
    assert slack.workspace.in_channel("C0OPS")[0].files[0]["title"] == "t"


async def test_several_channels(slack: FakeSlack, client: AsyncWebClient) -> None:
    file_id, url = await announced(client)
    await put(url, b"abc")
    await client.files_completeUploadExternal(files=[{"id": file_id}], channels=["C0OPS", "C0AISQ"])
    assert [len(slack.workspace.in_channel(channel)) for channel in ("C0OPS", "C0AISQ")] == [1, 1]
