"""Reads the policies folder: Cedar text cut into single policies, and the YAML files beside it, as core's models."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.core.errors import ConfigError
from bot.core.rules import Case, Cases, Freezes, Limits, PolicyFiles, PolicyText, Roles
from bot.stores.yaml_file import load

_BLANK = r"(?:\s|//[^\n]*)*+"
_QUOTED = r'"((?:\\.|[^"\\])*+)'
_POLICY = re.compile(rf'{_BLANK}((?:[^;"/]|{_QUOTED}"?|//[^\n]*|/)*+;?)', re.DOTALL)
_ANNOTATION = re.compile(rf'{_BLANK}@(\w+)\s*\(\s*{_QUOTED}"\s*\)', re.DOTALL)
_ID = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")


def policy_files(folder: Path) -> PolicyFiles:
    """Everything in `folder`. Raises ConfigError for what cannot be read; whether it is right is Cedar's to say."""
    policies = tuple(policy for path in sorted(folder.glob("*.cedar")) for policy in _policies(path))
    if not policies:
        raise ConfigError("there is no policy in this folder, so everything would be forbidden", file=str(folder))
    _refuse_twins(policies)
    return PolicyFiles(
        policies=policies,
        roles=load(folder / "roles.yaml", Roles),
        freezes=load(folder / "freezes.yaml", Freezes),
        limits=load(folder / "limits.yaml", Limits),
        cases=tuple(_cases(folder / "tests")),
        folder=str(folder),
    )


def _cases(folder: Path) -> Iterator[tuple[str, Case]]:
    for path in sorted(folder.glob("*.yaml")):
        yield from ((str(path), case) for case in load(path, Cases).cases)


def _policies(path: Path) -> Iterator[PolicyText]:
    """Cedar's own messages know no place, so each policy is kept apart, with the line that it begins on."""
    try:
        written = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", file=str(path)) from None
    for match in _POLICY.finditer(written):
        if match[1]:
            line = written.count("\n", 0, match.start(1)) + 1
            notes = _annotations(match[1])
            policy = PolicyText(str(path), line, notes.get("id", ""), notes.get("title", ""), match[1])
            _refuse(policy)
            yield policy


def _annotations(text: str) -> dict[str, str]:
    found, at = {}, 0
    while match := _ANNOTATION.match(text, at):
        found[match[1]], at = match[2], match.end()
    return found


def _refuse(policy: PolicyText) -> None:
    problem = ""
    if not _ID.fullmatch(policy.id):
        problem = (
            'begins with @id("…"): small letters and digits, joined by dots and dashes, as in "grant.prod.rollout"'
        )
    elif not policy.title.strip() or "\\" in policy.title:
        problem = 'needs a @title("…") without backslashes: the sentence that people are shown'
    elif not policy.text.endswith(";"):
        problem = "ends with `;`"
    if problem:
        raise ConfigError(f"a policy {problem}", file=policy.file, line=policy.line, field=policy.id)


def _refuse_twins(policies: Sequence[PolicyText]) -> None:
    first: dict[str, PolicyText] = {}
    for policy in policies:
        twin = first.setdefault(policy.id, policy)
        if twin is not policy:
            raise ConfigError(
                f"there is a policy with this id in {twin.file}:{twin.line}; choose another",
                file=policy.file,
                line=policy.line,
                field=policy.id,
            )
