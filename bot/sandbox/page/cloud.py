"""The right side of the page: a service with its releases and curves, all services, the log of calls."""

from datetime import datetime
from typing import Any

from bot.sandbox.drawing import percent
from bot.sandbox.page.charts import spark
from bot.sandbox.page.html import element
from bot.sandbox.page.look import Json, Seen
from bot.sandbox.page.view import View

SHOWN_RELEASES, SHOWN_CALLS = 5, 60
BAD_FROM = 0.01  # the share of requests from which on a failing service is marked
MOODS = {"committed": "good", "answered": "plain", "arrived": "plain"}


def service(seen: Seen, view: View) -> dict[str, Any]:
    """The service that is looked at; nothing of one that does not exist."""
    found = seen.services.get(view.service)
    if found is None:
        return {"service": None}
    minutes = seen.minutes.get(view.service, [])
    failed = [minute["failed"] / minute["requests"] if minute["requests"] else None for minute in minutes]
    slow = [minute["p95_ms"] for minute in minutes]
    return {
        "service": found,
        "releases": [_release(found, one) for one in _shown(found)],
        "bad": found["error_rate"] >= BAD_FROM,
        "span": len(minutes),
        "failing": spark("Error rate", failed, percent, least=0.01, kind="errors"),
        "latency": spark("Latency, 95th percentile", slow, _ms, least=100.0, kind="latency"),
        "slow": next((_ms(value) for value in reversed(slow) if value is not None), "no requests"),
        "follows": "LATEST" in found["wanted"],
    }


def _shown(found: Json) -> list[Json]:
    """The newest releases, and older ones that serve."""
    newest = list(reversed(found["releases"]))
    return newest[:SHOWN_RELEASES] + [one for one in newest[SHOWN_RELEASES:] if one["percent"]]


def _release(found: Json, one: Json) -> Json:
    bar = element("svg", element("rect", width=f"{one['percent']}%", height="100%", rx="3"), class_="bar", width="100%",
                  height="8", aria_hidden="true")  # fmt: skip
    bad = one["error_rate"] >= BAD_FROM
    return {**one, "bar": bar, "bad": bad, "newest": one["name"] == found["latest_created"]}


def projects(seen: Seen) -> dict[str, list[Json]]:
    """All services by project."""
    found: dict[str, list[Json]] = {}
    for key, one in seen.services.items():
        served = sorted(((share, name) for name, share in one["traffic"].items() if share), reverse=True)
        split = ", ".join(f"{share} % {name.removeprefix(one['service'] + '-')}" for share, name in served)
        found.setdefault(one["project"], []).append(
            {**one, "key": key, "split": split, "bad": one["error_rate"] >= BAD_FROM}
        )
    return found


def calls(seen: Seen) -> list[Json]:
    """The newest calls first; reads of the same thing one after the other are one line with a count."""
    listed: list[Json] = []
    for call in reversed(seen.calls):
        line = _call(call)
        if listed and line["fate"] == "answered" and _same(listed[-1], line):
            listed[-1]["times"] += 1
        elif len(listed) >= SHOWN_CALLS:
            break
        else:
            listed.append(line)
    return listed


def _same(one: Json, other: Json) -> bool:
    return all(one[name] == other[name] for name in ("method", "about", "fate", "by"))


def _call(call: Json) -> Json:
    split = ", ".join(f"{share} % {name}" for name, share in call["traffic"].items())
    about = split if call["committed"] and split else _short(call["resource"])
    return {
        "seq": call["seq"], "at": _clock(call["at"]), "method": call["method"], "times": 1,
        "by": "by hand" if call["api"] == "console" else "aisq", "about": about, "committed": call["committed"],
        "fate": call["code"] or call["fate"], "mood": MOODS.get(call["fate"], "bad"),
    }  # fmt: skip


def _short(resource: str) -> str:
    return "/".join(resource.split("/")[-1:])


def _ms(value: float) -> str:
    return f"{value:.0f} ms"


def _clock(instant: str) -> str:
    return f"{datetime.fromisoformat(instant):%H:%M:%S}"
