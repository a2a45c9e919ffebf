"""The page without its script: links and forms alone, as any program could send them. A bot stands behind it."""

import html
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from bot.sandbox.page.director import GOOD
from bot.sandbox.page.view import CHANNEL, SERVICE, View
from tests.sandbox.page.conftest import PATIENCE_MS, Living
from tests.sandbox.page.safe import Read, harm

HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(2)> \" ' & <!here>"
PRESS = re.compile(r'value="([^"]*approve[^"]*)"')


class Hands:
    """Somebody who fills in forms."""

    def __init__(self, living: Living, client: httpx.Client) -> None:
        self.living, self._client = living, client

    def see(self, **view: str) -> str:
        answer = self._client.get("/", params=view)
        assert answer.status_code == 200
        return answer.text

    def do(self, what: str, who: str = "ana", /, *, tab: str = "channel", **fields: str) -> httpx.Response:
        view = View.read({"who": who, "tab": tab}).query
        answer = self._client.post(f"/do/{what}", data={"view": view, **fields})
        assert answer.status_code == 303 and answer.headers["location"] == f"/?{view}"
        return answer

    def get(self, path: str, **query: str) -> httpx.Response:
        return self._client.get(path, params=query)

    def stream(self, **view: str) -> Any:
        return self._client.stream("GET", "/events", params=view)

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not (found := holds()):
            assert time.monotonic() < deadline, what
            time.sleep(0.1)
        return found

    def card(self) -> dict[str, Any]:
        """The card that waits."""

        def waits() -> Any:
            cards = self.living.town.people.messages(CHANNEL)
            return next((one for one in cards if "aisq.approve" in json.dumps(one.get("blocks", []))), None)

        return dict(self.until(waits, "no card"))

    def approve(self, who: str) -> None:
        ts = self.card()["ts"]
        press = html.unescape(self.until(lambda: PRESS.search(self.see(who=who)), "no button")[1])
        self.do("click", who, ts=ts, press=press)

    def solve(self, name: str, command: str) -> None:
        self.do("begin", name=name)
        assert 'class="next"' in self.see()
        self.do("send", text=f"/aisq {command}")
        self.approve("ben")
        self.until(lambda: "Solved" in self.see(), f"{name} was not solved")


@pytest.fixture(scope="module")
def hands(living: Living) -> Iterator[Hands]:
    origin = {"Origin": living.served.origin}
    with httpx.Client(base_url=living.served.origin, headers=origin, trust_env=False, timeout=60.0) as client:
        assert client.get(living.served.address, follow_redirects=True).status_code == 200
        yield Hands(living, client)


def test_nobody_gets_in_without_the_key(living: Living) -> None:
    assert living.served.origin.startswith("http://127.0.0.1:")
    for path in ("/", "/events", "/static/page.js", "/complete?text=/aisq"):
        assert httpx.get(f"{living.served.origin}{path}", trust_env=False).status_code == 403
    assert httpx.post(f"{living.served.origin}/do/break", data={"what": "kill"}, trust_env=False).status_code == 403
    assert living.keeper.deaths == []


def test_the_page_is_whole(hands: Hands) -> None:
    """Every id is there once, every label and dialog finds what it names, and nothing is inline."""
    page = hands.see()
    elements = Read(page).elements
    ids = [str(attributes["id"]) for _, attributes in elements if attributes.get("id")]
    assert sorted(ids) == sorted(set(ids))
    named = [
        attributes.get(name)
        for _, attributes in elements
        for name in ("for", "commandfor", "aria-controls", "aria-labelledby")
    ]
    assert {str(name) for name in named if name} <= set(ids)
    assert harm(page) == ["meta", "meta", "meta", "link", "link", "script"]
    scripts = [attributes for tag, attributes in elements if tag == "script"]
    assert scripts == [{"src": "/static/page.js", "defer": None}]
    for file in ("page.js", "page.css", "icon.svg"):
        assert hands.get(f"/static/{file}").status_code == 200


def test_a_stale_approval(hands: Hands) -> None:
    hands.do("begin", name="stale-approval")
    hands.do("send", text="/aisq rollback backend")
    hands.card()
    hands.until(
        lambda: "Somebody shifts 10 %" in hands.see() and hands.see().count('class="done"') == 2, "nothing was shifted"
    )
    hands.approve("ben")
    hands.until(lambda: "Solved" in hands.see(), "it was not noticed")
    assert "Failed: rollback" in hands.see()
    hands.do("reset")
    assert "Solved" not in hands.see()
    assert hands.living.town.cloud.service(SERVICE)["traffic"] == {GOOD: 100}


def test_pinned_traffic(hands: Hands) -> None:
    hands.solve("pinned-traffic", "unpin backend")
    assert hands.living.town.cloud.service(SERVICE)["wanted"] == {"LATEST": 100}
    hands.do("reset")
    assert hands.living.town.cloud.service(SERVICE)["wanted"] == {GOOD: 100}


def test_a_scenario_that_is_left_leaves_nothing_waiting(hands: Hands) -> None:
    hands.do("begin", name="bad-release")
    hands.do("send", text="/aisq rollback backend")
    hands.card()
    hands.do("break", what="unavailable")
    hands.do("reset")
    cards = hands.living.town.people.messages(CHANNEL)
    hands.until(
        lambda: "aisq.approve" not in json.dumps(hands.living.town.people.messages(CHANNEL)[-1]["blocks"]), "it waits"
    )
    assert cards and hands.living.town.cloud.faults() == []
    hands.do("begin", name="no such scenario")
    assert "There is no scenario no such scenario." in hands.see()


@pytest.mark.parametrize(
    ("what", "kind"),
    [("slow", "slow_rollout"), ("conflict", "error"), ("unavailable", "error"), ("limited", "ratelimited")],
)
def test_what_one_breaks_waits_and_is_mended(hands: Hands, what: str, kind: str) -> None:
    hands.do("break", what=what)
    cloud = [one["fault"]["kind"] for one in hands.living.town.cloud.faults()]
    slack = [one["kind"] for one in hands.living.town.people.look("faults")["faults"]]
    assert kind in cloud + slack
    assert "Waiting to strike" in hands.see()
    hands.do("mend")
    assert "Waiting to strike" not in hands.see()


def test_a_release_goes_bad_and_recovers(hands: Hands) -> None:
    for what, rate in (("bad", 0.08), ("well", 0.0004)):
        hands.do("break", what=what)
        assert hands.living.town.cloud.service(SERVICE)["error_rate"] == pytest.approx(rate)


@pytest.mark.parametrize("tab", ["channel", "dm"])
def test_what_people_write_is_only_text(hands: Hands, tab: str) -> None:
    hands.do("send", tab=tab, text=HOSTILE)
    page = hands.see(tab=tab)
    assert "&lt;script&gt;alert(1)" in page
    assert [one for one in harm(page) if one not in ("meta", "link", "script")] == []
    assert page.count("<script") == 1


@pytest.mark.parametrize(
    "view",
    [{"who": HOSTILE}, {"tab": "nowhere"}, {"service": HOSTILE}, {"service": "a/b/c"}, {"thread": HOSTILE},
     {"x": HOSTILE}, {"service": "../../slack/people"}],
)  # fmt: skip
def test_whatever_stands_in_the_address(hands: Hands, view: dict[str, str]) -> None:
    page = hands.see(**view)
    assert page.count("<script") == 1 and "onerror=alert(2)>" not in page


@pytest.mark.parametrize(
    ("what", "fields", "said"),
    [
        ("click", {"press": '{"action":"x"}', "ts": "1.0"}, "What you pressed is not there any more."),
        ("click", {"press": "nonsense", "view_id": "V9"}, "What you pressed is not there any more."),
        ("submit", {"view_id": "V9"}, "The dialog is not open any more."),
        ("close", {"view_id": "V9"}, "there is no open view"),
        ("break", {"what": "everything"}, "There is no such thing to break."),
        ("rate", {"rate": "1e9"}, "The clock runs 2, 10, 60, 300 times as fast."),
        ("send", {"text": "  "}, ""),
    ],
)
def test_what_cannot_be_done_is_said(hands: Hands, what: str, fields: dict[str, str], said: str) -> None:
    hands.do(what, **fields)
    assert said in html.unescape(hands.see())


def test_there_are_no_other_actions(hands: Hands, living: Living) -> None:
    headers = {"Origin": living.served.origin}
    assert hands._client.post("/do/anything", data={}, headers=headers).status_code == 404
    assert hands._client.get("/do/break").status_code == 405
    assert hands._client.get("/static/../app.py").status_code == 404


def test_a_thread(hands: Hands) -> None:
    hands.do("send", text="a beginning")
    parent = hands.living.town.people.messages(CHANNEL)[-1]["ts"]
    view = View.read({"thread": parent}).query
    for text in ("within", "/aisq status backend"):
        hands._client.post("/do/send", data={"view": view, "text": text})
    page = hands.see(thread=parent)
    assert "within" in page and "Slack has no slash commands in threads" in page
    hands.until(lambda: "replies" in hands.see() or "1 reply" in hands.see(), "the channel does not tell of the thread")
    every = hands.living.town.people.look("messages", channel=CHANNEL)["messages"]
    said = next(one for one in every if one["text"] == "within")
    assert said["thread_ts"] == parent


def test_events_bring_the_regions_and_then_what_changed(hands: Hands) -> None:
    with hands.stream(who="ben") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = (json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: "))
        first = next(lines)
        assert {"top", "conversation", "composer", "service", "calls"} <= first.keys()
        hands.living.town.people.do("say", user="U0BEN", channel=CHANNEL, text="something new")
        changed = next(one for one in lines if "conversation" in one)
        assert "something new" in changed["conversation"] and "composer" not in changed


def test_words_are_completed(hands: Hands) -> None:
    assert hands.get("/complete", text="/ai").json() == [["/aisq ", "Talk to aisq"]]
    assert hands.get("/complete", text="hello").json() == []
    found = hands.until(lambda: hands.get("/complete", text="/aisq rollback ba").json(), "nothing is completed")
    assert found[0][0] == "/aisq rollback backend"
