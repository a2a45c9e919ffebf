"""The only reader of the environment. AISQ_DATABASE_URL, AISQ_SLACK__BOT_TOKEN and so on; secrets may be files.

A file in a folder of AISQ_SECRETS_DIR is named like its setting: database_url, slack__bot_token. The environment wins.
"""

import os
import pwd
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, DirectoryPath, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bot.core.errors import ConfigError

HERE = Path(__file__).resolve().parent.parent
PREFIX = "AISQ_"
COMPLETION = "_AISQ_COMPLETE"  # what a shell sets when it asks what could be typed next
ZONEINFO = "zoneinfo/"


class _Subject(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True)


class SlackSettings(_Subject):
    """Slack's side; without a bot token, and a signing secret or an app token, the Slack door stays shut."""

    signing_secret: SecretStr | None = None
    """What Slack signs its requests with; from the app's page "Basic Information"."""
    app_token: SecretStr | None = None
    """xapp-…, with connections:write; chooses Socket Mode, where Slack need not reach this machine."""
    bot_token: SecretStr | None = None
    """xoxb-…; from the app's page "OAuth & Permissions"."""
    api_url: str = "https://slack.com/api/"
    """Where Slack's Web API is."""
    team_id: str = ""
    """T…, whose people may ask; empty: whoever the signing secret belongs to."""
    host: str = ""
    """aisq.example.com, as in Slack's request URL: requests for other names are refused; empty: any name will do."""
    rate_factor: float = Field(1.0, gt=0)
    """Of Slack's published rates, which all replicas share: more than 1 only where Slack has granted more."""


class GoogleSettings(_Subject):
    """Google's side."""

    endpoint: str | None = None
    """127.0.0.1:PORT of a sandbox; nothing for Google itself."""


class ClockSettings(_Subject):
    """The sandbox's time."""

    origin_unix_s: float = 0.0
    """The instant, in seconds since 1970, from which time runs at `rate`."""
    rate: float = Field(1.0, gt=0)
    """How many seconds of that time pass in a real one."""


class Settings(BaseSettings):
    """Facts of a deployment. What aisq does is in catalog/ and policies/."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = None
    """sqlite:///FILE or postgresql://…; default: a SQLite file in the state directory."""
    state_dir: Path = Path("state")
    """Folder for the SQLite file and the terminal's log."""
    secrets_dir: str = ""
    """Folders with one file a secret, named like its setting; several are separated by colons."""
    catalog_dir: Path = HERE / "catalog"
    """Folder with one YAML file a system."""
    policies_dir: Path = HERE / "policies"
    """Folder with policies, roles, freezes and limits."""
    operations_dir: DirectoryPath | None = None
    """Folder with further operations of your own, one file each."""
    providers_dir: DirectoryPath | None = None
    """Folder with further platforms of your own, one file each."""
    host: str = "0.0.0.0"  # noqa: S104  a container's
    """Address that `serve` listens on."""
    port: int = Field(8080, validation_alias="PORT", ge=0, le=65535)
    """Port that `serve` listens on; 0: any that is free."""
    lease_s: float = Field(15.0, gt=0)
    """Real seconds until a silent process counts as dead."""
    sweep_every_s: float = Field(0.5, gt=0)
    """Real seconds between two looks for what should be running."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """What is logged: this and what is more severe."""
    cloud_run_service: str = Field("", validation_alias="K_SERVICE")
    """Set by Cloud Run itself."""
    sandbox: bool = False
    """Whether this is a rehearsal: `--as` is allowed."""
    slack: SlackSettings = SlackSettings()
    """Slack's side."""
    google: GoogleSettings = GoogleSettings()
    """Google's side."""
    clock: ClockSettings = ClockSettings()
    """The sandbox's time."""

    @property
    def database(self) -> str:
        """The database's URL. Raises ConfigError where SQLite would be lost."""
        if self.database_url is not None:
            url = self.database_url.get_secret_value().strip()
        else:
            url = f"sqlite:///{self.state_dir.resolve() / 'aisq.sqlite'}"
        if self.cloud_run_service and url.startswith("sqlite"):
            raise ConfigError(
                "Cloud Run loses its disk, so SQLite would lose every operation; set AISQ_DATABASE_URL to a PostgreSQL",
                file="environment",
                field="AISQ_DATABASE_URL",
            )
        return url

    @property
    def progress(self) -> str:
        """Where the durable library keeps its own tables: beside ours, never among them."""
        url = self.database
        if url.startswith("sqlite"):
            return url.removesuffix(".sqlite") + "-progress.sqlite"
        return "postgresql" + url[url.index(":") :]  # its own schema in the same database

    def secrets(self) -> tuple[str, ...]:
        """Every secret value that is set: what no log may show."""
        return tuple(_secrets(self))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        folders = os.environ.get(f"{PREFIX}SECRETS_DIR", "").split(os.pathsep)
        if not any(folders):
            return init_settings, env_settings
        files = NestedSecretsSettingsSource(
            file_secret_settings,
            secrets_dir=[Path(folder) for folder in folders if folder],
            secrets_dir_missing="error",
            secrets_prefix="",
            secrets_nested_delimiter="__",
        )
        return init_settings, env_settings, files


def load() -> Settings:
    """The settings of this process. Raises ConfigError naming the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ConfigError(str(first["msg"]), file="environment", field=_variable(first["loc"])) from None
    except SettingsError as error:  # a folder of secrets that is not there, or a whole subject that is no JSON
        raise ConfigError(f"{error}", file="environment", field=_named(str(error))) from None


def os_user() -> str:
    """Who runs this process, as the machine knows them; the environment could claim anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def zone() -> str:
    """The IANA name of this terminal's time zone; "UTC" where the machine does not say."""
    told = os.environ.get("TZ", "").removeprefix(":")
    return told or os.path.realpath("/etc/localtime").partition(ZONEINFO)[2] or "UTC"


def completion() -> str:
    """What a shell asks: "bash_complete" and the like; empty when a person called."""
    return os.environ.get(COMPLETION, "")


def _variable(place: tuple[int | str, ...]) -> str:
    aliases = {field.validation_alias for field in Settings.model_fields.values()}
    name = "__".join(str(part) for part in place)
    return name if name in aliases else PREFIX + name.upper()


def _named(problem: str) -> str:
    subjects = [name for name in Settings.model_fields if f'"{name}"' in problem]
    return PREFIX + (subjects[0] if subjects else "secrets_dir").upper()


def _secrets(model: BaseModel) -> Iterator[str]:
    values: Mapping[str, Any] = {name: getattr(model, name) for name in type(model).model_fields}
    for value in values.values():
        if isinstance(value, SecretStr):
            yield value.get_secret_value().strip()
        elif isinstance(value, BaseModel):
            yield from _secrets(value)
