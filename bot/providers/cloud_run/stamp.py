"""Our mark on a service: which write of ours changed it last, and at which version it found it.

People's tools keep annotations that they do not know, so the mark alone does not say that nobody changed the service
since. The version beside it does: the write that carries it made the next generation, whatever came later.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass

from google.cloud import run_v2

KEY = "aisq.dev/effect"
VERSION = "aisq.dev/effect-version"
RELEASE = "aisq.dev/effect-release"


@dataclass(frozen=True)
class Stamp:
    """`made` is the generation that the write made; `release` the one that it was to make, if any."""

    key: str
    made: int
    release: str = ""


def put(annotations: MutableMapping[str, str], key: str, version: str, release: str = "") -> None:
    annotations.pop(RELEASE, None)
    annotations.update({KEY: key, VERSION: version} | ({RELEASE: release} if release else {}))


def read(service: run_v2.Service) -> Stamp | None:
    """The mark, if there is one that we can read."""
    key, found = service.annotations.get(KEY, ""), service.annotations.get(VERSION, "")
    if not key or not found.isdecimal():
        return None
    # A change that asks for nothing new need not make a generation.
    return Stamp(key, min(service.generation, int(found) + 1), service.annotations.get(RELEASE, ""))
