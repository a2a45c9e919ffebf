"""The three promises: an operation, a platform, a system and a grant are one file each, and every door knows them.

The files are those of docs/adding-things.md. Nothing of the repository is written, and no list is edited.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot import operations, providers
from bot.core import folder
from bot.core.operation import Operation
from bot.core.rules import acts
from bot.engine.policy.schema import schema
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.transcript import buttons, lines
from tests.house.recipes import PAGE, ROOT, Place, recipes
from tests.operations import runner
from tests.providers import test_providers_conform as conform

ANA, BEN, DEV, CHANNEL = "U0ANA", "U0BEN", "U0DEV", "C0AISQ"
RATE = 10.0
PATIENCE_S = 60.0
TABS = 10  # on a busy machine a shell may get no answer in time, and whoever waits for it presses Tab again
HEADLINES = ("⏳", "✋", "🔄")  # of a card that will say something else


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The files of the page, in a temporary folder."""
    made = Place(tmp_path_factory.mktemp("ours"), recipes())
    assert made.aisq("db", "upgrade").returncode == 0
    return made


@pytest.fixture
def loaded(place: Place) -> Iterator[dict[str, type[Any]]]:
    """The new operation and the new provider in this process; forgotten afterwards."""
    paths = {package: list(package.__path__) for package in (operations, providers)}
    for package, name in ((operations, "operations"), (providers, "providers")):
        folder.extend(package, place.folder / name)
    yield {name: folder.load(package, name) for package, name in NEW}
    for package, name in NEW:
        package.__path__[:] = paths[package]
        forget(f"{package.__name__}.{name}", package)


NEW = ((operations, "release_try"), (providers, "paper_cloud"))


def forget(module: str, package: Any) -> None:
    del sys.modules[module]
    delattr(package, module.rpartition(".")[2])


def until(holds: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


# --- the page


def test_the_page_has_one_file_a_thing() -> None:
    assert list(recipes()) == [
        "operations/release_try.py",
        "tests/operations/release_try/cases.yaml",
        "providers/paper_cloud.py",
        "catalog/shop.yaml",
        "till.jsonl",
        "policies/30-shop.cedar",
        "policies/tests/shop.yaml",
    ]
    assert PAGE.read_text(encoding="utf-8").count("\n```\n") == len(recipes()), "every example is one of the files"


def test_what_the_page_shows_is_in_the_house_style(place: Place) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    files = [place.folder / path for path in recipes() if path.endswith(".py")]
    for check in (["check"], ["format", "--check"]):
        ran = subprocess.run(
            [ruff, *check, "--config", ROOT / "pyproject.toml", *files], capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


CASES = YAML(typ="safe", pure=True).load(recipes()["tests/operations/release_try/cases.yaml"])


@pytest.mark.parametrize("case", CASES, ids=[case["title"] for case in CASES])
def test_the_operation_by_its_cases(case: Any, loaded: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(runner.WORDS, "release try", loaded["release_try"])
    outcome = runner.Run({**case, "operation": "release try"}).outcome()
    assert {field: outcome.get(field, "nothing like it") for field in case["out"]} == case["out"]


def test_the_platform_keeps_to_the_ports(loaded: dict[str, Any]) -> None:
    conform.test_signatures_are_those_of_the_ports("paper_cloud")
    conform.test_no_part_of_a_port_is_offered_without_the_rest("paper_cloud")
    conform.test_every_method_names_the_permissions_it_needs("paper_cloud")
    assert conform.offered(loaded["paper_cloud"]) == {"Compute", "ComputeReads", "Effects"}


# --- the terminal


def test_help_lists_it(place: Place) -> None:
    said = place.aisq("help")
    assert (said.returncode, said.stderr) == (0, "")
    assert "\nrelease try   Give a release without traffic a small share of it.\n" in said.stdout


@pytest.mark.parametrize("words", [("help", "release", "try"), ("release", "try", "--help")])
def test_help_explains_it(place: Place, words: tuple[str, ...]) -> None:
    said = place.aisq(*words)
    assert (said.returncode, said.stderr) == (0, "")
    for shown in (
        "release try <service> [--percent PERCENT] [--which newest|oldest] [--anyway]",
        "<service>      Service to try it on. Written [system/[environment/]]name.",
        "--percent      Share of the traffic in percent, at most 50.",
        "--which        Which of the releases without traffic. One of newest|oldest.",
        "--anyway       Also while another change is being rolled out.",
        "  release try backend --percent 20",
    ):
        assert shown in said.stdout


@pytest.mark.parametrize(
    "typed, begun, offered",
    [
        ("aisq", "rel", {"release", "releases"}),
        ("aisq release", "", {"try"}),
        ("aisq release try", "ti", {"till"}),
        ("aisq release try", "shop/", {"shop/prod/till"}),
        ("aisq release try till", "--", {"--percent", "--which", "--anyway", "--reason", "--dry-run", "--break-glass"}),
        ("aisq release try till --which", "", {"newest", "oldest"}),
        ("aisq rollback", "ti", {"till"}),
        ("aisq why release try", "ti", {"till"}),
    ],
)
def test_a_shell_completes_it(place: Place, typed: str, begun: str, offered: set[str]) -> None:
    words = f"{typed} {begun}"
    asked = {"_AISQ_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(typed.split()))}
    for _ in range(TABS):
        said = place.aisq(**asked)
        assert (said.returncode, said.stderr) == (0, "")
        if offered <= (found := {line.partition(",")[2] for line in said.stdout.splitlines()}):
            break
    assert offered <= found


@pytest.mark.parametrize(
    "typed, says",
    [
        ("release tyr till", "Did you mean `release try`?"),
        ("release try til", "no service `til` in any system; did you mean `till`?"),
    ],
)
def test_typed_wrong_in_a_terminal(place: Place, typed: str, says: str) -> None:
    said = place.aisq(*typed.split(), "--as", ANA, "--json")
    assert said.returncode == 2
    assert says in json.loads(said.stdout)["error"]


# --- policy


@pytest.mark.parametrize(
    "words, says",
    [
        ("catalog lint", "catalog: nothing is wrong"),
        ("policy lint", "policies: nothing is wrong"),
        ("policy test", "cases hold"),
    ],
)
def test_lint_and_cases_know_all_of_it(place: Place, words: str, says: str) -> None:
    said = place.aisq(*words.split())
    assert (said.returncode, says in said.stderr, said.stdout) == (0, True, "")


def test_the_action_is_in_the_group_of_its_risk(loaded: dict[str, Any]) -> None:
    known: dict[str, type[Operation]] = {"release try": loaded["release_try"]}
    assert '  action "release try" in ["operate"] appliesTo {' in schema(acts(known))


# --- Slack, the durable work, and every other operation on the new platform


@pytest.fixture(scope="module")
def bot(place: Place) -> Iterator[Rehearsal]:
    """`aisq serve` beside a small Slack, on the same database as the terminal."""
    with Rehearsal(place.folder, rate=RATE, start=place.serve, settings=place.environment) as rehearsal:
        rehearsal.bot.start()
        rehearsal.bot.wait_ready()
        yield rehearsal


class Slack:
    """What ana asks, and ben approves."""

    def __init__(self, bot: Rehearsal) -> None:
        self.people = bot.people

    def told(self, text: str, user: str = ANA) -> str:
        """What the asker alone is told."""
        before = len(self.people.ephemerals(user))
        answer = self.people.slash(user, CHANNEL, text)
        assert answer["ok"], answer
        until(lambda: len(self.people.ephemerals(user)) > before, f"nothing is said to `{text}`")
        return "\n".join(lines(self.people.ephemerals(user)[-1]))

    def asked(self, text: str) -> dict[str, Any]:
        """The card of a change that waits for approval."""
        before = len(self.people.messages(CHANNEL))
        answer = self.people.slash(ANA, CHANNEL, text)
        assert answer["ok"] and not answer["shown"], answer
        cards = until(lambda: self._cards(before), f"no card for `{text}`")
        return dict(cards[-1])

    def _cards(self, before: int) -> list[dict[str, Any]]:
        return [message for message in self.people.messages(CHANNEL)[before:] if buttons(message)]

    def done(self, card: dict[str, Any]) -> str:
        """What the card says once ben has approved it and it was carried out."""
        assert self.people.click(BEN, CHANNEL, card["ts"], "aisq.approve")["ok"]
        return "\n".join(lines(until(lambda: self._ended(card), "it never ended")))

    def _ended(self, card: dict[str, Any]) -> dict[str, Any] | None:
        now = next(message for message in self.people.messages(CHANNEL) if message["ts"] == card["ts"])
        return None if now["text"].startswith(HEADLINES) else now


@pytest.fixture
def slack(bot: Rehearsal) -> Slack:
    return Slack(bot)


@pytest.mark.parametrize(
    "typed, says",
    [
        ("help", "Give a release without traffic a small share of it."),
        ("help release try", "release try <service> [--percent PERCENT] [--which newest|oldest] [--anyway]"),
        ("release tyr shop/prod/till", "Did you mean release try?"),
        ("relase try shop/prod/till", "Did you mean release try?"),
        ("release try till", "no service till in ai-square/prod; it is in shop/prod/till"),  # whose channel it is
        ("release try shop/prod/til", "did you mean till?"),
        ("release try shop/till --percent 70", "--percent: write 50 or less, not 70."),
        ("release try shop/till --percent=0", "--percent: write 1 or more, not 0."),
        ("release try shop/till --which best", "--which: write newest or oldest, not best."),
        ("release try shop/till —anywy", "release try has no option --anywy. Did you mean --anyway"),
        ("release try", "<service> is missing: Service to try it on. Usage: release try <service>"),
    ],
)
def test_slack_explains_it(slack: Slack, typed: str, says: str) -> None:
    assert says in slack.told(typed)


@pytest.mark.parametrize(
    "who, asked, says",
    [
        (DEV, "release try shop/till", "You may, once one other person approves (policy grant.shop.operate)."),
        (DEV, "release try backend", "(developers) do release try on ai-square/prod/backend."),
        (DEV, "release try backend", "It needs role sre-oncall and 1 approval."),
        (ANA, "release try shop/till", "You may, once one other person approves (policy grant.prod.operate)."),
        (ANA, "rollback shop/till", "You may, once one other person approves (policy grant.prod.rollout)."),
    ],
)
def test_the_grant_decides_and_why_says_so(slack: Slack, who: str, asked: str, says: str) -> None:
    assert says in slack.told(f"why {asked}", who)


def test_who_may_not_is_told_at_once(place: Place, slack: Slack) -> None:
    before = place.lines()
    assert "It needs role sre-oncall and 1 approval." in slack.told("unpin shop/till", DEV)
    assert place.lines() == before


def test_asked_in_slack_approved_by_another_and_carried_out(place: Place, bot: Rehearsal, slack: Slack) -> None:
    card = slack.asked("release try shop/prod/till --percent 20 --reason “it looks good”")
    shown = "\n".join(lines(card))
    for said in (
        "✋ Waiting for approval: release try shop/prod/till",
        "shop/prod/till: till-2 gets 20 %; before: till-1 100 %",
        "· give till-2 20 %",
        "· see that it serves",
        "New releases get no traffic until unpin shop/prod/till.",
        'write into a new line of till.jsonl: {"traffic": {"till-1": 80, "till-2": 20}}',
        "It needs one other person to approve it; Ana Alvarez cannot.",
        "permitted by grant.prod.operate",
    ):
        assert said in shown
    told = len(bot.people.ephemerals(ANA))
    assert bot.people.click(ANA, CHANNEL, card["ts"], "aisq.approve")["ok"]
    until(lambda: len(bot.people.ephemerals(ANA)) > told, "ana was not told that she cannot approve it herself")
    assert "Nobody approves their own request" in bot.people.ephemerals(ANA)[-1]["text"]
    assert len(place.lines()) == 1
    done = slack.done(card)
    assert "✅ Done: release try shop/prod/till" in done and "Approved by Ben Brooks." in done
    assert [line["traffic"] for line in place.lines()] == [{"till-1": 100}, {"till-1": 80, "till-2": 20}]
    operation = place.lines()[1]["key"].partition("/")[0]
    assert place.lines()[1]["key"] == f"{operation}/0/do"
    audit_tells(place, operation)


def audit_tells(place: Place, operation: str) -> None:
    """Who asked, by which door, who approved, what was written, how it ended; and the chain is whole."""
    (table, *_) = json.loads(place.aisq("audit", operation, "--as", ANA, "--json").stdout)["parts"]
    events = [(row[2], row[3]) for row in reversed(table["rows"])]
    assert events == [
        ("asked", "slack:U0ANA"),
        ("waiting", "aisq"),
        ("approved", "slack:U0BEN"),
        ("queued", "slack:U0BEN"),
        ("running", "aisq"),
        ("writing", "aisq"),
        ("written", "aisq"),
        ("applied", "aisq"),
    ]
    assert place.aisq("audit", "verify", "--as", ANA).returncode == 0


def test_every_other_operation_works_there_unchanged(place: Place, slack: Slack) -> None:
    place.sheet.write_text(recipes()["till.jsonl"], encoding="utf-8")  # all traffic to till-1, as if nothing had been
    assert "Serving: till-1 100 %." in slack.told("status shop/prod/till")
    assert "till-2" in slack.told("releases shop/prod/till")
    assert "✅ Done: traffic shop/prod/till" in slack.done(slack.asked("traffic shop/prod/till till-2=100"))
    assert "Pinned to till-2 100 % by Ana Alvarez" in slack.told("status shop/prod/till")
    back = slack.asked("rollback shop/prod/till")
    shown = "\n".join(lines(back))
    assert "shop/prod/till: all traffic to till-1, away from till-2 100 %" in shown
    assert "🟡 GO WITH RISK" in shown
    assert "is of type paper_cloud, for which aisq does not offer reading metrics" in shown
    assert "✅ Done: rollback shop/prod/till" in slack.done(back)
    assert "which Ana Alvarez rolled back from" in slack.told("unpin shop/prod/till")
    assert "✅ Done: unpin shop/prod/till" in slack.done(slack.asked("unpin shop/prod/till --to till-2"))
    moves = [line["traffic"] for line in place.lines()]
    assert moves == [{"till-1": 100}, {"till-2": 100}, {"till-1": 100}, {"LATEST": 100}]


def test_the_terminal_shows_the_same_beside_it(place: Place, bot: Rehearsal) -> None:
    said = place.aisq("release", "try", "till", "--dry-run", "--as", ANA, "--json", **bot.settings)
    record = json.loads(said.stdout)
    assert (said.returncode, record["state"]) == (0, "planned")
    assert record["plan"]["steps"][0]["verb"] == "Compute.set_traffic"
    listed = place.aisq("ops", "list", "--as", ANA, "--json", **bot.settings)
    assert any("release try" in cell for row in json.loads(listed.stdout)["parts"][0]["rows"] for cell in row)
