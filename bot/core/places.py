"""Places: a system, system/environment or a target's full name; also as patterns."""

from fnmatch import fnmatchcase


def above(pattern: str) -> str:
    """The place that holds all that a pattern covers; empty when no single system does."""
    parts = pattern.split("/")
    plain = next((at for at, part in enumerate(parts) if "*" in part or "?" in part), len(parts))
    return "/".join(parts[:plain])


def covers(pattern: str, target: str) -> bool:
    """Whether the full name `target` is meant; `*` and `?` as in file names, and a pattern that stops early means all
    below it."""
    parts, names = pattern.split("/"), target.split("/")
    return len(parts) <= len(names) and all(map(fnmatchcase, names, parts))
