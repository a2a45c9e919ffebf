"""docs/permissions.md: what each operation needs to be allowed in Google Cloud, and no more.

Derived: an operation calls methods of ports in its cases, when it plans or answers, in its checks and judgements, and
by the writes that its plans name; what each of these needs is seen in the sandbox.

    python -m tests.operations.permissions    # writes it anew
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot.core.errors import CloudError, Denied, UserError
from bot.core.operation import Change, Operation, needs
from bot.core.plan import Moment, Plan, Step
from bot.core.ports import PORTS
from bot.engine.effect import typed_arguments
from bot.sandbox.process import SandboxProcess
from tests.operations.noon import NOON
from tests.operations.runner import COMMANDS, Run, cases
from tests.providers.asked import Asked, Permissions
from tests.providers.conftest import Rig, write_world

PAGE = Path(__file__).parents[2] / "docs/permissions.md"
OBSERVING = ("service", "lag_s", "requests")  # what a bot that serves looks at each minute, asked or not


class Noting:
    """A port that notes which of its methods are called."""

    def __init__(self, port: object, noted: set[str]) -> None:
        self._port, self._noted = port, noted

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return self._calling(name, found) if callable(found) else found

    def _calling(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._noted.add(name)
            return method(*args, **kwargs)

        return call


class Watched(Run):
    """One case, its ports watched; its plan's looks happen an hour later, when monitoring has counted."""

    def __init__(self, case: dict[str, Any]) -> None:
        super().__init__(case)
        self.called = set[str]()
        self.written = set[str]()
        try:
            made = self.made()
            said = getattr(made, made.verb)(**self.arguments(made))
        except (UserError, Denied, CloudError):
            return
        for step in _steps(said) if isinstance(said, Plan) else ():
            self._play(made, step)

    def _play(self, made: Operation, step: Step) -> None:
        if step.kind == "call":
            self.written.add(step.verb.rpartition(".")[2])
            return
        name = f"{step.kind}_{step.verb}"
        offered = self._offered(made) | {Moment: Moment(started_at=NOON, now=NOON + timedelta(hours=1))}
        said = typed_arguments(getattr(type(made), name), step)
        wanted = needs(type(made), name)
        bound = {field: offered[kind] for field, kind in wanted.items() if field not in said}
        with suppress(CloudError):
            getattr(made, name)(**bound, **said)

    def _offered(self, made: Operation) -> dict[type, object]:
        offered = super()._offered(made)
        return {kind: Noting(one, self.called) if kind in PORTS.values() else one for kind, one in offered.items()}


class Granted:
    """By operation."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._called, self._written = dict[str, set[str]](), dict[str, set[str]]()
        for case in cases().values():
            seen = Watched(case)
            self._called.setdefault(case["operation"], set()).update(seen.called)
            self._written.setdefault(case["operation"], set()).update(seen.written)

    def looks(self, operation: type[Operation]) -> Permissions:
        """To answer, to plan, to check and to judge."""
        return self._needed(self._called[operation.command()])

    def writes(self, operation: type[Operation]) -> Permissions:
        """To make its writes and their undos, and to follow them."""
        written = self._written[operation.command()] if issubclass(operation, Change) else ()
        return frozenset().union(*map(self._asked.of_effects, written))

    def observing(self) -> Permissions:
        return self._needed(OBSERVING)

    def _needed(self, methods: Any) -> Permissions:
        return frozenset().union(*(self._asked.needed(method) for method in methods))


def page(granted: Granted) -> str:
    """The whole of docs/permissions.md."""
    rows = {name: (granted.looks(one), granted.writes(one)) for name, one in sorted(COMMANDS.items())}
    reading = granted.observing().union(*(looks for looks, _ in rows.values()))
    writing = frozenset[str]().union(*(writes for _, writes in rows.values())) - reading
    using = {name: row for name, row in rows.items() if any(row)}
    lines = [f"| `{name}` | {_told(looks)} | {_told(writes - looks)} |" for name, (looks, writes) in using.items()]
    return _PAGE.format(
        rows="\n".join(lines),
        rest=", ".join(f"`{name}`" for name in rows if name not in using),
        observing=_told(granted.observing()),
        reading=",".join(sorted(reading)),
        writing=",".join(sorted(writing)),
    )


def _steps(plan: Plan) -> Iterator[Step]:
    """All of a plan, with what undoes it."""
    for step in (*plan.steps, *plan.afterwards):
        yield from (step, step.undo) if step.undo else (step,)


def _told(permissions: Permissions) -> str:
    return ", ".join(sorted(permissions)) or "nothing more"


_PAGE = """# What aisq needs to be allowed

Of services on Cloud Run. This page is derived and not written: from the calls that each operation makes in all of its
cases, from the writes that its plans name, and from what the APIs of the sandbox ask of each of these calls. A test
holds it to them; `python -m tests.operations.permissions` writes it anew. What is missing is named when it is missed:
"aisq may not …: its Google identity lacks the permission …".

| operation | to look, to plan, to check | and to change |
|---|---|---|
{rows}

Nothing in the cloud: {rest}. A bot that serves looks at each service once a minute, asked or not: {observing}.

Two roles, made in each project P of the catalog. The first is all that looking and planning (`--dry-run`) need:

    gcloud iam roles create aisqReader --project=$P --permissions={reading}
    gcloud iam roles create aisqOperator --project=$P --permissions={writing}

* Grant them to the account as which aisq runs, and to nobody else; who may do what through it, the policies say.
* `artifactregistry.…` and `containeranalysis.…` are asked of the project with the registry, `secretmanager.…` of
  that with the secrets, `iam.serviceAccounts.actAs` of the account as which a service or a job runs (leave it out of
  the project's role, and grant `roles/iam.serviceAccountUser` on each such account), the rest of the service's project.
* For itself the bot also needs `roles/secretmanager.secretAccessor` on its own three secrets, and on Cloud SQL
  `roles/cloudsql.client` for its database.
* Google's documentation names `actAs` and reading the image for whoever manages services, also traffic. By its notices
  only who makes a release needs the two, and so it is above; [live-checks.md](live-checks.md) has the command that
  tells whether a shift of traffic goes without them.
"""


def main() -> None:
    with TemporaryDirectory() as folder:
        world = Path(folder) / "world.yaml"
        write_world(world, 0, 1)
        with SandboxProcess(rate=0, world=world) as sandbox:
            PAGE.write_text(page(Granted(Asked(Rig(sandbox, "c000")))), encoding="utf-8")


if __name__ == "__main__":
    main()
