"""The left side of the page: a conversation, threads, the App Home and modals, as one person sees them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from bot.sandbox.page.blocks import blocks
from bot.sandbox.page.html import element
from bot.sandbox.page.look import Json, Seen
from bot.sandbox.page.mrkdwn import mrkdwn
from bot.sandbox.page.reader import Reader
from bot.sandbox.page.surface import Surface
from bot.sandbox.page.view import View

APP = "U0AISQ"
NOTICED_S = 8.0


@dataclass
class Memory:
    """What the page itself keeps: sentences for a moment, and the errors of forms by view."""

    errors: dict[str, Mapping[str, str]] = field(default_factory=dict)
    said: str = ""
    until: float = 0.0

    def say(self, text: str) -> None:
        """Show a sentence for a moment."""
        self.said, self.until = text, time.monotonic() + NOTICED_S

    @property
    def notice(self) -> str:
        return self.said if time.monotonic() < self.until else ""


def conversation(seen: Seen, view: View, shortcuts: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What stands in the middle: messages oldest first, or a thread, or the App Home."""
    if view.tab == "home":
        return {"home": _home(seen, view), "messages": [], "parent": None, "shortcuts": []}
    messages = _messages(seen, view)
    parent = next((one for one in messages if one["ts"] == view.thread), None) if view.thread else None
    shown = [one for one in messages if _belongs(one, view.thread)]
    listed = [_message(one, seen, view) for one in shown]
    return {"home": None, "messages": listed, "parent": parent, "shortcuts": shortcuts}


def _messages(seen: Seen, view: View) -> list[Json]:
    """Those of the conversation that this person sees, oldest first."""
    alone = [one for one in seen.ephemerals if one["visible_to"] == view.user]
    return sorted(
        (one for one in [*seen.messages, *alone] if one["channel"] == view.channel), key=lambda one: str(one["ts"])
    )


def _belongs(one: Json, thread: str) -> bool:
    within = one.get("thread_ts")
    if thread:
        return thread in (within, one["ts"])
    return within in (None, one["ts"]) or one.get("subtype") == "thread_broadcast"


def _message(one: Json, seen: Seen, view: View) -> Json:
    reader, key = seen.reader(view.user), f"m{one['ts'].replace('.', '')}"
    person = seen.people.get(one["user"], {})
    name = str(person.get("real_name", one["user"]))
    return {
        "key": key, "ts": one["ts"], "channel": one["channel"], "is_app": one["user"] == APP, "name": name,
        "person": person.get("name", ""), "alone": bool(one["visible_to"]), "edited": "edited" in one,
        "at": reader.clock(seen.said_at(one["ts"]).timestamp()), "body": body(one, key, reader),
        "files": one.get("files", []), "replies": one.get("reply_count", 0),
    }  # fmt: skip


def body(message: Json, key: str, reader: Reader) -> Markup:
    """What a message says: its blocks, or its text."""
    listed = message.get("blocks") or []
    if not listed:
        return element("div", mrkdwn(str(message.get("text", "")), reader), class_="block")
    return blocks(listed, Surface(key, reader))


def _home(seen: Seen, view: View) -> Json:
    home = seen.homes.get(view.user)
    if home is None:
        return {"id": "", "body": Markup("")}
    return {"id": home["id"], "body": blocks(home["blocks"], _surface(home, "home", seen, view, {}))}


def modals(seen: Seen, view: View, memory: Memory) -> list[Json]:
    """The modal that is on top of this person's stack, if any."""
    mine = [one for one in seen.modals if one["type"] == "modal" and _is_of(one, view, seen)]
    return [_modal(one, seen, view, memory.errors.get(one["id"], {})) for one in mine[-1:]]


def _is_of(modal: Json, view: View, seen: Seen) -> bool:
    return seen.modal_owners.get(modal["id"]) == view.user


def _modal(modal: Json, seen: Seen, view: View, errors: Mapping[str, str]) -> Json:
    surface = _surface(modal, f"v{modal['id']}", seen, view, errors)
    texts = {name: (modal.get(name) or {}).get("text", "") for name in ("title", "submit", "close")}
    return {
        "id": modal["id"],
        "body": blocks(modal["blocks"], surface),
        "key": surface.key,
        **texts,
        "errors": bool(errors),
    }


def _surface(shown: Json, key: str, seen: Seen, view: View, errors: Mapping[str, str]) -> Surface:
    people = [(one["id"], one["real_name"]) for one in seen.people.values() if not one["is_bot"] and not one["deleted"]]
    channels = [(one["id"], f"#{one['name']}") for one in seen.channels.values() if one["name"]]
    values = (shown.get("state") or {}).get("values", {})
    return Surface(key, seen.reader(view.user), values, errors, people, channels)


def news(seen: Seen, view: View) -> str:
    """The newest thing that was said, for who hears the page instead of seeing it."""
    messages = [one for one in _messages(seen, view) if _belongs(one, view.thread)]
    if not messages:
        return ""
    last = max(messages, key=lambda one: max(str(one["ts"]), str(one.get("edited_at") or "")))
    name = seen.people.get(last["user"], {}).get("real_name", "")
    said = mrkdwn(str(last.get("text", "")), seen.reader(view.user)).striptags()
    return f"{name}: {said[:200]}"
