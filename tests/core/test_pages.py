"""Help, made from the operations themselves."""

import pytest

from bot import operations
from bot.core import folder
from bot.core.answer import Code, Table, Text
from bot.core.operation import Operation
from bot.core.pages import HINT, overview, page, sentence
from bot.core.parser import usage

EVERY: dict[str, type[Operation]] = {one.command(): one for one in folder.every(operations).values()}


def test_the_overview_lists_every_command_with_its_sentence() -> None:
    table, hint = overview(EVERY.values()).parts
    assert isinstance(table, Table)
    assert table.rows == tuple((name, sentence(one)) for name, one in EVERY.items())
    assert hint == Text(text=HINT)


@pytest.mark.parametrize("name", EVERY)
def test_a_page_says_what_it_does_how_it_is_written_and_what_may_be_added(name: str) -> None:
    operation = EVERY[name]
    answer = page(operation)
    what, written, parameters, *examples = answer.parts
    assert (answer.title, what) == (name, Text(text=sentence(operation)))
    assert written == Code(lines=(usage(operation),))
    assert isinstance(parameters, Table)
    assert len(parameters.rows) == len(operation.model_fields)
    assert all(str(meaning).strip().endswith(".") for _, meaning in parameters.rows)
    assert examples == ([Code(lines=operation.examples)] if operation.examples else [])


def test_a_sentence_is_one_line() -> None:
    for operation in EVERY.values():
        assert "\n" not in sentence(operation)
        assert sentence(operation).endswith(".")


def test_a_command_without_parameters_says_so() -> None:
    table = page(EVERY["whoami"]).parts[2]
    assert isinstance(table, Table)
    assert (table.rows, table.empty) == ((), "no parameters")
