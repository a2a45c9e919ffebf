"""What belongs to the terminal and not to the request: how to answer, and in whose name."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from bot.core.errors import UserError

HELP = (
    ("--json", "Answer with one JSON document on stdout, everything else on stderr."),
    ("--no-wait", "Return as soon as there is a plan."),
    ("--here", "Let this process carry it out, when no other one is at work."),
    ("--channel ID", "Take the defaults of this Slack channel, such as C0AISQ."),
    ("--as ID", "In the sandbox: be this Slack user, such as U0ANA."),
)
_FLAGS = {"--json": "json", "--no-wait": "no_wait", "--here": "here"}
_VALUES = {"--channel": "channel", "--as": "as_"}


class Options(NamedTuple):
    """The terminal's own options."""

    json: bool = False
    no_wait: bool = False
    here: bool = False
    help: bool = False
    channel: str = ""
    as_: str = ""


def read(said: Sequence[str]) -> tuple[Options, list[str]]:
    """The options, wherever they stand, and the words of the request. Raises UserError."""
    left, words, found = list(said), [], dict[str, str | bool]()
    while left:
        word = left.pop(0)
        name, equals, value = re.sub(r"^[\u2012-\u2015]", "--", word).partition("=")
        if name in _FLAGS and not equals:
            found[_FLAGS[name]] = True
        elif name in ("--help", "-h"):
            found["help"] = True
        elif name in _VALUES:
            if not equals and not left:
                raise UserError(f"`{name}` needs a value.")
            found[_VALUES[name]] = value if equals else left.pop(0)
        else:
            words.append(word)
    return Options(**found), words  # type: ignore[arg-type]
