"""A small cloud and a small Slack on this machine, for rehearsal and for tests. Shares no code with the bot."""

from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run `aisq sandbox ARGUMENTS`; returns the exit code."""
    from bot.sandbox.commands import sandbox

    try:
        sandbox.main(list(arguments), prog_name="aisq sandbox")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 1
    return 0
