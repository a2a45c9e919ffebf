"""The two streams of a terminal: what was asked for, and what is said beside it."""

import json
import re
import sys
from datetime import tzinfo
from typing import TextIO

from pydantic import JsonValue
from rich.console import Console, RenderableType
from rich.text import Text as Rich

from bot.core.errors import BotError, Denied, UserError
from bot.doors.cli.card import Cards
from bot.doors.cli.draw import Drawer, plain


class Screen:
    """`out` is for answers, `err` for everything else; both fit the terminal, or `columns` where that is given."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None, *, columns: int | None = None) -> None:
        self._out = _console(out or sys.stdout, columns)
        self.err = _console(err or sys.stderr, columns)

    def drawer(self, zone: tzinfo) -> Drawer:
        return Drawer(self._out.width, zone, bars=self._out.encoding.lower().startswith("utf"))

    def cards(self, zone: tzinfo) -> Cards:
        return Cards(self.drawer(zone))

    def show(self, drawn: RenderableType) -> None:
        """What was asked for."""
        _print(self._out, drawn)

    def beside(self, drawn: RenderableType) -> None:
        """What goes with it, on the other stream; where no terminal is, a sentence stays on one line."""
        if isinstance(drawn, Rich) and not self.err.is_terminal:
            _write(self.err, f"{drawn.plain}\n")
        else:
            _print(self.err, drawn)

    def print(self, text: str) -> None:
        """Text for other programs, as it is."""
        _write(self._out, text if text.endswith("\n") else f"{text}\n")

    def document(self, value: JsonValue) -> None:
        """One JSON document. What would act on a terminal is escaped, which changes nothing for a program."""
        text = json.dumps(value, indent=2, ensure_ascii=not self._out.encoding.lower().startswith("utf"))
        self.print(re.sub("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]", lambda c: f"\\u{ord(c[0]):04x}", text))

    def say(self, sentence: str, style: str = "") -> None:
        """Something beside the answer."""
        self.beside(plain(sentence, style))

    def refuse(self, error: BotError, *, as_json: bool = False) -> None:
        """Why nothing was done, and what to write instead."""
        self.say(str(error), "red")
        remedy = error.remedy if isinstance(error, Denied) else ""
        if remedy:
            self.say(f"It {remedy}.")
        if as_json:
            choices: list[JsonValue] = [*error.choices] if isinstance(error, UserError) else []
            self.document({"error": str(error), "choices": choices, "remedy": remedy})


def _write(console: Console, text: str) -> None:
    try:
        console.file.write(text)
        console.file.flush()
    except BrokenPipeError:
        console.on_broken_pipe()  # whoever read it has seen enough


def _print(console: Console, drawn: RenderableType) -> None:
    if console.is_terminal:
        return console.print(drawn)
    with console.capture() as captured:
        console.print(drawn)
    _write(console, "\n".join(line.rstrip() for line in captured.get().split("\n")))


def _console(file: TextIO, columns: int | None) -> Console:
    return Console(file=file, width=columns, markup=False, highlight=False, emoji=False, soft_wrap=False)
