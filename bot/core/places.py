"""Places: a system, system/environment or a target's full name; also as patterns."""

from fnmatch import fnmatchcase


def covers(pattern: str, target: str) -> bool:
    """Whether the full name `target` is meant; `*` and `?` as in file names, and a pattern that stops early means all
    below it."""
    parts, names = pattern.split("/"), target.split("/")
    return len(parts) <= len(names) and all(map(fnmatchcase, names, parts))
