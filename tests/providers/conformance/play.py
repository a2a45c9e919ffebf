"""Plays a case on a platform: writes are carried out at most once, as the engine carries them out."""

from collections.abc import Callable
from typing import Any, Literal, cast

from bot.core.errors import CloudError, Forbidden, NotFound, Permanent, Refused, Transient, Uncertain
from bot.core.ports import Effect, Progress, Sizing, Traffic
from tests.providers.conformance.platform import Row, Strike, Write
from tests.providers.conformance.watch import Watch

TRIES = 8
Step = dict[str, Any] | str
Moment = Literal["before it is sent", "before it takes effect", "before it is answered", "before it is noted", "after"]
MOMENTS: tuple[Moment, ...] = (
    "before it is sent", "before it takes effect", "before it is answered", "before it is noted", "after"
)  # fmt: skip
WRITES: tuple[Write, ...] = ("release", "traffic", "scale", "job")


class Played:
    """One case in progress. `crash` is which of its writes our process dies at, and at which moment of it."""

    def __init__(self, row: Row, crash: tuple[int, Moment] | None = None) -> None:
        self._row, self._crash = row, crash
        self._provider = row.provider()
        self._version, self._position = "", 0
        self._names = {"old": row.named("old"), "older": row.named("older"), "LATEST": "LATEST"}
        self._resolved: dict[str, str] = {}
        self._strike: Strike | None = None
        self._watch = Watch(row, lambda name: self._names[name], self._image)
        self._releases = len(self._provider.releases(row.target))
        self.look_again()

    def play(self, steps: list[Step]) -> None:
        for step in steps:
            told = step if isinstance(step, dict) else {step.replace(" ", "_"): None}
            verb = next(iter(told)).replace(" ", "_")
            (getattr(self, verb, None) or getattr(self._watch, verb))(told)

    # --- writes

    def release(self, step: dict[str, Any]) -> None:
        name = self._names.setdefault(step["release"], self._new_name(step["release"]))
        asked = {
            "name": name,
            "image": self._image(step["image"]),
            "traffic": self._provider.service(self._row.target).serving,
            "tag": step.get("tag", ""),
            "sizing": Sizing(**step["sizing"]) if "sizing" in step else None,
        }
        self._write("release", step, lambda effect: self._provider.release(effect, target=self._row.target, **asked))

    def traffic(self, step: dict[str, Any]) -> None:
        split = self._split(step["traffic"])
        self._write(
            "traffic", step, lambda effect: self._provider.set_traffic(effect, target=self._row.target, traffic=split)
        )

    def scale(self, step: dict[str, Any]) -> None:
        sizing = Sizing(**step["scale"])
        self._write("scale", step, lambda effect: self._provider.scale(effect, target=self._row.target, sizing=sizing))

    def job(self, step: dict[str, Any]) -> None:
        job, image = self._row.job, self._image(step["job"])
        self._write(
            "job",
            step,
            lambda effect: self._provider.run_job(effect, target=self._row.target, job=job, image=image),
        )

    # --- what others do, and what happens

    def strike(self, step: dict[str, Any]) -> None:
        self._strike = step["strike"]

    def somebody(self, step: dict[str, Any]) -> None:
        did = step["somebody"]
        if "traffic" in did:
            self._row.set_traffic(self._split(did["traffic"]))
        if "deploys" in did:
            self._names[did["deploys"]] = self._row.deploy(did.get("tag", ""))
        if "moves the tag of" in did:
            self._row.move_tag(did["moves the tag of"], did["to"])
        if "deletes the image" in did:
            self._row.delete_image(self._image(did["deletes the image"]))
        if "deletes the image of" in did:
            self._row.delete_image(self._row.image_of(self._names[did["deletes the image of"]]))
        if "deletes the release" in did:
            self._row.delete_release(self._names[did["deletes the release"]])
        self._row.settle()

    def resolve(self, step: dict[str, Any]) -> None:
        """As planning does: the digest that the tag means now."""
        self._resolved[step["resolve"]] = self._row.image(step["resolve"])

    def look_again(self, _: object = None) -> None:
        """Plan anew: from here on the service is expected as it is now."""
        self._version = self._provider.service(self._row.target).version

    # --- what must be

    def ready(self, step: dict[str, Any]) -> None:
        self._row.settle()
        for name, ready in step["ready"].items():
            found = self._provider.release_named(self._row.target, self._names[name])
            assert found.ready is ready, found
            assert ready or found.reason, "it says why"

    def serves(self, step: dict[str, Any]) -> None:
        self._row.settle()
        wanted = self._split(step["serves"])
        assert self._row.serving() == wanted
        assert self._provider.service(self._row.target).serving == wanted, "and the provider says so"

    def asked(self, step: dict[str, Any]) -> None:
        assert self._provider.service(self._row.target).asked == self._split(step["asked"])

    def tags(self, step: dict[str, Any]) -> None:
        wanted = {tag: self._names[name] for tag, name in step["tags"].items()}
        assert self._provider.service(self._row.target).tags == wanted

    def size(self, step: dict[str, Any]) -> None:
        self._row.settle()
        now = self._provider.service(self._row.target)
        assert {name: getattr(now, name) for name in step["size"]} == step["size"]

    def makes(self, step: dict[str, Any]) -> None:
        """So many releases have been made since the case began, by anybody."""
        self._row.settle()
        assert len(self._provider.releases(self._row.target)) - self._releases == step["makes"]

    def released(self, step: dict[str, Any]) -> None:
        for name, image in step["released"].items():
            assert self._row.image_of(self._names[name]) == self._image(image)

    # --- how

    def _write(self, kind: Write, step: dict[str, Any], call: Callable[[Effect], str]) -> None:
        """Carry it out, and compare how it ended."""
        key = f"{self._row.operation}/{self._position}/do"
        if self._strike:
            self._row.strike(self._strike, kind)
        moment = self._crash[1] if self._crash and self._crash[0] == self._position else None
        self._strike, self._position = None, self._position + 1
        ended, version = self._ended(kind, Effect(key=key, version=self._version), call, moment, step)
        assert ended == step.get("ends", "succeeded")
        self._version = version or self._version

    def _ended(
        self, kind: Write, effect: Effect, call: Callable[[Effect], str], moment: Moment | None, step: dict[str, Any]
    ) -> tuple[str, str]:
        try:
            operation = self._dying(kind, effect, call, moment) if moment else self._called(effect, call)
        except CloudError as error:
            return _word(error), ""
        if step.get("ends") != "running":
            self._row.settle() if step.get("wait", True) else None
            progress = self._polled(operation)
        else:
            progress = self._provider.poll(self._row.target, operation)
        return progress.state, progress.version

    def _dying(self, kind: Write, effect: Effect, call: Callable[[Effect], str], moment: Moment) -> str:
        """Die at a moment of it; whoever takes over knows that it was intended, looks, and carries it to its end."""
        strikes: dict[Moment, Strike] = {
            "before it takes effect": "lost request",
            "before it is answered": "lost answer",
        }
        noted = ""
        if moment in strikes:
            self._row.strike(strikes[moment], kind)
        if moment != "before it is sent":
            noted = self._until_death(effect, call, moment)
        self._provider = self._row.provider()
        if noted and moment == "after":
            return noted
        return self._provider.find(self._row.target, effect.key) or self._called(effect, call)

    def _until_death(self, effect: Effect, call: Callable[[Effect], str], moment: Moment) -> str:
        try:
            return call(effect)
        except Uncertain:
            assert moment in ("before it takes effect", "before it is answered")
        except Permanent:
            pass  # a write that is refused is so whoever calls
        return ""

    def _called(self, effect: Effect, call: Callable[[Effect], str]) -> str:
        """Until there is a clear answer: look for the key after every other, and call again with the same effect."""
        for _ in range(TRIES):
            try:
                return call(effect)
            except Permanent:
                raise
            except CloudError as error:
                if found := self._provider.find(self._row.target, effect.key):
                    return cast(str, found)
                if isinstance(error, Refused):
                    raise
        raise Transient("the platform never answered clearly")

    def _polled(self, operation: str) -> Progress:
        for _ in range(TRIES):
            progress: Progress = self._provider.poll(self._row.target, operation)
            if progress.state != "running":
                return progress
            self._row.settle()
        return progress

    def _split(self, said: Traffic) -> Traffic:
        return {self._names[name]: percent for name, percent in said.items()}

    def _image(self, said: str) -> str:
        if said == "a tag":
            return self._row.by_tag("good")
        return self._resolved.get(said) or self._row.image(said)  # type: ignore[arg-type]

    def _new_name(self, name: str) -> str:
        return cast(str, self._provider.release_name(self._row.target, f"{self._row.operation}{name}"))


def _word(error: CloudError) -> str:
    if isinstance(error, Forbidden):
        assert error.permission, "it says which one is missing"
        return "forbidden"
    if isinstance(error, NotFound):
        return "not found"
    return {Permanent: "refused", Refused: "changed", Transient: "transient", Uncertain: "uncertain"}[type(error)]


def writes_of(steps: list[Step]) -> list[int]:
    """The positions of a case's writes."""
    return list(range(sum(isinstance(step, dict) and next(iter(step)) in WRITES for step in steps)))
