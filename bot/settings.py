"""The only reader of the environment. AISQ_DATABASE_URL, AISQ_SLACK__BOT_TOKEN and so on; secrets may be files.

A file in the folder AISQ_SECRETS_DIR is named like its setting: database_url, slack__bot_token. The environment wins.
"""

import os
import pwd
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot.core.errors import ConfigError

HERE = Path(__file__).resolve().parent.parent


class SlackSettings(BaseModel, frozen=True):
    """Slack's side; without a signing secret the Slack door stays shut."""

    signing_secret: SecretStr | None = None
    bot_token: SecretStr | None = None
    api_url: str = "https://slack.com/api/"
    team_id: str = ""  # whose people may ask; empty: whoever the signing secret belongs to


class GoogleSettings(BaseModel, frozen=True):
    """Google's side; `endpoint` is 127.0.0.1:PORT of a sandbox, and nothing for Google itself."""

    endpoint: str | None = None


class ClockSettings(BaseModel, frozen=True):
    """The sandbox's time: from `origin_unix_s` on, `rate` times as fast."""

    origin_unix_s: float = 0.0
    rate: float = Field(1.0, gt=0)


class Settings(BaseSettings):
    """Facts of a deployment. What aisq does is in catalog/ and policies/."""

    model_config = SettingsConfigDict(env_prefix="AISQ_", env_nested_delimiter="__", extra="ignore", frozen=True)

    database_url: SecretStr | None = None  # default: a SQLite file in state_dir
    state_dir: Path = Path("state")
    secrets_dir: Path | None = None
    catalog_dir: Path = HERE / "catalog"
    policies_dir: Path = HERE / "policies"
    operations_dir: Path | None = None  # further operations of your own, one file each
    providers_dir: Path | None = None  # further platforms of your own, one file each
    host: str = "0.0.0.0"  # noqa: S104  a container's
    port: int = Field(8080, validation_alias="PORT", ge=0, le=65535)
    lease_s: float = Field(15.0, gt=0)  # real seconds until a silent process counts as dead
    sweep_every_s: float = Field(0.5, gt=0)
    log_level: str = "INFO"
    cloud_run_service: str = Field("", validation_alias="K_SERVICE")  # set by Cloud Run itself
    sandbox: bool = False  # rehearsal: `--as` is allowed
    slack: SlackSettings = SlackSettings()
    google: GoogleSettings = GoogleSettings()
    clock: ClockSettings = ClockSettings()

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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        folder = os.environ.get("AISQ_SECRETS_DIR")
        if not folder:
            return init_settings, env_settings
        files = NestedSecretsSettingsSource(
            file_secret_settings,
            secrets_dir=folder,
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
        name = "AISQ_" + "__".join(str(part).upper() for part in first["loc"])
        raise ConfigError(str(first["msg"]), file="environment", field=name) from None


def os_user() -> str:
    """Who runs this process, as the machine knows them; the environment could claim anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
