"""Cloud Run's resource names."""

from bot.core.request import Target
from bot.providers._google import place


def parent(target: Target) -> str:
    return f"projects/{place(target, 'project')}/locations/{place(target, 'region')}"


def service(target: Target) -> str:
    return f"{parent(target)}/services/{place(target, 'service')}"


def revision(target: Target, release: str) -> str:
    return f"{service(target)}/revisions/{release}"


def spoken(target: Target) -> str:
    """As a sentence names it."""
    return f"service {place(target, 'service')} ({place(target, 'project')}, {place(target, 'region')})"


def short(name: str) -> str:
    """The last segment."""
    return name.rpartition("/")[2]
