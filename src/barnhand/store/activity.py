"""Hour by hour: what horses did, and how much was watched."""

from sqlalchemy import text

from barnhand.core.time import wall_of_datetime
from barnhand.store.database import Database
from barnhand.store.detections import moment
from barnhand.store.records import Coverage, HourlyActivity

# The casts are there because a parameter that may be null has no type of its own.
_HOURS = text("""
    select hour, stream_id::text, horse_id::text, detection_count, avg_velocity, max_velocity, observed_seconds
    from hourly_horse_activity
    where hour >= :start and hour < :end
      and (cast(:stream as uuid) is null or stream_id = cast(:stream as uuid))
      and (cast(:horse as uuid) is null or horse_id = cast(:horse as uuid))
    order by hour, stream_id, horse_id
""")
_COVERAGE = text("""
    select hour, stream_id::text, pictures, observed_seconds
    from hourly_coverage
    where hour >= :start and hour < :end and (cast(:stream as uuid) is null or stream_id = cast(:stream as uuid))
    order by hour, stream_id
""")
_MINUTES = text("""
    select minute, observed_us from observed_minutes
    where stream_id = cast(:stream as uuid) and minute > cast(:start as timestamptz) - interval '1 minute' and minute < :end
    order by minute
""")


class Activity:
    """Reads the roll-up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hours(
        self, start_us: int, end_us: int, *, stream_id: str | None = None, horse_id: str | None = None
    ) -> list[HourlyActivity]:
        """Hours that begin from ``start_us`` to before ``end_us`` in which a named horse was seen."""
        values = {"start": moment(start_us), "end": moment(end_us), "stream": stream_id, "horse": horse_id}
        with self._database.begin() as connection:
            return [HourlyActivity(*row) for row in connection.execute(_HOURS, values)]

    def coverage(self, start_us: int, end_us: int, *, stream_id: str | None = None) -> list[Coverage]:
        """How much was analysed of the hours that begin from ``start_us`` to before ``end_us``; none, no row."""
        values = {"start": moment(start_us), "end": moment(end_us), "stream": stream_id}
        with self._database.begin() as connection:
            return [Coverage(*row) for row in connection.execute(_COVERAGE, values)]

    def minutes(self, stream_id: str, start_us: int, end_us: int) -> list[tuple[int, float]]:
        """Start in µs and analysed seconds of every minute that overlaps the time and was analysed at all."""
        values = {"start": moment(start_us), "end": moment(end_us), "stream": stream_id}
        with self._database.begin() as connection:
            rows = connection.execute(_MINUTES, values).all()
        return [(wall_of_datetime(row.minute), row.observed_us / 1e6) for row in rows]
