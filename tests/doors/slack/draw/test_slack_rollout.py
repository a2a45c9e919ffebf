"""The card of a rollout that lives: at every stage and in every state it says where it is, and offers what can be said.

Always something that Slack takes, whatever the releases, the people and the judge are called.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.locks import Lock
from bot.core.request import STATES, State
from bot.core.stages import StageRecord
from bot.doors.slack.draw.blocks import Block, Card
from bot.doors.slack.draw.cards import APPROVE, card
from bot.doors.slack.draw.details import details
from bot.doors.slack.draw.rollout import ADVANCE, BACK, HOLD
from bot.sandbox.slack.elements import interactive
from tests.doors.slack import validity
from tests.doors.slack.draw.test_slack_cards import WORDS, of_type, read, texts, valid
from tests.doors.slack.harness import NOON, request
from tests.rollouts import NEW, SAID, counted, rolling, stage, staged_plan, until

SCHEMA = validity.Schema() if validity.MADE.exists() else None  # where `make schemas` was run
STATES_OF_STAGES = ("baking", "held", "passed", "broken")


def taken(shown: Card) -> Card:
    """The card, which Slack takes."""
    valid(shown)
    assert validity.message(shown, SCHEMA) == []
    return shown


def buttons(shown: Card) -> dict[str, Block]:
    return {one.action_id: one.body for one in interactive(list(shown.blocks))}


def dates(part: Any) -> list[int]:
    """Every instant that each reader sees in their own zone, in the order of the screen."""
    if isinstance(part, dict):
        own = [part["timestamp"]] if part.get("type") == "date" else []
        return own + [at for value in part.values() if isinstance(value, dict | list) for at in dates(value)]
    return [at for item in part for at in dates(item)] if isinstance(part, list | tuple) else []


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("of_stage", STATES_OF_STAGES)
@pytest.mark.parametrize("number", [1, 4])
def test_every_stage_in_every_state_is_taken_by_slack(state: State, of_stage: str, number: int) -> None:
    shown = taken(card(rolling(state), until(number, of_stage)))
    steered = state == "running" and of_stage in ("baking", "held")
    assert (ADVANCE in buttons(shown)) is steered
    assert (BACK in buttons(shown)) is (state == "running")
    assert (APPROVE in buttons(shown)) is (state == "waiting")


def test_where_it_is_and_until_when_in_each_readers_own_zone() -> None:
    shown = taken(card(rolling(), until(2)))
    (where,) = (block for block in of_type(shown, "rich_text") if "Stage 2 of 4 (25 %)" in "".join(texts(block)))
    begun = int(NOON.timestamp()) + 3600
    assert dates(where) == [begun, begun + 600, begun + 600 + 14_400]
    assert f"<!date^{begun + 600}^{{date_short_pretty}} {{time}}|2026-11-20 13:10 UTC>" in shown.text
    assert SAID in read(shown) and "Stage 2 of 4 (25 %)" in shown.text.splitlines()[0]


def test_the_steps_show_which_stages_are_passed() -> None:
    (plan,) = of_type(card(rolling(doing=3), until(2)), "plan")
    told = {task["title"]: task["status"] for task in plan["tasks"]}
    assert told == {
        f"make release {NEW}": "complete",
        "see that it starts": "complete",
        f"send 10 % to {NEW}": "complete",
        "watch 10 % for 10m or longer": "complete",
        f"send 25 % to {NEW}": "complete",
        "watch 25 % for 10m or longer": "in_progress",
        f"send 50 % to {NEW}": "pending",
        "watch 50 % for 10m or longer": "pending",
        f"send 100 % to {NEW}": "pending",
        "watch 100 % for 10m or longer": "pending",
        "let traffic follow the newest release again": "pending",
    }


def test_what_puts_it_back_is_no_next_stage() -> None:
    (plan,) = of_type(card(rolling(doing=3), until(1, "broken")), "plan")
    told = {task["title"]: task["status"] for task in plan["tasks"]}
    assert told["watch 10 % for 10m or longer"] == "error" and told[f"send 25 % to {NEW}"] == "pending"


def test_old_against_new_as_a_chart_and_in_words() -> None:
    shown = taken(card(rolling(), until(2)))
    (errors,) = of_type(shown, "data_visualization")
    assert errors["title"] == "Errors"
    assert [one["name"] for one in errors["chart"]["series"]] == ["…-7k3qabcdef (new)", "…d-00041-kex (old)"]
    assert errors["chart"]["axis_config"]["y_label"] == "%" and len(errors["chart"]["axis_config"]["categories"]) == 20
    assert f"{NEW} (new): 65 % now, between 0 % and 65 %" in read(shown)
    assert f"{NEW} (new): 5 % now, between 5 % and 5 %" in read(shown), "answers over 300 ms"
    assert "Chart: Errors (% · CET)" in shown.text, "and in the text alone"
    assert shown.text.splitlines()[-1] == "Buttons: Promote now, Hold, Roll back", "which has room for all of it"


def test_a_stage_that_nothing_was_counted_in_has_no_chart_and_no_verdict() -> None:
    shown = taken(card(rolling(), (stage(1),)))
    assert of_type(shown, "data_visualization") == [] and "Stage 1 of 4 (10 %)" in read(shown)
    assert buttons(shown)[ADVANCE]["confirm"]["text"]["text"] == "Nothing was found yet."


def test_what_the_outcome_says_already_is_not_said_again() -> None:
    shown = read(taken(card(rolling("failed", detail=f"put back: {SAID}"), until(2, "broken"))))
    assert shown.count(SAID) == 1


def test_while_it_runs_it_says_what_it_leads_to() -> None:
    shown = read(taken(card(rolling(detail="in progress"), until(2))))
    assert staged_plan().summary in shown and "in progress" not in shown and "The plan was" not in shown


# --- buttons


def test_buttons_are_bound_to_the_stage_that_is_shown() -> None:
    shown = buttons(card(rolling(), until(2)))
    assert {name: one["value"] for name, one in shown.items()} == {
        ADVANCE: "7k3qabcdef 2",
        HOLD: "7k3qabcdef 2",
        BACK: "7k3qabcdef",
    }
    assert [one["text"]["text"] for one in shown.values()] == ["Promote now", "Hold", "Roll back"]
    assert shown[ADVANCE]["confirm"]["title"]["text"] == "Leave stage 2 (25 %) now?"
    assert shown[ADVANCE]["confirm"]["text"]["text"] == SAID
    assert "what it changed is put back" in shown[BACK]["confirm"]["text"]["text"]
    assert "confirm" not in shown[HOLD] and "style" not in shown[HOLD], "to hold does no harm"


OFFERED: dict[str, tuple[dict[str, Any], tuple[StageRecord, ...], list[str]]] = {
    "before the first stage": ({}, (), [BACK]),
    "while it bakes": ({}, until(2), [ADVANCE, HOLD, BACK]),
    "while it is held": ({}, until(2, "held"), [ADVANCE, BACK]),
    "between two stages": ({}, until(2, "passed"), [BACK]),
    "while it is put back by the judge": ({}, until(2, "broken"), [BACK]),
    "while it is told to stop": ({"cancel_by": "Ben"}, until(2), []),
    "of a plan without stages": ({"plan": staged_plan(steps=staged_plan().steps[:2], stages=())}, (), []),
    "of no plan": ({"plan": None}, (), []),
}


@pytest.mark.parametrize("name", OFFERED)
def test_what_is_offered(name: str) -> None:
    changed, stages, offered = OFFERED[name]
    assert list(buttons(taken(card(rolling(**changed), stages)))) == offered


def test_one_that_waits_for_a_person_says_so_first() -> None:
    held = taken(card(rolling(), until(2, "held")))
    (header,) = of_type(held, "header")
    assert header["text"]["text"] == "✋ Waiting for a decision: deploy ai-square/prod/backend"
    assert held.text.startswith("✋ Waiting for a decision: deploy ai-square/prod/backend. Stage 2 of 4 (25 %): since")
    assert "not decided in its time: it waits for a person" in held.text
    (header,) = of_type(card(rolling(), until(2)), "header")
    assert header["text"]["text"] == "🔄 In progress: deploy ai-square/prod/backend"


@pytest.mark.parametrize(
    "state, said", [("failed", "It had come to stage 2 of 4 (25 %)."), ("applied", SAID), ("cancelled", SAID)]
)
def test_one_that_has_ended_still_says_what_it_was_judged_on(state: State, said: str) -> None:
    shown = taken(card(rolling(state), until(2, "broken")))
    assert said in read(shown) and len(of_type(shown, "data_visualization")) == 1


# --- any words


def called(word: str, of_stage: str) -> tuple[StageRecord, ...]:
    """Stages whose releases, people and verdicts are called so."""
    told = {"sentence": word, "steered": "hold", "steered_by": word, "evidence": counted(new=f"{word}n", old=word)}
    return until(2, of_stage, **told)


@pytest.mark.parametrize("of_stage", STATES_OF_STAGES)
@pytest.mark.parametrize("word", WORDS)
def test_strange_words(word: str, of_stage: str) -> None:
    strange = staged_plan(
        steps=tuple(one.model_copy(update={"title": WORDS[word]}) for one in staged_plan().steps), summary=WORDS[word]
    )
    asked = request(operation="deploy", text=WORDS[word], params={})
    taken(card(rolling(plan=strange, request=asked), called(WORDS[word], of_stage)))


def test_right_to_left_names_cannot_reorder_their_neighbours() -> None:
    shown = taken(card(rolling(), called("שלום", "held")))
    assert "\u2068" in read(shown), "closed in on itself"
    assert "\u202e" not in read(taken(card(rolling(), called("a\u202eb", "held"))))


@pytest.mark.parametrize("minutes", [0, 1, 2, 20, 21, 1000])
def test_charts_of_any_length(minutes: int) -> None:
    shown = taken(card(rolling(), until(2, evidence=counted(minutes))))
    assert len(of_type(shown, "data_visualization")) == (1 if minutes >= 2 else 0)


@pytest.mark.parametrize("count", [1, 50])
def test_a_rollout_of_any_number_of_stages(count: int) -> None:
    plan = staged_plan()
    many = staged_plan(steps=(*plan.steps[:2], *plan.steps[2:4] * count, plan.steps[-1]), stages=plan.stages * count)
    stages = tuple(stage(1, "passed", position=position) for position in many.asking[:-1])
    shown = taken(card(rolling(plan=many), (*stages, stage(1, position=many.asking[-1]))))
    assert f"Stage {count} of {count} (" in read(shown)
    assert buttons(shown)[ADVANCE]["value"] == f"7k3qabcdef {count}"


@given(text=st.text(st.characters(), max_size=100), of_stage=st.sampled_from(STATES_OF_STAGES))
@settings(max_examples=40, deadline=None)
def test_any_text_of_a_judge_makes_a_card_that_slack_takes(text: str, of_stage: str) -> None:
    valid(card(rolling(), until(2, of_stage, sentence=text, steered="hold", steered_by=text)))


# --- what makes way


@pytest.mark.parametrize("state, status", [("waiting", "pending"), ("queued", "in_progress"), ("running", "complete")])
def test_what_is_stopped_first_heads_the_steps(state: State, status: str) -> None:
    rescue = rolling(state, plan=staged_plan(preempts=("7k3qaaaaaa",), stops=("7k3qbbbbbb",)), doing=0)
    (plan,) = of_type(taken(card(rescue)), "plan")
    assert [(task["title"], task["status"]) for task in plan["tasks"][:3]] == [
        ("stop 7k3qaaaaaa, which runs there", status),
        ("stop 7k3qbbbbbb, which runs there", status),
        (f"make release {NEW}", "pending"),
    ]
    assert len({task["task_id"] for task in plan["tasks"]}) == len(plan["tasks"])
    assert "Stops first: 7k3qaaaaaa; 7k3qbbbbbb" in read(taken(details(rescue, ())))


def test_a_plan_that_only_stops_something_shows_that_and_its_verdict() -> None:
    lock = Lock(target="ai-square/prod/backend", reason="rolled back")
    only = staged_plan(steps=(), stages=(), preempts=("7k3qaaaaaa",), locks=(lock,))
    shown = taken(card(rolling("waiting", plan=only)))
    assert [task["title"] for task in of_type(shown, "plan")[0]["tasks"]] == ["stop 7k3qaaaaaa, which runs there"]
    assert "GO WITH RISK" in read(shown)


# --- the thread


@pytest.mark.parametrize("word", [None, *WORDS])
def test_the_thread_tells_of_every_stage(word: str | None) -> None:
    said = WORDS[word] if word else SAID
    shown = taken(details(rolling(), (), (*until(1, "passed", sentence=said), stage(2))))
    assert "Stages" in read(shown)
    if word is None:
        assert "Stage 1 of 4 (10 %): since 2026-11-20 12:00 UTC, passed. " + SAID in read(shown)
        assert len(dates(list(shown.blocks))) >= 4


def test_the_thread_of_what_has_no_stages_says_nothing_of_them() -> None:
    assert "Stages" not in read(taken(details(rolling(), ())))
