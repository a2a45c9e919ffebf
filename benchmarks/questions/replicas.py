"""How many requests a second do one, two and four replicas accept on one PostgreSQL?"""

from functools import partial

from benchmarks import databases
from benchmarks.load import load
from benchmarks.measure import Row, alternating, beside
from benchmarks.town import town, until
from bot.sandbox.books import Books
from bot.sandbox.rehearsal import Rehearsal

COUNTS, CONCURRENT, TEXT = (1, 2, 4), 40, "whoami"
FLOOR = "by one"
UNANSWERED = "select 1 from operations where state = 'accepted' limit 1"


def rows(rounds: int = 3, requests: int = 600) -> list[Row]:
    """Nothing where there is no PostgreSQL. All replicas run all the time; only how many are asked differs."""
    if not databases.has_postgres():
        return []
    with databases.postgres() as make, town(settings={"AISQ_DATABASE_URL": make()}) as here:
        addresses, books = _replicas(here, max(COUNTS)), Books(here.database)
        runs = [partial(_rate, books, addresses[:count], requests) for count in COUNTS]
        for run in runs:
            run()
        rates = alternating(rounds, *runs)
    return [
        beside(f"requests accepted by {count} of {max(COUNTS)} replicas", "/s", found, rates[0], FLOOR)
        for count, found in zip(COUNTS, rates, strict=True)
    ]


def _replicas(here: Rehearsal, count: int) -> list[str]:
    """Started together; their addresses once all are ready."""
    made = [here.another(f"replica{number}") for number in range(count)]
    for replica in made:
        replica.start()
    for replica in made:
        replica.wait_ready()
    return [replica.url for replica in made]


def _rate(books: Books, addresses: list[str], requests: int) -> float:
    """Requests a second, once those before are answered. Raises RuntimeError and TimeoutError."""
    until(lambda: not books.ours(UNANSWERED), "requests were not answered", patience_s=120.0, every_s=0.2)
    found = load(addresses, TEXT, concurrent=CONCURRENT, requests=requests)
    if found.refused:
        raise RuntimeError(f"{found.refused} of {requests} requests were refused")
    return requests / found.took_s
