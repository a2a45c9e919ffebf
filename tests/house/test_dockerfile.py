"""The image: slim Debian, nobody's root, the runtime lock and nothing that builds."""

import fnmatch
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

Instruction = tuple[str, str]


def instructions(text: str) -> list[Instruction]:
    """(KEYWORD, arguments) in order; comments gone, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [(word.upper(), rest.strip()) for word, _, rest in (s.partition(" ") for s in joined.splitlines() if s)]


def stages(steps: list[Instruction]) -> list[list[Instruction]]:
    """The instructions of each stage, its FROM first."""
    starts = [i for i, (word, _) in enumerate(steps) if word == "FROM"]
    return [steps[a:b] for a, b in zip(starts, [*starts[1:], len(steps)], strict=True)]


@pytest.fixture
def all_stages() -> list[list[Instruction]]:
    return stages(instructions((ROOT / "Dockerfile").read_text()))


@pytest.fixture
def final(all_stages: list[list[Instruction]]) -> list[Instruction]:
    return all_stages[-1]


def values(stage: list[Instruction], keyword: str) -> list[str]:
    return [rest for word, rest in stage if word == keyword]


def copied(stage: list[Instruction]) -> set[str]:
    """What a stage takes from the build context, without trailing slashes."""
    plain = [shlex.split(rest) for rest in values(stage, "COPY") if "--from" not in rest]
    return {source.rstrip("/") for words in plain for source in words[:-1]}


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path out; the last rule that matches it, or a folder above it, wins."""
    verdict = False
    folders = [str(folder) for folder in (Path(path), *Path(path).parents)][:-1]
    for rule in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = rule.removeprefix("!").removeprefix("**/")
        matched = folders if "**" not in rule else [Path(folder).name for folder in folders]
        if rule and not rule.startswith("#") and fnmatch.filter(matched, pattern):
            verdict = not rule.startswith("!")
    return verdict


def test_there_are_two_stages_of_one_slim_debian(all_stages: list[list[Instruction]]) -> None:
    bases = [values(stage, "FROM")[0].split()[0] for stage in all_stages]
    assert len(bases) == 2
    assert set(bases) == {"python:3.11-slim"}


def test_it_runs_as_a_numbered_user_who_is_not_root(final: list[Instruction]) -> None:
    user = values(final, "USER")[-1]
    assert user.isdigit()
    assert int(user) > 0
    assert [word for word, _ in final].index("USER") < [word for word, _ in final].index("CMD")


def test_the_user_exists_and_owns_the_state_directory_only(final: list[Instruction]) -> None:
    setup = " ".join(values(final, "RUN"))
    state = re.search(r"AISQ_STATE_DIR=(\S+)", " ".join(values(final, "ENV")))
    assert state is not None
    assert f"--uid {values(final, 'USER')[-1]} " in setup
    assert f"--owner=aisq {state[1]}" in setup
    assert "--chown" not in " ".join(values(final, "COPY"))


def test_it_starts_the_bot_without_a_shell_between(final: list[Instruction]) -> None:
    assert values(final, "CMD") == ['["aisq", "serve"]']
    assert values(final, "ENTRYPOINT") == []


def test_only_the_runtime_lock_is_installed_and_by_its_hashes(all_stages: list[list[Instruction]]) -> None:
    build = all_stages[0]
    installs = [rest for rest in values(build, "RUN") if "install" in rest and "-r " in rest]
    assert len(installs) == 1
    assert "--require-hashes -r requirements.lock" in installs[0]
    assert "--only-binary :all:" in installs[0]
    assert not any("requirements-dev" in rest for stage in all_stages for _, rest in stage)


def test_the_package_is_built_with_what_the_lock_brought(all_stages: list[list[Instruction]]) -> None:
    build = next(rest for rest in values(all_stages[0], "RUN") if re.search(r" \.( |$)", rest))
    assert {"--no-index", "--no-deps", "--no-build-isolation"} <= set(build.split())


def test_nothing_in_the_final_stage_installs_or_compiles(final: list[Instruction]) -> None:
    assert not re.search(r"\b(pip|apt|apt-get|gcc|build-essential|curl|wget)\b", " ".join(values(final, "RUN")))
    assert values(final, "COPY")[0] == "--from=build /opt/aisq /opt/aisq"


def test_the_image_has_what_the_bot_reads(all_stages: list[list[Instruction]]) -> None:
    taken = {path for stage in all_stages for path in copied(stage)}
    assert {"bot", "catalog", "policies", "runbooks", "pyproject.toml", "requirements.lock"} <= taken


def test_the_bot_is_told_where_its_files_are(final: list[Instruction]) -> None:
    told = dict(word.split("=", 1) for rest in values(final, "ENV") for word in rest.split())
    home = values(final, "WORKDIR")[-1]
    for folder in ("catalog", "policies"):
        assert told[f"AISQ_{folder.upper()}_DIR"] == f"{home}/{folder}"
        assert f"{folder}/ {folder}/" in values(final, "COPY")


def test_every_path_that_is_copied_reaches_the_builder(all_stages: list[list[Instruction]]) -> None:
    for path in {path for stage in all_stages for path in copied(stage)}:
        assert (ROOT / path).exists(), path
        assert not ignored(path), path


@pytest.mark.parametrize(
    "path",
    [
        ".git", ".venv", ".env", "state", "tests", "tests/house/test_dockerfile.py", "requirements-dev.lock",
        "state/aisq.sqlite", "bot/core/__pycache__/plan.pyc", "bot/sandbox/world.yaml", "key.json",
    ],
)  # fmt: skip
def test_the_builder_never_sees(path: str) -> None:
    assert ignored(path)


@pytest.mark.parametrize("path", ["bot/__init__.py", "bot/stores/migrations/env.py", "catalog/ai-square.yaml"])
def test_the_builder_sees(path: str) -> None:
    assert not ignored(path)
