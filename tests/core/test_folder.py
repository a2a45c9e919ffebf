"""A file in a package is an entry."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bot.core import folder

FILES = {
    "__init__.py": '"""A package."""',
    "status.py": "class Status: pass\nclass Other: pass",
    "ops_list.py": "class OpsList: pass",
    "_shared.py": "raise RuntimeError('never imported')",
    "lost.py": "class Found: pass",
    "borrowed.py": "from pathlib import Path as Borrowed",
    "number.py": "Number = 5",
    "notes.txt": "no module",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A package on the disk; forgotten afterwards, so that no test sees another's."""
    here = tmp_path / "entries_of_a_test"
    here.mkdir()
    for name, text in FILES.items():
        (here / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module(here.name)
    for name in [name for name in sys.modules if name.startswith(here.name)]:
        del sys.modules[name]


def test_names_are_the_files(package: ModuleType) -> None:
    assert folder.names(package) == ("borrowed", "lost", "number", "ops_list", "status")


@pytest.mark.parametrize("name, wanted", [("status", "Status"), ("ops_list", "OpsList")])
def test_the_class_is_named_like_the_file(package: ModuleType, name: str, wanted: str) -> None:
    assert folder.load(package, name).__name__ == wanted


@pytest.mark.parametrize("name, wanted", [("lost", "Lost"), ("borrowed", "Borrowed"), ("number", "Number")])
def test_a_file_without_its_class_is_refused(package: ModuleType, name: str, wanted: str) -> None:
    with pytest.raises(TypeError, match=rf"entries_of_a_test\.{name} must define class {wanted}$"):
        folder.load(package, name)


def test_every_entry_and_those_of_a_further_folder(package: ModuleType, tmp_path: Path) -> None:
    for broken in ("lost", "borrowed", "number"):
        (tmp_path / package.__name__ / f"{broken}.py").unlink()
    further = tmp_path / "further"
    further.mkdir()
    (further / "tea.py").write_text("class Tea: pass")
    assert list(folder.every(package)) == ["ops_list", "status"]
    for _ in range(2):  # a second look finds the same, and extends nothing twice
        assert [(name, one.__name__) for name, one in folder.every(package, further).items()] == [
            ("ops_list", "OpsList"),
            ("status", "Status"),
            ("tea", "Tea"),
        ]
    assert list(package.__path__).count(str(further)) == 1
