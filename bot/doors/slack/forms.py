"""Modals: opened at once, filled in after, switched when something else is chosen, and what their menus offer."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from bot.core.errors import BotError, Transient
from bot.core.home import Choice
from bot.core.operation import Operation, reference_of
from bot.core.request import Form
from bot.doors.slack.draw.answers import said
from bot.doors.slack.draw.blocks import Block, Card
from bot.doors.slack.draw.form import Commands, Named, depends_on, form, key, loading, options
from bot.doors.slack.inbound import DOOR, Payload
from bot.doors.slack.menus import Menus
from bot.doors.slack.opened import Opened, entries, field_of, picked
from bot.doors.slack.outbound.calls import Refusal
from bot.doors.slack.outbound.views import View, Views, is_conflict
from bot.engine.choices import Question, matching
from bot.engine.front import Front

AGAIN_S = (0.3, 1.0)
SOON_S = 2.0  # real seconds for what a form or a menu waits for; Slack gives a menu three
LATE = (
    "Slack allowed three seconds to open the form, and they were over. Ask again, or type it: `/aisq help` lists all."
)
SHUT = "The form could not be opened ({}). Type it instead: `/aisq help` lists what there is."
T = TypeVar("T")
Keep = Callable[[Coroutine[Any, Any, None]], None]
Tell = Callable[[dict[str, str], Card], None]
log = logging.getLogger(__name__)


class Forms:
    """`keep` runs something in the background; `tell` shows somebody a sentence."""

    def __init__(self, front: Front, views: Views, tell: Tell, keep: Keep, soon_s: float = SOON_S) -> None:
        self._front, self._views, self._tell, self._keep, self._soon_s = front, views, tell, keep, soon_s
        self._menus = Menus(lambda question: self._soon(lambda: front.choices.every(question)), time.monotonic)
        self._newest: dict[str, str] = {}  # by view, when something was chosen last

    def begin(self, trigger_id: str, place: dict[str, str]) -> None:
        """Open the form for what is asked at this place, beside the acknowledgement."""
        self._keep(self._begin(trigger_id, place))

    def switch(self, payload: Payload) -> None:
        """Something was chosen that decides what else is asked."""
        view, at = payload["view"], str(payload["actions"][0].get("action_ts", ""))
        self._newest = {**dict(list(self._newest.items())[-99:]), view["id"]: max(at, self._newest.get(view["id"], ""))}
        self._keep(self._switch(view, at))

    def drawn(self, view: Payload, refused: str = "") -> Block:
        """The form that belongs to what is chosen in a view, with all that was entered."""
        return self._drawn(self._opened(view), self._front.commands(), refused)

    def is_current(self, view: Payload) -> bool:
        """Whether the fields belong to what is chosen."""
        return bool(picked(view)) and picked(view) == Opened.of(view).operation

    def filled(self, view: Payload) -> Form:
        """What was entered. Raises UserError when the operation is gone."""
        opened = self._opened(view)
        operation = self._front.commands().get(opened.operation)
        return opened.form(operation.model_fields if operation else {})

    async def suggested(self, payload: Payload) -> list[Block]:
        """What a menu offers for what was typed into it; nothing, when that cannot be known in time."""
        # What stands in a view is not yet known to Slack when it asks for options (slackapi/bolt-js issue 1146).
        opened, field = self._opened({**payload["view"], "state": {}}), field_of(str(payload["block_id"]))
        begun, operation = str(payload.get("value") or ""), self._front.commands().get(opened.operation)
        if operation is None or field not in operation.model_fields:
            return []
        of = depends_on(operation.model_fields[field])
        question = Question(
            actor=f"{DOOR}:{payload['user']['id']}",
            operation=opened.operation,
            field=field,
            begun=begun,
            entered={name: value for name, value in opened.entered.items() if name == of},
            channel=opened.place.get("channel", ""),
        )
        every = await self._menus.every(question)
        found = matching(every or (), begun)
        if not found and (word := begun.strip()):
            unsure = "as typed" if every is not None else "as typed: the list cannot be read now"
            return options([Choice(value=word, about=unsure)])
        return options(found)

    # --- in the background

    async def _begin(self, trigger_id: str, place: dict[str, str]) -> None:
        try:
            shown = await self._views.open(trigger_id, loading())
        except Refusal as refused:
            log.warning("a form was not opened: %s", refused)
            is_late = refused.error in ("expired_trigger_id", "exchanged_trigger_id")
            return self._tell(place, said(LATE if is_late else SHUT.format(refused.error)))
        except BotError as error:
            log.warning("a form was not opened: %s", error)
            return self._tell(place, said(SHUT.format("Slack did not answer")))
        sensible = await self._soon(self._front.choices.sensible)
        view = self._drawn(Opened(place=place), sensible or self._front.commands())
        await self._update(shown, view)

    async def _switch(self, view: Payload, at: str) -> None:
        shown = View(id=str(view["id"]), hash=str(view["hash"]))
        sensible = await self._soon(self._front.choices.sensible)
        drawn = self._drawn(self._moved(view), sensible or self._front.commands())
        if not await self._update(shown, drawn) and self._newest.get(shown.id) == at:
            await self._update(View(id=shown.id, hash=""), drawn)  # another choice was drawn; this one is newer

    async def _update(self, shown: View, view: Block) -> bool:
        """Whether nobody else was faster. Tried again while Slack cannot be reached: the hash lets it in once."""
        for again_s in (*AGAIN_S, None):
            try:
                await self._views.update(shown, view)
            except Refusal as refused:
                log.info("a form was not updated: %s", refused)
                return not is_conflict(refused)
            except Transient as error:
                log.warning("a form was not updated: %s", error)
                if again_s is not None:
                    await asyncio.sleep(max(again_s, error.retry_after_s))
            except BotError as error:
                log.warning("a form may not have been updated: %s", error)
                return True
            else:
                return True
        return True

    async def _soon(self, read: Callable[[], T]) -> T | None:
        """None when it cannot be read, or not in time."""
        try:
            async with asyncio.timeout(self._soon_s):
                return await self._front.look(read)
        except (BotError, TimeoutError) as error:
            log.warning("a form is offered less: %s", error or "it took too long")
        except Exception:  # a form without a list can still be filled in, one that breaks cannot
            log.exception("what a form offers met a bug")
        return None

    # --- what a view holds

    def _opened(self, view: Payload) -> Opened:
        """What a view remembers, names in full, with what is chosen in it."""
        opened = Opened.of(view)
        chosen = picked(view) or opened.operation
        operation = self._front.commands().get(chosen)
        if operation is None:
            return opened.model_copy(update={"operation": ""})
        entered = {name: self._whole(operation, name, value) for name, value in opened.entered.items()}
        return opened.model_copy(update={"operation": chosen, "entered": entered})

    def _whole(self, operation: type[Operation], name: str, value: str | bool) -> str | bool:
        """A name that was too long for an option, whole."""
        field = operation.model_fields.get(name)
        reference = reference_of(field) if field else None
        if not (reference and isinstance(value, str) and "~" in value):
            return value
        every = (one.value for one in self._front.choices.named(reference.kind, ""))
        return next((one for one in every if key(one) == value), value)

    def _moved(self, view: Payload) -> Opened:
        """What a view remembers, but for what was chosen for something else: a release of another service."""
        before, opened = Opened.of({**view, "state": {}}).entered, self._opened(view)
        operation = self._front.commands().get(opened.operation)
        fields = operation.model_fields if operation else {}
        moved = {name for name, value in entries(view).items() if value != before.get(name, "")}
        gone = {name for name, field in fields.items() if depends_on(field) in moved}
        kept = {name: value for name, value in opened.entered.items() if name not in gone}
        return opened.model_copy(update={"entered": kept})

    def _drawn(self, opened: Opened, commands: Commands, refused: str = "") -> Block:
        operation = commands.get(opened.operation) or self._front.commands().get(opened.operation)
        if operation is None:
            return form(opened, commands, {}, refused)
        channel, named, entered = opened.place.get("channel", ""), dict[str, Sequence[Choice]](), dict(opened.entered)
        for name, field in operation.model_fields.items():
            reference = reference_of(field)
            if reference and reference.kind != "operation":
                named[name] = self._front.choices.named(reference.kind, channel)
                if field.is_required() and name not in entered:
                    entered[name] = self._front.choices.default(reference.kind, channel)
        every = {**commands, operation.command(): operation}
        return form(opened.model_copy(update={"entered": entered}), every, _offered(named), refused)


def _offered(named: dict[str, Sequence[Choice]]) -> Named:
    return {name: found for name, found in named.items() if found}
