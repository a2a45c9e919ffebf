"""world.yaml as models: what runs where before anybody touches it. Every field but names has a default."""

import hashlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.sandbox.quality import Quality

SHIPPED = Path(__file__).with_name("world.yaml")
LATEST = "LATEST"
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SecretState = Literal["ENABLED", "DISABLED", "DESTROYED"]
Severity = Literal["CRITICAL", "HIGH", "MEDIUM", "LOW", "MINIMAL"]


def _age(written: Any) -> Any:
    """ "90m", "12d": how long before the sandbox started."""
    if not isinstance(written, str):
        return written
    if not (match := re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", written)):
        raise ValueError(f"write an age as 30s, 90m, 6h or 12d, not {written!r}")
    return timedelta(seconds=float(match[1]) * _UNITS_S[match[2]])


Age = Annotated[timedelta, BeforeValidator(_age)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Release(Strict):
    """One revision. `name` is its suffix ("00041-kex") or its full name; `tag` is its image's."""

    name: str
    age: Age
    error_rate: float = Field(default=0.0004, ge=0, le=1)
    p95_ms: float = Field(default=0.0, ge=0)  # 0: as its name has it
    tag: str = ""
    ready: bool = True
    image_exists: bool = True
    secrets: dict[str, str] | None = None
    vulnerabilities: dict[Severity, int] | None = {}  # of its image; None: nobody has scanned it

    @property
    def quality(self) -> Quality:
        return Quality(self.error_rate, self.ready, self.p95_ms)


class Split(Strict):
    """Which percentages were served from `age` on."""

    age: Age
    traffic: dict[str, int]


class Service(Strict):
    """One Cloud Run service. `traffic` names releases or LATEST; `secrets` maps variables to "secret:version".

    Without `history` every release that was ever ready took all traffic when it was deployed.
    """

    image: str = ""
    rps: float = Field(default=1.0, ge=0)
    not_found_rate: float = Field(default=0.01, ge=0, le=1)
    min_instances: int = 0
    max_instances: int = 10
    cpu: str = "1"
    memory: str = "512Mi"
    port: int = 8080
    concurrency: int = 80
    env: dict[str, str] = {}
    secrets: dict[str, str] = {}
    releases: list[Release] = Field(min_length=1)
    traffic: dict[str, int] = {LATEST: 100}
    history: list[Split] | None = None


class Job(Strict):
    """One Cloud Run job, which ran once when it was made. `seconds` is how long a run takes; `fails`: each of them."""

    image: str = ""
    tag: str = "latest"
    age: Age = timedelta(days=10)
    seconds: float = Field(default=20.0, ge=0)
    fails: bool = False
    env: dict[str, str] = {}
    secrets: dict[str, str] = {}


class Secret(Strict):
    """A secret, its versions' states (the first is version 1), and the age of the newest."""

    versions: list[SecretState] = ["ENABLED"]
    age: Age = timedelta(days=30)


class Project(Strict):
    """A project. `services` and `jobs` are in its `location`, or under "location/name".

    Its Cloud Run pulls images from its own registries, and from those of the projects in `pulls_from`.
    """

    number: int = 0
    location: str = "us-central1"
    services: dict[str, Service] = {}
    jobs: dict[str, Job] = {}
    secrets: dict[str, Secret] = {}
    pulls_from: list[str] = []


class Blueprint(Strict):
    """The whole world. Durations are in sandbox seconds."""

    rollout_s: float = Field(default=4.0, ge=0)
    metrics_lag_s: float = Field(default=150.0, ge=0)
    projects: dict[str, Project]

    @model_validator(mode="after")
    def _fill_in(self) -> "Blueprint":
        for name, project in self.projects.items():
            project.number = project.number or 10**11 + _number(name) % 10**11
            for key, service in project.services.items():
                _complete(name, project.location, key.rpartition("/")[2], service)
            for key, job in project.jobs.items():
                job.image = job.image or _image(name, project.location, key.rpartition("/")[2])
        return self


def digest(image: str, tag: str) -> str:
    """The image by digest, as if its content were its name and tag."""
    return f"{image}@sha256:{hashlib.sha256(f'{image}:{tag}'.encode()).hexdigest()}"


def load(path: Path = SHIPPED) -> Blueprint:
    """Read a world file. Raises ValueError that names the file and the field."""
    try:
        return Blueprint.model_validate(YAML(typ="safe").load(path))
    except (ValueError, YAMLError) as error:
        raise ValueError(f"{path}: {error}") from error


def _complete(project: str, location: str, name: str, service: Service) -> None:
    service.image = service.image or _image(project, location, name)
    for release in service.releases:
        release.name = release.name if release.name.startswith(f"{name}-") else f"{name}-{release.name}"
        release.tag = release.tag or release.name.removeprefix(f"{name}-")


def _image(project: str, location: str, name: str) -> str:
    return f"{location}-docker.pkg.dev/{project}/app/{name}"


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
