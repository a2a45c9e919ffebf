"""The files of docs/adding-things.md in a folder of their own, and aisq started with that folder."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.sandbox.replica import Child

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/adding-things.md"
AISQ = Path(sys.executable).with_name("aisq")
OURS = ("operations", "providers", "catalog", "policies")
FILE = re.compile(r"^`(?P<path>[\w./-]+\.\w+)`\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
DEADLINE_S = 120


def recipes() -> dict[str, str]:
    """Every file of the page by its path, as it stands there."""
    return {found["path"]: found["text"] for found in FILE.finditer(PAGE.read_text(encoding="utf-8"))}


class Place:
    """A folder with operations, providers, catalog and policies, in which aisq runs; `sheet` is the shop's service."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder, self.sheet = folder, folder / "till.jsonl"
        for shipped in ("catalog", "policies"):
            shutil.copytree(ROOT / shipped, folder / shipped)
        for path, text in files.items():
            self.write(path, text)
        self.environment = {f"AISQ_{name.upper()}_DIR": str(folder / name) for name in OURS if (folder / name).exists()}
        self.environment |= {"AISQ_STATE_DIR": str(folder / "state"), "AISQ_SANDBOX": "true", "COLUMNS": "100"}

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def aisq(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run `aisq WORDS` as people do."""
        return subprocess.run(
            [AISQ, *words], cwd=self.folder, env=self._whole(more), capture_output=True, text=True, timeout=DEADLINE_S
        )

    def serve(self, environment: Mapping[str, str], log: Path) -> Child:
        """Start `aisq serve`; a Starter for rehearsals."""
        with log.open("ab") as said:
            return subprocess.Popen(
                [AISQ, "serve"], cwd=self.folder, env=self._whole(environment), stdout=said, stderr=said
            )

    def lines(self) -> list[dict[str, Any]]:
        """The shop's sheet: what its traffic was, and is."""
        return [json.loads(line) for line in self.sheet.read_text(encoding="utf-8").splitlines()]

    def _whole(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AISQ_", "COV_"))}
        return {**kept, **self.environment, **more}
