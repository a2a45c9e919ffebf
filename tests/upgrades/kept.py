"""What a version left behind: its databases, and what the world outside them knew of it.

VERSION/sqlite.sql, sqlite-progress.sql     ours and the durable library's, or
VERSION/postgres.sql                        both
VERSION/sqlite.json, postgres.json          what the cloud and Slack had seen, to be brought about again
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from google.cloud import run_v2
from google.protobuf.field_mask_pb2 import FieldMask
from packaging.version import Version

from bot.sandbox.town import BOT_TOKEN
from tests.upgrades import dumps
from tests.upgrades.deployment import CHANNEL, Deployment

HERE = Path(__file__).parent
VERSIONS = sorted((folder.name for folder in HERE.iterdir() if (folder / "sqlite.sql").is_file()), key=Version)
FILES = {"sqlite": ("sqlite.sql", "sqlite-progress.sql"), "postgres": ("postgres.sql",)}
POSTED = ("ts", "text", "blocks", "metadata")
HALF, WAITING = "backend", "frontend"  # the service whose operation is half applied, and whose waits
Json = dict[str, Any]


@dataclass(frozen=True)
class Outside:
    """`write` is the update that was on its way, as the cloud logged it; `messages` are Slack's."""

    left_at: str
    write: Json
    messages: list[Json]


def keep(version: str, kind: str, texts: tuple[str, ...], outside: Outside) -> None:
    """Write the files of one kind of database; its folder is made."""
    folder = HERE / version
    folder.mkdir(exist_ok=True)
    for name, text in zip(FILES[kind], texts, strict=True):
        (folder / name).write_text(text)
    said = json.dumps(asdict(outside), ensure_ascii=False, indent=1)
    (folder / f"{kind}.json").write_text(f"{said}\n")


class Kept:
    """What `version` left in one kind of database. The parts of `before` are in the order in which to do them."""

    def __init__(self, version: str, kind: str) -> None:
        self._texts = [(HERE / version / name).read_text() for name in FILES[kind]]
        self._outside = Outside(**json.loads((HERE / version / f"{kind}.json").read_text()))

    @property
    def left_at(self) -> datetime:
        """When the bot was killed, in the town's time."""
        return datetime.fromisoformat(self._outside.left_at)

    @property
    def write(self) -> Json:
        """The update that was on its way."""
        return self._outside.write

    def messages_again(self, here: Deployment) -> None:
        """Slack shows what it showed; messages get other names there, so ours are told."""
        for message in self._outside.messages:
            body = {"channel": CHANNEL, **{name: message[name] for name in POSTED[1:]}}
            headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
            url = f"{here.town.http}/api/chat.postMessage"
            said = httpx.post(url, json=body, headers=headers, trust_env=False).json()
            assert said["ok"], said
            self._texts = [text.replace(message["ts"], said["ts"]) for text in self._texts]

    def write_again(self, services: run_v2.ServicesClient) -> None:
        """The update arrives after all, exactly as that version sent it."""
        service = services.get_service(name=self.write["resource"])
        service.annotations.update(self.write["annotations"])
        kind = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
        shares = self.write["traffic"].items()
        service.traffic = [run_v2.TrafficTarget(type_=kind, revision=name, percent=share) for name, share in shares]
        service.template.revision = ""
        mask = FieldMask(paths=["traffic", "annotations"])
        made = services.update_service(run_v2.UpdateServiceRequest(service=service, update_mask=mask)).metadata
        assert made.generation == self.write["generation"]

    def load(self, url: str) -> None:
        """Into a database of that kind, which is empty."""
        if url.startswith("postgres"):
            dumps.to_postgres(self._texts[0], url)
        else:
            ours = Path(url.removeprefix("sqlite:///"))
            dumps.to_sqlite(self._texts[0], ours)
            dumps.to_sqlite(self._texts[1], ours.with_name("aisq-progress.sqlite"))


def databases_of(here: Deployment) -> tuple[str, ...]:
    """The bot's databases as SQL text, while no bot runs."""
    if here.database.startswith("postgres"):
        return (dumps.of_postgres(here.database),)
    ours = Path(here.database.removeprefix("sqlite:///"))
    return dumps.of_sqlite(ours), dumps.of_sqlite(ours.with_name("aisq-progress.sqlite"))
