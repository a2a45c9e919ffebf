"""Which image a release is made of, named by what never moves; and what a scan of it found."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from bot.core.errors import CloudError, NotFound, UserError
from bot.core.parser import shown
from bot.core.plan import Finding
from bot.core.ports import ImageReads, Severity, Vulnerabilities
from bot.core.request import Target

TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
REFERENCE = re.compile(r"[^\s@:]+(:\d+)?(/[\w.-]+)+(:[\w.-]{1,128})?(@sha256:[0-9a-f]{64})?", re.ASCII)
WORST: tuple[Severity, ...] = ("critical", "high")
SHORT = 19  # characters of a digest that people compare


class Scan(NamedTuple):
    """What is known of an image's vulnerabilities; `critical` is None when nobody knows."""

    finding: Finding
    critical: int | None


def path_of(reference: str) -> str:
    """A reference without its tag and its digest."""
    front, slash, last = reference.partition("@")[0].rpartition("/")
    return f"{front}{slash}{last.partition(':')[0]}"


def by_digest(target: Target, said: str, usual: str, images: ImageReads) -> str:
    """What is said, as PATH@DIGEST; `usual` is the path of the target's images.

    Raises UserError for what is no name of an image, and for an image that there is not.
    """
    reference = _whole(target, said, usual)
    try:
        found = images.image(target, reference)
    except NotFound as error:
        why = str(error)
        raise UserError(f"{why[0].upper()}{why[1:]}. Name a tag or a digest that was pushed.") from None
    return f"{path_of(reference)}@{found.digest}"


def _whole(target: Target, said: str, usual: str) -> str:
    if "/" in said and REFERENCE.fullmatch(said):
        return said
    if not usual:
        raise UserError(
            f"Nobody knows where images of {target} are: write PATH:TAG, or declare `image` in the catalog."
        )
    if DIGEST.fullmatch(said):
        return f"{usual}@{said}"
    if TAG.fullmatch(said):
        return f"{usual}:{said}"
    raise UserError(f"`{shown(said)}` names no image: write a tag such as v1.43, a digest sha256:…, or PATH:TAG.")


def scan(target: Target, reference: str, images: ImageReads, *, must_be_clean: bool) -> Scan:
    """What a scan of the image found; `must_be_clean`: the catalog promises that nothing critical goes out."""
    try:
        found = images.vulnerabilities(target, reference)
    except CloudError as error:
        return Scan(_finding("risk", f"what a scan found could not be looked up: {error}", unread=True), None)
    critical, said = found.by_severity.get("critical", 0), f"the scan found {_counted(found)}"
    if found.scanned_at is None and not critical:
        return Scan(_finding("risk", "not scanned: what vulnerabilities the image has is not known"), None)
    if not critical:
        return Scan(_finding("good", said), 0)
    if found.scanned_at is None:
        said = f"a scan that has not ended found {_counted(found)}"
    if must_be_clean:
        return Scan(_finding("bad", f"{said}, and the catalog lets nothing critical out"), critical)
    return Scan(_finding("risk", said), critical)


def _finding(level: str, sentence: str, *, unread: bool = False) -> Finding:
    said = {"level": level, "subject": "vulnerabilities", "sentence": sentence, "unread": unread}
    return Finding.model_validate(said)


def _counted(found: Vulnerabilities) -> str:
    """ "2 critical and 5 high vulnerabilities", or that there are none so bad."""
    said = list(_worst(found))
    one = said in (["1 critical"], ["1 high"])
    return f"{' and '.join(said) or 'no critical and no high'} vulnerabilit{'y' if one else 'ies'}"


def _worst(found: Vulnerabilities) -> Iterator[str]:
    return (f"{count:,} {severity}" for severity in WORST if (count := found.by_severity.get(severity, 0)))
