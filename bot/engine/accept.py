"""All before the acknowledgement: understand, name the target, ask policy a first time, one commit."""

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from bot.core.clocktime import Standpoint
from bot.core.operation import Operation
from bot.core.request import Actor, Ask, Request
from bot.core.system import Accepted, Clock, Directory, Ledger
from bot.engine.gate import Gate
from bot.engine.logs import about
from bot.engine.registry import Names, Registry

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: nothing that reads like something else
ID_LENGTH = 10


def new_id() -> str:
    """Random, so that a name derived from it is never met again, not even after the database was lost."""
    return "".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH))


class Acceptor:
    """Turns what a door heard into a persisted operation. In `soon()` nobody waits for a database for long."""

    def __init__(
        self,
        registry: Registry,
        names: Names,
        gate: Gate,
        directory: Directory,
        ledger: Ledger,
        clock: Clock,
        soon: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._registry, self._names, self._gate = registry, names, gate
        self._directory, self._ledger, self._clock = directory, ledger, clock
        self._soon = soon

    def accept(self, ask: Ask) -> Accepted:
        """Persist the request. Raises UserError (nothing was written) and Denied (the refusal was)."""
        with self._soon():  # a database that is away is said, not waited for
            return self._accept(ask)

    def _accept(self, ask: Ask) -> Accepted:
        actor = self._directory.actor(ask.actor)
        operation, text = self._understood(ask, actor)
        request = self._request(ask, actor, operation, text)
        refused = self._gate.first_refusal(request.actor, operation)
        with about(request.id):
            accepted = self._ledger.accept(
                request,
                heard_as=ask.heard_as,
                signature=ask.signature,
                state="denied" if refused else "accepted",
                detail=str(refused or ""),
            )
        if refused and accepted.new:
            raise refused
        return accepted

    def _understood(self, ask: Ask, actor: Actor) -> tuple[Operation, str]:
        """What is meant, and the line that says it."""
        names, here = self._names.within(ask.channel), Standpoint(actor.zone, self._clock.now())
        if ask.form:
            return self._registry.fill(ask.form, names, here)
        return self._registry.read(ask.text, names, here), ask.text

    def _request(self, ask: Ask, actor: Actor, operation: Operation, text: str) -> Request:
        return Request(
            id=new_id(),
            actor=actor,
            operation=operation.command(),
            verb=operation.verb,
            # Without defaults: while a new version is rolled out, an older replica does not know its new parameters.
            params=operation.model_dump(mode="json", exclude_defaults=True),
            target=operation.target,
            text=text,
            address=ask.address,
            channel=ask.channel,
            received_at=self._clock.now(),
        )
