"""What was done, by whom, as the audit chain has it."""

from bot.core.answer import Answer, Table, Text
from bot.core.operation import Look, OperationRef, Risk, param
from bot.core.system import AuditReads

MOST = 100


class Audit(Look, risk=Risk.READ, examples=("audit", "audit 7k3q")):
    """Show the audit record, newest first."""

    operation: OperationRef | None = param(
        "Only of this operation.", positional=True, default=None, completes="operations"
    )
    limit: int = param(f"How many entries, at most {MOST}.", default=20)

    def answer(self, audit: AuditReads) -> Answer:
        wanted = self.operation.id if self.operation else ""
        entries = audit.entries(operation=wanted, limit=max(1, min(self.limit, MOST)))
        rows = tuple(
            (one.seq, one.at, one.event, one.actor, one.operation, _said(dict(one.body)), one.hash[:12])
            for one in entries
        )
        columns = ("#", "at", "event", "by", "operation", "what", "hash")
        table = Table(title="", columns=columns, rows=rows, empty="no entry")
        noted = "Noted elsewhere, it shows later whether the tail was cut: `audit verify --head HEAD`."
        head = (Text(text=f"Head {entries[0].hash}. {noted}"),) if entries and not wanted else ()
        return Answer(title="Audit", parts=(table, *head))


def _said(body: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in body.items() if value not in ("", None) and name != "target")
