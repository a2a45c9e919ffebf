"""HTML from Python: every text is escaped, only what is Markup already goes through as it is."""

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup, escape

VOID = frozenset({"input", "br", "hr"})
NOTHING = Markup("")


def element(tag: str, *inside: Any, **attributes: Any) -> Markup:
    """One element. `class_` is class, `data_x` data-x; None and False leave an attribute out, True gives its name."""
    given = (_attribute(name, value) for name, value in attributes.items() if value is not None and value is not False)
    begin = Markup("<{}{}>").format(Markup(tag), join(given))
    return begin if tag in VOID else Markup("{}{}</{}>").format(begin, join(inside), Markup(tag))


def join(parts: Iterable[Any], between: Any = "") -> Markup:
    """The parts, escaped, with something between them."""
    return escape(between).join(escape(part) for part in parts)


def lines(text: str) -> Markup:
    """Text whose line ends are shown."""
    return join(text.split("\n"), Markup("<br>"))


def _attribute(name: str, value: Any) -> Markup:
    plain = Markup(name.rstrip("_").replace("_", "-"))
    return Markup(" {}").format(plain) if value is True else Markup(' {}="{}"').format(plain, value)
