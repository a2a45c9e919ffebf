"""The folder is the registry: a file in the package is an entry, imported when first asked for."""

import importlib
import importlib.util
import inspect
import pkgutil
import re
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from bot.core.errors import ConfigError

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
BROKEN = (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError)  # pydantic's are two of these


def names(package: ModuleType) -> tuple[str, ...]:
    """Entry names, sorted; files that start with an underscore are not entries.

    Raises ConfigError for a file whose name cannot be an entry's, and when two files would be the same entry.
    """
    found: dict[str, Path] = {}
    for folder in map(Path, package.__path__):
        for module in pkgutil.iter_modules([str(folder)]):
            if not module.name.startswith("_"):
                _claim(found, module.name, folder / (module.name if module.ispkg else f"{module.name}.py"))
    return tuple(sorted(found))


def load(package: ModuleType, name: str) -> type[Any]:
    """The one public class whose name is the file's, in CamelCase. Raises ConfigError when there is none to be had."""
    module = _imported(f"{package.__name__}.{name}")
    wanted = "".join(part.capitalize() for part in name.split("_"))
    found = getattr(module, wanted, None)
    if not inspect.isclass(found) or found.__module__ != module.__name__:
        raise ConfigError(f"must define class {wanted}", file=str(module.__file__))
    return found


def extend(package: ModuleType, further: Path | None) -> None:
    """From now on the files of the folder `further` are entries too."""
    folder = str(further.resolve()) if further else ""
    if folder and folder not in package.__path__:
        package.__path__.append(folder)


def every(package: ModuleType, further: Path | None = None) -> dict[str, type[Any]]:
    """All entries by name; those of the folder `further` too."""
    extend(package, further)
    return {name: load(package, name) for name in names(package)}


def _claim(found: dict[str, Path], name: str, file: Path) -> None:
    if not NAME.fullmatch(name):
        problem = "the file's name is the entry's: small letters and digits, words joined by _, such as cache_warm.py"
        raise ConfigError(problem, file=str(file))
    if name in found:
        raise ConfigError(f"{found[name]} is called so already; choose another name", file=str(file))
    found[name] = file


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except BROKEN as error:
        spec = importlib.util.find_spec(name)
        file = (spec and spec.origin) or name
        problem = f"cannot be loaded: {type(error).__name__}: {getattr(error, 'msg', error)}"
        raise ConfigError(problem, file=file, line=_line(error, file)) from error


def _line(error: Exception, file: str) -> int:
    """Where in the file it broke; 0 when elsewhere."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno or 0
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return (lines or [0])[-1] or 0
