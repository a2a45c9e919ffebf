"""The details in a change's thread: all of it, within Slack's limits; what does not fit is in the file, whole."""

from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.plan import Finding, Step, Verdict
from bot.core.ports import Effect
from bot.core.request import STATES, Approval, State
from bot.core.system import EffectRecord, Ending
from bot.doors.slack.draw.details import LONGEST_LINE, MOST_WRITES, details, spills, whole
from tests.doors.slack.draw.test_slack_cards import read, valid
from tests.doors.slack.harness import BEN, NOON, plan, record

MOVE = plan().steps[0]
YES = Approval(actor=BEN, digest="c0ffee" * 8, given_at=NOON + timedelta(minutes=2))
IN_THE_FILE = "The whole plan is in a file in this thread"


def effect(ending: Ending | None = "succeeded", **changed: Any) -> EffectRecord:
    told: dict[str, Any] = {
        "effect": Effect(key="7k3q/0/do", version="42"), "call": MOVE, "ending": ending, "version": "43",
        "cloud_operation": "projects/p/locations/r/operations/aa-bb", "at": NOON + timedelta(minutes=3),
    }  # fmt: skip
    return EffectRecord(**{**told, **changed})


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_drawn_and_taken_by_slack(state: State) -> None:
    shown = details(record(state), [effect()])
    valid(shown)
    assert shown.text.startswith("Details of rollback 7k3qabcdef")


def test_the_whole_plan_is_there() -> None:
    shown = details(record(), ())
    for said in (
        plan().summary,
        "Steps: send all traffic to backend-00041-kex; see that it serves",
        "Afterwards: compare errors before and after",
        "! age: backend-00041-kex is 40 days old",
        "✓ image: image sha256:24302b5749ed is in the registry",
        "new releases get none until",
        *plan().by_hand,
        *plan().undo_by_hand,
    ):
        assert said in read(shown), said
    assert read(shown).index("! age") < read(shown).index("✓ image"), "what is worst comes first"
    assert IN_THE_FILE not in read(shown)


def test_who_approved_and_what_permitted_it() -> None:
    shown = read(details(record("queued", approvals=(YES,)), ()))
    assert "Ben Brooks approved" in shown and "Permitted by grant.prod.rollout." in shown
    assert "approved" not in read(details(record(), ()))


def test_instants_are_in_the_readers_zone() -> None:
    shown = details(record("running", approvals=(YES,)), [effect()])
    found = [
        element
        for block in shown.blocks
        for part in block["elements"]
        for line in part["elements"]
        for element in line.get("elements", [])
        if element["type"] == "date"
    ]
    assert [element["timestamp"] for element in found] == [int(NOON.timestamp()) + 120, int(NOON.timestamp()) + 180]


ENDINGS = {
    None: "no answer yet",
    "succeeded": "succeeded, now at version 43",
    "failed": "failed, now at version 43 (it does not start)",
    "changed by someone else": "refused: somebody else had changed it",
    "cancelled": "cancelled",
    "uncertain": "uncertain",
}


@pytest.mark.parametrize("ending", [None, *get_args(Ending)])
def test_each_write_says_how_it_ended_and_what_the_cloud_calls_it(ending: Ending | None) -> None:
    shown = details(record("running"), [effect(ending, detail="it does not start")])
    valid(shown)
    assert "send all traffic to backend-00041-kex" in read(shown)
    assert ENDINGS[ending] in read(shown)
    assert "projects/p/locations/r/operations/aa-bb" in read(shown)


def test_a_write_of_which_little_is_known() -> None:
    shown = details(record("running"), [effect(None, cloud_operation="", at=None, version="", call=Step(verb="A.b"))])
    valid(shown)
    assert "A.b: no answer yet" in read(shown)


def test_of_many_writes_the_first_are_shown() -> None:
    shown = details(record("running"), [effect()] * (MOST_WRITES + 7))
    valid(shown)
    assert "… and 7 more" in read(shown)


def test_what_was_found_afterwards() -> None:
    shown = details(record("applied", judged="broken", judgement="Errors rose."), [effect()])
    assert "✗ Errors rose." in read(shown)


def test_without_a_plan_there_is_little_to_say() -> None:
    bare = record("rejected", plan=None, digest="")
    valid(details(bare, ()))
    assert not spills(bare)
    assert whole(bare).startswith("rollback 7k3qabcdef, asked by Ana Alvarez")


# --- what does not fit


def many(count: int, length: int = 100) -> Verdict:
    found = (Finding(level="risk", subject=f"s{at}", sentence=f"{at} " + "x" * length) for at in range(count))
    return Verdict(findings=tuple(found))


TOO_MUCH = {
    "many findings": {"verdict": many(200)},
    "a long finding": {"verdict": many(1, 700)},
    "many lines": {"by_hand": ("gcloud run",) * 40},
    "long lines": {"undo_by_hand": ("x" * (LONGEST_LINE + 1),)},
    "much to do by hand": {"by_hand": ("x" * 900,) * 4},
    "a long note": {"notes": ("x" * 700,)},
    "many steps": {"steps": (MOVE,) * 20},
}


@pytest.mark.parametrize("changed", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_does_not_fit_is_in_the_file(changed: dict[str, Any]) -> None:
    big = record("applied", plan=plan(**changed), approvals=(YES,), judgement="Errors fell.", judged="holds")
    assert spills(big)
    shown = details(big, [effect()] * MOST_WRITES)
    valid(shown)
    said = read(shown)
    assert IN_THE_FILE in said
    assert "Ben Brooks approved" in said and "succeeded" in said and "Errors fell." in said
    text = whole(big)
    made = big.plan
    assert made is not None and made.verdict is not None
    assert all(found.sentence in text for found in made.verdict.findings)
    assert all(line in text for line in (*made.by_hand, *made.undo_by_hand, *made.notes))
    assert big.digest in text and made.summary in text


def test_the_file_does_not_change_with_what_becomes_of_the_plan() -> None:
    after = record("applied", approvals=(YES,), judgement="Errors fell.", revision=9)
    assert whole(after) == whole(record())


text = st.text(st.characters(exclude_categories=()), max_size=1500)
findings = st.lists(
    st.builds(Finding, level=st.sampled_from(["good", "risk", "bad"]), subject=text, sentence=text), max_size=60
)


@given(findings, st.lists(text, max_size=50), st.lists(text, max_size=50), text)
@settings(max_examples=60, deadline=None)
def test_whatever_people_and_clouds_wrote_it_fits(
    found: list[Finding], by_hand: list[str], notes: list[str], said: str
) -> None:
    made = plan(verdict=Verdict(findings=tuple(found)), by_hand=tuple(by_hand), notes=tuple(notes), summary=said)
    effects = [effect("failed", detail=said, cloud_operation=said, version=said)] * 30
    shown = details(record("uncertain", plan=made, approvals=(YES,), judgement=said, judged="unknown"), effects)
    valid(shown)
    whole(record(plan=made)).encode()
