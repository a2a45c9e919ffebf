"""People and user groups: users.*, usergroups.* and auth.test."""

from bot.sandbox.slack import limits
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.limits import Tier
from bot.sandbox.slack.method import Method
from bot.sandbox.slack.pages import page
from bot.sandbox.slack.refusals import Refusal
from bot.sandbox.slack.state import Group, Json, Person, Workspace


def auth_test(workspace: Workspace, args: Arguments) -> Json:
    """Who the token belongs to."""
    team, app = workspace.team, workspace.app
    return {
        "url": f"https://{team.domain}.slack.com/",
        "team": team.name,
        "user": app.name,
        "team_id": team.id,
        "user_id": app.user_id,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
    }


def profile(workspace: Workspace, person: Person) -> Json:
    """A profile; the address is there only for a token with users:read.email."""
    shown: Json = {"real_name": person.real_name, "display_name": person.name, "team": person.team_id}
    if person.email and "users:read.email" in workspace.app.scopes:
        shown["email"] = person.email
    return shown


def described(workspace: Workspace, person: Person) -> Json:
    """A person as users.info gives them; a deactivated one lacks zone and roles."""
    body: Json = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": person.deleted,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "profile": profile(workspace, person),
    }
    if person.is_stranger:
        body["is_stranger"] = True
    if not person.deleted:
        body |= {
            "real_name": person.real_name,
            "tz": person.tz,
            "is_admin": person.is_admin,
            "is_owner": False,
            "is_restricted": person.is_restricted,
            "is_ultra_restricted": person.is_ultra_restricted,
        }
    return body


def _person(workspace: Workspace, args: Arguments) -> Person:
    person = workspace.people.get(args.text("user"))
    if person is None:
        raise Refusal("user_not_found")
    return person


def users_info(workspace: Workspace, args: Arguments) -> Json:
    """One person. Raises Refusal(user_not_found)."""
    return {"user": described(workspace, _person(workspace, args))}


def users_list(workspace: Workspace, args: Arguments) -> Json:
    """Everybody of the workspace, a page at a time."""
    own = [person for person in workspace.people.values() if person.team_id == workspace.team.id]
    shown, cursor = page(own, args, limits.LIST_DEFAULT, limits.LIST_MAX)
    return {"members": [described(workspace, person) for person in shown], **cursor}


def users_lookup_by_email(workspace: Workspace, args: Arguments) -> Json:
    """The active person with an address. Raises Refusal(users_not_found)."""
    wanted = args.need("email").lower()
    for person in workspace.people.values():
        if person.email.lower() == wanted and not person.deleted:
            return {"user": described(workspace, person)}
    raise Refusal("users_not_found")


def users_profile_get(workspace: Workspace, args: Arguments) -> Json:
    """One profile. Raises Refusal(user_not_found)."""
    return {"profile": profile(workspace, _person(workspace, args))}


def described_group(workspace: Workspace, group: Group, args: Arguments) -> Json:
    """A user group as usergroups.list gives it."""
    body: Json = {
        "id": group.id,
        "team_id": workspace.team.id,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "date_delete": 1 if group.is_disabled else 0,
    }
    if args.flag("include_users"):
        body["users"] = list(group.users)
    if args.flag("include_count"):
        body["user_count"] = len(group.users)
    return body


def usergroups_list(workspace: Workspace, args: Arguments) -> Json:
    """The user groups; disabled ones only with `include_disabled`."""
    shown = [g for g in workspace.groups.values() if args.flag("include_disabled") or not g.is_disabled]
    return {"usergroups": [described_group(workspace, group, args) for group in shown]}


def usergroups_users_list(workspace: Workspace, args: Arguments) -> Json:
    """The ids of a group, deactivated people included. Raises Refusal(no_such_subteam)."""
    group = workspace.groups.get(args.need("usergroup"))
    if group is None or (group.is_disabled and not args.flag("include_disabled")):
        raise Refusal("no_such_subteam")
    return {"users": list(group.users)}


METHODS = {
    "auth.test": Method(auth_test, Tier.SPECIAL),
    "users.info": Method(users_info, Tier.T4, ("users:read",)),
    "users.list": Method(users_list, Tier.T2, ("users:read",)),
    "users.lookupByEmail": Method(users_lookup_by_email, Tier.T3, ("users:read.email",)),
    "users.profile.get": Method(users_profile_get, Tier.T4, ("users.profile:read",)),
    "usergroups.list": Method(usergroups_list, Tier.T2, ("usergroups:read",)),
    "usergroups.users.list": Method(usergroups_users_list, Tier.T2, ("usergroups:read",)),
}
