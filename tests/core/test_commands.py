"""Words name one operation each."""

import pytest

from bot.core.answer import Answer
from bot.core.commands import claimed
from bot.core.errors import ConfigError
from bot.core.operation import Change, Look, Operation, Risk


class One(Look, risk=Risk.READ, aliases=("first", "uno")):
    """Looks."""

    def answer(self) -> Answer:
        """Not called."""
        raise AssertionError


class Two(One, risk=Risk.READ, aliases=("second",)):
    """Looks too."""


class Again(One, risk=Risk.READ, aliases=("uno",)):
    """Looks again."""


class Unfinished(Change):
    """Has no risk."""


class Stranger:
    """No operation at all."""


def test_commands_and_aliases_are_words() -> None:
    assert claimed({"one": One, "two": Two}) == {"one": One, "first": One, "uno": One, "two": Two, "second": Two}


@pytest.mark.parametrize(
    "operations, says",
    [
        ({"one": One, "again": Again}, f"`uno` is claimed by {__file__} too; choose another alias"),
        ({"one": One, "first": Two}, f"`first` is claimed by {__file__} too; choose another alias"),
        ({"read": One}, "`read` is what policies call a risk; choose another name"),
        ({"serve": One}, "`serve` is a command of the terminal itself; choose another name"),
        (
            {"unfinished": Unfinished},
            "Unfinished must be a Look, Change or Control: class Unfinished(Change, risk=Risk.OPERATE)",
        ),
        (
            {"stranger": Stranger},
            "Stranger must be a Look, Change or Control: class Stranger(Change, risk=Risk.OPERATE)",
        ),
    ],
)
def test_what_cannot_be_a_command_is_refused(operations: dict[str, type[Operation]], says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        claimed(operations, taken=("serve",))
    assert str(refused.value) == f"{__file__}: {says}"
