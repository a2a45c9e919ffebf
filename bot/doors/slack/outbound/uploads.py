"""The whole plan as a file in the thread, when the details cannot hold it. It is shared at most once.

A file that was uploaded is seen by nobody before its upload is completed, so its id is noted in between. After a lost
answer the thread is looked at first; completing again names the same file (docs.slack.dev, "Uploading files").
"""

import json
import logging

from bot.core.errors import BotError
from bot.core.system import FINAL, Shown
from bot.doors.slack.draw.details import spills, whole
from bot.doors.slack.outbound.budgets import Budgets
from bot.doors.slack.outbound.calls import Calls, Refusal
from bot.doors.slack.outbound.lookup import Lookup, method
from bot.doors.slack.outbound.pace import Pace
from bot.doors.slack.outbound.posts import Posts
from bot.doors.slack.outbound.replies import thread_of
from bot.doors.slack.outbound.shelf import Place, Shelf

FILE = "file"
BEGIN, COMPLETE = "files.getUploadURLExternal", "files.completeUploadExternal"
log = logging.getLogger(__name__)


class Uploads:
    """Every method may be called again at any time. Raises what `calls` raises."""

    def __init__(self, calls: Calls, shelf: Shelf, posts: Posts, budgets: Budgets, pace: Pace) -> None:
        self._calls, self._shelf, self._posts, self._budgets, self._pace = calls, shelf, posts, budgets, pace
        self._lookup = Lookup(calls)

    async def bring(self, one: Shown) -> None:
        """Share the plan, unless it was shared, or the details hold it."""
        if not spills(one.record):
            await self._shelf.note(one, FINAL, {})
            return
        if self._shelf.is_anothers(one, self._pace.takeover_s):
            return
        try:
            await (self._again(one) if one.place.get("file") else self._first(one))
        except Refusal as refused:
            log.warning("the plan of %s is not shared as a file: %s", one.record.id, refused)
            await self._shelf.keep(one, FINAL, {})

    async def _first(self, one: Shown) -> None:
        if not all(self._budgets.allows(called, spare=True) for called in (BEGIN, COMPLETE)):
            return
        place = {"channel": one.parent["channel"], "thread_ts": thread_of(one)}
        begun = await self._shelf.begin(one, place, self._pace.takeover_s)
        if begun is None:
            return
        try:
            file = await self._uploaded(one)
        except BotError:
            await self._shelf.drop(one)
            raise
        noted = await self._shelf.begin(begun, {**begun.place, "file": file}, self._pace.takeover_s)
        if noted:
            await self._complete(noted)

    async def _again(self, one: Shown) -> None:
        place = one.place
        if not all(self._budgets.allows(called) for called in (method(place["thread_ts"]), COMPLETE)):
            return
        if await self._lookup.file(place["channel"], place["thread_ts"], self._posts.span(one), place["file"]):
            return await self._shelf.keep(one, FINAL, place)
        begun = await self._shelf.begin(one, place, self._pace.takeover_s)
        if begun:
            await self._complete(begun)

    async def _uploaded(self, one: Shown) -> str:
        """The id of a file that nobody sees yet."""
        data = whole(one.record).encode()
        begun = await self._calls.ask(BEGIN, filename=f"plan-{one.record.id}.txt", length=len(data))
        await self._calls.send(str(begun["upload_url"]), data)
        return str(begun["file_id"])

    async def _complete(self, one: Shown) -> None:
        place: Place = one.place
        files = json.dumps([{"id": place["file"], "title": f"The whole plan of {one.record.id}"}])
        await self._calls.ask(COMPLETE, files=files, channel_id=place["channel"], thread_ts=place["thread_ts"])
        await self._shelf.keep(one, FINAL, place)
