"""blocks.validate: Block Kit's checks without posting anything."""

from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.blockkit.problems import Problem
from bot.sandbox.slack.blockkit.surface import message_problems, view_problems
from bot.sandbox.slack.limits import Tier
from bot.sandbox.slack.method import Method
from bot.sandbox.slack.refusals import Refusal
from bot.sandbox.slack.state import Json, Workspace

KINDS = ("blocks", "message", "view")


def validate(workspace: Workspace, args: Arguments) -> Json:
    """Check exactly one of `blocks`, `message`, `view`; a message without text passes, as in Slack."""
    given = [kind for kind in KINDS if kind in args]
    if len(given) != 1:
        raise Refusal("invalid_arguments", ["must provide exactly one of `blocks`, `view`, or `message`"])
    kind = given[0]
    if problems := _problems(kind, args):
        raise Refusal(f"invalid_{kind}", errors=[problem.entry() for problem in problems])
    return {}


def _problems(kind: str, args: Arguments) -> list[Problem]:
    payload = args.document(kind, f"invalid_{kind}")
    if kind == "view":
        return view_problems(payload, "")
    if kind == "message":
        blocks = payload.get("blocks", []) if isinstance(payload, dict) else None
        return message_problems(blocks, "/blocks")
    return message_problems(payload, "")


METHODS = {"blocks.validate": Method(validate, Tier.SPECIAL)}
