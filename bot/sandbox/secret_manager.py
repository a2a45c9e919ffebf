"""Secret Manager: which versions exist, and whether they are enabled."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import get_args

from bot.sandbox.blueprint import Secret as Plan
from bot.sandbox.blueprint import SecretState


@dataclass
class Version:
    number: int
    state: SecretState
    created: datetime
    destroyed: datetime | None = None


@dataclass
class Secret:
    created: datetime
    versions: list[Version] = field(default_factory=list)


class Vault:
    """Secrets by (project, name). Callers hold the world's lock."""

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], Secret] = {}
        self.numbers: dict[str, int] = {}

    def add(self, project: str, name: str, plan: Plan, now: datetime) -> None:
        """One version every 90 days up to the newest, which is as old as the plan says."""
        count = len(plan.versions)
        ages = [plan.age + timedelta(days=90) * (count - 1 - index) for index in range(count)]
        versions = [
            Version(index + 1, state, now - age, now - plan.age if state == "DESTROYED" else None)
            for index, (state, age) in enumerate(zip(plan.versions, ages, strict=True))
        ]
        self.secrets[project, name] = Secret(versions[0].created, versions)

    def find(self, project: str, name: str, version: str) -> Version | None:
        """A version by number, or the newest as "latest"."""
        secret = self.secrets.get((project, name))
        if not secret:
            return None
        if version == "latest":
            return secret.versions[-1]
        return next((one for one in secret.versions if str(one.number) == version), None)

    def complaint(self, project: str, secret: str, version: str) -> str:
        """Why the version cannot be read, as Secret Manager words it, or ""."""
        found = self.find(project, secret, version)
        name = f"projects/{self.numbers.get(project, project)}/secrets/{secret}/versions/"
        if not found:
            return f"Secret [{name.removesuffix('/versions/')}] not found or has no versions."
        if found.state == "ENABLED":
            return ""
        return f"Secret Version [{name}{found.number}] is in {found.state} state."

    def set_state(self, project: str, name: str, version: str, state: SecretState, now: datetime) -> Version:
        """Change a version's state; what is destroyed stays so. Raises KeyError or ValueError."""
        found = self.find(project, name, version)
        if not found:
            raise KeyError(f"{project} has no secret {name} with a version {version}.")
        if state not in get_args(SecretState):
            raise ValueError(f"A state is one of {', '.join(get_args(SecretState))}, not {state}.")
        if found.state == "DESTROYED" and state != "DESTROYED":
            raise ValueError(f"Version {version} of {name} is destroyed; that cannot be undone.")
        found.state, found.destroyed = state, now if state == "DESTROYED" else None
        return found
