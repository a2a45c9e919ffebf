"""The reply in a change's thread that says everything: approvals, stages, each write, what was found, the plan."""

from collections.abc import Iterator, Sequence

from bot.core import staged
from bot.core.plan import Finding, Plan
from bot.core.staged import Stages
from bot.core.system import EffectRecord, OperationRecord
from bot.doors.slack.draw import blocks, spoken, times
from bot.doors.slack.draw.blocks import Block, Card, Words
from bot.doors.slack.draw.cards import JUDGED, MARKS
from bot.doors.slack.draw.foreign import clean

Effects = Sequence[EffectRecord]
WORST_FIRST = ("bad", "risk", "good")
MOST_WRITES, MOST_STAGES = 20, 10
LONGEST_STAGE = 400
LONGEST_LINE, LONGEST_CODE = 1000, 2500  # characters that `blocks.code` shows
PLAN_BUDGET = 6000  # characters of the plan; the rest of a message is for what became of it
LONGEST = 100_000  # characters of a line of the file, in which nothing is left out
ENDINGS = {None: "no answer yet", "changed by someone else": "refused: somebody else had changed it"}


def details(record: OperationRecord, effects: Effects, stages: Stages = ()) -> Card:
    """What became of it, then the plan as far as it fits; `spills` says whether something did not."""
    head = f"Details of {record.request.operation} {record.id}"
    happened = [*_approved(record), *_stages(record, stages), *_writes(effects), *_judged(record)]
    rest = f"The whole plan is in a file in this thread; `ops show {record.id}` shows it too."
    body = [blocks.rich(blocks.words(head, bold=True)), *happened, *_shown(record, rest)]
    return spoken.card(head, body, (), rest)


def spills(record: OperationRecord) -> bool:
    """Whether the details leave out something of the plan, so that it needs a file."""
    plan = record.plan
    if plan is None:
        return False
    code = [plan.by_hand, plan.undo_by_hand]
    return (
        sum(map(blocks.weight, _plan(plan))) > PLAN_BUDGET
        or any(len(lines) > blocks.MOST_LINES or len("\n".join(lines)) > LONGEST_CODE for lines in code)
        or any(len(line) > LONGEST_LINE for lines in code for line in lines)
        or any(len(said) > blocks.SENTENCE for said in _said(plan))
    )


def _said(plan: Plan) -> Iterator[str]:
    """Every sentence of it."""
    yield from (plan.summary, *_steps(plan), *plan.notes)
    yield from (one.sentence for one in _findings(plan))


def whole(record: OperationRecord) -> str:
    """The plan as text, with nothing left out: what the file says. It never changes once the plan is made."""
    return "\n".join(_lines(record)) + "\n"


def _approved(record: OperationRecord) -> Iterator[Block]:
    lines = [(*blocks.words(f"{one.actor.name} approved "), times.element(one.given_at)) for one in record.approvals]
    if record.permitted_by and record.state not in ("waiting", "denied"):
        lines.append(blocks.words(f"Permitted by {record.permitted_by}."))
    if lines:
        yield blocks.rich(blocks.words("Approved", bold=True))
        yield blocks.bullets(lines)


def _stages(record: OperationRecord, stages: Stages) -> Iterator[Block]:
    """Every stage that has begun, with what was found in it last."""
    if record.plan is None or not stages:
        return
    yield blocks.rich(blocks.words("Stages", bold=True))
    lines = [f"{staged.told(record.plan, one)} {one.sentence}".strip() for one in stages[-MOST_STAGES:]]
    yield blocks.bullets(blocks.sentence(line, LONGEST_STAGE) for line in lines)


def _writes(effects: Effects) -> Iterator[Block]:
    if not effects:
        return
    yield blocks.rich(blocks.words("Writes to the cloud", bold=True))
    yield blocks.bullets(map(_write, effects[:MOST_WRITES]))
    if len(effects) > MOST_WRITES:
        yield blocks.rich(blocks.words(f"… and {len(effects) - MOST_WRITES} more"))


def _write(made: EffectRecord) -> Words:
    title = made.call.title or made.call.verb
    operation = blocks.words(made.cloud_operation, code=True, most=300)
    when = (*blocks.words(", "), times.element(made.at)) if made.at else ()
    ending = ENDINGS.get(made.ending) or str(made.ending)
    version = f", now at version {made.version}" if made.version else ""
    why = f" ({made.detail})" if made.detail and made.ending != "succeeded" else ""
    said = blocks.words(f": {ending}{version}{why}", most=400)
    return (*blocks.words(title, most=200), *when, *said, *((*blocks.words(" · "), *operation) if operation else ()))


def _judged(record: OperationRecord) -> Iterator[Block]:
    if record.judgement:
        mark = JUDGED.get(record.judged, "")
        yield blocks.rich(blocks.words("Afterwards", bold=True))
        yield blocks.rich((*blocks.words(f"{mark} "), *blocks.sentence(record.judgement)))


def _shown(record: OperationRecord, rest: str) -> Iterator[Block]:
    """Of the plan what fits, then the sentence that says where the rest is."""
    if record.plan is None:
        return
    left = PLAN_BUDGET
    for block in _plan(record.plan):
        left -= blocks.weight(block)
        if left < 0:
            break
        yield block
    if spills(record):
        yield blocks.rich(blocks.sentence(rest))


def _plan(plan: Plan) -> Iterator[Block]:
    yield blocks.rich(blocks.words("Plan", bold=True), blocks.sentence(plan.summary), *map(blocks.words, _steps(plan)))
    if findings := _findings(plan):
        yield blocks.bullets(map(_finding, findings))
    if plan.notes:
        yield blocks.bullets(map(blocks.sentence, plan.notes))
    for title, lines in _code(plan):
        yield blocks.rich(blocks.words(title, bold=True))
        yield blocks.code(lines)


def _steps(plan: Plan) -> list[str]:
    steps, later = ([step.title or step.verb for step in some] for some in (plan.steps, plan.afterwards))
    told = (("Stops first", list(plan.stopped)), ("Steps", steps), ("Afterwards", later))
    return [f"{title}: " + "; ".join(named) for title, named in told if named]


def _code(plan: Plan) -> Iterator[tuple[str, tuple[str, ...]]]:
    if plan.by_hand:
        yield "By hand", plan.by_hand
    if plan.undo_by_hand:
        yield "Back by hand", plan.undo_by_hand


def _findings(plan: Plan) -> list[Finding]:
    found = plan.verdict.findings if plan.verdict else ()
    return sorted(found, key=lambda one: WORST_FIRST.index(one.level))


def _finding(found: Finding) -> Words:
    return (*blocks.words(f"{MARKS[found.level]} {found.subject}: "), *blocks.sentence(found.sentence))


def _lines(record: OperationRecord) -> Iterator[str]:
    request, plan = record.request, record.plan
    yield clean(f"{request.operation} {record.id}, asked by {request.actor.name}: {request.text}", LONGEST)
    if plan is None:
        return
    yield f"{plan.target.full_name}{f' at version {plan.version}' if plan.version else ''}"
    yield clean(f"plan {record.digest}: {plan.summary}", LONGEST)
    for heading, lines in _sections(plan):
        if lines:
            yield from ("", heading, *(f"  {clean(line, LONGEST)}" for line in lines))


def _sections(plan: Plan) -> Iterator[tuple[str, list[str]]]:
    found = f": {plan.verdict.level}" if plan.verdict else ""
    yield "Stops first", list(plan.preempts)
    yield "Steps", [step.title or step.verb for step in plan.steps]
    yield "Afterwards", [step.title or step.verb for step in plan.afterwards]
    yield f"Findings{found}", [f"{MARKS[one.level]} {one.subject}: {one.sentence}" for one in _findings(plan)]
    yield "Notes", list(plan.notes)
    yield "By hand", list(plan.by_hand)
    yield "Back by hand", list(plan.undo_by_hand)
