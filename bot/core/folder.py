"""The folder is the registry: a file in the package is an entry, imported when first asked for."""

import importlib
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any


def names(package: ModuleType) -> tuple[str, ...]:
    """Entry names, sorted; files that start with an underscore are not entries."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")))


def load(package: ModuleType, name: str) -> type[Any]:
    """The one public class whose name is the file's, in CamelCase. Raises TypeError when the file breaks that rule."""
    module = importlib.import_module(f"{package.__name__}.{name}")
    wanted = "".join(part.capitalize() for part in name.split("_"))
    found = getattr(module, wanted, None)
    if not inspect.isclass(found) or found.__module__ != module.__name__:
        raise TypeError(f"{module.__name__} must define class {wanted}")
    return found


def extend(package: ModuleType, further: Path | None) -> None:
    """From now on the files of the folder `further` are entries too."""
    if further and str(further) not in package.__path__:
        package.__path__.append(str(further))


def every(package: ModuleType, further: Path | None = None) -> dict[str, type[Any]]:
    """All entries by name; those of the folder `further` too."""
    extend(package, further)
    return {name: load(package, name) for name in names(package)}
