"""Modals and the App Home: opening within three seconds, forms, stacks, hashes."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.responses import JSONResponse, Response

from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.handles import new_trigger
from bot.sandbox.slack.refusals import Unusable


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value), "value": value}


def field(block_id: str, element: dict[str, Any], optional: bool = False) -> dict[str, Any]:
    block = {"type": "input", "block_id": block_id, "label": plain(block_id), "element": element}
    return block | ({"optional": True} if optional else {})


PERCENT = {"type": "number_input", "action_id": "v", "is_decimal_allowed": False, "min_value": "1", "max_value": "100"}
FORM = {
    "type": "modal",
    "callback_id": "deploy",
    "title": plain("Deploy"),
    "submit": plain("Go"),
    "blocks": [
        field("service", {"type": "static_select", "action_id": "v", "options": [option("backend"), option("web")]}),
        field("percent", {**PERCENT, "initial_value": "10"}),
        field(
            "reason", {"type": "plain_text_input", "action_id": "v", "min_length": 3, "max_length": 20}, optional=True
        ),
    ],
}
SIMPLE = {"type": "modal", "title": plain("a"), "blocks": [{"type": "divider"}]}
GOOD = {"service": "backend", "percent": "20"}
MENU = {"type": "external_select", "action_id": "release", "min_query_length": 1}
HOME = {"type": "home", "blocks": [{"type": "divider"}]}


async def opened(slack: FakeSlack, client: AsyncWebClient, view: dict[str, Any] = FORM, user: str = "U0ANA") -> str:
    trigger = new_trigger(slack.workspace, user)
    return str((await client.views_open(trigger_id=trigger, view=view))["view"]["id"])


def payload(raw_bot: Any, at: int = -1) -> dict[str, Any]:
    return json.loads(parse_qs(raw_bot.bodies[at].decode())["payload"][0])


class TestTriggers:
    async def test_a_trigger_lives_three_seconds(self, slack: FakeSlack, client: AsyncWebClient, clock: Any) -> None:
        early, late = (new_trigger(slack.workspace, "U0ANA") for _ in range(2))
        clock.advance(3)
        assert (await client.views_open(trigger_id=early, view=SIMPLE))["ok"]
        clock.advance(0.01)
        with pytest.raises(Exception, match="expired_trigger_id"):
            await client.views_open(trigger_id=late, view=SIMPLE)

    async def test_a_trigger_opens_one_view(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        trigger = new_trigger(slack.workspace, "U0ANA")
        await client.views_open(trigger_id=trigger, view=SIMPLE)
        with pytest.raises(Exception, match="exchanged_trigger_id"):
            await client.views_open(trigger_id=trigger, view=SIMPLE)

    async def test_a_bad_view_spends_no_trigger(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        trigger = new_trigger(slack.workspace, "U0ANA")
        with pytest.raises(Exception, match="invalid_arguments"):
            await client.views_open(trigger_id=trigger, view={**SIMPLE, "title": plain("x" * 25)})
        assert (await client.views_open(trigger_id=trigger, view=SIMPLE))["ok"]

    async def test_a_command_brings_a_trigger(self, slack: FakeSlack, bolt: AsyncApp) -> None:
        @bolt.command("/aisq")
        async def on_command(ack: Any, command: Any, client: Any) -> None:
            await client.views_open(trigger_id=command["trigger_id"], view=FORM)
            await ack()

        assert (await slack.slash("U0BEN", "C0OPS", "")).ok
        assert [view.user for view in slack.workspace.modals.values()] == ["U0BEN"]


async def test_the_view_as_slack_gives_it_back(slack: FakeSlack, client: AsyncWebClient) -> None:
    view = (await client.views_open(trigger_id=new_trigger(slack.workspace, "U0ANA"), view=FORM))["view"]
    assert view["root_view_id"] == view["id"] and view["previous_view_id"] is None and view["hash"]
    assert (view["team_id"], view["app_id"], view["bot_id"]) == ("T0AISQ", "A0AISQ", "B0AISQ")
    assert (view["private_metadata"], view["external_id"], view["notify_on_close"]) == ("", "", False)
    assert view["state"]["values"]["percent"]["v"] == {"type": "number_input", "value": "10"}


class TestSubmit:
    async def test_what_arrives(self, slack: FakeSlack, client: AsyncWebClient, raw_bot: Any) -> None:
        view_id = await opened(slack, client)
        result = await slack.submit("U0ANA", view_id, {**GOOD, "reason": "slow"})
        assert result.ok and result.view is None and slack.workspace.modals == {}
        sent = payload(raw_bot)
        assert (sent["type"], sent["view"]["callback_id"], sent["response_urls"]) == ("view_submission", "deploy", [])
        assert sent["view"]["state"]["values"] == {
            "service": {"v": {"type": "static_select", "selected_option": option("backend")}},
            "percent": {"v": {"type": "number_input", "value": "20"}},
            "reason": {"v": {"type": "plain_text_input", "value": "slow"}},
        }

    async def test_slacks_own_form_of_state(self, slack: FakeSlack, client: AsyncWebClient, raw_bot: Any) -> None:
        view_id = await opened(slack, client)
        state = {"service": {"v": {"selected_option": option("web")}}}
        assert (await slack.submit("U0ANA", view_id, state)).ok
        values = payload(raw_bot)["view"]["state"]["values"]
        assert values["service"]["v"]["selected_option"]["value"] == "web"
        assert values["percent"]["v"]["value"] == "10", "what is not entered keeps its initial value"
        assert values["reason"]["v"]["value"] is None

    @pytest.mark.parametrize(
        ("entries", "errors"),
        [
            ({"percent": "20"}, {"service": "Please complete this required field."}),
            ({**GOOD, "service": "nothing"}, {"service": "Please choose one of the options."}),
            ({**GOOD, "percent": "ten"}, {"percent": "Please enter a number."}),
            ({**GOOD, "percent": "1.5"}, {"percent": "Please enter a whole number."}),
            ({**GOOD, "percent": 0}, {"percent": "Please enter a number of at least 1."}),
            ({**GOOD, "percent": "101"}, {"percent": "Please enter a number of at most 100."}),
            ({**GOOD, "reason": "ab"}, {"reason": "Please enter at least 3 characters."}),
            ({**GOOD, "reason": "x" * 21}, {"reason": "Please enter no more than 20 characters."}),
        ],
    )
    async def test_slacks_client_refuses(
        self, slack: FakeSlack, client: AsyncWebClient, raw_bot: Any, entries: dict[str, Any], errors: dict[str, str]
    ) -> None:
        view_id = await opened(slack, client)
        result = await slack.submit("U0ANA", view_id, entries)
        assert result.errors == errors and not result.ok and raw_bot.bodies == []
        assert view_id in slack.workspace.modals

    @pytest.mark.parametrize(
        ("kind", "value", "told"),
        [
            ("email_text_input", "nobody", "Please enter a valid email address."),
            ("email_text_input", "ana@aisq.example", ""),
            ("url_text_input", "aisq", "Please enter a valid URL."),
            ("url_text_input", "https://aisq.example", ""),
        ],
    )
    async def test_typed_inputs(
        self, slack: FakeSlack, client: AsyncWebClient, raw_bot: Any, kind: str, value: str, told: str
    ) -> None:
        form = {**FORM, "blocks": [field("f", {"type": kind, "action_id": "v"})]}
        result = await slack.submit("U0ANA", await opened(slack, client, form), {"f": value})
        assert result.errors == ({"f": told} if told else {})

    ANSWERS = (
        (
            "errors keep it open",
            {"response_action": "errors", "errors": {"percent": "too much"}},
            1,
            {"percent": "too much"},
            "",
        ),
        (
            "errors for a block that is not there",
            {"response_action": "errors", "errors": {"x": "no"}},
            1,
            {},
            "invalid_errors",
        ),
        ("errors without errors", {"response_action": "errors"}, 1, {}, "invalid_errors"),
        ("update", {"response_action": "update", "view": SIMPLE}, 1, {}, ""),
        ("push", {"response_action": "push", "view": SIMPLE}, 2, {}, ""),
        ("clear", {"response_action": "clear"}, 0, {}, ""),
        ("a bad view", {"response_action": "update", "view": {"type": "modal"}}, 1, {}, "invalid_arguments"),
        ("an unknown action", {"response_action": "close"}, 1, {}, "invalid_response_action"),
    )

    @pytest.mark.parametrize(
        ("answer", "stays", "errors", "error"), [a[1:] for a in ANSWERS], ids=[a[0] for a in ANSWERS]
    )
    async def test_what_the_answer_does(
        self, slack: FakeSlack, client: AsyncWebClient, raw_bot: Any,
        answer: dict[str, Any], stays: int, errors: dict[str, str], error: str,
    ) -> None:  # fmt: skip
        raw_bot.answer = lambda _: JSONResponse(answer)
        result = await slack.submit("U0ANA", await opened(slack, client), GOOD)
        assert (len(slack.workspace.modals), result.errors, result.error) == (stays, errors, error)
        if error:
            assert result.note.startswith("We had some trouble connecting.")

    async def test_a_failure_keeps_the_form(self, slack: FakeSlack, client: AsyncWebClient, raw_bot: Any) -> None:
        raw_bot.answer = lambda _: Response(status_code=500)
        view_id = await opened(slack, client)
        result = await slack.submit("U0ANA", view_id, GOOD)
        assert (result.error, result.note) == ("dispatch_failed", "We had some trouble connecting. Try again?")
        assert result.view is not None and result.view.id == view_id in slack.workspace.modals

    async def test_who_and_what_cannot_be(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        view_id = await opened(slack, client)
        with pytest.raises(Unusable, match="is open for U0ANA, not for U0BEN"):
            await slack.submit("U0BEN", view_id, GOOD)
        with pytest.raises(Unusable, match="the view has no block 'colour'; it has: service, percent, reason"):
            await slack.submit("U0ANA", view_id, {"colour": "red"})
        with pytest.raises(Unusable, match="there is no open view 'V0NONE'"):
            await slack.submit("U0ANA", "V0NONE", {})


class TestStack:
    async def test_three_views_and_no_more(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        first = await opened(slack, client, SIMPLE)
        for _ in range(2):
            pushed = await client.views_push(trigger_id=new_trigger(slack.workspace, "U0ANA"), view=SIMPLE)
        assert pushed["view"]["root_view_id"] == first and pushed["view"]["previous_view_id"] != first
        with pytest.raises(Exception, match="push_limit_reached"):
            await client.views_push(trigger_id=new_trigger(slack.workspace, "U0ANA"), view=SIMPLE)

    async def test_push_needs_a_view_below(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        with pytest.raises(Exception, match="not_found"):
            await client.views_push(trigger_id=new_trigger(slack.workspace, "U0ANA"), view=SIMPLE)

    async def test_opening_replaces_what_was_open(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        await opened(slack, client, SIMPLE)
        second = await opened(slack, client, SIMPLE)
        other = await opened(slack, client, SIMPLE, user="U0BEN")
        assert list(slack.workspace.modals) == [second, other]

    async def test_submitting_the_top_shows_the_one_below(
        self, slack: FakeSlack, client: AsyncWebClient, raw_bot: Any
    ) -> None:
        below = await opened(slack, client, SIMPLE)
        pushed = await client.views_push(trigger_id=new_trigger(slack.workspace, "U0ANA"), view=FORM)
        result = await slack.submit("U0ANA", pushed["view"]["id"], GOOD)
        assert result.view is not None and result.view.id == below

    @pytest.mark.parametrize(
        ("flags", "left", "told"),
        [
            ({}, 1, None),
            ({"notify_on_close": True}, 1, False),
            ({"clear_on_close": True, "notify_on_close": True}, 0, True),
        ],
    )
    async def test_closing(
        self,
        slack: FakeSlack,
        client: AsyncWebClient,
        raw_bot: Any,
        flags: dict[str, bool],
        left: int,
        told: bool | None,
    ) -> None:
        await opened(slack, client, SIMPLE)
        view = {**SIMPLE, **flags}
        pushed = await client.views_push(trigger_id=new_trigger(slack.workspace, "U0ANA"), view=view)
        assert (await slack.close_view("U0ANA", pushed["view"]["id"])).ok
        assert len(slack.workspace.modals) == left
        assert [payload(raw_bot)["is_cleared"] for _ in raw_bot.bodies] == ([] if told is None else [told])


class TestUpdate:
    async def test_by_id_and_by_external_id(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        view_id = await opened(slack, client, {**SIMPLE, "external_id": "op1"})
        first = await client.views_update(view_id=view_id, view={**SIMPLE, "external_id": "op1"})
        second = await client.views_update(external_id="op1", view=FORM)
        assert first["view"]["id"] == second["view"]["id"] == view_id
        assert first["view"]["hash"] != second["view"]["hash"] and second["view"]["callback_id"] == "deploy"

    async def test_what_is_entered_stays_in_blocks_that_stay(
        self, slack: FakeSlack, client: AsyncWebClient, raw_bot: Any
    ) -> None:
        view_id = await opened(slack, client)
        await slack.click_view("U0ANA", view_id, "v", "web", block_id="service")
        await slack.click_view("U0ANA", view_id, "v", "30", block_id="percent", entries={"reason": "so it is"})
        service, percent, reason = FORM["blocks"]
        again = {**FORM, "blocks": [service, {**percent, "block_id": "share"}, reason]}
        view = (await client.views_update(view_id=view_id, view=again))["view"]
        state = view["state"]["values"]
        assert state["service"]["v"]["selected_option"]["value"] == "web"
        assert state["share"]["v"]["value"] == "10", "another block_id is another field"
        assert state["reason"]["v"]["value"] == "so it is"
        await slack.submit("U0ANA", view_id, {"share": "40"})
        sent = payload(raw_bot)["view"]["state"]["values"]
        assert (sent["service"]["v"]["selected_option"]["value"], sent["share"]["v"]["value"]) == ("web", "40")

    async def test_an_element_of_another_kind_starts_anew(
        self, slack: FakeSlack, client: AsyncWebClient, raw_bot: Any
    ) -> None:
        view_id = await opened(slack, client)
        await slack.click_view("U0ANA", view_id, "v", "web", block_id="service")
        typed = {**FORM["blocks"][0], "element": {"type": "plain_text_input", "action_id": "v"}}
        view = (await client.views_update(view_id=view_id, view={**FORM, "blocks": [typed]}))["view"]
        assert view["state"]["values"]["service"]["v"] == {"type": "plain_text_input", "value": None}

    async def test_a_stale_hash(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        view_id = await opened(slack, client, SIMPLE)
        stale = slack.view(view_id).hash
        await client.views_update(view_id=view_id, view=SIMPLE, hash=stale)
        with pytest.raises(Exception, match="hash_conflict"):
            await client.views_update(view_id=view_id, view=SIMPLE, hash=stale)

    async def test_an_external_id_belongs_to_one_view(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        await opened(slack, client, {**SIMPLE, "external_id": "op1"})
        with pytest.raises(Exception, match="duplicate_external_id"):
            await opened(slack, client, {**SIMPLE, "external_id": "op1"}, user="U0BEN")

    async def test_a_view_of_250_kb(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        text = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_000}}
        with pytest.raises(Exception, match="view_too_large"):
            await opened(slack, client, {**SIMPLE, "blocks": [text] * 90})


async def test_the_home(slack: FakeSlack, client: AsyncWebClient) -> None:
    first = (await client.views_publish(user_id="U0ANA", view=HOME))["view"]
    second = (await client.views_publish(user_id="U0ANA", view=HOME, hash=first["hash"]))["view"]
    assert first["id"] == second["id"] and first["hash"] != second["hash"]
    with pytest.raises(Exception, match="hash_conflict"):
        await client.views_publish(user_id="U0ANA", view=HOME, hash=first["hash"])


async def test_a_confirm_dialog_in_a_view(slack: FakeSlack, client: AsyncWebClient, raw_bot: Any) -> None:
    confirm = {"title": plain("Sure?"), "text": plain("a"), "confirm": plain("Yes"), "deny": plain("No")}
    button = {"type": "button", "action_id": "go", "text": plain("go"), "confirm": confirm}
    home = {"type": "home", "blocks": [{"type": "actions", "elements": [button]}]}
    view_id = (await client.views_publish(user_id="U0ANA", view=home))["view"]["id"]
    assert (await slack.click_view("U0ANA", view_id, "go", confirmed=False)).ok and raw_bot.bodies == []


async def test_a_button_in_a_view(slack: FakeSlack, client: AsyncWebClient, raw_bot: Any) -> None:
    button = {"type": "button", "action_id": "go", "value": "1", "text": plain("go")}
    pick = {"type": "static_select", "action_id": "pick", "options": [option("a"), option("b")]}
    home = {"type": "home", "blocks": [{"type": "actions", "block_id": "b", "elements": [button, pick]}]}
    view_id = (await client.views_publish(user_id="U0ANA", view=home))["view"]["id"]
    await slack.click_view("U0ANA", view_id, "pick", "b")
    sent = payload(raw_bot)
    assert sent["container"] == {"type": "view", "view_id": view_id} and "response_url" not in sent
    assert sent["view"]["state"]["values"]["b"]["pick"]["selected_option"]["value"] == "b"
    await slack.click_view("U0ANA", view_id, "go")
    assert payload(raw_bot)["actions"][0]["value"] == "1"


class TestSuggest:
    async def form(self, slack: FakeSlack, client: AsyncWebClient) -> str:
        return await opened(slack, client, {**FORM, "blocks": [field("release", MENU), FORM["blocks"][1]]})

    async def test_options_come_from_the_app(self, slack: FakeSlack, client: AsyncWebClient, bolt: AsyncApp) -> None:
        @bolt.options("release")
        async def on_options(ack: Any, payload: Any) -> None:
            await ack(options=[option(f"{payload['value']}{n}") for n in range(3)])

        view_id = await self.form(slack, client)
        result = await slack.suggest("U0ANA", view_id, "release", "v")
        assert [entry["value"] for entry in result.options] == ["v0", "v1", "v2"]
        assert (await slack.suggest("U0ANA", view_id, "release", "")).note == "Slack asks only after more characters."

    async def test_the_app_is_not_told_what_stands_in_other_fields(
        self, slack: FakeSlack, client: AsyncWebClient, raw_bot: Any
    ) -> None:
        view_id = await self.form(slack, client)
        await slack.click_view("U0ANA", view_id, "v", "30")
        assert payload(raw_bot)["view"]["state"]["values"]["percent"]["v"]["value"] == "30"
        raw_bot.answer = lambda _: JSONResponse({"options": []})
        await slack.suggest("U0ANA", view_id, "release", "v")
        assert payload(raw_bot)["view"]["state"]["values"]["percent"]["v"]["value"] == "10"

    async def test_options_in_groups(self, slack: FakeSlack, client: AsyncWebClient, raw_bot: Any) -> None:
        groups = [{"label": plain(name), "options": [option(name)]} for name in ("new", "old")]
        raw_bot.answer = lambda _: JSONResponse({"option_groups": groups})
        result = await slack.suggest("U0ANA", await self.form(slack, client), "release", "v")
        assert [entry["value"] for entry in result.options] == ["new", "old"]

    async def test_a_bot_that_does_not_answer(self, slack: FakeSlack, client: AsyncWebClient, raw_bot: Any) -> None:
        raw_bot.answer = lambda _: Response(status_code=500)
        result = await slack.suggest("U0ANA", await self.form(slack, client), "release", "v")
        assert (result.error, result.options) == ("dispatch_failed", [])

    async def test_a_chosen_suggestion_is_submitted(
        self, slack: FakeSlack, client: AsyncWebClient, raw_bot: Any
    ) -> None:
        await slack.submit("U0ANA", await self.form(slack, client), {"release": "v7"})
        chosen = payload(raw_bot)["view"]["state"]["values"]["release"]["release"]["selected_option"]
        assert chosen == {"text": plain("v7"), "value": "v7"}

    @pytest.mark.parametrize(
        "answer", [{}, {"options": [{"text": plain("a")}]}, {"options": "a"}, {"options": [option("a")] * 101}]
    )
    async def test_bad_options(self, slack: FakeSlack, client: AsyncWebClient, raw_bot: Any, answer: Any) -> None:
        raw_bot.answer = lambda _: JSONResponse(answer)
        result = await slack.suggest("U0ANA", await self.form(slack, client), "release", "v")
        assert result.error.startswith("invalid options: [ERROR] ")

    async def test_only_external_menus_ask(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        with pytest.raises(Unusable, match="'v' is a number_input; only an external_select"):
            await slack.suggest("U0ANA", await self.form(slack, client), "v", "1")
