"""What must hold when a soak is over."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from bot.sandbox.deliveries import Delivery
from bot.sandbox.soak_evidence import Evidence, Json
from bot.sandbox.soak_town import LEASE_S
from bot.sandbox.transcript import lines

KEY = "aisq.dev/effect"
UNSURE = ("I could not confirm", "does not show")  # said when a request may have been written down
TITLES = {
    "applied": "Done", "denied": "Denied", "failed": "Failed", "cancelled": "Cancelled", "expired": "Expired",
    "uncertain": "Uncertain", "nothing_to_do": "Nothing to do", "planned": "Dry run", "rejected": "Not possible",
    "answered": "Answered",
}  # fmt: skip
UNTOUCHED, PUT_BACK = ("denied", "expired", "nothing_to_do", "planned", "rejected", "answered"), "put back as it was"
BEHIND = (
    "select o.id, o.revision, m.shown from operations o join messages m on m.operation = o.id"
    " where m.shown < o.revision"
)


def ended(found: Evidence) -> Iterator[str]:
    for one in found.operations.values():
        if one.state not in TITLES:
            yield f"{one.id} is {one.state}"
        if one.judged == "pending":
            yield f"{one.id} was never judged"
        if one.state in ("failed", "uncertain") and "a bug in aisq" in one.detail:
            yield f"{one.id}: {one.detail}"


def nothing_left(found: Evidence) -> Iterator[str]:
    """To be asked once no replica runs any more."""
    for target, holder in found.books.ours("select target, holder from mutexes where holder is not null"):
        yield f"{holder} holds the mutex of {target}"
    for executor, beat_s in found.books.ours("select executor, beat_s from leases"):
        if beat_s > time.time() - LEASE_S:
            yield f"{executor} has a lease"
    if count := len(found.books.running()):
        yield f"{count} durable runs have not ended"


def as_audited(found: Evidence) -> Iterator[str]:
    """The cloud's log and the audit tell of the same writes in the same order, service by service."""
    in_cloud, on_record = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for call in found.committed:
        in_cloud[call["service"].rpartition("/")[2]].append(call["annotations"].get(KEY, "without a key"))
    for link in found.written():
        on_record[link.body["target"].rpartition("/")[2]].append(link.body["key"])
    for service in sorted(in_cloud.keys() | on_record.keys()):
        if in_cloud[service] != on_record[service]:
            yield f"{service}: the cloud has {in_cloud[service]}, the audit {on_record[service]}"


def at_most_once(found: Evidence) -> Iterator[str]:
    keys = Counter(call["annotations"].get(KEY) for call in found.committed)
    yield from (f"{key} took effect {count} times" for key, count in keys.items() if count > 1)
    events = Counter((link.event, link.body["key"]) for link in found.audit if link.event in ("writing", "written"))
    yield from (f"{event} {key} is on record {count} times" for (event, key), count in events.items() if count > 1)
    for key in {key for _, key in events}:
        if events["writing", key] != events["written", key]:
            yield f"{key} was begun and has no ending"


def as_stated(found: Evidence) -> Iterator[str]:
    """What each operation says of itself is what the cloud saw of it."""
    seen = defaultdict[str, list[str]](list)
    for call in found.committed:
        id, _, what = call["annotations"].get(KEY, "").partition("/")
        seen[id].append(what.rpartition("/")[2])
    for one in found.operations.values():
        done, undone = seen[one.id].count("do"), seen[one.id].count("undo")
        steps = sum(step["kind"] == "call" for step in one.plan.get("steps", ()))
        untouched = one.state in UNTOUCHED or "nothing was done" in one.detail or "nothing done" in one.detail
        if one.state == "applied" and (done, undone) != (steps, 0):
            yield f"{one.id} is applied, but the cloud was told {done} times, and back {undone} times"
        elif untouched and done:
            yield f"{one.id} is {one.state} ({one.detail}), but the cloud was changed"
        elif PUT_BACK in one.detail and done != undone:
            yield f"{one.id} was put back, but the cloud was told {done} times, and back {undone} times"
    yield from (f"the cloud knows {id!r}, which is no operation" for id in seen if id not in found.operations)


def serial(found: Evidence) -> Iterator[str]:
    """From running to the outcome no other operation runs on the same target."""
    running: dict[str, str] = {}
    for link in found.audit:
        target = str(link.body.get("target", ""))
        if link.event == "running":
            if other := running.get(target):
                yield f"{link.operation} began on {target} while {other} ran"
            running[target] = link.operation
        elif link.event in TITLES and running.get(target) == link.operation:
            del running[target]
        elif link.event == "writing" and running.get(target) != link.operation:
            yield f"{link.operation} wrote to {target} while {running.get(target, 'nothing')} ran"


def chain(found: Evidence) -> Iterator[str]:
    if not found.books.is_chain_whole():
        yield "the audit chain is broken"
    outcomes = Counter(link.operation for link in found.audit if link.event in TITLES)
    yield from (f"{id} has {count} outcomes on record" for id, count in outcomes.items() if count > 1)
    for one in found.operations.values():
        if one.verb == "plan" and not outcomes[one.id]:
            yield f"{one.id} has no outcome on record"


def pinned(found: Evidence) -> Iterator[str]:
    """Each pin is that of what was last applied, and so is the split where nothing was written since."""
    expected = _pins(found)
    pins = {target: json.loads(pin) for target, pin in found.books.ours("select target, cast(pin as text) from pins")}
    held = {target: {name: pin[name] for name in ("operation", "traffic")} for target, pin in pins.items()}
    for target in sorted(expected.keys() | held.keys()):
        if held.get(target) != expected.get(target):
            yield f"{target} is pinned as {held.get(target)}, not as {expected.get(target)}"
    last = {call["service"].rpartition("/")[2]: call for call in found.committed}
    for target, pin in held.items():
        call = last.get(target.rpartition("/")[2], {"annotations": {}})
        if call["annotations"].get(KEY, "").startswith(pin["operation"]) and call["traffic"] != pin["traffic"]:
            yield f"{target} is pinned to {pin['traffic']}, and the cloud was told {call['traffic']}"


def _pins(found: Evidence) -> dict[str, Json]:
    """By target, as the audit's applied operations left them."""
    made: dict[str, Json] = {}
    for link in found.audit:
        plan = found.operations[link.operation].plan if link.event == "applied" else {}
        if plan.get("hold"):
            made[link.body["target"]] = {"operation": link.operation, "traffic": plan["hold"]["traffic"]}
        elif plan.get("lets_go"):
            made.pop(link.body["target"], None)
    return made


def shown(found: Evidence) -> Iterator[str]:
    """Whatever could happen has one message, which says how it ended; no message is about anything else."""
    texts = defaultdict[str, list[str]](list)
    for message in found.messages:
        about = message.get("metadata", {}).get("event_payload", {}).get("operation", "")
        texts[about].append(" ".join(lines(message)))
    for id, same in texts.items():
        if id not in found.operations:
            yield f"a message is about {id or 'nothing'}: {same[0][:80]}"
        if len(same) > 1:
            yield f"{id} has {len(same)} messages"
    for one in found.operations.values():
        happens = one.verb == "plan" and one.digest and one.state != "planned"
        if happens and one.id not in texts:
            yield f"{one.id} ({one.state}) has no message"
        elif one.id in texts and TITLES.get(one.state, one.state) not in texts[one.id][-1]:
            yield f"{one.id} is {one.state}, and its message says: {texts[one.id][-1][:80]}"


def up_to_date(found: Evidence) -> Iterator[str]:
    for id, revision, shown in found.books.ours(BEHIND):
        yield f"{id} is at revision {revision}, and {shown} is shown"


def not_lost(found: Evidence) -> Iterator[str]:
    """What was acknowledged without a sentence has its row. A click's refusal comes on another way: see `clicks`."""
    for one in found.sent:
        id = found.heard.get(one.heard_as)
        if one.acknowledged and not one.said and not one.is_click and id not in found.operations:
            yield f"`{one.text}` was acknowledged and has no row"
        # Of two attempts, the one that says no knows nothing of the other, to a replica that stands still.
        sure = one.said and one.attempts == 1 and not any(part in one.said for part in UNSURE)
        if sure and id and found.operations[id].state != "denied":
            yield f"`{one.text}` was refused ({one.said[:80]}) and has a row that is {found.operations[id].state}"
    known = {one.heard_as for one in found.sent}
    yield from (f"{id} was never asked" for heard_as, id in found.heard.items() if heard_as not in known)
    times = Counter(found.heard.values())
    for id in found.operations:
        if times[id] != 1:
            yield f"{id} was heard as {times[id]} deliveries"


def clicks(found: Evidence) -> list[Delivery]:
    """Those that were acknowledged and written nowhere: nothing happened, and the clicker was told or saw no change."""
    return [one for one in found.sent if one.is_click and one.acknowledged and one.heard_as not in found.heard]


CHECKS: dict[str, Callable[[Evidence], Iterator[str]]] = {
    "every operation has a stated outcome": ended,
    "no mutex, lease or durable run is left": nothing_left,
    "the cloud was told what the audit says, in its order": as_audited,
    "every write took effect at most once": at_most_once,
    "outcomes say what the cloud saw": as_stated,
    "per service one change ran at a time": serial,
    "the audit chain is whole": chain,
    "pins are those of what was last applied": pinned,
    "one message each, saying the outcome": shown,
    "Slack shows the newest of each": up_to_date,
    "nothing acknowledged is lost, nothing is there twice": not_lost,
}
