"""What a person sees after doing something in Slack."""

from dataclasses import dataclass, field

from bot.sandbox.slack.delivery import Delivery
from bot.sandbox.slack.state import Json, Message, View, Workspace
from bot.sandbox.slack.wire import described


@dataclass
class Result:
    """`note` is Slack's own sentence to the person (a failure, a refused form), "" when there is none."""

    delivery: Delivery | None
    shown: list[Message] = field(default_factory=list)
    view: View | None = None
    errors: dict[str, str] = field(default_factory=dict)
    options: list[Json] = field(default_factory=list)
    note: str = ""
    error: str = ""

    @property
    def ok(self) -> bool:
        """True if the bot took it and Slack shows no trouble."""
        return not (self.error or self.errors)

    def as_json(self, workspace: Workspace) -> Json:
        """The result for the control door: HTTP status from the bot, milliseconds, and what is on the screen."""
        delivery = self.delivery
        return {
            "ok": self.ok,
            "error": self.error,
            "note": self.note,
            "status": delivery.status if delivery else None,
            "ms": round(delivery.ms, 2) if delivery else None,
            "body": delivery.body if delivery else {},
            "shown": [
                {**described(workspace, message), "channel": message.channel, "visible_to": message.visible_to}
                for message in self.shown
            ],
            "view": self.view.body if self.view else None,
            "errors": self.errors,
            "options": self.options,
        }


def of(delivery: Delivery, what: str) -> Result:
    """A result with Slack's sentence if the delivery failed; `what` is the thing the person used."""
    if not delivery.error:
        return Result(delivery)
    if delivery.error == "operation_timeout":
        note = f"{what} failed because the app did not respond."
    else:
        note = f'{what} failed with the error "{delivery.error}".'
    return Result(delivery, note=note, error=delivery.error)
