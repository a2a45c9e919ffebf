"""What `aisq` is put together from."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import bot.__main__ as entry
from bot import sandbox, settings
from bot.core.errors import ConfigError, StoreError, UserError
from bot.core.rules import Roles
from bot.doors.cli.people import Accounts, Players
from bot.doors.slack import SlackDoor, SlackPeople
from bot.engine.people import People
from bot.stores import database
from tests.root_logger import kept

ROOT = Path(__file__).parents[1]
TOKENS = {"bot_token": "xoxb-test", "signing_secret": "8f742231", "api_url": "http://127.0.0.1:9/api/"}


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (settings.COMPLETION, "K_SERVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AISQ_STATE_DIR", str(tmp_path / "state"))
    yield


def told(**values: Any) -> settings.Settings:
    return settings.load().model_copy(update=values)


def parts(**values: Any) -> entry.Composed:
    made = entry.Composed()
    vars(made)["settings"] = told(**values)
    return made


def slack_settings(**changed: Any) -> settings.SlackSettings:
    return settings.SlackSettings.model_validate({**TOKENS, **changed})


# --- who asks


def test_one_is_who_one_is_logged_in_as() -> None:
    assert parts().actor("") == f"os:{settings.os_user()}"


def test_in_the_sandbox_one_may_be_somebody_else() -> None:
    assert parts(sandbox=True).actor("U0ANA") == "slack:U0ANA"


def test_elsewhere_one_may_not() -> None:
    with pytest.raises(UserError, match="for the sandbox"):
        parts().actor("U0ANA")


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ({}, {"os": Accounts}),
        ({"sandbox": True}, {"os": Accounts, "slack": Players}),
        ({"slack": slack_settings()}, {"os": Accounts, "slack": SlackPeople}),
        ({"slack": slack_settings(), "sandbox": True}, {"os": Accounts, "slack": SlackPeople}),
    ],
    ids=["nothing set", "sandbox", "Slack", "Slack in the sandbox"],
)
def test_who_knows_people(values: dict[str, Any], kinds: dict[str, type]) -> None:
    assert {door: type(source) for door, source in entry.sources(told(**values)).items()} == kinds


def test_slack_is_asked_about_the_groups_that_have_roles(tmp_path: Path) -> None:
    people = entry.sources(told(slack=slack_settings()))["slack"]
    assert isinstance(people, SlackPeople)
    assert all(group.startswith("S") for group in people._groups)


# --- Slack's door


def an_app(**slack: Any) -> Any:
    configured = told(slack=settings.SlackSettings.model_validate(slack))
    front, people = SimpleNamespace(commands=dict), People(Roles(roles={}), entry.sources(configured))
    return SimpleNamespace(settings=configured, front=front, messages=None, clock=None, people=people)


def test_without_slacks_secrets_its_door_stays_shut() -> None:
    assert entry.slack(an_app()) == ()


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("bot_token", "AISQ_SLACK__SIGNING_SECRET"),
        ("signing_secret", "AISQ_SLACK__BOT_TOKEN"),
        ("app_token", "AISQ_SLACK__BOT_TOKEN"),
    ],
)
def test_with_one_of_them_it_says_which_is_missing(given: str, missing: str) -> None:
    with pytest.raises(ConfigError) as caught:
        entry.slack(an_app(**{given: "xoxb-s3cret"}))
    assert caught.value.field == missing
    assert "s3cret" not in str(caught.value)


def test_with_both_it_opens() -> None:
    (door,) = entry.slack(an_app(**TOKENS))
    assert isinstance(door, SlackDoor)
    assert [getattr(route, "path", "") for route in door.routes()] == ["/slack/events"]
    assert door.connected() is None


async def test_with_an_app_token_it_connects_instead_and_needs_no_signing_secret() -> None:
    for tokens in (TOKENS, {**TOKENS, "signing_secret": None}):
        (door,) = entry.slack(an_app(**tokens, app_token="xapp-test"))
        assert isinstance(door, SlackDoor)
        assert (door.routes(), door.connected()) == ([], False)


# --- administration, with the files that are shipped


def test_the_shipped_catalog_and_policies_are_right() -> None:
    made = parts()
    assert [str(one) for one in made.catalog_problems() if getattr(one, "level", "error") == "error"] == []
    assert list(made.policy_problems()) == []
    cases = made.policy_cases()
    assert cases
    assert [problem for _, _, problem in cases if problem] == []


def test_the_shipped_schema_is_the_models() -> None:
    assert (ROOT / "catalog" / "schema.json").read_text(encoding="utf-8") == parts().catalog_schema()


def test_the_schema_is_written_into_the_catalog(tmp_path: Path) -> None:
    made = parts(catalog_dir=tmp_path)
    assert made.write_catalog_schema() == str(tmp_path / "schema.json")
    assert json.loads((tmp_path / "schema.json").read_text())["title"] == "System"


def test_a_catalog_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written: No such file or directory"):
        parts(catalog_dir=tmp_path / "nowhere").write_catalog_schema()


def test_mistakes_have_their_place(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("system: shop\ntitle: 3\nflavour: none\n")
    problems = [str(one) for one in parts(catalog_dir=tmp_path).catalog_problems()]
    assert problems
    assert all("shop.yaml:" in one for one in problems)


def test_upgrade_brings_the_schema_of_this_version() -> None:
    made = parts()
    with pytest.raises(StoreError, match="run `aisq db upgrade`"):
        made.bot()
    assert made.upgrade() == database.wanted()
    assert entry.composed(made.settings).look() == "0" * 64


def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "aisq.sqlite").write_text("this is no database, whatever its name says")
    with pytest.raises(StoreError, match="file is not a database"):
        parts().upgrade()


# --- completion


def test_targets_and_operations_for_completion() -> None:
    made = parts()
    assert "ai-square/prod/backend" in {target.full_name for target in made.targets()}
    with pytest.raises(StoreError):
        list(made.operations())
    made.upgrade()
    assert list(made.operations()) == []


def test_loaders_load_what_their_name_says() -> None:
    loaders = parts().loaders()
    assert loaders["ops show"]().command() == "ops show"


def test_commands_are_there_under_their_aliases_too() -> None:
    commands = parts().commands()
    for operation in set(commands.values()):
        for name in (operation.command(), *operation.aliases):
            assert commands[name] is operation


@pytest.fixture
def a_shell_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.COMPLETION, "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "aisq rollb")
    monkeypatch.setenv("COMP_CWORD", "1")


@pytest.mark.usefixtures("a_shell_asks")
@pytest.mark.parametrize("argv", [[], ["sandbox"], ["serve"]])
def test_a_shell_that_asks_gets_words_whatever_is_typed_so_far(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.main(argv) == 0
    assert capsys.readouterr().out == "plain,rollback\n"


@pytest.mark.usefixtures("a_shell_asks")
def test_a_shell_gets_nothing_when_a_setting_is_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AISQ_LEASE_S", "ten")
    assert entry.main([]) == 2
    assert capsys.readouterr() == ("", "")


# --- the sandbox


def test_the_sandbox_gets_the_rest_of_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[str]] = []
    monkeypatch.setattr(sandbox, "main", lambda words: asked.append(words) or 7)
    assert entry.main(["sandbox", "up", "--json"]) == 7
    assert asked == [["up", "--json"]]


@pytest.mark.parametrize("missing", ["bot.sandbox", "numpy"])
def test_where_it_is_not_installed_it_says_what_to_install(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.setattr(entry.importlib, "import_module", gone)
    assert entry.main(["sandbox"]) == 2
    assert capsys.readouterr().err == (
        f"The sandbox is not installed ({missing} is missing): pip install 'aisq[sandbox]'\n"
    )  # fmt: skip


# --- as a program


def test_words_come_from_the_command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["aisq", "completion", "tcsh"])
    assert entry.main() == 2
    assert "Say which shell" in capsys.readouterr().err


def test_a_bug_where_nothing_was_logged_yet_begins_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(database, "upgrade", lambda _: 1 / 0)
    with kept():
        assert entry.main(["db", "upgrade"]) == 70
    shown = capsys.readouterr()
    log = tmp_path / "state" / "aisq.log"
    assert (shown.out, shown.err) == (
        "", f"That is a bug in aisq, not your mistake; what happened is in {log}.\n"
    )  # fmt: skip
    assert "ZeroDivisionError" in json.loads(log.read_text().splitlines()[-1])["exception"]
