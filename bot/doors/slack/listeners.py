"""What happens before Slack is answered: a request is written down, or refused in a sentence."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from bot.core.errors import Busy, Denied, StoreError, UserError
from bot.core.request import Ask
from bot.doors.slack import inbound
from bot.doors.slack.draw.answers import said
from bot.doors.slack.draw.blocks import Card
from bot.doors.slack.draw.foreign import clean
from bot.doors.slack.forms import Forms
from bot.doors.slack.guard import Refusals
from bot.doors.slack.home import Homes
from bot.doors.slack.inbound import Payload, Place
from bot.doors.slack.opened import field_of
from bot.engine.front import Front

LIMIT_S = 2.5  # real seconds; Slack itself gives up after 3
LONGEST_ERROR = 300  # characters that stand below a field
FOREIGN = "I answer only people of the workspace that I belong to."
UNSURE = "I could not confirm that your request was written down. Look with `ops` before you ask again."
UNWRITTEN = "aisq could not write your request down; nothing was done that `ops` does not show. {}"
BUSY = "So many requests came at once that aisq did not get to yours in time; nothing was done. Ask again."
BUG = "Something in aisq broke while it read that; nothing was done that `ops` does not show. It is in the log."
Ack = Callable[..., Awaitable[object]]
Tell = Callable[[Place, Card], None]
log = logging.getLogger(__name__)


class No(NamedTuple):
    """Why something was refused, as a sentence, and what is wrong with which field."""

    sentence: str
    fields: Mapping[str, str] = {}


class Listeners:
    """Everything that Slack sends. Whatever happens, Slack gets its answer in time, and people a sentence."""

    def __init__(
        self,
        front: Front,
        forms: Forms,
        homes: Homes,
        team_id: str,
        refusals: Refusals,
        tell: Tell,
        hurry: Callable[[], None] = lambda: None,
        limit_s: float = LIMIT_S,
    ) -> None:
        self._front, self._forms, self._homes = front, forms, homes
        self._team_id, self._refusals, self._tell = team_id, refusals, tell
        self._hurry, self._limit_s = hurry, limit_s

    async def command(self, ack: Ack, body: Payload, signature: str) -> None:
        """/aisq TEXT: refusals are the answer itself; everything else is shown by the gateway. /aisq alone: a form."""
        if not str(body.get("text") or "").strip() and body.get("trigger_id") and not self._is_foreign(body):
            self._forms.begin(str(body["trigger_id"]), inbound.of_command(body))
            await ack()
            return
        no = await self._heard(body, lambda: inbound.from_command(body, signature))
        if no is None:
            await ack()
            return
        card = said(no.sentence)
        await ack(text=card.text, blocks=list(card.blocks), response_type="ephemeral")

    async def click(self, ack: Ack, body: Payload, signature: str) -> None:
        """A button: its answer shows nothing, so a refusal goes to the clicker on another way."""
        no = await self._heard(body, lambda: inbound.from_click(body, signature))
        await ack()
        if no is not None:
            self._tell(inbound.of_click(body), said(no.sentence))

    async def shortcut(self, ack: Ack, body: Payload) -> None:
        """ "aisq here", on a message: the form, whose answer goes to the message's thread."""
        await self._begin(ack, body, inbound.of_shortcut(body))

    async def new(self, ack: Ack, body: Payload) -> None:
        """The button of the App Home."""
        await self._begin(ack, body, inbound.of_click(body))

    async def message(self, ack: Ack, body: Payload, signature: str) -> None:
        """A mention or a direct message. Acknowledged whatever comes of it: a person asks again, Slack must not."""
        if not inbound.is_for_us(body):
            await ack()
            return
        no = await self._heard(body, lambda: inbound.from_message(body, signature))
        await ack()
        if no is not None:
            self._tell(inbound.of_message(body), said(no.sentence))

    async def opened(self, ack: Ack, body: Payload) -> None:
        """The App Home is looked at."""
        event = body["event"]
        if event.get("tab", "home") == "home" and not self._is_foreign(body):
            view = event.get("view") or {}
            self._homes.opened(
                str(event["user"]), str(event.get("channel") or event["user"]), str(view.get("hash") or "")
            )
            self._hurry()
        await ack()

    async def chosen(self, ack: Ack, body: Payload) -> None:
        """Something was chosen in a form that decides what else is asked."""
        if not self._is_foreign(body):
            self._forms.switch(body)
        await ack()

    async def suggest(self, ack: Ack, body: Payload) -> None:
        """What a menu of a form offers."""
        await ack(options=[] if self._is_foreign(body) else await self._forms.suggested(body))

    async def submit(self, ack: Ack, body: Payload, signature: str) -> None:
        """A form. What is wrong is said where it was entered, every other refusal on top of the form."""
        view = body["view"]
        if not self._is_foreign(body) and not self._forms.is_current(view):
            await ack(response_action="update", view=self._forms.drawn(view))
            return
        no = await self._heard(body, lambda: inbound.from_submission(body, signature, self._forms.filled(view)))
        if no is None:
            await ack()
        elif errors := _beside(view, no.fields):
            await ack(response_action="errors", errors=errors)
        else:
            await ack(response_action="update", view=self._forms.drawn(view, no.sentence))

    async def _begin(self, ack: Ack, body: Payload, place: Place) -> None:
        if self._is_foreign(body):
            self._refusals["another workspace"] += 1
            self._tell(place, said(FOREIGN))
        else:
            self._forms.begin(str(body["trigger_id"]), place)
        await ack()

    def _is_foreign(self, body: Payload) -> bool:
        return inbound.is_foreign(body, self._team_id)

    def _submit(self, ask: Ask) -> bool:
        """Whether it is new. Raises what `submit` raises, also for a form whose refusal was lost."""
        accepted = self._front.submit(ask)
        if ask.form and not accepted.new:
            before = self._front.record(accepted.id)
            if before.state == "denied":
                raise Denied(before.detail)
        return accepted.new

    async def _heard(self, body: Payload, read: Callable[[], Ask]) -> No | None:
        """Why it was refused; None when it was written down, now or earlier."""
        if self._is_foreign(body):
            self._refusals["another workspace"] += 1
            return No(FOREIGN)
        try:
            async with asyncio.timeout(self._limit_s):
                is_new = await self._front.quickly(self._submit, read())
            self._refusals.update(() if is_new else ("heard before",))
        except UserError as error:
            return No(str(error), error.fields)
        except Denied as denied:
            return No(f"{denied} It {denied.remedy}." if denied.remedy else str(denied))
        except StoreError as error:
            return No(UNWRITTEN.format(error))
        except Busy:
            log.warning("a request was not begun within %s s", self._limit_s)
            return No(BUSY)
        except TimeoutError:
            log.warning("a request was not written down within %s s", self._limit_s)
            return No(UNSURE)
        except Exception:  # a person waits for an answer, and Slack for less than three seconds
            log.exception("a request met a bug")
            return No(BUG)
        return None


def _beside(view: Payload, fields: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by the blocks of a view where it was entered; none when one of them is not there."""
    blocks = {field_of(block["block_id"]): block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    if not fields.keys() <= blocks.keys():
        return {}
    return {blocks[name]: clean(f"{text[:1].upper()}{text[1:]}", LONGEST_ERROR) for name, text in fields.items()}
