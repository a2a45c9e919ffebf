"""The page as people use it, in Chromium and by keyboard alone: look, ask, approve, fill in a form, kill the bot."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe

from bot.sandbox.page.view import SERVICE
from bot.sandbox.town import BOT_TOKEN
from tests.sandbox.page.conftest import PATIENCE_MS, Living

GOOD = "backend-00041-kex"
MOST_TABS = 150
FOCUSED = """selector => { const on = document.activeElement; return !!on && on.matches(selector) }"""
GRAVE = ("serious", "critical")
SIZES = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 360)]


@pytest.fixture(scope="module")
def page(living: Living, chromium: Any) -> Iterator[Any]:
    """A tab with the page, opened by the address that was printed."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    tab.complaints = []
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.on("console", lambda said: tab.complaints.append(said.text) if said.type == "error" else None)
    tab.goto(living.served.address)
    tab.wait_for_selector("html.js")
    yield tab
    context.close()


@pytest.fixture(autouse=True)
def _afresh(page: Any, living: Living) -> Iterator[None]:
    """Each test begins as ana in the channel, and none may leave an error in the browser's console."""
    page.goto(living.served.origin)
    page.wait_for_selector("html.js #text")
    page.complaints.clear()
    yield
    assert page.complaints == []


def reach(page: Any, selector: str) -> None:
    """Press Tab until the focus is on an element."""
    page.wait_for_selector(selector)
    for _ in range(MOST_TABS):
        if page.evaluate(FOCUSED, selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(
        f"{selector} cannot be reached by Tab; the focus is on {page.evaluate('document.activeElement.outerHTML')}"
    )


def press(page: Any, selector: str, key: str = "Enter") -> None:
    reach(page, selector)
    page.keyboard.press(key)


def type_in(page: Any, text: str) -> None:
    """Write into the message field and send."""
    reach(page, "#text")
    page.keyboard.type(text)
    page.keyboard.press("Escape")  # closes the completions, if there are any
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('text').value === ''")


def become(page: Any, name: str) -> None:
    press(page, f"#be-{name}")
    page.wait_for_selector(f"#be-{name}[aria-current]")


def begin(page: Any, name: str) -> None:
    press(page, f"#begin-{name}")
    page.wait_for_selector(f"#begin-{name}[aria-current]")
    page.wait_for_selector(".steps li.next")


def ask(page: Any) -> None:
    """A card that waits for approval."""
    begin(page, "bad-release")
    type_in(page, "/aisq rollback backend")
    page.wait_for_selector("button.primary[command]")


def approve(page: Any) -> None:
    """Press Approve on the newest card, and then in the dialog that asks."""
    press(page, "button.primary[command]")
    page.wait_for_selector("dialog.confirm[open]")
    assert page.evaluate(FOCUSED, "dialog.confirm[open] button.primary"), "the focus is where one goes on"
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog.confirm[open]", state="detached")


def reset(page: Any) -> None:
    press(page, "#reset")
    page.wait_for_selector("#scenario:not(:has(.steps))")
    page.wait_for_selector(f"#r-{GOOD} .bar rect[width='100%']")


def test_completion_a_card_and_the_bars(page: Any) -> None:
    begin(page, "bad-release")
    reach(page, "#text")
    page.keyboard.type("/aisq roll")
    page.wait_for_selector("#completions li:has-text('rollback')")
    page.keyboard.press("Tab")
    page.wait_for_function("document.getElementById('text').value === '/aisq rollback '")
    page.wait_for_selector("#completions li:has-text('frontend')")
    page.keyboard.type("ba")
    page.wait_for_selector("#completions:not(:has(li:has-text('frontend'))) li:has-text('rollback backend')")
    assert page.get_attribute("#text", "aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("#text[aria-activedescendant='completions-0']")
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('text').value.trim() === '/aisq rollback backend'")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_selector("button.primary[command]")
    assert page.is_visible(".message:has-text('Waiting for approval')")
    page.wait_for_function("document.getElementById('news').textContent.includes('rollback')")
    become(page, "ben")
    approve(page)
    page.wait_for_selector(f"#r-{GOOD}.serves .bar rect[width='100%']")
    page.wait_for_selector("#scenario.solved")
    assert "Solved" in page.inner_text("#scenario")
    reset(page)


def test_escape_leaves_a_dialog_where_one_came_from(page: Any) -> None:
    ask(page)
    press(page, "button.primary[command]")
    page.wait_for_selector("dialog.confirm[open]")
    for _ in range(6):  # two buttons, and nothing of the page behind them
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.confirm[open]", state="detached")
    assert page.evaluate(FOCUSED, "button.primary[command]")
    assert page.is_visible(".steps li.next:has-text('Approve')"), "nothing was approved"


def test_a_text_that_is_being_written_stays(page: Any) -> None:
    """Whatever comes in meanwhile: an answer, an edit, another person."""
    type_in(page, "/aisq whoami")
    reach(page, "#text")
    page.keyboard.type("half a th")
    page.wait_for_selector(".message.alone")
    page.keyboard.type("ought")
    assert page.input_value("#text") == "half a thought" and page.evaluate(FOCUSED, "#text")
    assert "Only you see this" in page.inner_text(".message.alone >> nth=-1")
    page.fill("#text", "")


def test_people_see_what_is_theirs(page: Any) -> None:
    type_in(page, "/aisq whoami")
    page.wait_for_selector(".message.alone")
    become(page, "dev")
    page.wait_for_selector(".message.alone", state="detached")
    become(page, "ana")
    page.wait_for_selector(".message.alone")
    page.go_back()
    page.wait_for_selector("#be-dev[aria-current]")
    page.go_forward()
    page.wait_for_selector("#be-ana[aria-current]")


def test_the_app_home_and_a_direct_message(page: Any) -> None:
    press(page, "#tab-home")
    page.wait_for_selector("#home-form .block")
    press(page, "#tab-dm")
    page.wait_for_selector("#tab-dm[aria-current]")
    type_in(page, "hello, aisq")
    page.wait_for_selector(".message:has-text('hello, aisq')")
    press(page, "#tab-channel")
    page.wait_for_selector("#tab-channel[aria-current]")


# --- a modal: of an app of our own, so that it is there whatever the bot's forms look like


def modal(trigger: str) -> dict[str, Any]:
    def plain(text: str) -> dict[str, Any]:
        return {"type": "plain_text", "text": text}

    option = {"text": plain("prod <b>"), "value": "prod"}
    fields = [
        {"type": "input", "block_id": "why", "label": plain("Why"), "hint": plain("In short"),
         "element": {"type": "plain_text_input", "action_id": "text"}},
        {"type": "input", "block_id": "where", "label": plain("Where"), "optional": True,
         "element": {"type": "static_select", "action_id": "choice", "options": [option]}},
        {"type": "input", "block_id": "which", "label": plain("Which"), "optional": True,
         "element": {"type": "external_select", "action_id": "asked", "min_query_length": 1}},
    ]  # fmt: skip
    view = {"type": "modal", "title": plain("Change"), "submit": plain("Go"), "blocks": fields}
    return {"trigger_id": trigger, "view": view}


class App(ThreadingHTTPServer):
    """Answers a slash command with a modal, refuses its first submission at a field, and takes the second."""

    def __init__(self, api: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.api, self.heard = api, list[dict[str, Any]]()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def hear(self, form: dict[str, str]) -> dict[str, Any]:
        if "payload" not in form:
            headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
            assert httpx.post(f"{self.api}/views.open", json=modal(form["trigger_id"]), headers=headers).json()["ok"]
            return {}
        payload = json.loads(form["payload"])
        self.heard.append(payload)
        if payload["type"] == "block_suggestion":
            return {"options": [{"text": {"type": "plain_text", "text": f"{payload['value']} one"}, "value": "one"}]}
        said = payload["view"]["state"]["values"]["why"]["text"]["value"]
        return {} if said == "because" else {"response_action": "errors", "errors": {"why": "Say <because>."}}


class Handler(BaseHTTPRequestHandler):
    server: App

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        answer = self.server.hear({name: values[0] for name, values in parse_qs(body).items()})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode() if answer else b"")

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def app(living: Living) -> Iterator[App]:
    made = App(f"{living.town.town.http}/api")
    living.town.people.do("bot_url", url=f"http://127.0.0.1:{made.server_port}/")
    yield made
    living.town.people.hear(living.town.bot)
    made.shutdown()
    made.server_close()


def test_a_modal_with_a_wrong_field(page: Any, app: App) -> None:
    type_in(page, "/aisq change")
    page.wait_for_selector("dialog[data-modal]:modal")
    fields = {name: f'[name=\'["field","{block}","{action}"]\']' for name, block, action in
              (("why", "why", "text"), ("where", "where", "choice"))}  # fmt: skip
    press(page, "dialog[data-modal] .primary")
    page.wait_for_selector(".error:has-text('Please complete this required field.')")
    page.wait_for_function(FOCUSED, arg=fields["why"])
    page.keyboard.type("no reason")
    reach(page, fields["where"])
    page.keyboard.type("prod")
    reach(page, "[data-suggest]")
    page.keyboard.type("th")
    page.wait_for_selector(".combo li:has-text('th one')")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    press(page, "dialog[data-modal] .primary")
    page.wait_for_selector(".error:has-text('Say <because>.')")
    assert page.input_value(fields["why"]) == "no reason"
    assert page.input_value(fields["where"]) == "prod" and page.input_value("[data-suggest]") == "th one"
    for scheme, width in SIZES[::3]:
        look_closely(page, scheme, width)
    page.focus(fields["why"])
    page.keyboard.press("Control+a")
    page.keyboard.type("because")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[data-modal]", state="detached")
    assert page.evaluate(FOCUSED, "#text"), "the focus is back where one was"
    entered = app.heard[-1]["view"]["state"]["values"]
    assert entered["where"]["choice"]["selected_option"]["value"] == "prod"
    assert entered["which"]["asked"]["selected_option"]["value"] == "one"


def test_escape_closes_a_modal_in_slack_too(page: Any, app: App, living: Living) -> None:
    type_in(page, "/aisq change")
    page.wait_for_selector("dialog[data-modal]:modal")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[data-modal]", state="detached")
    assert living.town.people.look("views", user="U0ANA")["modals"] == []


# --- what else one sees


def look_closely(page: Any, scheme: str, width: int) -> None:
    """axe finds nothing serious, and nothing is wider than the window."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = Axe().run(page).response["violations"]
    said = [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found if one["impact"] in GRAVE]
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 900})


def test_nothing_serious_is_wrong_for_anybody(page: Any) -> None:
    ask(page)
    for scheme, width in SIZES:
        look_closely(page, scheme, width)
    press(page, "#tab-home")
    page.wait_for_selector("#home-form .block")
    for scheme, width in SIZES[::3]:
        look_closely(page, scheme, width)


def test_nothing_comes_from_outside(page: Any, living: Living) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(living.served.origin)
    page.wait_for_selector("html.js #service .spark")
    assert asked and [url for url in asked if not url.startswith(living.served.origin)] == []
    assert "token" not in page.url


@pytest.mark.slow
def test_the_bot_dies_half_way_and_another_one_finishes(page: Any, living: Living) -> None:
    begin(page, "bot-dies")
    type_in(page, "/aisq rollback backend")
    page.wait_for_selector("button.primary[command]")
    become(page, "ben")
    approve(page)
    press(page, "#step-kill")
    page.wait_for_selector(".bot.dead, .bot.starting")
    page.wait_for_selector(".bot.ready")
    page.wait_for_selector("#scenario.solved")
    page.wait_for_selector(f"#r-{GOOD}.serves .bar rect[width='100%']")
    writes = [one for one in living.town.cloud.calls(method="UpdateService") if one["committed"]]
    assert len({one["generation"] for one in writes}) == len(writes) and writes[-1]["traffic"] == {GOOD: 100}
    reset(page)


@pytest.mark.slow
def test_the_clock(page: Any, living: Living) -> None:
    press(page, "#rate-60")
    page.wait_for_selector("#rate-60[aria-pressed='true']")
    page.wait_for_selector(".bot.ready")
    assert living.town.cloud.clock()["rate"] == 60.0
    press(page, f"#s-{SERVICE.replace('/', '-').replace('backend', 'frontend')}")
    page.wait_for_selector("#service h2:has-text('frontend')")
