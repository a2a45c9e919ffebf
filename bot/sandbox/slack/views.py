"""views.*: modals and the App Home."""

from bot.sandbox.slack import limits
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.blocks import checked_view
from bot.sandbox.slack.handles import use_trigger
from bot.sandbox.slack.interactions import kept, values
from bot.sandbox.slack.limits import Tier
from bot.sandbox.slack.method import Method
from bot.sandbox.slack.refusals import Refusal, missing
from bot.sandbox.slack.state import Json, View, Workspace

DEFAULTS: Json = {
    "private_metadata": "",
    "callback_id": "",
    "external_id": "",
    "clear_on_close": False,
    "notify_on_close": False,
    "close": None,
    "submit": None,
}


def sent_view(workspace: Workspace, args: Arguments, kind: str) -> Json:
    """The `view` argument, checked. Raises Refusal(invalid_arguments, view_too_large)."""
    if "view" not in args:
        raise missing("view")
    body = checked_view(workspace, args.document("view", "invalid_arguments"))
    if body["type"] != kind:
        raise Refusal("invalid_arguments", [f"[ERROR] must be of type {kind} [json-pointer:/view/type]"])
    return body


def completed(workspace: Workspace, body: Json, view_id: str, root_id: str, previous_id: str | None) -> Json:
    """A view with the fields that Slack adds; a new hash every time."""
    added: Json = {
        "id": view_id,
        "team_id": workspace.team.id,
        "app_id": workspace.app.id,
        "app_installed_team_id": workspace.team.id,
        "bot_id": workspace.app.bot_id,
        "root_view_id": root_id,
        "previous_view_id": previous_id,
        "hash": f"{int(workspace.now())}.{workspace.new_id('')}",
        "state": {"values": values(body["blocks"])},
    }
    return {**DEFAULTS, **body, **added}


def place(workspace: Workspace, user: str, body: Json, below: View | None = None) -> View:
    """Open a modal for a person: alone, or on top of another."""
    _external_id_is_free(workspace, body, None)
    view_id = workspace.new_id("V")
    root_id = below.root_id if below else view_id
    previous = below.id if below else None
    view = View(view_id, user, completed(workspace, body, view_id, root_id, previous), root_id, previous)
    workspace.modals[view_id] = view
    return view


def replace(workspace: Workspace, view: View, body: Json) -> View:
    """Put other content into a view; it keeps its id, its place, and what is entered in blocks that stay.

    Those are input blocks whose block_id and action_id are the same (docs, "Modal views": preserving input entry).
    """
    _external_id_is_free(workspace, body, view.id)
    before = view.body["state"]["values"]
    view.body = completed(workspace, body, view.id, view.root_id, view.previous_id)
    kept(before, view.body["state"]["values"])
    return view


def stack(workspace: Workspace, user: str) -> list[View]:
    """The modals that a person has open, bottom first."""
    return [view for view in workspace.modals.values() if view.user == user]


def close_all(workspace: Workspace, user: str) -> None:
    """Close every modal of a person."""
    for view in stack(workspace, user):
        del workspace.modals[view.id]


def _external_id_is_free(workspace: Workspace, body: Json, own_id: str | None) -> None:
    wanted = body.get("external_id")
    others = [*workspace.modals.values(), *workspace.homes.values()]
    if wanted and any(view.body["external_id"] == wanted and view.id != own_id for view in others):
        raise Refusal("duplicate_external_id")


def views_open(workspace: Workspace, args: Arguments) -> Json:
    """Open a modal by trigger. Raises Refusal(expired_trigger_id, exchanged_trigger_id, invalid_arguments, …)."""
    body = sent_view(workspace, args, "modal")
    trigger = use_trigger(workspace, args.need("trigger_id"))
    close_all(workspace, trigger.user)
    return {"view": place(workspace, trigger.user, body).body}


def views_push(workspace: Workspace, args: Arguments) -> Json:
    """Open a modal on top of another. Raises Refusal(push_limit_reached, …)."""
    body = sent_view(workspace, args, "modal")
    trigger = use_trigger(workspace, args.need("trigger_id"))
    return {"view": push(workspace, trigger.user, body).body}


def push(workspace: Workspace, user: str, body: Json) -> View:
    """Put a modal on top of a person's stack. Raises Refusal(not_found, push_limit_reached)."""
    open_views = stack(workspace, user)
    if not open_views:
        raise Refusal("not_found")
    if len(open_views) >= limits.MODAL_STACK:
        raise Refusal("push_limit_reached")
    return place(workspace, user, body, open_views[-1])


def _named(workspace: Workspace, args: Arguments) -> View:
    view_id, external_id = args.text("view_id"), args.text("external_id")
    if not view_id and not external_id:
        raise missing("view_id")
    everything = [*workspace.modals.values(), *workspace.homes.values()]
    for view in everything:
        if view.id == view_id or (external_id and view.body["external_id"] == external_id):
            return view
    raise Refusal("not_found")


def _hash_holds(view: View, args: Arguments) -> None:
    if args.text("hash") and args.text("hash") != view.hash:
        raise Refusal("hash_conflict")


def views_update(workspace: Workspace, args: Arguments) -> Json:
    """Change an open view. Raises Refusal(not_found, hash_conflict, …)."""
    view = _named(workspace, args)
    body = sent_view(workspace, args, str(view.body["type"]))
    _hash_holds(view, args)
    return {"view": replace(workspace, view, body).body}


def views_publish(workspace: Workspace, args: Arguments) -> Json:
    """Set a person's App Home. Raises Refusal(hash_conflict, …)."""
    user = args.need("user_id")
    if user not in workspace.people:
        raise Refusal("invalid_arguments", ["[ERROR] invalid `user_id`"])
    body = sent_view(workspace, args, "home")
    home = workspace.homes.get(user)
    if home:
        _hash_holds(home, args)
        return {"view": replace(workspace, home, body).body}
    view_id = workspace.new_id("V")
    made = View(view_id, user, completed(workspace, body, view_id, view_id, None), view_id)
    workspace.homes[user] = made
    return {"view": made.body}


METHODS = {
    "views.open": Method(views_open, Tier.T4),
    "views.push": Method(views_push, Tier.T4),
    "views.update": Method(views_update, Tier.T4),
    "views.publish": Method(views_publish, Tier.T4),
}
