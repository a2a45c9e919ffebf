"""The files of catalog/: loading them, and the JSON Schema for editors."""

import json
from pathlib import Path

from bot.core.catalog import Catalog
from bot.core.errors import ConfigError, ConfigErrors
from bot.core.estate import System
from bot.stores.yaml_file import YamlFile

HEADER = "# yaml-language-server: $schema=schema.json"


def load_catalog(folder: Path) -> Catalog:
    """Every *.yaml is a system. Raises ConfigError, or ConfigErrors with everything that is wrong in all files."""
    systems, errors = {}, list[ConfigError]()
    for path in sorted(folder.glob("*.yaml")):
        try:
            systems[path.stem] = read(path)[1]
        except ConfigErrors as error:
            errors += error.errors
        except ConfigError as error:
            errors.append(error)
    if errors:
        raise ConfigErrors(tuple(errors))
    if not systems:
        raise ConfigError("there is no system: write SYSTEM.yaml", file=str(folder))
    return Catalog(systems=systems)


def read(path: Path) -> tuple[YamlFile, System]:
    """One file and its system. Raises ConfigError, or ConfigErrors with every mistake."""
    file = YamlFile(path)
    system = file.model(System)
    if system.system != path.stem:
        raise file.error(("system",), f"`{system.system}` must stand in {system.system}.yaml")
    return file, system


def schema() -> str:
    """JSON Schema of one file, as catalog/schema.json holds it."""
    return json.dumps(System.model_json_schema(), indent=1, ensure_ascii=False) + "\n"
