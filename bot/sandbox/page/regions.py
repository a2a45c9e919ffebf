"""The page in regions, each an element with an id: what changed in one is sent alone."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.sandbox.drawing import percent
from bot.sandbox.page import cloud, slack
from bot.sandbox.page.breaks import BREAKS, RATES, waiting
from bot.sandbox.page.look import Seen
from bot.sandbox.page.scenarios import Run, Scenario
from bot.sandbox.page.view import PERSONS, View

FOLDER = Path(__file__).parent
NAMES = ("top", "scenario", "people", "tabs", "conversation", "composer", "modals", "notice", "news", "service",
         "services", "breaks", "calls")  # fmt: skip
ROLES = {"ana": "on-call", "ben": "on-call", "cho": "lead", "dev": "developer"}


class Regions:
    """Renders all of them. `shortcuts` are (callback_id, name) of what a message's menu offers."""

    def __init__(self, shortcuts: list[tuple[str, str]]) -> None:
        self._shortcuts = shortcuts
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        self._templates.filters["percent"] = percent

    def all(
        self, seen: Seen, view: View, scenarios: Mapping[str, Scenario], run: Run | None, memory: slack.Memory
    ) -> dict[str, str]:
        """Every region as HTML, by its id."""
        said = {"seen": seen, "view": view, "persons": PERSONS, "roles": ROLES, "scenarios": scenarios, "run": run,
                "memory": memory, "breaks": BREAKS, "rates": RATES}  # fmt: skip
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "conversation": lambda: slack.conversation(seen, view, self._shortcuts),
            "modals": lambda: {"modals": slack.modals(seen, view, memory)},
            "news": lambda: {"news": slack.news(seen, view)},
            "service": lambda: cloud.service(seen, view),
            "services": lambda: {"projects": cloud.projects(seen)},
            "calls": lambda: {"calls": cloud.calls(seen)},
            "breaks": lambda: {"waiting": waiting(seen)},
        }
        return {name: self._render(name, {**said, **parts.get(name, dict)()}) for name in NAMES}

    def page(self, regions: Mapping[str, str], view: View) -> str:
        """The whole document."""
        inside = {name: Markup(html) for name, html in regions.items()}  # made by the templates above
        return self._render("page", {"regions": inside, "view": view})

    def _render(self, name: str, said: Mapping[str, Any]) -> str:
        return self._templates.get_template(f"{name}.html").render(said)
