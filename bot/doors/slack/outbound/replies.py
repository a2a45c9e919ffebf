"""What stands in the thread of a change: its details, and that it waits for a person, once each time that it does."""

from collections.abc import Callable
from functools import partial

from bot.core.staged import steerable
from bot.core.system import FINAL, Clock, Shown
from bot.doors.slack.draw.blocks import Card
from bot.doors.slack.draw.details import details
from bot.doors.slack.draw.reminder import is_due, reminder
from bot.doors.slack.draw.undecided import concerns_all, undecided
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
        if is_due(one.record, self._clock.now()):
            await self._once(one, partial(reminder, one.record), is_broadcast=True)

    async def ask(self, one: Shown) -> None:
        """Once, when a stage begins to wait; in the channel too, unless somebody there wanted that."""
        stage = steerable(one.record, one.stages)
        if stage:
            draw = partial(undecided, one.record, one.stages)
            await self._once(one, draw, is_broadcast=concerns_all(stage))

    async def _once(self, one: Shown, draw: Callable[[], Card], *, is_broadcast: bool) -> None:
        found = await self._posts.find(one)
        if found is None:
            return
        if found.place.get("ts"):
            return await self._shelf.keep(found, FINAL, found.place)
        letter = Letter(
            draw=draw,
            revision=FINAL,
            channel=one.parent["channel"],
            thread_ts=thread_of(one),
            is_broadcast=is_broadcast,
        )
        await self._posts.post(found, letter)
