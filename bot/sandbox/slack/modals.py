"""What a person does in a modal: submit it, close it, type into a menu whose options the app delivers."""

from typing import Any

from bot.sandbox.slack import result, views
from bot.sandbox.slack.blockkit.surface import option_problems
from bot.sandbox.slack.blocks import checked_view
from bot.sandbox.slack.commands import person_named
from bot.sandbox.slack.delivery import Courier
from bot.sandbox.slack.elements import Element, interactive
from bot.sandbox.slack.inputs import FIELDS, complaint, options
from bot.sandbox.slack.interactions import Use, common, entry, pick, values
from bot.sandbox.slack.refusals import Refusal, Unusable
from bot.sandbox.slack.result import Result
from bot.sandbox.slack.state import Json, View, Workspace

TROUBLE = "We had some trouble connecting. Try again?"


async def submit(workspace: Workspace, courier: Courier, user: str, view: View, entries: Json) -> Result:
    """A person fills in a form and submits it.

    `entries` is what they enter, by block_id: the plain value (option values for menus), or Slack's own
    {action_id: state}. What Slack's client would refuse comes back as `errors` and is not sent.
    """
    person = person_named(workspace, user)
    if view.user != user:
        raise Unusable(f"the view {view.id} is open for {view.user}, not for {user}")
    inputs = _inputs(view)
    unknown = entries.keys() - inputs.keys()
    if unknown:
        raise Unusable(f"the view has no block {sorted(unknown)[0]!r}; it has: {', '.join(inputs)}")
    entered = {name: {inputs[name].action_id: entry(inputs[name], said)} for name, said in entries.items()}
    state = view.body["state"]["values"] | entered  # what was entered before stays
    view.body["state"] = {"values": state}
    if errors := _complaints(inputs, state):
        return Result(None, view=view, errors=errors, note="Slack's client refuses the form; nothing was sent.")
    payload = common(workspace, "view_submission", person, view.id) | {"view": view.body, "response_urls": []}
    outcome = result.of(await courier.interaction(payload), "The form")
    outcome.view = view
    if outcome.ok:
        _respond(workspace, view, outcome)
    else:
        outcome.note = TROUBLE
    return outcome


def _inputs(view: View) -> dict[str, Element]:
    """The element that holds state in each block."""
    return {e.block_id: e for e in interactive(view.body["blocks"]) if e.kind in FIELDS and e.kind != "overflow"}


def _complaints(inputs: dict[str, Element], state: Json) -> dict[str, str]:
    found = {}
    for block_id, element in inputs.items():
        is_optional = element.block["type"] != "input" or bool(element.block.get("optional"))
        if said := complaint(element.body, state[block_id][element.action_id], is_optional):
            found[block_id] = said
    return found


def _respond(workspace: Workspace, view: View, outcome: Result) -> None:
    """Do what the bot's 200 says: nothing closes the view; errors, update, push and clear do what they say."""
    body: Json = outcome.delivery.body if outcome.delivery else {}
    action = body.get("response_action")
    try:
        if action is None:
            del workspace.modals[view.id]
            outcome.view = next(reversed(views.stack(workspace, view.user)), None)
        elif action == "clear":
            views.close_all(workspace, view.user)
            outcome.view = None
        elif action == "errors":
            outcome.errors = _checked_errors(view, body.get("errors"))
        elif action == "update":
            outcome.view = views.replace(workspace, view, checked_view(workspace, body.get("view")))
        elif action == "push":
            outcome.view = views.push(workspace, view.user, checked_view(workspace, body.get("view")))
        else:
            raise Refusal("invalid_response_action", [f"[ERROR] unknown response_action {action!r}"])
    except Refusal as refusal:
        outcome.error = refusal.error
        outcome.note = " ".join([TROUBLE, *refusal.messages])


def _checked_errors(view: View, errors: Any) -> dict[str, str]:
    """Errors must be texts for input blocks of this view; Slack shows its own trouble otherwise."""
    known = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not all(isinstance(said, str) for said in errors.values()):
        raise Refusal("invalid_errors", ["[ERROR] errors must be an object of texts by block_id"])
    if unknown := errors.keys() - known:
        raise Refusal("invalid_errors", [f"[ERROR] there is no input block {sorted(unknown)[0]!r}"])
    return errors


async def close(workspace: Workspace, courier: Courier, user: str, view: View) -> Result:
    """A person closes a modal; the app hears of it if it asked to (notify_on_close)."""
    person = person_named(workspace, user)
    is_cleared = bool(view.body["clear_on_close"])
    if is_cleared:
        views.close_all(workspace, user)
    else:
        workspace.modals.pop(view.id, None)
    if not view.body["notify_on_close"]:
        return Result(None)
    payload = common(workspace, "view_closed", person) | {"view": view.body, "is_cleared": is_cleared}
    del payload["trigger_id"]
    return result.of(await courier.interaction(payload), "The view")


async def suggest(workspace: Workspace, courier: Courier, user: str, view: View, action_id: str, typed: str) -> Result:
    """A person types into an external_select; the bot answers with options (docs: at most 100, within 3 s).

    What was entered elsewhere since the view was drawn is not in the payload (slackapi/bolt-js issue 1146).
    """
    person = person_named(workspace, user)
    element = pick(view.body["blocks"], Use(action_id))
    if not element.kind.endswith("external_select"):
        raise Unusable(f"{action_id!r} is a {element.kind}; only an external_select asks the app for options")
    if len(typed) < element.body.get("min_query_length", 3):
        return Result(None, note="Slack asks only after more characters.")
    payload = common(workspace, "block_suggestion", person) | {
        "container": {"type": "view", "view_id": view.id},
        "view": view.body | {"state": {"values": values(view.body["blocks"])}},
        "action_id": action_id,
        "block_id": element.block_id,
        "value": typed,
    }
    del payload["trigger_id"]
    outcome = result.of(await courier.interaction(payload), "The menu")
    if outcome.ok and outcome.delivery:
        _take_options(outcome, outcome.delivery.body)
    return outcome


def _take_options(outcome: Result, answer: Json) -> None:
    """Slack shows no options at all if one of them is malformed."""
    if problems := option_problems(answer):
        outcome.error = f"invalid options: {problems[0].line()}"
    else:
        outcome.options = options(answer)
