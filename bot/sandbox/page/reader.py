"""Who reads: the names behind ids, the zone in which instants are shown, and small marks of Slack's texts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from markupsafe import Markup

from bot.sandbox.page.html import element

EMOJI = {
    "white_check_mark": "✅", "x": "❌", "warning": "⚠️", "hourglass": "⌛", "rotating_light": "🚨", "eyes": "👀",
    "tada": "🎉", "rocket": "🚀", "fire": "🔥", "bell": "🔔", "lock": "🔒", "pushpin": "📌", "snowflake": "❄️",
    "thumbsup": "👍", "+1": "👍", "-1": "👎", "wave": "👋", "memo": "📝", "bulb": "💡", "robot_face": "🤖",
    "large_green_circle": "🟢", "large_yellow_circle": "🟡", "red_circle": "🔴", "arrows_counterclockwise": "🔄",
    "hourglass_flowing_sand": "⏳", "no_entry": "⛔", "raised_hand": "✋", "question": "❓", "link": "🔗",
}  # fmt: skip
_TOKEN = re.compile(r"\{(\w+)\}")
_DAYS = {-1: "yesterday", 0: "today", 1: "tomorrow"}


@dataclass(frozen=True)
class Reader:
    """`names` are those of people, channels and user groups by id, with their sign ("@Ana Alvarez"); `now` is aware."""

    names: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def mention(self, identifier: str, otherwise: str = "") -> Markup:
        """A person, a channel or a group."""
        return element("span", self.names.get(identifier, otherwise or identifier), class_="mention")

    def date(self, unix_s: float, form: str, fallback: str = "", url: str = "") -> Markup:
        """Slack's `<!date^…>`: the form's tokens in the reader's zone (docs.slack.dev, Formatting: Date formatting)."""
        try:
            at = datetime.fromtimestamp(unix_s, self.zone)
        except (ValueError, OverflowError, OSError):
            return Markup("{}").format(fallback)
        text = _TOKEN.sub(lambda found: self._token(found[1], at) or found[0], form)
        said = element("time", text, datetime=at.astimezone(UTC).isoformat(), title=f"{at:%Y-%m-%d %H:%M:%S %Z}")
        return link(url, said) if url else said

    def clock(self, unix_s: float) -> Markup:
        """The time of day at which something was said."""
        return self.date(unix_s, "{time}")

    def _token(self, name: str, at: datetime) -> str:
        pretty = _DAYS.get((at.date() - self.now.astimezone(self.zone).date()).days) if name.endswith("_pretty") else ""
        forms = {
            "date_num": "%Y-%m-%d", "date": "%B {day}, %Y", "date_short": "%b {day}, %Y", "time": "%H:%M",
            "date_long": "%A, %B {day}, %Y", "time_secs": "%H:%M:%S", "day_divider": "%A, %B {day}",
        }  # fmt: skip
        if name == "ago":
            return _ago((self.now - at).total_seconds())
        form = forms.get(name.removesuffix("_pretty"), "")
        return pretty or at.strftime(form).replace("{day}", str(at.day))


def emoji(name: str, code: str = "") -> Markup:
    """An emoji by its name, or by its code points ("1f389"); one that nobody knows keeps its colons."""
    try:
        shown = "".join(chr(int(part, 16)) for part in code.split("-")) if code else EMOJI.get(name, "")
    except (ValueError, OverflowError):
        shown = ""
    return element("span", shown or f":{name}:", class_="emoji", title=f":{name}:")


def link(url: str, text: object) -> Markup:
    """A link out of the page; an address that is not one of the web's is only shown."""
    if not re.match(r"(?:https?://|mailto:)", url, re.I):
        return element("span", text, title=url)
    return element("a", text, href=url, rel="noreferrer noopener", target="_blank")


def _ago(seconds: float) -> str:
    ahead, left = seconds < 0, abs(seconds)
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if left >= size:
            count = int(left // size)
            said = f"{count} {name}{'' if count == 1 else 's'}"
            return f"in {said}" if ahead else f"{said} ago"
    return "now"
