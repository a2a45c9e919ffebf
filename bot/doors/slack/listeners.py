"""What happens before Slack is answered: a request is written down, or refused in a sentence."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from bot.core.errors import Busy, Denied, StoreError, UserError
from bot.core.request import Ask
from bot.doors.slack.draw.answers import said
from bot.doors.slack.draw.blocks import Card
from bot.doors.slack.guard import Refusals
from bot.doors.slack.inbound import Payload, from_click, from_command, is_foreign
from bot.engine.front import Front

LIMIT_S = 2.5  # real seconds; Slack itself gives up after 3
FOREIGN = "I answer only people of the workspace that I belong to."
UNSURE = "I could not confirm that your request was written down. Look with `ops` before you ask again."
UNWRITTEN = "aisq could not write your request down; nothing was done that `ops` does not show. {}"
BUSY = "So many requests came at once that aisq did not get to yours in time; nothing was done. Ask again."
BUG = "Something in aisq broke while it read that; nothing was done that `ops` does not show. It is in the log."
Tell = Callable[[dict[str, str], Card], None]
log = logging.getLogger(__name__)


class Listeners:
    """The command and the buttons. Whatever happens, Slack gets its answer in time, and people a sentence."""

    def __init__(self, front: Front, team_id: str, refusals: Refusals, tell: Tell, limit_s: float = LIMIT_S) -> None:
        self._front, self._team_id, self._refusals, self._tell = front, team_id, refusals, tell
        self._limit_s = limit_s

    async def command(self, ack: Callable[..., Awaitable[Any]], body: Payload, signature: str) -> None:
        """/aisq TEXT: refusals are the answer itself; everything else is shown by the gateway."""
        refused = await self._heard(body, signature, from_command)
        if refused is None:
            await ack()
        else:
            card = said(refused)
            await ack(text=card.text, blocks=list(card.blocks), response_type="ephemeral")

    async def click(self, ack: Callable[..., Awaitable[Any]], body: Payload, signature: str) -> None:
        """A button: its answer shows nothing, so a refusal goes to the clicker on another way."""
        refused = await self._heard(body, signature, from_click)
        await ack()
        place = _place(body)
        if refused is not None and place["channel"]:
            self._tell(place, said(refused))

    async def _heard(self, body: Payload, signature: str, read: Callable[[Payload, str], Ask]) -> str | None:
        """Why it was refused, as a sentence; None when it was written down, now or earlier."""
        if is_foreign(body, self._team_id):
            self._refusals["another workspace"] += 1
            return FOREIGN
        try:
            async with asyncio.timeout(self._limit_s):
                await self._front.quickly(self._front.submit, read(body, signature))
        except UserError as error:
            return str(error)
        except Denied as denied:
            return f"{denied} It {denied.remedy}." if denied.remedy else str(denied)
        except StoreError as error:
            return UNWRITTEN.format(error)
        except Busy:
            log.warning("a request was not begun within %s s", self._limit_s)
            return BUSY
        except TimeoutError:
            log.warning("a request was not written down within %s s", self._limit_s)
            return UNSURE
        except Exception:  # a person waits for an answer, and Slack for less than three seconds
            log.exception("a request met a bug")
            return BUG
        return None


def _place(body: Payload) -> dict[str, str]:
    channel, user = ((body.get(name) or {}).get("id", "") for name in ("channel", "user"))
    return {"channel": channel, "user": user, "response_url": body.get("response_url") or ""}
