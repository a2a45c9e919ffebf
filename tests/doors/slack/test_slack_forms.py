"""Forms between Slack's payloads and the engine: every operation filled in, rightly and wrongly."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest
from sqlalchemy import select

from bot import operations
from bot.core import folder
from bot.core.errors import StoreError, Transient, Uncertain
from bot.core.home import Choice
from bot.core.operation import Operation, marks, reference_of
from bot.core.parser import base, is_flag, listed
from bot.core.system import OperationRecord
from bot.core.when import when_of
from bot.doors.slack.draw.blocks import Block
from bot.doors.slack.forms import LATE, Forms
from bot.doors.slack.guard import Refusals
from bot.doors.slack.home import Homes
from bot.doors.slack.listeners import FOREIGN, Listeners
from bot.doors.slack.opened import FIELD, PICK, Opened, field_of
from bot.doors.slack.outbound.calls import Refusal
from bot.doors.slack.outbound.views import View
from bot.engine.choices import Choices, Question
from bot.sandbox.slack.blockkit.surface import option_problems, view_problems
from bot.sandbox.slack.elements import interactive
from bot.sandbox.slack.inputs import entered
from bot.sandbox.slack.interactions import values
from bot.stores import records
from bot.stores.tables import OperationRow
from tests.doors.slack.harness import CHANNEL, TEAM
from tests.engine.conftest import ANA, BAD, BEN, GOOD, Bot

OPERATIONS: dict[str, type[Operation]] = {
    name.replace("_", " "): found for name, found in folder.every(operations).items()
}
BACKEND = "ai-square/prod/backend"
PLACE = {"channel": CHANNEL, "user": "U0ANA", "team": TEAM, "response_url": "", "thread_ts": ""}


class Shown:
    """Slack's views: keeps what is shown, and does what the test says."""

    def __init__(self) -> None:
        self.views: list[Block] = []
        self.errors: list[Exception] = []
        self.hashes: list[str] = []

    async def open(self, trigger_id: str, view: Block) -> View:
        return self._show(view)

    async def update(self, shown: View, view: Block) -> View:
        self.hashes.append(shown.hash)
        return self._show(view)

    async def publish(self, user: str, view: Block, hash: str = "") -> View:
        return self._show(view)

    def _show(self, view: Block) -> View:
        if self.errors:
            raise self.errors.pop(0)
        assert [problem.line() for problem in view_problems(view)] == []
        self.views.append(view)
        return View(id="V1", hash=f"h{len(self.views)}")


class Person:
    """Somebody before a form."""

    def __init__(self, bot: Bot, user: str = "U0ANA") -> None:
        self.bot, self.user, self.shown = bot, user, Shown()
        self.before: set[str] = set()
        self.told: list[str] = []
        self.answers: list[dict[str, Any]] = []
        self._tasks: list[Coroutine[Any, Any, None]] = []
        self.forms = Forms(bot.front, self.shown, self._tell, self._tasks.append, soon_s=1.0)  # type: ignore[arg-type]
        homes = Homes(bot.front, self.shown, bot.clock.monotonic)  # type: ignore[arg-type]
        self.listeners = Listeners(bot.front, self.forms, homes, TEAM, Refusals(), self._tell)

    def _tell(self, place: dict[str, str], card: Any) -> None:
        self.told.append(card.text)

    async def ack(self, **answer: Any) -> None:
        self.answers.append(answer)

    async def rest(self) -> None:
        """Let happen what goes on in the background."""
        for task in self._tasks:
            await task
        self._tasks.clear()

    async def opens(self, operation: str = "", **entered_: str | bool) -> Block:
        """The form of an operation, with something in it."""
        opened = Opened(place=PLACE, operation=operation, entered=dict(entered_))
        return self.forms.drawn({"private_metadata": opened.kept(), "state": {}})

    def payload(self, view: Block, **more: Any) -> dict[str, Any]:
        full = {"id": "V1", "hash": "h1", "state": {"values": values(view["blocks"])}, **view}
        user = {"id": self.user, "team_id": TEAM}
        return {"team": {"id": TEAM}, "user": user, "view": full, "actions": [{"action_ts": "1"}], **more}

    async def submits(self, view: Block, hash: str = "h1", **said: Any) -> dict[str, Any]:
        """What Slack gets for the form, filled in by parameter, past the checks of Slack's own client."""
        payload = self.payload(view)
        payload["view"]["hash"] = hash
        self.enter(payload, said)
        await self.listeners.submit(self.ack, payload, "")
        return self.answers[-1]

    def enter(self, payload: dict[str, Any], said: dict[str, Any]) -> None:
        for one in interactive(payload["view"]["blocks"]):
            name = one.action_id.removeprefix(FIELD)
            if name in said:
                payload["view"]["state"]["values"][one.block_id][one.action_id] = entered(one.body, said[name])

    def newest(self) -> OperationRecord:
        """The one that is not there already."""
        with self.bot.ledger._reading() as session:
            rows = session.scalars(select(OperationRow)).all()
            return next(records.operation(session, row) for row in rows if row.id not in self.before)


@pytest.fixture
def ana(bot: Bot) -> Person:
    return Person(bot)


SPECIAL: dict[str, Any] = {
    "split": "LATEST=100", "head": "", "wanted": "rollback backend", "topic": "ops list", "digest": "",
    "break_glass": "", "dry_run": ["yes"], "memory": "2Gi",
    "weights": "10,100", "bake": "10m",
}  # fmt: skip


def right(operation: type[Operation], waiting: str) -> dict[str, Any]:
    """Something right for every parameter."""
    found = {name: SPECIAL.get(name, _right(info, waiting)) for name, info in operation.model_fields.items()}
    return {name: value for name, value in found.items() if value is not None}


def _right(info: Any, waiting: str) -> Any:
    reference, kind = reference_of(info), marks(info).get("completes")
    if when_of(info):
        return "2h"
    if reference:
        return waiting if reference.kind == "operation" else BACKEND
    if kind or listed(info):
        return GOOD if kind else listed(info)[-1]
    return None if is_flag(info) else "7" if base(info) in (int, float) else "because “so”"


@pytest.mark.parametrize("name", OPERATIONS)
async def test_every_form_filled_in_rightly_is_a_request(name: str, ana: Person, bot: Bot) -> None:
    waiting = await asyncio.to_thread(bot.ask, BEN, "rollback backend")
    view = await ana.opens(name)
    assert await ana.submits(view, **right(OPERATIONS[name], waiting)) == {}
    ana.before = {waiting}
    request = (await asyncio.to_thread(ana.newest)).request
    assert (request.operation, request.actor.id, request.channel) == (name, ANA, CHANNEL)
    again = bot.read(request.text, channel=CHANNEL)
    assert again.model_dump(mode="json", exclude_defaults=True) == request.params


def wrong(info: Any) -> Any:
    """Something that this parameter cannot be; None where anything is right."""
    if is_flag(info):
        return None
    return "no/such/thing/at-all" if reference_of(info) else "\x07bell"


EACH = [(name, field) for name, one in OPERATIONS.items() for field, info in one.model_fields.items() if wrong(info)]


@pytest.mark.parametrize(("name", "field"), EACH)
async def test_what_is_wrong_in_a_field_is_said_there_and_nothing_is_written(
    name: str, field: str, ana: Person, bot: Bot
) -> None:
    waiting = await asyncio.to_thread(bot.ask, BEN, "rollback backend")
    view = await ana.opens(name)
    said = {**right(OPERATIONS[name], waiting), field: wrong(OPERATIONS[name].model_fields[field])}
    answer = await ana.submits(view, **said)
    assert answer["response_action"] == "errors"
    assert [field_of(block) for block in answer["errors"]] == [field]
    assert set(answer["errors"]) <= {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    assert all(text[0].isupper() or text[0] == "`" for text in answer["errors"].values())
    assert len(bot.ledger.operations(limit=100)) == 1


async def test_everything_that_is_missing_is_said_at_once(ana: Person) -> None:
    answer = await ana.submits(await ana.opens("traffic"), service="", split="")
    assert sorted(field_of(block) for block in answer["errors"]) == ["service", "split"]


async def test_a_form_sent_twice_is_one_operation(ana: Person, bot: Bot) -> None:
    view = await ana.opens("rollback", service=BACKEND)
    assert await ana.submits(view) == {}
    assert await ana.submits(view) == {}
    assert len(bot.ledger.operations(limit=100)) == 1


async def test_a_form_that_was_changed_after_a_lost_answer_is_another_request(ana: Person, bot: Bot) -> None:
    view = await ana.opens("rollback", service=BACKEND)
    assert await ana.submits(view) == {}
    assert await ana.submits(view, reason="now with a reason") == {}
    assert len(bot.ledger.operations(limit=100)) == 2


async def test_a_refusal_stands_in_the_form_with_what_was_entered(bot: Bot) -> None:
    dev = Person(bot, "U0DEV")
    view = await dev.opens("rollback", service=BACKEND)
    answer = await dev.submits(view, reason="I want to")
    assert answer["response_action"] == "update"
    assert view_problems(answer["view"]) == []
    assert "⛔" in str(answer["view"]["blocks"][0])
    assert "I want to" in str(answer["view"])


async def test_a_database_that_is_away_is_said_in_the_form(
    ana: Person, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreError("the database is away")

    monkeypatch.setattr(bot.ledger, "accept", away)
    answer = await ana.submits(await ana.opens("rollback", service=BACKEND))
    assert "the database is away" in str(answer["view"]["blocks"][0])


async def test_somebody_of_another_workspace_submits_nothing(ana: Person, bot: Bot) -> None:
    payload = ana.payload(await ana.opens("rollback", service=BACKEND))
    payload["user"]["team_id"] = "T0OTHER"
    await ana.listeners.submit(ana.ack, payload, "")
    assert FOREIGN in str(ana.answers[-1]["view"]["blocks"][0])
    await ana.listeners.suggest(ana.ack, {**payload, "block_id": "to@1", "value": ""})
    assert ana.answers[-1] == {"options": []}
    await ana.listeners.chosen(ana.ack, payload)
    await ana.listeners.shortcut(ana.ack, {**payload, "channel": {"id": CHANNEL}, "message": {"ts": "1.1"}})
    await ana.rest()
    assert (ana.shown.views, ana.told) == ([], [FOREIGN])
    assert bot.ledger.operations(limit=100) == ()


# --- opening


async def test_what_can_be_done_is_offered_first(ana: Person) -> None:
    ana.forms.begin("t", PLACE)
    await ana.rest()
    first, second = ana.shown.views
    assert "blocks" in first and "submit" not in first, "opened before anything is asked of anybody"
    (picker,) = [one.body for one in interactive(second["blocks"])]
    offered = [one["value"] for group in picker["option_groups"] for one in group["options"]]
    assert "rollback" in offered and "approve" not in offered, "nothing waits"
    assert ana.shown.hashes == ["h1"]


async def test_a_form_that_is_too_late_says_what_to_do(ana: Person) -> None:
    ana.shown.errors.append(Refusal("views.open", "expired_trigger_id"))
    ana.forms.begin("t", PLACE)
    await ana.rest()
    assert ana.told == [LATE]


@pytest.mark.parametrize("error", [Refusal("views.open", "invalid_auth"), Transient("down"), Uncertain("no answer")])
async def test_a_form_that_cannot_be_opened_says_what_to_type(ana: Person, error: Exception) -> None:
    ana.shown.errors.append(error)
    ana.forms.begin("t", PLACE)
    await ana.rest()
    assert "/aisq help" in ana.told[0]


async def test_without_a_database_everything_is_offered(ana: Person, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr(bot.ledger, "operations", away)
    ana.forms.begin("t", PLACE)
    await ana.rest()
    assert "approve" in str(ana.shown.views[-1])


async def test_slack_that_hiccups_is_asked_again(ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.doors.slack.forms.AGAIN_S", (0.0, 0.0))
    payload = ana.payload(await ana.opens("rollback"))
    ana.shown.errors += [Transient("down"), Transient("down")]
    ana.forms.switch(payload)
    await ana.rest()
    assert len(ana.shown.views) == 1


# --- choosing


def chosen(person: Person, view: Block, operation: str, at: str = "2", **said: Any) -> dict[str, Any]:
    payload = person.payload(view, actions=[{"action_id": PICK, "action_ts": at}])
    person.enter(payload, said)
    picker = next(one for one in interactive(view["blocks"]) if one.action_id == PICK)
    payload["view"]["state"]["values"][PICK][PICK] = entered(picker.body, operation)
    return payload


async def test_another_operation_keeps_what_was_filled_in(ana: Person) -> None:
    view = await ana.opens("rollback", service=BACKEND)
    ana.forms.switch(chosen(ana, view, "traffic", reason="5xx"))
    await ana.rest()
    traffic = ana.shown.views[-1]
    assert "5xx" in str(traffic["blocks"]) and Opened.of(traffic).entered["service"] == BACKEND
    ana.forms.switch(chosen(ana, traffic, "help", at="3"))
    await ana.rest()
    ana.forms.switch(chosen(ana, ana.shown.views[-1], "rollback", at="4"))
    await ana.rest()
    assert Opened.of(ana.shown.views[-1]).entered["reason"] == "5xx", "also past a form that has no such field"


async def test_a_release_of_another_service_is_forgotten(ana: Person) -> None:
    view = await ana.opens("rollback", service=BACKEND, to=GOOD, reason="5xx")
    payload = ana.payload(view)
    ana.enter(payload, {"service": "ai-square/staging/backend"})
    ana.forms.switch(payload)
    await ana.rest()
    kept = Opened.of(ana.shown.views[-1]).entered
    assert (kept["service"], kept["reason"], kept.get("to", "")) == ("ai-square/staging/backend", "5xx", "")
    old, new = ({block.get("block_id", "") for block in one["blocks"]} for one in (view, ana.shown.views[-1]))
    assert {field_of(block) for block in old - new} == {"to"}


async def test_what_stands_in_a_form_is_what_is_asked_for(ana: Person, bot: Bot) -> None:
    view = await ana.opens("rollback", service="ai-square/staging/backend")
    assert await ana.submits(view, service=BACKEND, to=GOOD) == {}
    request = bot.ledger.operations(limit=1)[0].request
    assert request.text == f"rollback {BACKEND} --to {GOOD}", "however the menus came to be"


async def test_the_newest_choice_wins_whoever_is_faster(ana: Person) -> None:
    view = await ana.opens("")
    older, newer = chosen(ana, view, "rollback", at="1"), chosen(ana, view, "status", at="2")
    ana.forms.switch(older)
    ana.forms.switch(newer)
    ana.shown.errors = [Refusal("views.update", "hash_conflict")] * 2
    await ana.rest()
    assert [Opened.of(one).operation for one in ana.shown.views] == ["status"]
    assert ana.shown.hashes == ["h1", "h1", ""]


async def test_a_form_submitted_before_its_fields_came_shows_them(ana: Person, bot: Bot) -> None:
    payload = chosen(ana, await ana.opens(""), "rollback")
    await ana.listeners.submit(ana.ack, payload, "")
    assert ana.answers[-1]["response_action"] == "update"
    assert Opened.of(ana.answers[-1]["view"]).operation == "rollback"
    assert bot.ledger.operations(limit=100) == ()


async def test_an_operation_that_is_gone_since_is_asked_for_again(ana: Person) -> None:
    view = await ana.opens("rollback")
    kept = Opened(place=PLACE, operation="dance").kept()
    await ana.listeners.submit(ana.ack, ana.payload({**view, "private_metadata": kept}), "")
    assert ana.answers[-1]["response_action"] == "update"


# --- menus


async def suggested(person: Person, field: str, begun: str = "", operation: str = "rollback", **told: Any) -> list[str]:
    view = await person.opens(operation, **told)
    payload = person.payload(view, block_id=f"{field}@1", action_id=f"{FIELD}{field}", value=begun)
    await person.listeners.suggest(person.ack, payload)
    answer = person.answers[-1]
    assert not option_problems(answer)
    return [one["value"] for one in answer["options"]]


async def test_releases_are_offered_of_the_service_that_is_chosen(ana: Person) -> None:
    assert (await suggested(ana, "to", service=BACKEND))[:2] == [BAD, GOOD]
    assert await suggested(ana, "to", "kex", service=BACKEND) == [GOOD]
    assert await suggested(ana, "to") == [], "of no service yet"


async def test_a_cloud_that_fails_offers_what_is_typed(ana: Person, bot: Bot) -> None:
    bot.platform.fail("releases", *[Transient("503")] * 99)
    assert await suggested(ana, "to", service=BACKEND) == []
    assert await suggested(ana, "to", "backend-00041-kex", service=BACKEND) == ["backend-00041-kex"]
    assert "cannot be read now" in str(ana.answers[-1])


async def test_a_cloud_that_is_slow_offers_nothing_in_time(
    ana: Person, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def slowly(self: Choices, question: Question) -> tuple[()]:
        release.wait(10)
        return ()

    monkeypatch.setattr(Choices, "every", slowly)
    monkeypatch.setattr(ana.forms, "_soon_s", 0.05)
    assert await suggested(ana, "to", service=BACKEND) == []
    release.set()


async def test_a_bug_offers_nothing_and_is_logged(
    ana: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: Choices, question: Question) -> tuple[()]:
        raise ZeroDivisionError

    monkeypatch.setattr(Choices, "every", broken)
    assert await suggested(ana, "to", service=BACKEND) == []
    assert "ZeroDivisionError" in caplog.text


async def test_the_cloud_is_not_asked_at_every_key(ana: Person, bot: Bot) -> None:
    every = [await suggested(ana, "to", begun, service=BACKEND) for begun in ("", "b", "ba", "back")]
    assert every[0] == every[-1]
    assert bot.platform.calls.count("releases") == 1
    await asyncio.gather(*(suggested(Person(bot, "U0BEN"), "to", service=BACKEND) for _ in range(2)))
    assert bot.platform.calls.count("releases") == 3, "everybody is asked for by themselves"


async def test_a_release_that_is_not_listed_can_be_named(ana: Person) -> None:
    assert await suggested(ana, "to", "backend-00001-old", service=BACKEND) == ["backend-00001-old"]
    assert "as typed" in str(ana.answers[-1])


@pytest.mark.parametrize(("operation", "field"), [("dance", "to"), ("rollback", "colour")])
async def test_what_there_is_not_is_offered_nothing(operation: str, field: str, ana: Person) -> None:
    assert await suggested(ana, field, "x", operation=operation, service=BACKEND) == []


async def test_a_form_that_was_refused_is_refused_again_when_the_answer_was_lost(bot: Bot) -> None:
    dev = Person(bot, "U0DEV")
    view = await dev.opens("rollback", service=BACKEND)
    first, second = await dev.submits(view), await dev.submits(view)
    assert "⛔" in str(first["view"]["blocks"][0]) and "⛔" in str(second["view"]["blocks"][0])
    assert [entry.event for entry in bot.audit.entries()].count("denied") == 1


async def test_more_names_than_a_menu_takes_are_searched_and_the_longest_arrive_whole(
    ana: Person, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = "/".join(3 * ["x" * 63])
    names = [BACKEND, longest, *(f"s/e/x{number}" for number in range(150))]
    every = tuple(Choice(value=name, text=name, group=name.rpartition("/")[0]) for name in names)
    monkeypatch.setattr(Choices, "named", lambda *_: every)
    view = await ana.opens("rollback")
    service = next(one for one in interactive(view["blocks"]) if one.action_id == f"{FIELD}service")
    assert service.kind == "external_select"
    assert await suggested(ana, "service", "backend") == [BACKEND]
    assert len(await suggested(ana, "service")) == 100
    (short,) = await suggested(ana, "service", "xxxx")
    payload = ana.payload(view)
    ana.enter(payload, {"service": short})
    assert ana.forms.filled(payload["view"]).values["service"] == longest != short
    assert await ana.submits(await ana.opens("rollback"), service=BACKEND) == {}


async def test_who_may_not_look_is_offered_nothing(bot: Bot) -> None:
    assert await suggested(Person(bot, "U0GST"), "to", service=BACKEND) == []
    assert bot.platform.calls == []


async def test_operations_are_offered_to_those_who_may_act(ana: Person, bot: Bot) -> None:
    waiting = await asyncio.to_thread(bot.ask, BEN, "rollback backend")
    assert await suggested(ana, "operation", operation="approve") == [waiting]
    assert await suggested(Person(bot, "U0BEN"), "operation", operation="approve") == []
