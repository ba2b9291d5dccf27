"""How detections are cut into days and rolled up into hours: the one file that knows TimescaleDB from plain PostgreSQL.

Where the server offers TimescaleDB, ``detections`` is a hypertable with compression and retention, and
``hourly_horse_detections`` a continuous aggregate. Elsewhere ``detections`` has a partition a day, made ahead and dropped by
age, and ``hourly_horse_detections`` is a table of which the hours named in ``stale_hours`` are made anew. Names and columns
are the same, and so is everything that reads or writes them.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from barnhand.store.database import unhurried
from barnhand.store.tables import Detection, HourlyHorseDetections, table_of

log = logging.getLogger(__name__)

HOURS_A_ROUND = 48
"""Stale hours made anew in one go, so that a correction of a year does not hold up the rows of now."""

_COLUMNS = """
    time timestamptz not null,
    stream_id uuid not null,
    track_id bigint not null,
    horse_id uuid,
    pts bigint not null,
    width integer not null,
    height integer not null,
    bbox jsonb not null,
    confidence real not null,
    certainty text not null,
    similarity real not null,
    color text not null,
    skeleton text,
    pose_keypoints real[],
    interpolated boolean not null,
    metrics jsonb not null,
    constraint pk_detections primary key (stream_id, time, track_id)
"""

_INDEXES = (
    "create index ix_detections_horse_id_time on detections (horse_id, time desc) where horse_id is not null",
    "create index ix_detections_metrics on detections using gin (metrics jsonb_path_ops)",
)

_HOURLY = """
    stream_id, horse_id, count(*) as detection_count,
    avg((metrics ->> 'velocity')::float8) as avg_velocity, max((metrics ->> 'velocity')::float8) as max_velocity
"""

_COUNTED = "horse_id is not null and not interpolated"

_VIEWS = (
    """
    create view hourly_coverage as
    select date_trunc('hour', minute, 'UTC') as hour, stream_id,
           sum(pictures)::bigint as pictures, sum(observed_us)::float8 / 1e6 as observed_seconds
    from observed_minutes group by 1, 2
    """,
    "comment on view hourly_coverage is 'how much of each hour was analysed; an hour that is missing was not watched'",
    """
    create view hourly_horse_activity as
    select seen.hour, seen.stream_id, seen.horse_id, seen.detection_count, seen.avg_velocity, seen.max_velocity,
           coalesce(watched.observed_seconds, 0) as observed_seconds
    from hourly_horse_detections seen
    left join lateral (
        select sum(m.observed_us)::float8 / 1e6 as observed_seconds from observed_minutes m
        where m.stream_id = seen.stream_id and m.minute >= seen.hour and m.minute < seen.hour + interval '1 hour'
    ) watched on true
    """,
    "comment on view hourly_horse_activity is"
    " 'hourly_horse_detections with its coverage; hours without the horse have no row, see hourly_coverage'",
    *(
        f"comment on column {view}.observed_seconds is 'time of the hour that was analysed, s; the rest was not watched'"
        for view in ("hourly_coverage", "hourly_horse_activity")
    ),
)

_DUE = text("select hour, xmin::text from stale_hours where hour <= :until order by hour limit :limit")

_RETENTION = text("""
    select (jobs.config ->> 'drop_after')::interval from timescaledb_information.jobs jobs
    left join timescaledb_information.continuous_aggregates seen
        on seen.materialization_hypertable_name = jobs.hypertable_name
    where jobs.proc_name = 'policy_retention' and coalesce(seen.view_name, jobs.hypertable_name) = :relation
""")


class TimeSeries(ABC):
    """What the writer and the migrations ask for."""

    name: ClassVar[str]

    @abstractmethod
    def create(self, connection: Connection) -> None:
        """Make ``detections``, ``hourly_horse_detections`` and the views on them."""

    @abstractmethod
    def prepare(self, connection: Connection, days: Iterable[date]) -> None:
        """Make sure that detections of these days (UTC) find their place."""

    @abstractmethod
    def roll_up(self, engine: Engine, now: datetime) -> int:
        """Make the stale hours anew that ended an hour ago or earlier; how many were made."""

    @abstractmethod
    def keep(self, engine: Engine, now: datetime, /, days: int, activity_days: int) -> None:
        """Drop detections older than ``days`` and rolled-up hours older than ``activity_days``."""


class Partitions(TimeSeries):
    """Plain PostgreSQL: a partition a day, named ``detections_pYYYYMMDD``."""

    name = "partitions"

    def create(self, connection: Connection) -> None:
        """Make the tables."""
        connection.exec_driver_sql(f"create table detections ({_COLUMNS}) partition by range (time)")
        connection.exec_driver_sql("create index ix_detections_time on detections using brin (time)")
        connection.exec_driver_sql(
            """
            create table hourly_horse_detections (
                hour timestamptz not null, stream_id uuid not null, horse_id uuid not null, detection_count bigint not null,
                avg_velocity float8, max_velocity float8,
                constraint pk_hourly_horse_detections primary key (hour, stream_id, horse_id)
            )
            """
        )
        _finish(connection)

    def prepare(self, connection: Connection, days: Iterable[date]) -> None:
        """Make the partitions that are missing."""
        there = self._partitions(connection)
        for day in sorted(set(days) - there.keys()):
            # Made apart and then attached: attaching, unlike making in place, lets readers go on.
            name = f"detections_p{day:%Y%m%d}"
            connection.exec_driver_sql(f"create table if not exists {name} (like detections including all)")
            connection.exec_driver_sql(
                f"alter table detections attach partition {name}"
                f" for values from ('{day:%Y-%m-%d} 00:00+00') to ('{day + timedelta(days=1):%Y-%m-%d} 00:00+00')"
            )

    def roll_up(self, engine: Engine, now: datetime) -> int:
        """Make stale hours anew, each in a transaction."""
        with engine.begin() as connection:
            hours = connection.scalars(_DUE, {"until": now - timedelta(hours=2), "limit": HOURS_A_ROUND}).all()
        for hour in hours:
            span = {"hour": hour, "end": hour + timedelta(hours=1)}
            with engine.begin() as connection:
                unhurried(connection)
                # Deleting takes the row's lock, which whoever adds detections holds until these are to be seen.
                connection.execute(text("delete from stale_hours where hour = :hour"), span)
                connection.execute(text("delete from hourly_horse_detections where hour = :hour"), span)
                connection.execute(
                    text(
                        "insert into hourly_horse_detections"
                        " (hour, stream_id, horse_id, detection_count, avg_velocity, max_velocity)"
                        f" select :hour, {_HOURLY} from detections"
                        f" where time >= :hour and time < :end and {_COUNTED} group by stream_id, horse_id"
                    ),
                    span,
                )
        return len(hours)

    def keep(self, engine: Engine, now: datetime, /, days: int, activity_days: int) -> None:
        """Drop whole partitions, and rows of the roll-up."""
        oldest = (now - timedelta(days=days)).date()
        with engine.begin() as connection:
            for day, name in self._partitions(connection).items():
                if day < oldest:
                    connection.exec_driver_sql(f"drop table {name}")
                    log.info("detections of %s are older than %d days and were dropped", day, days)
            unhurried(connection)
            connection.execute(
                text("delete from hourly_horse_detections where hour < :oldest"),
                {"oldest": now - timedelta(days=activity_days)},
            )

    @staticmethod
    def _partitions(connection: Connection) -> dict[date, str]:
        names = connection.exec_driver_sql(
            "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
            " where i.inhparent = 'detections'::regclass"
        ).scalars()
        return {datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC).date(): name for name in names}


class Timescale(TimeSeries):
    """TimescaleDB: its chunks, compression, continuous aggregate and policies."""

    name = "timescaledb"

    def create(self, connection: Connection) -> None:
        """Make the tables and the policies."""
        connection.exec_driver_sql(f"create table detections ({_COLUMNS})")
        connection.exec_driver_sql("select create_hypertable('detections', 'time', chunk_time_interval => interval '1 day')")
        connection.exec_driver_sql(
            "alter table detections set (timescaledb.compress, timescaledb.compress_segmentby = 'stream_id',"
            " timescaledb.compress_orderby = 'time desc, track_id')"
        )
        connection.exec_driver_sql("select add_compression_policy('detections', interval '7 days')")
        connection.exec_driver_sql(
            "create materialized view hourly_horse_detections"
            " with (timescaledb.continuous, timescaledb.materialized_only = true) as"
            f" select time_bucket('1 hour', time) as hour, {_HOURLY} from detections"
            f" where {_COUNTED} group by 1, 2, 3 with no data"
        )
        connection.exec_driver_sql(
            "select add_continuous_aggregate_policy('hourly_horse_detections', start_offset => interval '3 hours',"
            " end_offset => interval '1 hour', schedule_interval => interval '1 hour')"
        )
        _finish(connection)

    def prepare(self, connection: Connection, days: Iterable[date]) -> None:
        """Nothing: TimescaleDB makes chunks by itself."""

    def roll_up(self, engine: Engine, now: datetime) -> int:
        """The policy does the last three hours; hours that changed before are refreshed here."""
        with engine.begin() as connection:
            due = connection.execute(_DUE, {"until": now - timedelta(hours=2), "limit": HOURS_A_ROUND}).all()
        # Refreshing is not allowed inside a transaction, so the hour is struck off afterwards: a crash in between refreshes
        # it twice. Whoever changes detections meanwhile makes the row anew, and with another xmin it stays for the next time.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("set statement_timeout = 0")
            for hour, version in due:
                span = {"hour": hour, "end": hour + timedelta(hours=1), "version": version}
                connection.execute(text("call refresh_continuous_aggregate('hourly_horse_detections', :hour, :end)"), span)
                connection.execute(text("delete from stale_hours where hour = :hour and xmin::text = :version"), span)
            connection.exec_driver_sql("reset statement_timeout")
        return len(due)

    def keep(self, engine: Engine, _now: datetime, /, days: int, activity_days: int) -> None:
        """Set the retention policies; TimescaleDB carries them out."""
        with engine.begin() as connection:
            for relation, kept in (("detections", days), ("hourly_horse_detections", activity_days)):
                # The policy of a continuous aggregate is told under the name of the hypertable behind it.
                set_to = connection.execute(_RETENTION, {"relation": relation}).scalar()
                if set_to != timedelta(days=kept):
                    connection.exec_driver_sql(f"select remove_retention_policy('{relation}', if_exists => true)")
                    connection.exec_driver_sql(f"select add_retention_policy('{relation}', interval '{kept} days')")


def _finish(connection: Connection) -> None:
    for statement in (*_INDEXES, *_VIEWS):
        connection.exec_driver_sql(statement)
    for table in (table_of(Detection), table_of(HourlyHorseDetections)):
        for column in table.columns:
            if column.comment is not None:
                quoted = column.comment.replace("'", "''")
                connection.exec_driver_sql(f"comment on column {table.name}.{column.name} is '{quoted}'")


def lift_limits(connection: Connection) -> None:
    """Let this transaction change as many old rows as there are; to PostgreSQL alone the setting means nothing."""
    # Compressed rows are unpacked to be changed, by default 100 000 a transaction: fewer than a horse has in a week.
    connection.exec_driver_sql("set local timescaledb.max_tuples_decompressed_per_dml_transaction = 0")


def offered(connection: Connection) -> TimeSeries:
    """What the server can do best, for a database that is being made."""
    available = connection.exec_driver_sql("select 1 from pg_available_extensions where name = 'timescaledb'").scalar()
    if available is None:
        return Partitions()
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("create extension if not exists timescaledb")
    except DBAPIError as error:
        # Installed but not preloaded, or not allowed to this user: a database without it is better than none.
        log.warning("TimescaleDB is there but cannot be used (%s); detections are kept in daily partitions", error.orig)
        return Partitions()
    return Timescale()


def used(connection: Connection) -> TimeSeries:
    """What a database was made with."""
    kind = connection.exec_driver_sql("select relkind from pg_class where oid = 'detections'::regclass").scalar()
    return Partitions() if kind in ("p", b"p") else Timescale()
