"""The terminal's own options, apart from the request's words."""

import pytest

from bot.core.errors import UserError
from bot.doors.cli.options import HELP, Options, read

READ = {
    "none": (["status", "backend"], Options(), ["status", "backend"]),
    "before": (["--json", "status"], Options(json=True), ["status"]),
    "between": (["ops", "--no-wait", "list"], Options(no_wait=True), ["ops", "list"]),
    "after": (["approve", "7k3q", "--here"], Options(here=True), ["approve", "7k3q"]),
    "with a value": (["--as", "U0ANA", "whoami"], Options(as_="U0ANA"), ["whoami"]),
    "with a value behind =": (["whoami", "--channel=C0AISQ"], Options(channel="C0AISQ"), ["whoami"]),
    "help": (["rollback", "--help"], Options(help=True), ["rollback"]),
    "short help": (["-h"], Options(help=True), []),
    "a phone's dash": (["status", "\u2014json"], Options(json=True), ["status"]),
    "the operation's own stay": (["rollback", "x", "--reason", "y"], Options(), ["rollback", "x", "--reason", "y"]),
    "a flag with a value is not ours": (["x", "--json=1"], Options(), ["x", "--json=1"]),
    "all": (
        ["--as", "U0ANA", "--json", "a", "--here", "--no-wait", "--channel", "C0AISQ"],
        Options(json=True, here=True, no_wait=True, channel="C0AISQ", as_="U0ANA"),
        ["a"],
    ),
}


@pytest.mark.parametrize(("said", "options", "words"), READ.values(), ids=READ)
def test_options_are_taken_out_wherever_they_stand(said: list[str], options: Options, words: list[str]) -> None:
    assert read(said) == (options, words)


@pytest.mark.parametrize("name", ["--as", "--channel"])
def test_an_option_without_its_value_is_said(name: str) -> None:
    with pytest.raises(UserError, match=f"`{name}` needs a value"):
        read(["whoami", name])


def test_help_explains_every_option() -> None:
    assert {written.split()[0] for written, _ in HELP} == {"--json", "--no-wait", "--here", "--channel", "--as"}
