"""What holds data: databases, caches, buckets, datasets, disks."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field, StrictBool

from bot.core.entry import Entry, Mention, Place
from bot.core.promises import Backup, Copies, Window
from bot.core.units import Duration, Model, Name


class Disk(Model):
    """Storage of a database."""

    gb: int = Field(gt=0)
    type: Literal["ssd", "hdd"] = "ssd"
    grows: StrictBool = False


class Replica(Model):
    """A read replica."""

    region: str
    machine_type: str


class Partitions(Model):
    """A table whose next partition must exist before its time comes."""

    table: str
    by: str
    every: Literal["day", "month"]
    default: StrictBool = False  # whether a default partition catches what no other takes


class SlowQueries(Model):
    """What counts as slow."""

    above_ms: int = Field(100, gt=0)
    top: int = Field(20, gt=0)
    on: Literal["primary", "replica"] = "replica"


class CloudSql(Entry):
    """A Cloud SQL instance. `restorable` is false for what aisq itself stands on."""

    KIND: ClassVar[str] = "database"
    type: Literal["cloud_sql"]
    engine: Literal["postgres", "mysql"]
    version: str
    machine_type: str
    disk: Disk
    high_availability: StrictBool = False
    public_ip: StrictBool = False
    backup: Backup | None = None
    maintenance: Window | None = None
    replicas: dict[Name, Replica] = Field({})
    replicas_scale: StrictBool = False
    databases: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    partitions: tuple[Partitions, ...] = ()
    slow_queries: SlowQueries = SlowQueries()
    restorable: StrictBool = True


class Warmed(Model):
    """Keys that are written before anybody asks; `{id}` in `key` is a column of `query`'s rows."""

    key: str
    ttl: Duration
    limit: int | None = Field(None, gt=0)
    within: Duration | None = None  # rows that were touched so recently
    database: Name
    query: str


class Cache(Entry):
    """Redis, however it is run. `protected` are key patterns that need an approval to be flushed."""

    KIND: ClassVar[str] = "cache"
    version: str
    size_gb: float = Field(gt=0)
    nodes: int = Field(1, ge=1)  # shards
    replicas: int = Field(0, ge=0)
    high_availability: StrictBool = False
    eviction: Literal["", "noeviction", "allkeys-lru", "allkeys-lfu", "volatile-lru", "volatile-ttl"] = ""
    host: str = ""
    port: int = 6379
    auth: StrictBool = False
    tls: StrictBool = False
    holds: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    persistence: tuple[Literal["aof", "rdb"], ...] = ()
    backup: Backup | None = None
    ttl: Duration | None = None  # of a key for which nobody says otherwise
    format: Literal["", "msgpack", "json"] = ""
    warm: dict[Name, Warmed] = Field({})

    def mentions(self) -> Iterator[Mention]:
        yield from super().mentions()
        yield from ((("warm", key, "database"), one.database, "database") for key, one in self.warm.items())


class Memorystore(Cache):
    """Memorystore for Redis, or its cluster when there are several nodes."""

    type: Literal["memorystore"]
    service_tier: Literal["basic", "standard", "cluster"]


class Redis(Cache):
    """A Redis that somebody runs."""

    type: Literal["redis"]


class StorageRule(Model):
    """Objects move to a cheaper class when they are so old."""

    to: Literal["NEARLINE", "COLDLINE", "ARCHIVE"]
    after: Duration


class Gcs(Entry):
    """A bucket."""

    KIND: ClassVar[str] = "storage"
    type: Literal["gcs"]
    versioned: StrictBool = False
    lifecycle: tuple[StorageRule, ...] = ()
    holds: tuple[str, ...] = ()

    def place(self, name: str, project: str, region: str) -> Place:
        return {"project": project, "bucket": name}


class Bigquery(Entry):
    """A dataset."""

    KIND: ClassVar[str] = "warehouse"
    type: Literal["bigquery"]

    def place(self, name: str, project: str, region: str) -> Place:
        return {"project": project, "dataset": name}


class Disks(Entry):
    """The disks of an environment's machines, and their snapshots."""

    KIND: ClassVar[str] = "disk"
    type: Literal["disks"]
    snapshots: Copies

    def place(self, name: str, project: str, region: str) -> Place:
        return {"project": project, "region": region}
