"""What a person looks at: who they are, which tab, which service, which thread. All of it stands in the address."""

from collections.abc import Mapping
from typing import Literal, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SERVICE, CHANNEL = "ai-square-prod/us-central1/backend", "C0AISQ"
PERSONS = {"ana": "U0ANA", "ben": "U0BEN", "cho": "U0CHO", "dev": "U0DEV"}
Tab = Literal["channel", "home", "dm"]


class View(BaseModel):
    """Immutable; `who` is a name of PERSONS, `thread` the ts of a message."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    who: Literal["ana", "ben", "cho", "dev"] = "ana"
    tab: Tab = "channel"
    service: str = Field(default=SERVICE, pattern=r"^[\w-]+/[\w-]+/[\w-]+$")
    thread: str = Field(default="", pattern=r"^(\d+\.\d+)?$")

    @classmethod
    def read(cls, query: str | Mapping[str, str]) -> Self:
        """From an address; what makes no sense in it is left out."""
        given = dict(parse_qsl(query.lstrip("?"))) if isinstance(query, str) else dict(query)
        try:
            return cls.model_validate({name: value for name, value in given.items() if name in cls.model_fields})
        except ValidationError:
            return cls()

    @property
    def user(self) -> str:
        """The Slack id of who looks."""
        return PERSONS[self.who]

    @property
    def channel(self) -> str:
        """The id of the conversation that is open."""
        return f"D{self.user[1:]}" if self.tab == "dm" else CHANNEL

    @property
    def query(self) -> str:
        """What stands in the address beside the defaults."""
        return urlencode(self.model_dump(exclude_defaults=True))

    def but(self, **changes: str) -> str:
        """The address of the same view with something else; another tab closes the thread."""
        if "tab" in changes:
            changes.setdefault("thread", "")
        return f"/?{View.read({**self.model_dump(), **changes}).query}"
