"""What nobody should see, taken out of foreign text: passwords, tokens, keys, and people in addresses of pages.

Better too much than too little: whatever is named like a secret goes, and whatever has the form of a known one. The
forms are those that their makers publish so that scanners find them (docs.github.com, "About secret scanning").
"""

import re

HIDDEN = "***"
ENDS = {"{": "}", "[": "]"}
_NAMES = (
    r"pass(?:word|wd|code|phrase)|\bpass\b|pwd|secret|token(?!s)|api[_.-]?key|access[_.-]?key|private[_.-]?key"
    r"|signing[_.-]?key|encryption[_.-]?key|client[_.-]?key|credential|signature|session[_.-]?id|\b(?:sid|otp|sig)\b"
)
# Also within a text that is quoted itself, and where the end is cut off; as Python writes bytes too.
_QUOTED = r"""[bru]{0,2}(?:\\+["'](?s:.)*?(?:\\+["']|\Z)|"(?:[^"\\]|\\.)*(?:"|\Z)|'(?:[^'\\]|\\.)*(?:'|\Z))"""
# What has parts, in which nobody knows which is the secret one; of what goes deeper, the line.
_PARTS = r"""\{(?:[^{}]|\{[^{}]*(?:\}|\Z))*+(?:\}|\Z)|\[[^\[\]]*+(?:\]|\Z)|[\[{][^\r\n]*"""
_PLAIN = r"""(?:(?:bearer|basic|token)\s+)?[^\s,;&"'<>(){}\]\\]+"""
_KEYS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_HEADERS = re.compile(
    r"((?:proxy-)?authorization|(?:set-)?cookie)(\\?[\"']?\s*[:=]\s*\\?[\"']?)[^\r\n\"'\\]+", re.IGNORECASE
)
_NAMED = re.compile(
    rf"((?:{_NAMES})[\w.-]{{0,40}}\\?[\"']?\s*(?:=>|[:=]|%3D)\s*)({_QUOTED}|{_PARTS}|{_PLAIN})", re.IGNORECASE
)
_SCHEMES = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
# Up to the last @, as a password may have one, or a slash; but what follows a port is a path.
_USERS = re.compile(
    r"(\b[a-z][a-z0-9+.-]{0,20}://)(?:[^\s/@:\"'<>]{0,200}:(?!\d{1,5}[/?#])[^\s\"'<>]{1,300}|[^\s/@\"'<>]+)@",
    re.IGNORECASE,
)
_PEOPLE = re.compile(r"(?<=[/=&?:])[\w.+%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
_KNOWN = re.compile(
    r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"  # JSON web tokens, and parts of them
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS
    r"|\bAIza[\w-]{35}|\bya29\.[\w-]{20,}|\bGOCSPX-[\w-]{20,}"  # Google
    r"|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{20,}"
    r"|\bxox[a-z]-[\w-]{10,}|\bxapp-[\w-]{10,}|https://hooks\.slack\.com/\S+"
    r"|\b(?:sk|rk|pk)_(?:live|test)_\w{10,}|\bsk-[\w-]{20,}|\bSG\.[\w-]{16,}\.[\w-]{16,}|\bnpm_\w{30,}|\bpypi-[\w-]{40,}"
)


def redacted(text: str) -> str:
    """The text with `***` in the place of what may be a secret. Doing it again changes nothing."""
    text = _KEYS.sub(HIDDEN, text)
    text = _HEADERS.sub(rf"\1\2{HIDDEN}", text)
    text = _USERS.sub(rf"\1{HIDDEN}@", text)
    text = _KNOWN.sub(HIDDEN, text)
    text = _NAMED.sub(_unquoted, text)
    text = _SCHEMES.sub(rf"\1 {HIDDEN}", text)
    return _PEOPLE.sub(HIDDEN, text)


def _unquoted(found: re.Match[str]) -> str:
    """The name as it was, and the value's quotes or brackets around nothing."""
    begins = re.match(r"([bru]{0,2})(\\*[\"'])|([{[])|", found[2], re.IGNORECASE)
    assert begins, "nothing at all is a beginning too"
    mark, quote, bracket = (part or "" for part in begins.groups())
    return f"{found[1]}{mark}{quote or bracket}{HIDDEN}{quote or ENDS.get(bracket, '')}"
