"""Foreign text made harmless for a terminal: no escape sequence, no control character, no reversed writing.

Sequences are those of ECMA-48: CSI, OSC and other strings, and the short ones.
"""

import re

_SEQUENCE = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]"  # CSI: colours, moving about, erasing
    "|[\x1b]?[\x90\x98\x9d\x9e\x9f][^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"  # strings, introduced by one character
    "|\x1b[P\\]X^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"  # titles, links, clipboards
    "|\x9b[0-?]*[ -/]*[@-~]"
    "|\x1b[ -/]*[0-~]?"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def cleaned(text: str) -> str:
    """The text as it may be printed; line ends and tabs stay."""
    plain = _SEQUENCE.sub("", text.replace("\r\n", "\n"))
    return _CONTROL.sub("", plain).expandtabs(4)
