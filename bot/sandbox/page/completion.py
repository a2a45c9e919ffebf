"""What could be typed next after /aisq: asked of the bot itself, by the protocol with which shells ask it."""

import asyncio
import os
import re
import shlex
import sys
import time
from collections.abc import Mapping, Sequence

KEPT_S, EMPTY_KEPT_S = 60.0, 3.0  # nothing may mean that a busy machine did not find out in time
WITHIN_S = 30.0
HELP = ("help",)
MOST = 12


class Completion:
    """Words with what they mean. Asking takes a process, so answers are kept for a minute; one process at a time.

    `settings` are the bot's environment, by whose catalog and database it answers.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._asked: dict[tuple[str, ...], tuple[float, asyncio.Task[str]]] = {}
        self._one = asyncio.Lock()

    async def next(self, text: str) -> list[tuple[str, str]]:
        """The whole texts that could come of `text` by one more word, each with its meaning; none while unsure."""
        try:
            said = shlex.split(text)
        except ValueError:
            return []
        begun = "" if not text or text[-1].isspace() else (said.pop() if said else "")
        before = "".join(f"{word} " for word in said)
        tables = _tables(await self._answer(HELP, {"COLUMNS": "400"}, for_ever=True))
        commands, elsewhere = tables.get("command", {}), tables.get("option", {})
        parameters = await self._parameters(commands, said, begun)
        found = [*_command(commands, said), *(one for one in parameters if one[0] not in elsewhere)]
        whole = {f"{before}{word}": about for word, about in found if word.startswith(begun) and word != begun}
        return list(whole.items())[:MOST]

    async def warm(self) -> None:
        """Ask what everybody will ask."""
        for text in ("", "rollback ", "status ", "unpin "):
            await self.next(text)

    async def close(self) -> None:
        """Ask no longer; no process is left behind."""
        tasks = [task for _, task in self._asked.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _parameters(self, commands: Mapping[str, str], said: list[str], begun: str) -> list[tuple[str, str]]:
        """The values that a command takes, and its flags once a dash is typed."""
        if not any(said[: len(name.split())] == name.split() for name in commands):
            return []
        dashes = "--" if begun.startswith("-") else ""
        words = f"{shlex.join(['aisq', *said])} {dashes or shlex.quote('')}"
        asked = {"_AISQ_COMPLETE": "zsh_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(said) + 1)}
        return _triples(await self._answer((), asked, (*said, dashes)))

    async def _answer(
        self, words: Sequence[str], more: Mapping[str, str], key: tuple[str, ...] = (), *, for_ever: bool = False
    ) -> str:
        """What aisq says; two that ask the same at once get the same answer."""
        at, task = self._asked.get(key, (0.0, None))
        kept_s = KEPT_S if task and task.done() and task.result().strip() else EMPTY_KEPT_S
        if task is None or (task.done() and time.monotonic() - at > kept_s and not (for_ever and task.result())):
            task = asyncio.create_task(self._run(words, more))
            self._asked[key] = (time.monotonic(), task)
        return await asyncio.shield(task)

    async def _run(self, words: Sequence[str], more: Mapping[str, str]) -> str:
        environment = {**os.environ, **self._settings, **more}
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-m", "bot", *words)
        async with self._one:
            child = await asyncio.create_subprocess_exec(*command, env=environment, stdout=pipe, stderr=pipe)
            try:
                said, _ = await asyncio.wait_for(child.communicate(), WITHIN_S)
            except TimeoutError:
                return ""
            finally:
                if child.returncode is None:
                    child.kill()
                    await child.communicate()
        return said.decode(errors="replace")


def _command(commands: Mapping[str, str], said: list[str]) -> list[tuple[str, str]]:
    """How the commands that begin with these words go on."""
    parts = ((name.split(), about) for name, about in commands.items())
    return [(" ".join(words[len(said) :]), about) for words, about in parts if words[: len(said)] == said != words]


def _tables(said: str) -> dict[str, dict[str, str]]:
    """The tables of `aisq help` by their first heading, of each kind the first: "command" has what every door
    understands, "option" what only a terminal does."""
    tables: dict[str, dict[str, str]] = {}
    for part in said.split("\n\n"):
        heading, *rows = part.strip("\n").splitlines() or [""]
        if heading.endswith("what it does"):
            both = (re.split(r"\s{2,}", row.strip(), maxsplit=1) for row in rows)
            read = {words[0].split(" ")[0] if words[0][:1] == "-" else words[0]: words[-1] for words in both}
            tables.setdefault(heading.split()[0], read)
    return tables


def _triples(said: str) -> list[tuple[str, str]]:
    """click's answer to zsh: a kind, a word, its meaning, each on a line."""
    lines = said.split("\n")
    triples = zip(lines[0::3], lines[1::3], lines[2::3], strict=False)
    return [(word, "" if about == "_" else about) for kind, word, about in triples if kind == "plain"]
