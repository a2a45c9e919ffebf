"""What is generated from catalog/: its JSON Schema, and the table of remarks in docs/catalog.md.

`python -m bot.stores.catalog_page` in the repository brings both up to date.
"""

from itertools import groupby
from pathlib import Path

from bot.stores.catalog_files import schema
from bot.stores.remarks import Remark, remarks
from bot.stores.yaml_file import YamlFile

BEGIN, END = "<!-- remarks: generated -->\n", "<!-- /remarks -->\n"


def page(text: str, folder: Path) -> str:
    """`text` with what stands between the two markers made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(folder)}\n{END}{after}"


def table(folder: Path) -> str:
    """All remarks as Markdown: first the conflicts, then what was assumed, by file."""
    found = [remark for path in sorted(folder.glob("*.yaml")) for remark in remarks(YamlFile(path, path.name))]
    conflicts = [remark for remark in found if remark.kind == "conflict"]
    assumed = [remark for remark in found if remark.kind == "assumed"]
    parts = [f"### Conflicts ({len(conflicts)})\n\n{_rows(conflicts)}", f"### Assumed ({len(assumed)})"]
    for file, one in groupby(assumed, key=lambda remark: remark.file):
        parts.append(f"#### {file}\n\n{_rows(list(one), short=True)}")
    return "\n\n".join(parts) + "\n"


def _rows(found: list[Remark], *, short: bool = False) -> str:
    rows = ["| where | what stands there | why |", "|---|---|---|"]
    rows += [f"| {_where(one, short)} | {_code(one.written)} | {_cell(one.text)} |" for one in found]
    return "\n".join(rows)


def _where(remark: Remark, short: bool) -> str:
    return remark.field if short else f"{remark.file.removesuffix('.yaml')}: {remark.field}"


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write both files."""
    folder, docs = Path("catalog"), Path("docs/catalog.md")
    (folder / "schema.json").write_text(schema(), encoding="utf-8")
    docs.write_text(page(docs.read_text(encoding="utf-8"), folder), encoding="utf-8")


if __name__ == "__main__":
    main()
