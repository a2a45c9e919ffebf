"""What one person sees at a glance, and what a form can offer; every door draws it."""

from pydantic import BaseModel

from bot.core.answer import Text
from bot.core.system import OperationRecord


class Choice(BaseModel, frozen=True):
    """Something that can be entered: `value` is what counts, `text` what people read, `about` the small print."""

    value: str
    text: str = ""
    about: str = ""
    group: str = ""


class Section(BaseModel, frozen=True):
    """A part of the overview: operations or sentences, newest first; an empty one says `empty`.

    `to_decide`: whoever looks may approve or deny each of its operations. `more`: how many are left out.
    """

    title: str
    operations: tuple[OperationRecord, ...] = ()
    lines: tuple[Text, ...] = ()
    more: int = 0
    empty: str = "nothing"
    to_decide: bool = False


class Home(BaseModel, frozen=True):
    """Everything that matters to one person now. `refused` says why they may not see it."""

    sections: tuple[Section, ...] = ()
    refused: str = ""
