"""A file in a package is an entry."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bot.core import folder
from bot.core.errors import ConfigError

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
    with pytest.raises(ConfigError, match=rf"/entries_of_a_test/{name}\.py: must define class {wanted}$"):
        folder.load(package, name)


@pytest.mark.parametrize(
    "text, says",
    [
        ("import bot.no_such_module", r"broken\.py:1: cannot be loaded: ModuleNotFoundError: No module named 'bot\."),
        ("fine = 1\nclass Broken(:\n  pass", r"broken\.py:2: cannot be loaded: SyntaxError: invalid syntax$"),
        ("\n\nclass Broken(Base): pass", r"broken\.py:3: cannot be loaded: NameError: name 'Base' is not defined$"),
        (
            "from bot.core.operation import *\n\nclass Broken(Look, risk=Risk.READ):\n    'Looks.'",
            r"broken\.py:3: cannot be loaded: TypeError: Broken has no answer\(\)$",
        ),
        ("from entries_of_a_test import late", r"broken\.py:1: cannot be loaded: ValueError: too late$"),
        ("from entries_of_a_test import worse", r"broken\.py:1: cannot be loaded: SyntaxError: "),
    ],
)
def test_a_file_that_cannot_be_loaded_says_where(package: ModuleType, text: str, says: str) -> None:
    folder_of = Path(str(package.__file__)).parent
    (folder_of / "late.py").write_text("raise ValueError('too late')")
    (folder_of / "worse.py").write_text("(")
    (folder_of / "broken.py").write_text(text)
    importlib.invalidate_caches()
    with pytest.raises(ConfigError, match=says):
        folder.load(package, "broken")


def test_an_entry_that_is_not_there_is_said(package: ModuleType) -> None:
    with pytest.raises(ConfigError, match=r"^entries_of_a_test\.gone: cannot be loaded: ModuleNotFoundError: "):
        folder.load(package, "gone")


@pytest.mark.parametrize("name", ["cache-warm", "Status", "2nd", "ops__list", "ops_"])
def test_a_file_name_that_is_no_command_is_refused(package: ModuleType, name: str) -> None:
    (Path(str(package.__file__)).parent / f"{name}.py").write_text("")
    with pytest.raises(ConfigError, match=rf"/{name}\.py: the file's name is the entry's: small letters"):
        folder.names(package)


@pytest.mark.parametrize("second", ["status.py", "status/__init__.py"])
def test_two_files_for_one_entry_are_refused(package: ModuleType, tmp_path: Path, second: str) -> None:
    file = tmp_path / "further" / second
    file.parent.mkdir(parents=True)
    file.write_text("class Status: pass")
    folder.extend(package, tmp_path / "further")
    first = Path(str(package.__file__)).parent / "status.py"
    with pytest.raises(ConfigError) as refused:
        folder.names(package)
    where = tmp_path / "further" / second.removesuffix("/__init__.py")
    assert str(refused.value) == f"{where}: {first} is called so already; choose another name"


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
