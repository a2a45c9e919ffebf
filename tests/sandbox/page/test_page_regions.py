"""The regions of the page, of a town that is made up: hostile names everywhere, nothing at all, and much."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sandbox.page import cloud, slack
from bot.sandbox.page.app import shortcuts
from bot.sandbox.page.breaks import BREAKS, waiting
from bot.sandbox.page.look import Seen
from bot.sandbox.page.regions import NAMES, Regions
from bot.sandbox.page.scenarios import Run, load
from bot.sandbox.page.slack import Memory
from bot.sandbox.page.view import PERSONS, SERVICE, View
from tests.sandbox.page.safe import Read, harm

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
NOW = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
SCENARIOS = load()


def person(identifier: str, name: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "name": name,
        "real_name": HOSTILE,
        "tz": "Asia/Tokyo",
        "is_bot": name == "aisq",
        "deleted": False,
    }


def message(ts: str, **more: Any) -> dict[str, Any]:
    return {"ts": ts, "user": "U0ANA", "text": HOSTILE, "channel": "C0AISQ", "visible_to": None, "edit_count": 0,
            "edited_at": None, **more}  # fmt: skip


def service(name: str = SERVICE) -> dict[str, Any]:
    project, location, short = name.split("/")
    made = {"error_rate": 0.08, "percent": 100, "name": f"{short}-{HOSTILE}", "starts": True}
    return {
        "project": project, "location": location, "service": short, "rps": 10.0, "traffic": {made["name"]: 100},
        "wanted": {made["name"]: 100}, "error_rate": 0.08, "reconciling": True, "releases": [made],
        "latest_created": made["name"], "latest_ready": made["name"],
    }  # fmt: skip


def call(seq: int, **more: Any) -> dict[str, Any]:
    return {"seq": seq, "at": NOW.isoformat(), "api": HOSTILE, "method": HOSTILE, "resource": HOSTILE, "service": "s",
            "fate": "answered", "code": "", "committed": False, "traffic": {}, **more}  # fmt: skip


VIEW = {
    "id": "V1", "type": "modal", "title": {"type": "plain_text", "text": HOSTILE}, "submit": None, "close": None,
    "blocks": [{"type": "input", "block_id": "b", "label": {"type": "plain_text", "text": HOSTILE},
                "element": {"type": "plain_text_input", "action_id": "a"}}],
    "state": {"values": {"b": {"a": {"type": "plain_text_input", "value": HOSTILE}}}},
}  # fmt: skip
FILES = [{"id": "F1", "name": HOSTILE, "title": HOSTILE, "size": 12_000}]
FULL = Seen(
    now=NOW,
    rate=10.0,
    services={SERVICE: service()},
    calls=[
        call(1),
        call(2),
        call(3, fate="committed", committed=True, traffic={HOSTILE: 100}, api="console"),
        call(4, code="ABORTED", fate="error"),
    ],
    faults=[
        {"fault": {"kind": "error", "code": "ABORTED", "times": 3}, "struck": 1},
        {"fault": {"kind": "slow_rollout", "times": 1}, "struck": 0},
    ],
    slack_faults=[{"kind": "ratelimited", "times": 5}],
    messages=[
        message("1.0", files=FILES, reply_count=2, edited={"ts": "2"}),
        message("2.0", user="U0AISQ", blocks=VIEW["blocks"]),
        message("3.0", thread_ts="1.0", text="within"),
        message("4.0", thread_ts="1.0", subtype="thread_broadcast", text="told all"),
    ],
    ephemerals=[message("5.0", visible_to="U0ANA", text="for ana"), message("6.0", visible_to="U0BEN", text="for ben")],
    modals=[VIEW],
    homes={"U0ANA": {**VIEW, "type": "home", "id": "V2"}},
    people={identifier: person(identifier, name) for name, identifier in {**PERSONS, "aisq": "U0AISQ"}.items()},
    channels={"C0AISQ": {"id": "C0AISQ", "name": HOSTILE}},
    groups={"S1": {"id": "S1", "handle": HOSTILE}},
    minutes={
        SERVICE: [
            {"at": 0, "requests": 10, "failed": 1, "p95_ms": 120.0},
            {"at": 60, "requests": 0, "failed": 0, "p95_ms": None},
        ]
    },
    modal_owners={"V1": "U0ANA"},
    trouble=HOSTILE,
)
EMPTY = replace(
    FULL, calls=[], faults=[], slack_faults=[], messages=[], ephemerals=[], modals=[], homes={}, minutes={}, services={}
)
REGIONS = Regions([("aisq_here", HOSTILE)])


def shown(seen: Seen = FULL, run: Run | None = None, memory: Memory | None = None, **view: str) -> dict[str, str]:
    return REGIONS.all(seen, View.read(view), SCENARIOS, run, memory or Memory())


@pytest.mark.parametrize("seen", [FULL, EMPTY], ids=["much", "nothing"])
@pytest.mark.parametrize("tab", ["channel", "home", "dm"])
@pytest.mark.parametrize("state", ["ready", "starting", "dead"])
def test_no_text_becomes_markup(seen: Seen, tab: str, state: Any) -> None:
    memory = Memory(errors={"V1": {"b": HOSTILE}})
    memory.say(HOSTILE)
    regions = shown(replace(seen, bot=state), memory=memory, tab=tab)
    assert tuple(regions) == NAMES
    assert {name: harm(html) for name, html in regions.items() if harm(html)} == {}
    for name, html in regions.items():
        first = Read(html).elements[0][1]
        assert first["id"] == name, "the script finds a region by its id"


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_says_how_far_one_is(name: str) -> None:
    run = Run(name, SCENARIOS[name], HOSTILE, HOSTILE, since=0, after="0", began=0.0)
    assert harm(shown(run=run)["scenario"]) == []
    first = run.scenario.steps[0]
    assert f"/aisq {first.type}" in shown(run=run)["scenario"]
    run.done.update(step.once for step in run.scenario.steps)
    assert "Solved." in shown(run=run)["scenario"] and 'class="next"' not in shown(run=run)["scenario"]


def test_a_modal_is_for_whom_it_was_opened() -> None:
    memory = Memory(errors={"V1": {"b": "No."}})
    assert "data-modal" in shown(memory=memory)["modals"] and ">No.<" in shown(memory=memory)["modals"]
    assert "data-modal" not in shown(who="ben")["modals"]


def test_people_see_what_is_theirs() -> None:
    ana, ben = shown()["conversation"], shown(who="ben")["conversation"]
    assert ("for ana" in ana, "for ben" in ana) == (True, False)
    assert ("for ana" in ben, "for ben" in ben) == (False, True)
    assert ana.count("Only you see this") == 1 and "(edited)" in ana and "2 replies" in ana


def test_a_thread_has_its_replies_and_the_channel_what_was_told_to_all() -> None:
    channel, thread = shown()["conversation"], shown(thread="1.0")["conversation"]
    assert ("within" in channel, "told all" in channel) == (False, True)
    assert ("within" in thread, "told all" in thread, "for ana" in thread) == (True, True, False)


def test_calls_that_only_look_are_counted_together() -> None:
    listed = cloud.calls(FULL)
    assert [(one["seq"], one["times"], one["fate"]) for one in listed] == [
        (4, 1, "ABORTED"),
        (3, 1, "committed"),
        (2, 2, "answered"),
    ]
    assert [one["by"] for one in listed] == ["aisq", "by hand", "aisq"] and listed[1]["about"].startswith("100 % ")
    many = replace(FULL, calls=[call(seq, method=str(seq)) for seq in range(500)])
    assert len(cloud.calls(many)) == cloud.SHOWN_CALLS


def test_a_service_that_is_not_there() -> None:
    assert "There is no service" in shown(service="a/b/c")["service"]


def test_older_releases_are_shown_while_they_serve() -> None:
    made = service()
    made["releases"] = [
        {**made["releases"][0], "name": f"r{number}", "percent": 100 if number == 0 else 0} for number in range(9)
    ]
    assert [one["name"] for one in cloud._shown(made)] == ["r8", "r7", "r6", "r5", "r4", "r0"]


def test_faults_in_words() -> None:
    assert waiting(FULL) == ["error ABORTED, 2 times", "slow rollout", "Slack: ratelimited, 5 times"]
    assert {one.where for one in BREAKS.values()} == {"quality", "release", "cloud", "slack", "bot"}


def test_a_notice_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    memory.say("done")
    assert memory.notice == "done"
    monkeypatch.setattr(slack.time, "monotonic", lambda: memory.until + 1)
    assert memory.notice == ""


def test_news_is_the_newest_thing_as_text() -> None:
    assert slack.news(FULL, View()).endswith("for ana") and slack.news(EMPTY, View()) == ""
    edited = replace(FULL, messages=[message("1.0", text="*new* <!date^0^{time}|x>", edited_at="9.0"), message("2.0")])
    assert slack.news(edited, View()).endswith(": new 09:00")


def test_an_address_says_only_what_is_not_usual() -> None:
    assert View().query == "" and View.read("?who=ben&x=1&tab=dm").query == "who=ben&tab=dm"
    assert View.read({"thread": "1.5", "who": "cho"}).but(tab="home") == "/?who=cho&tab=home"
    assert [View.read({"who": "eve"}).who, View.read("service=..%2F..%2Fx").service] == ["ana", SERVICE]
    assert (View.read("who=dev&tab=dm").channel, View().channel) == ("D0DEV", "C0AISQ")


def test_shortcuts_are_those_of_the_manifest(tmp_path: Any) -> None:
    file = tmp_path / "manifest.yaml"
    assert shortcuts(file) == []
    file.write_text(
        "features: {shortcuts: [{name: here, type: message, callback_id: a}, {name: b, type: global, callback_id: b}]}"
    )
    assert shortcuts(file) == [("a", "here")]
