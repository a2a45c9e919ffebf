"""Reads workspace.yaml: the people, channels and groups that the fake Slack starts with."""

from collections.abc import Callable
from pathlib import Path

from ruamel.yaml import YAML

from bot.sandbox.slack.state import App, Channel, Group, Person, Team, Workspace

SHIPPED = Path(__file__).with_name("workspace.yaml")


def load(path: Path, now: Callable[[], float]) -> Workspace:
    """A fresh workspace from a file of the shape of workspace.yaml."""
    raw = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    team = Team(**raw["team"])
    app = App(**{**raw["app"], "scopes": set(raw["app"]["scopes"])})
    people = [Person(**{"team_id": team.id, **person}) for person in raw["people"]]
    return Workspace(
        team,
        app,
        now,
        people={person.id: person for person in people},
        channels={entry["id"]: Channel(**entry) for entry in raw["channels"]},
        groups={entry["id"]: Group(**entry) for entry in raw["groups"]},
    )
