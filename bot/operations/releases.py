"""A service's releases, also those that were made elsewhere."""

from bot.core.answer import Answer, Table
from bot.core.operation import Look, Risk, ServiceRef, param
from bot.core.ports import ComputeReads

MOST = 100


class Releases(Look, risk=Risk.READ, examples=("releases backend",)):
    """List a service's releases, newest first, also those deployed without aisq."""

    service: ServiceRef = param("Service whose releases are listed.", positional=True)
    limit: int = param(f"How many, at most {MOST}.", default=20)

    def answer(self, compute: ComputeReads) -> Answer:
        now = compute.service(self.service)
        tags: dict[str, str] = {}
        for tag, release in now.tags.items():
            tags[release] = f"{tags[release]}, {tag}" if release in tags else tag
        rows = tuple(
            (
                one.name,
                f"{now.serving.get(one.name, 0)} %",
                tags.get(one.name, ""),
                one.created_at,
                "ready" if one.ready else f"not ready: {one.reason}",
                _image(one.image),
                one.by,
            )
            for one in compute.releases(self.service)[: max(1, min(self.limit, MOST))]
        )
        columns = ("release", "traffic", "tags", "created", "state", "image", "by")
        table = Table(title="", columns=columns, rows=rows, empty="no release yet")
        return Answer(title=f"Releases of {self.service}", parts=(table,))


def _image(reference: str) -> str:
    """The image's own name, and as much of its digest as people compare."""
    name, _, digest = reference.rpartition("/")[2].partition("@sha256:")
    return f"{name}@{digest[:12]}" if digest else name
