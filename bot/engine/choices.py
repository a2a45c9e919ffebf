"""What could be entered into a form: names of the catalog, operations, and what a look lists."""

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ValidationError

from bot.core.answer import Answer, Cell, Table
from bot.core.catalog import Catalog
from bot.core.home import Choice
from bot.core.operation import Control, Operation, marks, reference_of
from bot.core.parser import ordered
from bot.core.plan import Moment
from bot.core.reach import fitting
from bot.core.reference import channel_default
from bot.core.request import OPEN, Actor, Address, Request, Target
from bot.core.system import Clock, Directory, LedgerReads, OperationRecord
from bot.engine.bind import Binder
from bot.engine.gate import Gate
from bot.engine.registry import Names, Registry
from bot.engine.run import subject

MOST = 100  # choices that people are offered at once
RECENT = 30  # operations among which one looks


class Question(BaseModel, frozen=True):
    """What could stand in a field of an operation's form? `entered` is what stands in the others already."""

    actor: str
    operation: str
    field: str
    begun: str = ""
    entered: dict[str, str | bool] = {}
    channel: str = ""


class Choices:
    """Offers only what the asker may use; what cannot be known is not offered."""

    def __init__(
        self,
        registry: Registry,
        names: Names,
        catalog: Catalog,
        directory: Directory,
        gate: Gate,
        binder: Binder,
        ledger: LedgerReads,
        clock: Clock,
    ) -> None:
        self._registry, self._names, self._catalog = registry, names, catalog
        self._directory, self._gate, self._binder = directory, gate, binder
        self._ledger, self._clock = ledger, clock

    def sensible(self) -> dict[str, type[Operation]]:
        """The operations for which there is something to name. Raises StoreError."""
        is_any, is_open = (bool(self._ledger.operations(states=states, limit=1)) for states in ((), OPEN))
        return {
            name: one
            for name, one in self._registry.operations.items()
            if self._is_sensible(one, is_open if issubclass(one, Control) else is_any)
        }

    def _is_sensible(self, operation: type[Operation], is_operation: bool) -> bool:
        needed = (reference_of(field) for field in operation.model_fields.values() if field.is_required())
        kinds = [reference.kind for reference in needed if reference]
        return all(is_operation if kind == "operation" else any(self._fitting(kind)) for kind in kinds)

    def named(self, kind: str, channel: str) -> tuple[Choice, ...]:
        """What the catalog has of a kind ("service", "any", "database|cache"), the channel's own first. Asks nobody."""
        here = "/".join(channel_default(self._catalog, channel))
        every = [("/".join(one.full_name.split("/")[:2]), one.full_name) for one in self._fitting(kind)]
        return tuple(
            Choice(value=name, text=name, group=place) for place, name in sorted(every, key=lambda one: one[0] != here)
        )

    def default(self, kind: str, channel: str) -> str:
        """The full name that a channel means when it is said of no other; empty when there are several, or none."""
        system, environment = channel_default(self._catalog, channel)
        found = [one for one in self._fitting(kind) if (one.system, one.environment) == (system, environment)]
        return found[0].full_name if len(found) == 1 else ""

    def every(self, question: Question) -> tuple[Choice, ...]:
        """Whatever was begun. Raises BotError when it cannot be known, or is not for the asker to know."""
        operation = self._registry.command(question.operation)
        field = operation.model_fields.get(question.field)
        if field is None:
            return ()
        reference, completes = reference_of(field), str(marks(field).get("completes") or "")
        look, of, other = completes.partition(" of ")
        if completes == "operations":
            return tuple(self._operations(operation, question))
        if of:
            return tuple(self._listed(look, str(question.entered.get(other) or ""), question))
        return self.named(reference.kind, question.channel) if reference else ()

    def _fitting(self, kind: str) -> Iterator[Target]:
        return fitting(self._catalog, kind)

    def _operations(self, operation: type[Operation], question: Question) -> Iterator[Choice]:
        actor = self._directory.actor(question.actor)
        states = OPEN if issubclass(operation, Control) else ()
        for record in self._ledger.operations(states=states, limit=RECENT):
            if self._may(actor, operation, question.field, record):
                about = f"{record.state.replace('_', ' ')}, asked by {record.request.actor.name}"
                yield Choice(value=record.id, text=f"{record.id}: {record.request.text}", about=about)

    def _may(self, actor: Actor, operation: type[Operation], field: str, record: OperationRecord) -> bool:
        try:
            made = operation.model_validate({field: subject(record)})
        except ValidationError:  # it needs more than this
            return True
        return self._gate.allows(actor, made)

    def _listed(self, command: str, of: str, question: Question) -> Iterator[Choice]:
        """The first column of what a look answers about something."""
        look = self._registry.command(command)
        if not of:
            return iter(())
        told: dict[str, object] = {ordered(look)[0][0]: of}
        if "limit" in look.model_fields:
            told["limit"] = MOST
        made = look.model_validate(told, context={"resolve": self._names.within(question.channel)})
        actor = self._directory.actor(question.actor)
        self._gate.permit(actor, made)
        now = self._clock.now()
        given = self._binder.arguments(
            made, "", actor, self._request(question, made, actor), Moment(started_at=now, now=now)
        )
        answer = getattr(made, made.verb)(**given)
        assert isinstance(answer, Answer), f"{command} must return an Answer"
        return _first_column(answer)

    def _request(self, question: Question, made: Operation, actor: Actor) -> Request:
        """Nobody keeps it: what is offered is no operation."""
        return Request(
            id="",
            actor=actor,
            operation=made.command(),
            verb=made.verb,
            params={},
            target=made.target,
            text="",
            address=Address(door=""),
            channel=question.channel,
            received_at=self._clock.now(),
        )


def matching(choices: Iterable[Choice], begun: str) -> tuple[Choice, ...]:
    """Those that contain what was typed, those that begin with it first; at most so many as people are offered."""
    wanted = begun.strip().casefold()
    found = [one for one in choices if wanted in f"{one.text or one.value} {one.about}".casefold()]
    names = {id(one): one.value.casefold().rpartition("/")[2] for one in found}
    found.sort(key=lambda one: not names[id(one)].startswith(wanted))
    return tuple(found[:MOST])


def _first_column(answer: Answer) -> Iterator[Choice]:
    table = next((part for part in answer.parts if isinstance(part, Table)), None)
    for row in table.rows if table else ():
        about = ", ".join(said for cell in row[1:] if (said := _spoken(cell)))
        yield Choice(value=str(row[0]), text=str(row[0]), about=about)


def _spoken(cell: Cell) -> str:
    return str(cell) if isinstance(cell, str | int | float) else ""
