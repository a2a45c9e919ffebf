"""What stands in the thread of a change: its details, and a reminder while nobody decides."""

from functools import partial

from bot.core.system import FINAL, Clock, Shown
from bot.doors.slack.draw.details import details
from bot.doors.slack.draw.reminder import is_due, reminder
from bot.doors.slack.outbound.posts import Letter, Posts
from bot.doors.slack.outbound.shelf import Shelf

DETAILS, REMINDER = "details", "reminder"


def thread_of(one: Shown) -> str:
    """The thread in which a change is shown: the one that it was asked in, or that of its message."""
    return one.parent.get("thread_ts") or one.parent["ts"]


class Replies:
    """`clock` is the time that people see. Raises what `calls` raises."""

    def __init__(self, posts: Posts, shelf: Shelf, clock: Clock) -> None:
        self._posts, self._shelf, self._clock = posts, shelf, clock

    async def details(self, one: Shown) -> None:
        """Everything about a change, brought up to its row."""
        if one.place.get("thread_ts", thread_of(one)) != thread_of(one):
            return await self._shelf.drop(one)  # its message was deleted, and another one has taken its place
        letter = Letter(
            draw=partial(details, one.record, one.effects, one.stages),
            revision=one.record.revision,
            channel=one.parent["channel"],
            thread_ts=thread_of(one),
            is_spare=True,
        )
        await self._posts.bring(one, letter)

    async def remind(self, one: Shown) -> None:
        """Once, at half of the time that people have; in the thread, and shown in the channel too."""
        found = await self._posts.find(one)
        if found is None:
            return
        if found.place.get("ts"):
            return await self._shelf.keep(found, FINAL, found.place)
        if is_due(one.record, self._clock.now()):
            letter = Letter(
                draw=partial(reminder, one.record),
                revision=FINAL,
                channel=one.parent["channel"],
                thread_ts=thread_of(one),
                is_broadcast=True,
            )
            await self._posts.post(found, letter)
