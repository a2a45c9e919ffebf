"""The terminal's way in: the words of a request, and its answer, plan, progress and outcome."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from bot.core.errors import StoreError, UserError
from bot.core.operation import Operation
from bot.core.request import DUE, OPEN, Address, Ask
from bot.core.system import Accepted, OperationRecord
from bot.core.text import line
from bot.doors.cli import exits
from bot.doors.cli.card import Cards
from bot.doors.cli.follow import LOOK_EVERY_S, Follower, Watched
from bot.doors.cli.options import Options
from bot.doors.cli.screen import Screen

DOOR = "cli"
NOBODY = "No aisq is at work on this database, so it waits. Start one (`aisq serve`), or let this terminal do it:"


class Front(Watched, Protocol):
    """What this door needs of the engine's front."""

    def submit(self, ask: Ask) -> Accepted: ...
    def commands(self) -> Mapping[str, type[Operation]]: ...


class Work(Protocol):
    """A worker of this process."""

    def start(self) -> None: ...
    def stop(self, drain_s: int) -> bool: ...


class Workers(Protocol):
    """Who carries operations out."""

    def alive(self) -> bool:
        """Whether some process does."""
        ...

    def here(self) -> Work:
        """One in this process. Raises StoreError when there may not be another."""
        ...


class Door:
    """One request of one person, from its words to an exit code."""

    def __init__(
        self,
        front: Front,
        workers: Workers,
        screen: Screen,
        actor: str,
        options: Options,
        *,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._front, self._workers, self._screen = front, workers, screen
        self._actor, self._options = actor, options
        self._follower = Follower(front, screen, look_every_s=look_every_s)

    def run(self, said: Sequence[str]) -> int:
        """Submit and show what becomes of it. Raises UserError and Denied when nothing was begun."""
        ask = Ask(
            actor=self._actor,
            text=asked(said),
            address=Address(door=DOOR),
            heard_as=f"{DOOR}:{uuid.uuid4().hex}",
            channel=self._options.channel,
        )
        try:
            operation = self._front.submit(ask).id
        except StoreError as error:
            self._screen.refuse(error, as_json=self._options.json)
            return exits.UNDONE
        try:
            return self._finished(operation)
        except StoreError as error:
            self._screen.say(f"{error} It may go on without this terminal: `aisq ops show {operation}`.", "red")
            return exits.LOOK

    def _finished(self, operation: str) -> int:
        try:
            record = self._follow(operation)
        except KeyboardInterrupt:
            record = self._front.record(operation)
            self._left(record)
        if self._options.json:
            self._screen.document(document(record))
        return exits.of_record(record)

    def _follow(self, operation: str) -> OperationRecord:
        record = self._follower.planned(operation)
        cards = self._screen.cards(ZoneInfo(record.request.actor.zone))
        self._show(record, cards)
        subject = record if record.state in OPEN else self._subject(record)
        if subject is None or not self._somebody(subject) or self._options.no_wait:
            return record
        ended = self._carried_out(subject, cards)
        return ended if subject is record else record

    def _show(self, record: OperationRecord, cards: Cards) -> None:
        """An answer or a plan is what was asked for; a refusal is said beside it."""
        show = self._screen.beside if self._options.json else self._screen.show
        if record.answer is not None and not self._options.json:
            self._screen.show(self._screen.drawer(ZoneInfo(record.request.actor.zone)).answer(record.answer))
        elif record.plan is not None and not record.plan.is_nothing:
            show(cards.plan(record, record.plan))
        if record.answer is None and record.state not in OPEN:
            self._screen.beside(cards.standing(record))

    def _subject(self, record: OperationRecord) -> OperationRecord | None:
        """The operation that an answer was about, when somebody still has to carry it out."""
        about = record.request.params.get("operation")
        if record.answer is None or not isinstance(about, dict):
            return None
        subject = self._front.record(str(about["id"]))
        stuck = subject.state in DUE and not self._workers.alive()
        return subject if stuck or (self._options.here and subject.state in OPEN) else None

    def _somebody(self, record: OperationRecord) -> bool:
        """Whether somebody will carry it out; says so when nobody will."""
        if self._options.here or self._workers.alive():
            return True
        self._screen.say(NOBODY, "yellow")
        self._screen.say(f"  aisq ops show {record.id} --here")
        return False

    def _carried_out(self, record: OperationRecord, cards: Cards) -> OperationRecord:
        """Wait for the outcome, here or elsewhere."""
        if self._workers.alive():
            return self._outcome(record, cards)
        work = self._workers.here()
        work.start()
        try:
            return self._outcome(record, cards)
        finally:
            work.stop(drain_s=5)

    def _outcome(self, record: OperationRecord, cards: Cards) -> OperationRecord:
        ended = self._follower.ended(record, cards)
        if ended.judged == "pending":
            self._screen.say(f"The metrics are judged once they have arrived: `aisq ops show {ended.id}`.")
        return ended

    def _left(self, record: OperationRecord) -> None:
        """Say what becomes of it without this terminal."""
        if record.state in OPEN and self._workers.alive():
            look, cancel = f"`aisq ops show {record.id}`", f"`aisq ops cancel {record.id}`"
            self._screen.say(f"It goes on without this terminal. Look: {look}; stop it: {cancel}.")
        elif record.state in OPEN:
            self._screen.say(NOBODY, "yellow")
            self._screen.say(f"  aisq ops show {record.id} --here")


def asked(said: Sequence[str]) -> str:
    """Words from a shell as the line that other doors get; a single word may be a whole line in quotes."""
    text = said[0].removeprefix("/aisq ") if len(said) == 1 else line(said)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UserError("That is not UTF-8; set the terminal to UTF-8 and type it again.") from None
    return text


def document(record: OperationRecord) -> dict[str, JsonValue]:
    """What `--json` prints: the answer, or the whole operation where there is none."""
    shown = record.answer or record
    dumped: dict[str, JsonValue] = shown.model_dump(mode="json")
    return dumped
