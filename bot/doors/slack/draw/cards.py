"""What a change looks like in a channel: a pure function of its row."""

from collections.abc import Iterator

from bot.core import staged
from bot.core.plan import Finding, Level, Plan
from bot.core.request import DUE, OPEN, State
from bot.core.staged import Stages
from bot.core.system import OperationRecord
from bot.doors.slack.draw import blocks, spoken, times
from bot.doors.slack.draw.blocks import Block, Card, Words
from bot.doors.slack.draw.foreign import clean
from bot.doors.slack.draw.rollout import controls, rollout
from bot.doors.slack.draw.steps import SHOWN, steps

APPROVE, DENY = "aisq.approve", "aisq.deny"
TITLES: dict[State, str] = {
    "accepted": "⏳ Planning",
    "waiting": "✋ Waiting for approval",
    "queued": "⏳ About to begin",
    "running": "🔄 In progress",
    "answered": "💬 Answered",
    "planned": "📝 Dry run, nothing done",
    "rejected": "🚫 Not possible as asked",
    "nothing_to_do": "⚪ Nothing to do",
    "applied": "✅ Done",
    "denied": "⛔ Denied",
    "failed": "❌ Failed",
    "cancelled": "⚪ Cancelled",
    "expired": "⌛ Expired",
    "uncertain": "⚠️ Uncertain: look at it",
}
ASKS = "✋ Waiting for a decision"
LEVELS: dict[Level, str] = {"GO": "🟢 GO", "GO WITH RISK": "🟡 GO WITH RISK", "NO GO": "🔴 NO GO"}
MARKS = {"bad": "✗", "risk": "!", "good": "✓"}
JUDGED = {"holds": "✓", "broken": "✗", "unknown": "?"}
BEFORE: tuple[State, ...] = ("accepted", "waiting", "planned", "denied")  # when all findings matter
ENDED_BADLY: tuple[State, ...] = ("failed", "uncertain")
MOST_FINDINGS, MOST_NOTES = 12, 6


def card(record: OperationRecord, stages: Stages = ()) -> Card:
    """The one message of a change; `stages` are those that have begun."""
    title = _title(record, stages)
    body = [blocks.header(title), *_banner(record), *_outcome(record), *rollout(record, stages), *_plan(record, stages)]
    foot = [*_approvals(record), _small_print(record), *_buttons(record), *controls(record, stages)]
    rest = f"There is more than fits here: `ops show {record.id}` shows all of it."
    return spoken.card(f"{title}. {_said(record, stages)}", body, foot, rest)


def _title(record: OperationRecord, stages: Stages) -> str:
    title = "⚠️ Done, but look" if record.judged == "broken" and record.state == "applied" else TITLES[record.state]
    asks = staged.asks(record, stages)
    return clean(f"{ASKS if asks else title}: {asked_for(record)}", blocks.HEADER)


def asked_for(record: OperationRecord) -> str:
    """The operation and what it is about."""
    request = record.request
    return f"{request.operation} {request.target.full_name}" if request.target else request.operation


def _said(record: OperationRecord, stages: Stages) -> str:
    summary = record.plan.summary if record.plan else ""
    where = staged.standing(record, stages) if staged.goes_on(record) else ""
    return clean(record.judgement or where or record.detail or summary or record.request.text, 300)


def _banner(record: OperationRecord) -> Iterator[Block]:
    params, request = record.request.params, record.request
    if why := str(params.get("break_glass") or ""):
        yield blocks.rich((*blocks.words("🚨 BREAK GLASS: ", bold=True), *blocks.words(why)))
    asked = (*blocks.words(f"{request.actor.name} asked: "), *blocks.words(request.text, code=True, most=300))
    reason = str(params.get("reason") or "")
    yield blocks.rich(asked, (*blocks.words("Reason: ", bold=True), *blocks.words(reason)) if reason else ())


def _outcome(record: OperationRecord) -> Iterator[Block]:
    """What it comes to, then what was found afterwards."""
    summary = record.plan.summary if record.plan else ""
    said = summary if summary and record.state in DUE else record.detail or summary
    lines = [blocks.sentence(said)]
    if summary and said != summary:
        lines.append(blocks.sentence(f"The plan was: {summary}"))
    if record.cancel_by and record.state in OPEN:
        lines.append(blocks.sentence(f"{record.cancel_by} asked to cancel it; it stops after the write in progress."))
    lines.extend(_judgement(record))
    if any(lines):
        yield blocks.rich(*lines)


def _judgement(record: OperationRecord) -> Iterator[Words]:
    if record.judged == "pending" and record.plan:
        still = ", ".join(step.title or step.verb for step in record.plan.afterwards)
        yield blocks.sentence(f"Still being judged: {still}.")
    elif record.judgement:
        mark = JUDGED.get(record.judged, "")
        yield (*blocks.words(f"{mark} ", bold=True), *blocks.words(record.judgement, bold=True))


def _plan(record: OperationRecord, stages: Stages) -> Iterator[Block]:
    plan = record.plan
    if plan is None:
        return
    if (plan.steps or plan.stopped) and record.state in SHOWN:
        yield steps(record, plan, stages)
    yield from _verdict(record, plan)
    when = "as last counted" if record.state in BEFORE else "when it was planned"
    said = [f"{name.removesuffix('_pct').replace('_', ' ')} {when}: {value:.2g} %" for name, value in _percents(plan)]
    notes = (*said, *plan.notes)[:MOST_NOTES]
    if notes and record.state not in ("running", "expired", "cancelled"):
        yield blocks.bullets(blocks.sentence(note) for note in notes)
    if plan.by_hand and _may_be_done_by_hand(record, plan):
        yield blocks.rich(blocks.words("By hand:", bold=True))
        yield blocks.code(plan.by_hand)
    if plan.undo_by_hand and record.state == "uncertain":
        yield blocks.rich(blocks.words("Back by hand:", bold=True))
        yield blocks.code(plan.undo_by_hand)


def _may_be_done_by_hand(record: OperationRecord, plan: Plan) -> bool:
    """Also what should have been a rescue, and was none. Nobody is to paste what brings back a release that failed."""
    return record.state in ("waiting", "planned") or (plan.rescues and record.state in ENDED_BADLY)


def _verdict(record: OperationRecord, plan: Plan) -> Iterator[Block]:
    if plan.verdict is None or plan.is_nothing:
        return
    worst_first = sorted(plan.verdict.findings, key=lambda one: ("bad", "risk", "good").index(one.level))
    shown = [one for one in worst_first if one.level != "good" or record.state in BEFORE]
    if shown or record.state in BEFORE:
        yield blocks.rich(blocks.words(LEVELS[plan.verdict.level], bold=True))
    if shown:
        yield blocks.bullets(map(_finding, shown[:MOST_FINDINGS]))
    if len(shown) > MOST_FINDINGS:
        yield blocks.rich(blocks.sentence(f"{len(shown) - MOST_FINDINGS} more: `ops show {record.id}`"))


def _finding(found: Finding) -> Words:
    says_so = found.sentence.lower().startswith(found.subject.lower().removesuffix("s"))
    head = f"{MARKS[found.level]} " if says_so else f"{MARKS[found.level]} {found.subject}: "
    return (*blocks.words(head, bold=found.level != "good"), *blocks.sentence(found.sentence, 400))


def _percents(plan: Plan) -> list[tuple[str, float]]:
    return [(name, value) for name, value in plan.measured.items() if name.endswith("_pct")]


def _approvals(record: OperationRecord) -> Iterator[Block]:
    lines = [f"Approved by {one.actor.name}." for one in record.approvals]
    if record.state == "waiting":
        lines.append(f"{needs(record)}; {record.request.actor.name} cannot.")
    if lines:
        yield blocks.context(" ".join(lines))
    if record.state == "waiting" and record.expires_at:
        expires = f"It expires {times.markup(record.expires_at)}."
        yield {"type": "context", "elements": [{"type": "mrkdwn", "text": expires}]}


def needs(record: OperationRecord) -> str:
    """How many people are still to approve it."""
    missing = max(1, record.approvals_needed - len(record.approvals))
    people = "one other person" if missing == 1 else f"{missing} other people"
    return f"It needs {people} to approve it"


def _small_print(record: OperationRecord) -> Block:
    permitted = f" · permitted by {record.permitted_by}" if record.permitted_by and record.digest else ""
    digest = f" · plan {record.digest[:12]}" if record.digest else ""
    return blocks.context(f"{record.id}{digest}{permitted} · ops show {record.id} shows all of it")


def _buttons(record: OperationRecord) -> Iterator[Block]:
    if record.state == "waiting":
        yield decide(record)


def decide(record: OperationRecord) -> Block:
    """Yes or no to the plan that is shown."""
    summary = record.plan.summary if record.plan else record.request.text
    ask = blocks.confirm("Approve this plan?", summary, "Approve", "Not yet")
    return blocks.actions(
        blocks.button(APPROVE, "Approve", f"{record.id} {record.digest}", "primary", ask),
        blocks.button(DENY, "Deny", record.id, "danger"),
    )
