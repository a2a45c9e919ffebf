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
            (one.seq, one.at, one.event, one.actor, _said(dict(one.body)), one.operation, one.hash[:12])
            for one in entries
        )
        columns = ("#", "at", "event", "by", "what", "operation", "hash")
        table = Table(title="", columns=columns, rows=rows, empty="no entry")
        noted = "Noted elsewhere, it shows later whether the tail was cut: `audit verify --head HEAD`."
        head = (Text(text=f"Head {entries[0].hash}. {noted}"),) if entries and not wanted else ()
        return Answer(title="Audit", parts=(table, *head))


def _said(body: dict[str, object]) -> str:
    """What an entry says, as people read it; the whole of it is in the chain."""
    if told := next((str(body[name]) for name in ("sentence", "detail", "text") if body.get(name)), ""):
        return told
    if verb := body.get("verb"):
        return f"{verb} at version {body.get('version')}"
    if ending := body.get("ending"):
        return f"{ending}, version {body.get('version') or 'unknown'}"
    return f"plan {str(body.get('digest'))[:12]}" if body.get("digest") else ""
