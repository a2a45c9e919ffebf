"""Settings: each has a default and a sentence, a wrong value names its variable, secrets come from files."""

import getpass
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from bot import settings
from bot.core.errors import ConfigError
from bot.settings import Settings, load

POSTGRES = "postgresql://aisq:s3cret@10.0.0.3/aisq"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing to aisq."""
    for name in os.environ:
        if name.startswith("AISQ_") or name in ("PORT", "K_SERVICE", "TZ", settings.COMPLETION):
            monkeypatch.delenv(name)


def every(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """All settings by the variable that sets them."""
    for name, field in model.model_fields.items():
        alias = str(field.validation_alias or "")
        variable = alias or f"{prefix or 'AISQ_'}{name.upper()}"
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from every(inner, f"{variable}__")
        yield variable, field


EVERY = dict(every(Settings))


@pytest.mark.parametrize("variable", EVERY)
def test_every_setting_has_a_default_and_a_sentence(variable: str) -> None:
    field = EVERY[variable]
    assert not field.is_required()
    assert (field.description or "").endswith(".")


def test_nothing_needs_to_be_set() -> None:
    found = load()
    assert found.database == f"sqlite:///{Path('state').resolve() / 'aisq.sqlite'}"
    assert found.progress == f"sqlite:///{Path('state').resolve() / 'aisq'}-progress.sqlite"
    assert (found.port, found.sandbox, found.slack.bot_token, found.google.endpoint) == (8080, False, None, None)
    assert (found.catalog_dir / "ai-square.yaml").exists()
    assert (found.policies_dir / "roles.yaml").exists()


SET = {
    "AISQ_STATE_DIR": ("/var/lib/aisq", lambda s: s.state_dir, Path("/var/lib/aisq")),
    "AISQ_CATALOG_DIR": ("/srv/catalog", lambda s: s.catalog_dir, Path("/srv/catalog")),
    "AISQ_OPERATIONS_DIR": ("/", lambda s: s.operations_dir, Path("/")),
    "AISQ_HOST": ("127.0.0.1", lambda s: s.host, "127.0.0.1"),
    "PORT": ("0", lambda s: s.port, 0),
    "AISQ_LEASE_S": ("2.5", lambda s: s.lease_s, 2.5),
    "AISQ_LOG_LEVEL": ("DEBUG", lambda s: s.log_level, "DEBUG"),
    "AISQ_SANDBOX": ("true", lambda s: s.sandbox, True),
    "K_SERVICE": ("aisq", lambda s: s.cloud_run_service, "aisq"),
    "AISQ_SLACK__TEAM_ID": ("T1", lambda s: s.slack.team_id, "T1"),
    "AISQ_SLACK__RATE_FACTOR": ("2", lambda s: s.slack.rate_factor, 2.0),
    "AISQ_SLACK__BOT_TOKEN": ("xoxb-1", lambda s: s.slack.bot_token, SecretStr("xoxb-1")),
    "AISQ_GOOGLE__ENDPOINT": ("127.0.0.1:9", lambda s: s.google.endpoint, "127.0.0.1:9"),
    "AISQ_CLOCK__RATE": ("60", lambda s: s.clock.rate, 60.0),
}


@pytest.mark.parametrize("variable", SET)
def test_a_variable_sets_its_setting(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value, setting, expected = SET[variable]
    monkeypatch.setenv(variable, value)
    assert setting(load()) == expected


@pytest.mark.parametrize(
    "variable", [name for name in EVERY if name not in ("AISQ_SLACK", "AISQ_GOOGLE", "AISQ_CLOCK")]
)
def test_an_empty_variable_is_as_good_as_none(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "")
    assert load() == Settings()
    monkeypatch.delenv(variable)
    assert load() == Settings()


WRONG = {
    "a port that is no number": ("PORT", "http", "PORT"),
    "a port beyond the last": ("PORT", "65536", "PORT"),
    "a lease of no time": ("AISQ_LEASE_S", "0", "AISQ_LEASE_S"),
    "a lease in words": ("AISQ_LEASE_S", "ten", "AISQ_LEASE_S"),
    "a sweep that never comes": ("AISQ_SWEEP_EVERY_S", "-1", "AISQ_SWEEP_EVERY_S"),
    "a level that nobody knows": ("AISQ_LOG_LEVEL", "LOUD", "AISQ_LOG_LEVEL"),
    "a clock that stands still": ("AISQ_CLOCK__RATE", "0", "AISQ_CLOCK__RATE"),
    "a clock that begins never": ("AISQ_CLOCK__ORIGIN_UNIX_S", "now", "AISQ_CLOCK__ORIGIN_UNIX_S"),
    "neither yes nor no": ("AISQ_SANDBOX", "perhaps", "AISQ_SANDBOX"),
    "a subject that is no JSON": ("AISQ_SLACK", "xoxb-s3cret", "AISQ_SLACK"),
    "a folder of operations that is not there": ("AISQ_OPERATIONS_DIR", "/nowhere", "AISQ_OPERATIONS_DIR"),
    "a folder of secrets that is not there": ("AISQ_SECRETS_DIR", "/nowhere", "AISQ_SECRETS_DIR"),
}


@pytest.mark.parametrize(("variable", "value", "named"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_names_its_variable(
    variable: str, value: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as caught:
        load()
    assert (caught.value.file, caught.value.field) == ("environment", named)
    assert str(caught.value).startswith(f"environment: {named}: ")


def test_what_is_wrong_is_said_without_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISQ_SLACK", '{"bot_token": ["xoxb-s3cret"]}')
    with pytest.raises(ConfigError) as caught:
        load()
    assert caught.value.field == "AISQ_SLACK__BOT_TOKEN"
    assert "s3cret" not in str(caught.value)


def test_settings_do_not_change() -> None:
    with pytest.raises(Exception, match="frozen"):
        load().port = 1  # type: ignore[misc]


# --- secrets


@pytest.fixture
def secret_files(tmp_path: Path) -> Path:
    """A folder with a file for each secret, as an editor leaves them: with a line end."""
    for name, value in {
        "database_url": POSTGRES,
        "slack__bot_token": "xoxb-from-file",
        "slack__signing_secret": "8f742231",
    }.items():
        (tmp_path / name).write_text(f"{value}\n")
    return tmp_path


def secret(value: SecretStr | None) -> str:
    assert value is not None
    return value.get_secret_value()


def test_secrets_come_from_files(secret_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISQ_SECRETS_DIR", str(secret_files))
    found = load()
    assert found.database == POSTGRES
    assert (secret(found.slack.bot_token), secret(found.slack.signing_secret)) == ("xoxb-from-file", "8f742231")


def test_secrets_may_lie_in_several_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cloud Run mounts every secret on a directory of its own."""
    for name, value in {"slack__bot_token": "xoxb-1", "database_url": POSTGRES}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text(value)
    monkeypatch.setenv("AISQ_SECRETS_DIR", f"{tmp_path / 'slack__bot_token'}:{tmp_path / 'database_url'}")
    found = load()
    assert (found.database, secret(found.slack.bot_token)) == (POSTGRES, "xoxb-1")


def test_a_mounted_volume_of_links_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Kubernetes mounts them: the file is a link through `..data` to a folder named by date."""
    real = tmp_path / "..2026_11_20"
    real.mkdir()
    (real / "database_url").write_text(POSTGRES)
    (tmp_path / "..data").symlink_to(real.name)
    (tmp_path / "database_url").symlink_to("..data/database_url")
    monkeypatch.setenv("AISQ_SECRETS_DIR", str(tmp_path))
    assert load().database == POSTGRES


def test_the_environment_wins_over_files(secret_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISQ_SECRETS_DIR", str(secret_files))
    monkeypatch.setenv("AISQ_SLACK__BOT_TOKEN", "xoxb-from-environment")
    found = load()
    assert secret(found.slack.bot_token) == "xoxb-from-environment"
    assert secret(found.slack.signing_secret) == "8f742231"


def test_other_files_beside_the_secrets_are_no_settings(secret_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (secret_files / "readme").write_text("hello")
    monkeypatch.setenv("AISQ_SECRETS_DIR", str(secret_files))
    assert load().database == POSTGRES


def test_secrets_are_not_shown(secret_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISQ_SECRETS_DIR", str(secret_files))
    shown = f"{load()!r} {load()} {load().model_dump()} {load().model_dump_json()}"
    assert not [value for value in ("s3cret", "xoxb-from-file", "8f742231") if value in shown]


def test_all_secrets_are_known_to_whoever_must_hide_them(secret_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().secrets() == ()
    monkeypatch.setenv("AISQ_SECRETS_DIR", str(secret_files))
    assert set(load().secrets()) == {POSTGRES, "xoxb-from-file", "8f742231"}


def test_every_secret_setting_would_be_hidden() -> None:
    """Whatever is typed as a secret is in `secrets()`, also what somebody adds later."""

    def filled(model: type[BaseModel]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name, field in model.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                given[name] = filled(field.annotation)
            elif "SecretStr" in str(field.annotation):
                given[name] = f"secret-{name}"
        return given

    given = filled(Settings)
    expected = {value for value in json.dumps(given).split('"') if value.startswith("secret-")}
    assert set(Settings(**given).secrets()) == expected
    assert len(expected) >= 3


# --- the database


@pytest.mark.parametrize("url", ["sqlite:////data/aisq.sqlite", POSTGRES, "postgresql+psycopg://db/aisq"])
def test_a_database_is_taken_as_it_is_written(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISQ_DATABASE_URL", url)
    assert load().database == url


@pytest.mark.parametrize(
    ("url", "progress"),
    [
        ("sqlite:////data/aisq.sqlite", "sqlite:////data/aisq-progress.sqlite"),
        ("sqlite:////data/aisq.db", "sqlite:////data/aisq.db-progress.sqlite"),
        (POSTGRES, POSTGRES),
        ("postgresql+psycopg://db/aisq", "postgresql://db/aisq"),
    ],
)
def test_progress_is_kept_beside_it(url: str, progress: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISQ_DATABASE_URL", url)
    assert load().progress == progress


@pytest.mark.parametrize("url", ["", "sqlite:////data/aisq.sqlite"])
def test_sqlite_on_cloud_run_is_refused_and_says_what_to_set(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K_SERVICE", "aisq")
    monkeypatch.setenv("AISQ_DATABASE_URL", url)
    with pytest.raises(ConfigError, match="set AISQ_DATABASE_URL to a PostgreSQL"):
        _ = load().database


def test_postgresql_on_cloud_run_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K_SERVICE", "aisq")
    monkeypatch.setenv("AISQ_DATABASE_URL", POSTGRES)
    assert load().database == POSTGRES


# --- this machine


def test_the_user_is_who_the_kernel_says(monkeypatch: pytest.MonkeyPatch) -> None:
    me = getpass.getuser()
    for variable in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "somebody-else")
    assert settings.os_user() == me


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4242424)
    assert settings.os_user() == "4242424"


@pytest.mark.parametrize(
    ("told", "zone"), [("Europe/Berlin", "Europe/Berlin"), (":Asia/Tokyo", "Asia/Tokyo"), ("CET-1CEST", "CET-1CEST")]
)
def test_the_zone_is_what_the_terminal_says(told: str, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", told)
    assert settings.zone() == zone


@pytest.mark.parametrize(
    ("link", "zone"),
    [("/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"), ("/etc/localtime", "UTC"), ("/var/db/timezone", "UTC")],
)
def test_else_it_is_the_machines(link: str, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "realpath", lambda _: link)
    assert settings.zone() == zone


def test_a_shell_that_completes_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.completion() == ""
    monkeypatch.setenv("_AISQ_COMPLETE", "bash_complete")
    assert settings.completion() == "bash_complete"
