"""The operations that there are, by command, and how a line of text becomes one of them."""

from collections.abc import Callable, Mapping

from bot.core.catalog import Catalog
from bot.core.clocktime import Standpoint
from bot.core.commands import claimed
from bot.core.errors import UserError
from bot.core.operation import Operation
from bot.core.parser import build, did_you_mean, near, parse, split
from bot.core.reference import channel_default, resolve
from bot.core.request import Form, Request, Subject, Target
from bot.core.system import LedgerReads
from bot.core.typed import entered, typed

Resolve = Callable[[str, str], Target | Subject]


class Registry:
    """Operations by command ("ops list") and by alias. Raises ConfigError when two claim one word."""

    def __init__(self, operations: Mapping[str, type[Operation]]) -> None:
        self.operations = dict(sorted(operations.items()))
        self._words = claimed(self.operations)

    def command(self, words: str) -> type[Operation]:
        """Raises UserError with the nearest names."""
        said = " ".join(words.lower().split())
        if found := self._words.get(said):
            return found
        names = near(said, self._words)
        raise UserError(f"I don't know `{said[:40]}`.{did_you_mean(names)}", choices=names)

    def read(self, line: str, resolve: Resolve, here: Standpoint) -> Operation:
        """A line as somebody `here` types it, to a checked operation. Raises UserError."""
        operation, said = split(line, self._words)
        return build(operation, parse(operation, said), resolve, here)

    def fill(self, form: Form, resolve: Resolve, here: Standpoint) -> tuple[Operation, str]:
        """A form to a checked operation, and to the line that would have said the same. Raises UserError."""
        operation = self.command(form.operation)
        raw = entered(operation, form.values)
        return build(operation, raw, resolve, here), typed(operation, raw, self._words)

    def load(self, request: Request) -> Operation:
        """A stored request to its operation; its targets are named in full already."""
        return build(self.command(request.operation), dict(request.params))


class Names:
    """Looks up what people call things."""

    def __init__(self, catalog: Catalog, ledger: LedgerReads) -> None:
        self._catalog, self._ledger = catalog, ledger

    def within(self, channel: str) -> Resolve:
        """A resolver with the defaults of a channel."""
        default = channel_default(self._catalog, channel)

        def resolved(text: str, kind: str) -> Target | Subject:
            return self._operation(text) if kind == "operation" else resolve(self._catalog, text, kind, default)

        return resolved

    def _operation(self, text: str) -> Subject:
        record = self._ledger.operation(text)
        request = record.request
        return Subject(id=record.id, operation=request.operation, requester=request.actor.id, target=request.target)
