"""Cards: every state drawn, within Slack's limits, and never with foreign text in a place that is markup."""

import functools
import json
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.plan import Finding, Plan, Step, Verdict
from bot.core.request import STATES, Actor, Approval, State
from bot.core.system import OperationRecord
from bot.doors.slack.draw.blocks import BUDGET, MOST_BLOCKS, Block, Card, weight
from bot.doors.slack.draw.cards import APPROVE, DENY, LEVELS, card
from bot.sandbox.slack.blockkit.surface import message_problems
from bot.sandbox.slack.mentions import in_blocks, in_text
from tests.doors.slack.harness import ANA, BEN, NOON, plan, record, request


def texts(part: Any) -> list[str]:
    """Everything that can be read in blocks, in the order of the screen."""
    if isinstance(part, dict):
        own = [part["text"]] if isinstance(part.get("text"), str) else []
        own += [part["title"]] if isinstance(part.get("title"), str) else []
        own += [part["fallback"]] if part.get("type") == "date" else []
        return own + [text for value in part.values() if isinstance(value, dict | list) for text in texts(value)]
    return [text for item in part for text in texts(item)] if isinstance(part, list | tuple) else []


def read(shown: Card) -> str:
    """A card as somebody reads it."""
    return "\n".join("".join(texts(block)) for block in shown.blocks)


def valid(shown: Card) -> None:
    """What Slack takes, and what we promise beyond it."""
    assert message_problems(list(shown.blocks)) == []
    assert sum(weight(block) for block in shown.blocks) <= BUDGET
    assert len(shown.blocks) <= MOST_BLOCKS
    assert 0 < len(shown.text) <= 3000
    json.dumps(shown.blocks).encode()
    assert in_text(shown.text) | in_blocks(list(shown.blocks)) == set()


def of_type(shown: Card, kind: str) -> list[Block]:
    return [block for block in shown.blocks if block["type"] == kind]


# --- states


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("with_plan", [True, False], ids=["planned", "without a plan"])
def test_every_state_is_drawn_and_taken_by_slack(state: State, with_plan: bool) -> None:
    shown = card(record(state) if with_plan else record(state, plan=None, digest="", detail="so it is"))
    valid(shown)
    assert "rollback ai-square/prod/backend" in shown.text
    assert "Ana Alvarez asked" in read(shown)
    assert bool(of_type(shown, "actions")) is (state == "waiting"), "buttons only while something can be decided"


HEADERS = {
    "accepted": "⏳ Planning",
    "waiting": "✋ Waiting for approval",
    "queued": "⏳ About to begin",
    "running": "🔄 In progress",
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


@pytest.mark.parametrize("state", HEADERS)
def test_the_headline_says_how_it_stands(state: State) -> None:
    (header,) = of_type(card(record(state)), "header")
    assert header["text"]["text"] == f"{HEADERS[state]}: rollback ai-square/prod/backend"


def test_a_card_that_waits_says_all_that_an_approver_needs() -> None:
    assert read(card(record())).splitlines() == [
        "✋ Waiting for approval: rollback ai-square/prod/backend",
        'Ana Alvarez asked: rollback backend --reason "5xx since 14:02"Reason: 5xx since 14:02',
        "ai-square/prod/backend: all traffic to backend-00041-kex, away from backend-00042-bad 100 %",
        "Plansend all traffic to backend-00041-kexsee that it servescompare errors before and after",
        "🟡 GO WITH RISK",
        "! age: backend-00041-kex is 40 days old✓ image sha256:24302b5749ed is in the registry",
        "error rate as last counted: 4.9 %"
        "Traffic then stays at backend-00041-kex: new releases get none until unpin backend.",
        "By hand:",
        "gcloud run services update-traffic backend --to-revisions=backend-00041-kex=100",
        "It needs one other person to approve it; Ana Alvarez cannot.",
        "It expires <!date^1795177800^{date_short_pretty} {time}|2026-11-20 12:30 UTC>.",
        "7k3qabcdef · plan c0ffeec0ffee · permitted by grant.prod.rollout · ops show 7k3qabcdef shows all of it",
        "ApproveApprove this plan?"
        "ai-square/prod/backend: all traffic to backend-00041-kex, away from backend-00042-bad 100 %ApproveNot yetDeny",
    ]


def test_the_buttons_carry_the_operation_and_the_plan_that_is_shown() -> None:
    (actions,) = of_type(card(record()), "actions")
    approve, deny = actions["elements"]
    assert (approve["action_id"], approve["value"]) == (APPROVE, "7k3qabcdef " + "c0ffee" * 8)
    assert approve["confirm"]["text"]["text"].startswith("ai-square/prod/backend: all traffic to")
    assert (deny["action_id"], deny["value"]) == (DENY, "7k3qabcdef")


STEPS = {  # state, writes begun, judged -> status of: the write, the look, the judgement
    ("waiting", 0, ""): ["pending", "pending", "pending"],
    ("queued", 0, ""): ["pending", "pending", "pending"],
    ("running", 0, ""): ["pending", "pending", "pending"],
    ("running", 1, ""): ["in_progress", "pending", "pending"],
    ("running", 2, ""): ["error", "error", "pending"],  # more writes than the plan has: it is being put back
    ("applied", 1, "pending"): ["complete", "complete", "in_progress"],
    ("applied", 1, "holds"): ["complete", "complete", "complete"],
    ("applied", 1, "broken"): ["complete", "complete", "error"],
    ("applied", 1, "unknown"): ["complete", "complete", "complete"],
}


@pytest.mark.parametrize(("state", "doing", "judged"), STEPS)
def test_steps_show_how_far_it_is(state: State, doing: int, judged: Any) -> None:
    (steps,) = of_type(card(record(state, doing=doing, judged=judged)), "plan")
    assert [task["status"] for task in steps["tasks"]] == STEPS[state, doing, judged]


def test_several_writes_are_done_one_after_the_other() -> None:
    writes = tuple(Step(verb="Compute.set_traffic", title=f"step {number}") for number in range(3))
    (steps,) = of_type(card(record("running", doing=2, plan=plan(steps=writes))), "plan")
    assert [task["status"] for task in steps["tasks"]] == ["complete", "in_progress", "pending", "pending"]


@pytest.mark.parametrize("state", ["failed", "denied", "expired", "cancelled", "uncertain"])
def test_an_outcome_is_told_in_words_beside_what_was_planned(state: State) -> None:
    shown = card(record(state, detail="the cloud said no; put back as it was"))
    assert of_type(shown, "plan") == []
    assert "the cloud said no; put back as it was" in read(shown)
    assert "The plan was: ai-square/prod/backend: all traffic to backend-00041-kex" in read(shown)


class TestJudgement:
    def test_pending(self) -> None:
        assert "Still being judged: compare errors before and after." in read(card(record("applied", judged="pending")))

    @pytest.mark.parametrize(("judged", "mark"), [("holds", "✓"), ("broken", "✗"), ("unknown", "?")])
    def test_found(self, judged: Any, mark: str) -> None:
        shown = card(record("applied", judged=judged, judgement="Errors fell from 4.9 % to 0.1 %."))
        assert f"{mark} Errors fell from 4.9 % to 0.1 %." in read(shown)
        assert shown.text.splitlines()[0].endswith("Errors fell from 4.9 % to 0.1 %.")

    def test_a_change_that_did_not_help_does_not_look_done(self) -> None:
        shown = card(record("applied", judged="broken", judgement="Errors did not fall."))
        assert shown.text.startswith("⚠️ Done, but look: ")


class TestVerdict:
    @pytest.mark.parametrize(("level", "wanted"), [("good", "🟢 GO"), ("risk", "🟡 GO WITH RISK"), ("bad", "🔴 NO GO")])
    def test_level(self, level: Any, wanted: str) -> None:
        verdict = Verdict(findings=(Finding(level=level, subject="image", sentence="the image"),))
        assert wanted in read(card(record(plan=plan(verdict=verdict)))).splitlines()

    def test_every_level_has_its_words(self) -> None:
        assert set(LEVELS) == set(get_args(type(Verdict(findings=())).level.fget.__annotations__["return"]))

    def test_what_is_bad_comes_first(self) -> None:
        findings = [Finding(level=level, subject=level, sentence="x") for level in ("good", "bad", "risk")]
        said = read(card(record(plan=plan(verdict=Verdict(findings=tuple(findings))))))
        assert said.index("✗ bad") < said.index("! risk") < said.index("✓ good")

    def test_good_findings_matter_only_before_it_happens(self) -> None:
        assert "✓ image sha256" in read(card(record("waiting")))
        assert "✓ image" not in read(card(record("applied")))
        assert "! age" in read(card(record("applied")))

    @pytest.mark.parametrize(("level", "is_said"), [("good", False), ("risk", True)])
    def test_once_it_has_begun_only_risks_are_worth_a_verdict(self, level: Any, is_said: bool) -> None:
        verdict = Verdict(findings=(Finding(level=level, subject="image", sentence="the image"),))
        assert (LEVELS[verdict.level] in read(card(record("failed", plan=plan(verdict=verdict))))) == is_said

    def test_too_many_findings_are_counted(self) -> None:
        findings = tuple(Finding(level="risk", subject="x", sentence=str(number)) for number in range(30))
        assert "18 more: ops show 7k3qabcdef" in read(card(record(plan=plan(verdict=Verdict(findings=findings)))))


class TestPeople:
    def test_break_glass_is_loud_in_every_state(self) -> None:
        asked = request(params={"reason": "", "break_glass": "nobody else is awake"})
        for state in STATES:
            said = read(card(record(state, request=asked)))
            assert "🚨 BREAK GLASS: nobody else is awake" in said
            assert "Reason:" not in said

    def test_who_approved_and_how_many_are_missing(self) -> None:
        given = Approval(actor=BEN, digest="c0ffee", given_at=NOON)
        said = read(card(record(approvals=(given,), approvals_needed=3)))
        assert "Approved by Ben Brooks. It needs 2 other people to approve it; Ana Alvarez cannot." in said
        assert "Approved by Ben Brooks." in read(card(record("applied", approvals=(given,))))

    def test_who_asked_to_cancel(self) -> None:
        said = read(card(record("running", cancel_by="Cho Tanaka", doing=1)))
        assert "Cho Tanaka asked to cancel it; it stops after the write in progress." in said

    def test_after_an_uncertain_write_of_a_rescue_both_ways_by_hand_are_there(self) -> None:
        said = read(card(record("uncertain", detail="no answer came", plan=plan(rescues=True))))
        assert "By hand:" in said and "Back by hand:" in said
        assert "--to-revisions=backend-00042-bad=100" in said

    def test_a_rescue_that_failed_can_be_done_by_hand(self) -> None:
        assert "By hand:" in read(card(record("failed", plan=plan(rescues=True))))

    @pytest.mark.parametrize(("state", "back"), [("failed", False), ("uncertain", True)])
    def test_nobody_is_told_how_to_bring_back_a_release_that_failed(self, state: State, back: bool) -> None:
        said = read(card(record(state, plan=plan(rescues=False))))
        assert "\nBy hand:" not in said
        assert ("\nBack by hand:" in said) == back


# --- limits


@functools.cache
def huge(word: str) -> OperationRecord:
    """Everything as long, and as often, as somebody could make it."""
    person = Actor(id="slack:U0ANA", name=word)
    findings = tuple(Finding(level="bad", subject=word, sentence=word) for _ in range(100))
    made = Plan(
        target=plan().target.model_copy(update={"system": word, "environment": word, "name": word}),
        version=word,
        summary=word,
        steps=tuple(Step(verb=word, title=word) for _ in range(200)),
        afterwards=tuple(Step(kind="judge", verb=word, title=word) for _ in range(50)),
        verdict=Verdict(findings=findings),
        notes=(word,) * 100,
        by_hand=(word,) * 100,
        undo_by_hand=(word,) * 100,
        measured={f"{number}_pct": 1e300 for number in range(50)},
    )
    asked = request(actor=person, params={"reason": word, "break_glass": word}, text=word, operation=word)
    approvals = tuple(Approval(actor=person, digest=word, given_at=NOON) for _ in range(100))
    return record(
        request=asked.model_copy(update={"target": made.target}), plan=made, detail=word, judgement=word,
        judged="broken", approvals=approvals, permitted_by=word, cancel_by=word,
    )  # fmt: skip


WORDS = {
    "20 kB": "x" * 20_000,
    "20 kB of words": "lorem " * 3_400,
    "right to left": "خطأ في الخادم " * 100,
    "emoji": "👩\u200d🚒🔥" * 500,
    "mentions": "<!here> <@U0BEN> <!subteam^S0ONCALL> " * 50,
    "formatting": "*bold* _italic_ ~gone~ `code` ```block``` > quote\n- list\n# title " * 20,
    "links": "<https://evil.example|https://bank.example> https://evil.example [x](https://evil.example) ",
    "control": "\x00\x07\x1b[31m\u202e\u2066\r\n",
    "entities": "&lt;!here&gt; &amp; &#60;",
    "backticks": "` `` ``` ```` " * 30,
    "one character": "x",
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("word", WORDS)
def test_nothing_is_too_long_or_too_strange_to_be_shown(word: str, state: State) -> None:
    shown = card(huge(WORDS[word]).model_copy(update={"state": state}))
    valid(shown)
    assert "7k3qabcdef" in read(shown)


def test_what_does_not_fit_is_said_and_the_buttons_stay() -> None:
    shown = card(huge("lorem ipsum " * 200))
    assert "There is more than fits here: ops show 7k3qabcdef shows all of it." in read(shown)
    assert shown.blocks[-1]["type"] == "actions"


def test_too_many_steps_are_counted() -> None:
    steps = tuple(Step(verb="x", title=f"step {number}") for number in range(30))
    (shown,) = of_type(card(record(plan=plan(steps=steps))), "plan")
    assert shown["title"] == "Plan (and 11 more: ops show 7k3qabcdef)"
    assert len(shown["tasks"]) == 20


# --- foreign text


def markup(shown: Card) -> list[str]:
    """Texts that Slack reads as markup."""

    def inside(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["text"]] if part.get("type") in ("mrkdwn", "markdown") else []
            return own + [text for value in part.values() for text in inside(value)]
        return [text for item in part for text in inside(item)] if isinstance(part, list | tuple) else []

    return inside(shown.blocks)


FIELDS = {
    "the reason": lambda text: record(request=request(params={"reason": text})),
    "the emergency": lambda text: record(request=request(params={"break_glass": text})),
    "what was typed": lambda text: record(request=request(text=text)),
    "the name of who asked": lambda text: record(request=request(actor=ANA.model_copy(update={"name": text}))),
    "the outcome": lambda text: record("failed", detail=f"the cloud said: {text}"),
    "a denial's reason": lambda text: record("denied", detail=f"denied by Ben Brooks: {text}; nothing was done"),
    "the plan": lambda text: record(plan=plan(summary=text)),
    "a finding": lambda text: record(
        plan=plan(verdict=Verdict(findings=(Finding(level="bad", subject=text, sentence=text),)))
    ),
    "a note": lambda text: record(plan=plan(notes=(text,))),
    "a step": lambda text: record(plan=plan(steps=(Step(verb="x", title=text),))),
    "the line by hand": lambda text: record(plan=plan(by_hand=(text,))),
    "the judgement": lambda text: record("applied", judged="broken", judgement=text),
    "an approver": lambda text: record(
        approvals=(Approval(actor=BEN.model_copy(update={"name": text}), digest="x", given_at=NOON),)
    ),
}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("word", ["mentions", "links", "formatting", "control", "entities"])
def test_foreign_text_is_never_markup(word: str, field: str) -> None:
    shown = card(FIELDS[field](WORDS[word]))
    valid(shown)
    only_ours = [text for text in markup(shown) if not text.startswith("It expires <!date^")]
    assert only_ours == []
    assert all(len(text.splitlines()) <= 1 or "preformatted" in str(shown.blocks) for text in texts(list(shown.blocks)))
    said = shown.text + json.dumps(shown.blocks, ensure_ascii=False)
    assert not any(char in said for char in "\u202e\u2066\x1b\x00\x07")


def test_a_reason_cannot_pretend_to_be_another_line() -> None:
    shown = card(record(request=request(params={"reason": "see below\nApproved by Ben Brooks."})))
    assert "Reason: see below Approved by Ben Brooks." in read(shown)


@given(text=st.text(st.characters(), max_size=200), state=st.sampled_from(STATES), seconds=st.integers(-9, 10**8))
@settings(max_examples=150)
def test_any_text_anywhere_makes_a_card_that_slack_takes(text: str, state: State, seconds: int) -> None:
    finding = Finding(level="bad", subject=text, sentence=text)
    told = plan(summary=text, notes=(text,), by_hand=(text,), verdict=Verdict(findings=(finding,)))
    asked = request(params={"reason": text, "break_glass": text}, text=text)
    expires = NOON + timedelta(seconds=seconds)
    valid(card(record(state, plan=told, detail=text, judgement=text, request=asked, expires_at=expires)))
