"""What a browser would make of HTML: its elements and attributes, and whether any of them could do harm."""

from html.parser import HTMLParser
from urllib.parse import urlparse

HARMFUL = {"script", "img", "iframe", "object", "embed", "style", "link", "meta", "base", "image", "foreignobject"}
ADDRESSES = {"href", "src", "action", "formaction", "xlink:href"}


class Read(HTMLParser):
    """Collects (tag, attributes), in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def harm(html: str) -> list[str]:
    """What could do harm: an element that loads or runs something, a handler, a style, an address that is none."""
    found = []
    for tag, attributes in Read(html).elements:
        found += [tag] if tag in HARMFUL else []
        found += [f"{tag} {name}" for name in attributes if name.startswith("on") or name == "style"]
        addresses = [str(attributes[name]) for name in ADDRESSES & attributes.keys()]
        found += [one for one in addresses if urlparse(one).scheme not in ("", "http", "https", "mailto")]
    return found
