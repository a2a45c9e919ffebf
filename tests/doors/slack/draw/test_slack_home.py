"""The App Home: nothing, everything, the longest of everything; always a view that Slack takes."""

from datetime import timedelta
from typing import Any

import pytest

from bot.core.answer import Text
from bot.core.home import Home, Section
from bot.core.request import STATES, State
from bot.core.system import OperationRecord
from bot.doors.slack.draw.cards import APPROVE, DENY
from bot.doors.slack.draw.home import MOST_BLOCKS, NEW, home
from bot.doors.slack.opened import metadata
from bot.sandbox.slack.elements import interactive
from tests.doors.slack import validity
from tests.doors.slack.harness import BACKEND, NOON, plan, record, request

SCHEMA = validity.Schema() if validity.MADE.exists() else None  # where `make schemas` was run
LONG = "x" * 63
LONGEST = BACKEND.model_copy(update={"system": LONG, "environment": LONG, "name": LONG})


TOTAL = "too many, or wrong: characters"  # of chat.postMessage; nobody has met it with views, so only extremes may


def drawn(*sections: Section, refused: str = "", besides: str = "") -> dict[str, Any]:
    view = home(Home(sections=sections, refused=refused), "D0BEN")
    assert [problem for problem in validity.view(view, SCHEMA) if problem != besides] == []
    assert len(str(view).encode()) < 250_000, "Slack takes no more"
    return view


def many(count: int, **changed: Any) -> tuple[OperationRecord, ...]:
    return tuple(record(request=request(f"op{number:08d}", **changed)) for number in range(count))


def waiting(*records: OperationRecord, more: int = 0) -> Section:
    return Section(title="Waiting for your approval", operations=records, more=more, to_decide=True, empty="nothing")


def test_nothing_at_all_says_so() -> None:
    view = drawn(waiting(), Section(title="Pins", empty="no traffic is held"))
    said = str(view)
    assert "Nothing." in said and "No traffic is held." in said
    assert [one.action_id for one in interactive(view["blocks"])] == [NEW]


def test_it_remembers_where_its_owner_is_written_to() -> None:
    assert metadata(drawn()) == {"channel": "D0BEN"}
    assert metadata({"private_metadata": "no json"}) == metadata({"private_metadata": "[]"}) == metadata({}) == {}


def test_what_waits_can_be_approved_and_denied_in_place() -> None:
    view = drawn(waiting(record()))
    buttons = {one.action_id: one.body for one in interactive(view["blocks"])}
    assert buttons[APPROVE]["value"] == f"7k3qabcdef {'c0ffee' * 8}"
    assert buttons[APPROVE]["confirm"]["title"]["text"] == "Approve this plan?"
    assert buttons[DENY]["value"] == "7k3qabcdef"
    said = str(view)
    assert "rollback ai-square/prod/backend" in said and "Ana Alvarez asked" in said and "GO WITH RISK" in said
    assert f"'timestamp': {int((NOON + timedelta(minutes=30)).timestamp())}" in said, "when it expires, in their zone"


def test_what_others_decide_has_no_buttons() -> None:
    view = drawn(Section(title="In progress", operations=many(3)))
    assert [one.action_id for one in interactive(view["blocks"])] == [NEW]


@pytest.mark.parametrize("state", STATES)
def test_every_state(state: State) -> None:
    for shown in (record(state), record(state, plan=None, digest="", detail="")):
        drawn(Section(title="Recent", operations=(shown,)))


def test_two_hundred_operations_and_the_longest_names() -> None:
    asked = {
        "target": LONGEST,
        "actor": request().actor.model_copy(update={"name": "n" * 300}),
        "operation": "o" * 200,
        "params": {"reason": "<!here> & " * 300},
        "text": "t" * 4000,
    }
    records = many(200, **asked)
    lines = tuple(Text(text=f"{number} " + "é" * 3000, mood="warning") for number in range(200))
    view = drawn(
        waiting(*records, more=800),
        Section(title="s" * 300, operations=records, more=7),
        Section(title="Pins", lines=lines, more=9),
        besides=TOTAL,
    )
    assert len(view["blocks"]) == MOST_BLOCKS


def test_the_usual_screenful_is_not_cut() -> None:
    sections = [waiting(*many(10), more=90), Section(title="In progress", operations=many(10), more=90)]
    sections += [Section(title="Recent", operations=many(8))]
    lines = tuple(Text(text="ai-square/prod/backend: held") for _ in range(10))
    sections += [Section(title=title, lines=lines, more=4) for title in ("Pins", "Freezes", "Locks")]
    view = drawn(*sections)
    assert len(view["blocks"]) < MOST_BLOCKS
    assert "There is more" not in str(view)
    assert "and 90 more: /aisq ops list" in str(view)
    assert "Waiting for your approval (100)" in str(view)


def test_foreign_text_is_text() -> None:
    shown = record(request=request(params={"reason": "<!channel> *bold* `code`"}), detail="<@U0BEN> \u202etxet")
    view = drawn(Section(title="Recent", operations=(shown,)), Section(title="Pins", lines=(Text(text="<!here>"),)))
    assert "mrkdwn" not in str(view)
    assert "\u202e" not in str(view)


def test_who_may_not_look_is_told_why_and_sees_nothing_else() -> None:
    view = drawn(refused="No policy lets Dev Patel (no role) do `ops list`.")
    assert len(view["blocks"]) == 1
    assert "No policy lets Dev Patel" in str(view)


def test_a_plan_without_a_summary_or_a_verdict() -> None:
    drawn(waiting(record(plan=plan(summary="", verdict=None), detail="")))
