"""What a Web API method is to the fake: a function of workspace and arguments, its scopes and its budget."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.limits import Tier
from bot.sandbox.slack.state import Json, Workspace


@dataclass(frozen=True)
class Method:
    """`scopes`: any one of them suffices, none needs none. `run` returns the answer without `ok`."""

    run: Callable[[Workspace, Arguments], Json]
    tier: Tier
    scopes: tuple[str, ...] = ()
