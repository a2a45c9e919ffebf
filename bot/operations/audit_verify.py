"""Whether the audit chain is whole."""

from bot.core.answer import Answer, Text
from bot.core.operation import Look, Risk, param
from bot.core.system import AuditReads


class AuditVerify(Look, risk=Risk.READ, examples=("audit verify --head 9f2c…",)):
    """Check the audit chain for edits, deletions, reordering and a cut tail."""

    head: str = param(
        "A head that was noted before, such as the last one in the log; must be in the chain.", default=""
    )

    def answer(self, audit: AuditReads) -> Answer:
        checked = audit.verify(self.head)
        if checked.problem:
            return Answer(
                title="The audit chain is broken", parts=(Text(text=checked.problem, mood="bad"),), good=False
            )
        said = f"{checked.entries:,} entries, whole; head {checked.head}"
        hint = (
            () if self.head else (Text(text="A cut tail shows only against a head that was noted elsewhere (--head)."),)
        )
        return Answer(title="The audit chain is whole", parts=(Text(text=said, mood="good"), *hint))
