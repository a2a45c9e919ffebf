"""The sandbox and bots in it, as the questions need them."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from bot.sandbox.rehearsal import TEAM, Rehearsal
from bot.sandbox.slack.signing import signed
from bot.sandbox.town import SIGNING_SECRET

SERVICE, CHANNEL, GOOD = "ai-square-prod/us-central1/backend", "C0AISQ", "backend-00041-kex"
ANA, BEN = "U0ANA", "U0BEN"
PATH = "/slack/events"


@contextmanager
def town(
    rate: float = 1.0, settings: Mapping[str, str] | None = None, world: Path | None = None
) -> Iterator[Rehearsal]:
    """A small cloud, a small Slack and an upgraded database; no bot runs yet. `world`: what runs in that cloud."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="aisq-bench-")))
        made = stack.enter_context(Rehearsal(folder, rate=rate, settings=settings, world=world))
        made.upgrade()
        yield made


@contextmanager
def serving(made: Rehearsal) -> Iterator[None]:
    """While a bot runs and is ready."""
    made.bot.start()
    try:
        made.bot.wait_ready()
        yield
    finally:
        made.bot.kill()


def until(true: Callable[[], bool], otherwise: str, *, patience_s: float = 60.0, every_s: float = 0.005) -> None:
    """Wait for it. Raises TimeoutError, which says `otherwise`."""
    deadline = time.monotonic() + patience_s
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{otherwise}, for {patience_s:.0f} s")
        time.sleep(every_s)


def command(text: str, trigger: str) -> tuple[bytes, dict[str, str]]:
    """What Slack posts when ana types `/aisq TEXT`, and its headers; `trigger` makes it a request of its own."""
    told = {
        "token": "legacy", "team_id": TEAM, "team_domain": "aisq", "channel_id": CHANNEL, "channel_name": "ops",
        "user_id": ANA, "user_name": "ana", "command": "/aisq", "text": text, "api_app_id": "A0AISQ",
        "is_enterprise_install": "false", "response_url": "", "trigger_id": trigger,
    }  # fmt: skip
    body = urlencode(told).encode()
    return body, {"Content-Type": "application/x-www-form-urlencoded", **signed(SIGNING_SECRET, body)}
