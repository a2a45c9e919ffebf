"""The operations that there were, newest first."""

from bot.core.answer import Answer, Table
from bot.core.operation import Look, Risk, ServiceRef, param
from bot.core.request import OPEN, State
from bot.core.system import LedgerReads

MOST = 100


class OpsList(Look, risk=Risk.READ, aliases=("ops",), examples=("ops", "ops list --open")):
    """List operations, newest first."""

    service: ServiceRef | None = param("Only of this service.", default=None)
    open: bool = param("Only what waits, is queued or runs.", default=False)
    limit: int = param(f"How many, at most {MOST}.", default=20)

    def answer(self, ledger: LedgerReads) -> Answer:
        records = ledger.operations(
            states=OPEN if self.open else (),
            target=self.service.full_name if self.service else "",
            limit=max(1, min(self.limit, MOST)),
        )
        rows = tuple(
            (one.id, one.request.received_at, one.request.actor.name, one.request.text, _spoken(one.state), one.detail)
            for one in records
        )
        columns = ("operation", "asked", "by", "request", "state", "outcome")
        empty = "nothing waits, is queued or runs" if self.open else "none so far"
        return Answer(title="Operations", parts=(Table(title="", columns=columns, rows=rows, empty=empty),))


def _spoken(state: State) -> str:
    return state.replace("_", " ")
