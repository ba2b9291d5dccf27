"""The one process that copies the spool to the database.

A batch of rows and how far the spool is copied with it are one transaction: what is committed is copied exactly once,
whatever dies in between. While the database is away the spool grows and nothing is lost; rows that can never be put in go
to ``rejected/`` beside the spool with the reason, so that they never hold up the others.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg
from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from barnhand.core.chunk import ChunkState
from barnhand.core.time import SECOND_US, Clock, SystemClock, datetime_of_wall
from barnhand.store import timeseries
from barnhand.store.apply import Coverage, apply, days_ahead
from barnhand.store.database import unhurried
from barnhand.store.rows import BadRowError, ObservationRow, VerdictRow, read
from barnhand.store.spool import Batch, Position, Row, SpoolReader
from barnhand.store.tables import ChunkTable, SpoolOffset, StreamTable, table_of

log = logging.getLogger(__name__)

_REFUSED = (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError)
_DAY_US = 86_400 * SECOND_US


@dataclass(frozen=True)
class Verdict:
    """How the analysis of a chunk ended, now that its row says so and all that was seen in it has rows too."""

    id: str
    stream_id: str
    start_us: int
    end_us: int
    state: ChunkState
    cause: str | None


@dataclass(frozen=True)
class WriterOptions:
    """How the writer works and how long rows are kept."""

    batch_rows: int = 5000
    """Rows copied in one transaction."""
    poll_s: float = 0.25
    """Seconds between looks at a spool that had nothing."""
    first_wait_s: float = 0.5
    """Seconds to wait when the database is away; doubled each time."""
    longest_wait_s: float = 10
    """But never more than this."""
    drain_s: float = 5
    """Seconds to go on copying after being told to stop."""
    upkeep_s: float = 60
    """Seconds between upkeeps: partitions, roll-up, retention."""
    days_ahead: int = 3
    """Days for which partitions are made ahead."""
    detections_days: int = 365
    """Days that detections, tracks, gaps and the coverage by minute are kept."""
    activity_days: int = 3650
    """Days that the hourly roll-up is kept."""
    future_days: int = 2
    """A row from further ahead than this has a wrong clock and is rejected."""


class Writer:
    """Drains a spool folder into a database. One at a time, though two do no harm.

    ``tell`` hears of every chunk whose verdict was committed; it must not raise and should not take long.
    """

    def __init__(
        self,
        folder: Path,
        engine: Engine,
        clock: Clock | None = None,
        options: WriterOptions | None = None,
        tell: Callable[[Sequence[Verdict]], None] = lambda _: None,
    ) -> None:
        self._tell = tell
        self._folder = folder
        self._engine = engine
        self._clock = clock or SystemClock()
        self._options = options or WriterOptions()
        self._reader = SpoolReader(folder, orjson.loads)
        self._series: timeseries.TimeSeries | None = None
        self._coverage: dict[str, Coverage] = {}
        self._streams: set[str] = set()
        self._upkeep_due = 0.0
        self.copied = 0
        self.rejected = 0

    def run(self, stop: threading.Event) -> None:
        """Copy until ``stop`` is set, then what is still there for a few seconds."""
        wait = 0.0
        while not stop.is_set():
            try:
                busy = self.step()
                self._upkeep_when_due()
                if wait:
                    log.info("the database is back; copying goes on")
                wait = 0.0
            except (SQLAlchemyError, psycopg.Error) as error:
                if not wait:
                    log.warning("the database does not take rows (%s); they wait in the spool", _short(error))
                wait = min(self._options.longest_wait_s, max(self._options.first_wait_s, wait * 2))
                stop.wait(wait)
                continue
            if not busy:
                stop.wait(self._options.poll_s)
        self._drain()

    def step(self) -> bool:
        """Copy one batch; false when there was none. Raises SQLAlchemy's and psycopg's errors, the batch then stays."""
        if self._series is None:
            self._begin()
        batch = self._reader.read(self._options.batch_rows)
        if batch is None:
            return False
        # What a batch that fails has counted must not count twice.
        coverage = deepcopy(self._coverage.get(batch.producer, Coverage()))
        try:
            end = self._copy(batch, coverage)
        except BaseException:
            self._reader.seek(batch.producer, batch.start)
            # The next connection may be to a database that was brought back from a copy.
            self._series = None
            raise
        if end != batch.end:
            # Another writer, or this one before an answer that never came, has copied it already.
            self._reader.seek(batch.producer, end)
            return True
        self._coverage[batch.producer] = coverage
        self._reader.acknowledge(batch)
        self.copied += len(batch.rows)
        return True

    def upkeep(self) -> None:
        """Make partitions ahead, roll hours up, drop what is old, forget producers that are gone."""
        options = self._options
        now = datetime_of_wall(self._clock.wall_us())
        with self._engine.begin() as connection:
            series = timeseries.used(connection)
            series.prepare(connection, days_ahead(now, options.days_ahead))
        while series.roll_up(self._engine, now) == timeseries.HOURS_A_ROUND:
            pass
        series.keep(self._engine, now, options.detections_days, options.activity_days)
        self._reader.sweep()
        oldest_us = self._clock.wall_us() - options.detections_days * _DAY_US
        bounds = {
            "oldest": datetime_of_wall(oldest_us),
            "oldest_us": oldest_us,
            "yesterday": datetime_of_wall(self._clock.wall_us() - _DAY_US),
            "producers": list(self._reader.producers()),
        }
        with self._engine.begin() as connection:
            unhurried(connection)
            for statement in (
                "delete from observed_minutes where minute < :oldest",
                "delete from tracks where coalesce(ended_us, started_us) < :oldest_us",
                "delete from gaps where end_us < :oldest_us",
                "delete from spool_offsets where updated_at < :yesterday and not producer = any(:producers)",
            ):
                connection.execute(text(statement), bounds)

    def _begin(self) -> None:
        """Learn from the database how far the spool is copied."""
        with self._engine.begin() as connection:
            series = timeseries.used(connection)
            positions = connection.execute(select(SpoolOffset.producer, SpoolOffset.segment, SpoolOffset.position)).all()
            self._streams = set(connection.scalars(select(StreamTable.id)))
        self._reader.forget_positions()
        for producer in self._reader.producers():
            # A database that knows nothing of a producer gets all that is still there of it.
            self._reader.seek(producer, Position(0, 0))
        for producer, segment, position in positions:
            self._reader.seek(producer, Position(segment, position))
        self._series = series

    def _copy(self, batch: Batch, coverage: Coverage) -> Position:
        """Copy a batch; the position the spool is copied to afterwards."""
        now_us = self._clock.wall_us()
        with self._engine.begin() as connection:
            unhurried(connection)
            timeseries.lift_limits(connection)
            copied = self._claim(connection, batch, now_us)
            if copied != batch.start:
                return copied
            good = self._check(connection, batch.rows, now_us)
            self._apply(connection, good, coverage, now_us)
            verdicts = _verdicts(connection, [typed.id for _, typed in good if isinstance(typed, VerdictRow)])
            connection.execute(
                update(table_of(SpoolOffset))
                .where(SpoolOffset.producer == batch.producer)
                .values(segment=batch.end.number, position=batch.end.offset, updated_at=datetime_of_wall(now_us))
            )
        if verdicts:
            self._tell(verdicts)
        return batch.end

    def _claim(self, connection: Connection, batch: Batch, now_us: int) -> Position:
        """How far the producer is copied; nobody else copies it until the transaction ends."""
        start = batch.start
        connection.execute(
            upsert(table_of(SpoolOffset))
            .values(producer=batch.producer, segment=start.number, position=start.offset, updated_at=datetime_of_wall(now_us))
            .on_conflict_do_nothing()
        )
        row = connection.execute(
            select(SpoolOffset.segment, SpoolOffset.position).where(SpoolOffset.producer == batch.producer).with_for_update()
        ).one()
        return Position(row[0], row[1])

    def _check(self, connection: Connection, rows: Sequence[Row], now_us: int) -> list[tuple[Row, Any]]:
        """Typed rows; those that are no good are rejected."""
        good: list[tuple[Row, Any]] = []
        for row in rows:
            try:
                typed = read(row.kind, row.data)
                self._check_stream(connection, typed)
                if isinstance(typed, ObservationRow):
                    self._check_time(typed.wall_us, now_us)
            except BadRowError as error:
                self._reject(row, str(error))
            else:
                good.append((row, typed))
        return good

    def _check_stream(self, connection: Connection, typed: Any) -> None:
        stream_id = getattr(typed, "stream_id", None)
        if stream_id is None or stream_id in self._streams:
            return
        if connection.scalar(select(StreamTable.id).where(StreamTable.id == stream_id)) is None:
            raise BadRowError(f"the database has no stream {stream_id}")
        self._streams.add(stream_id)

    def _check_time(self, wall_us: int, now_us: int) -> None:
        options = self._options
        if not now_us - options.detections_days * _DAY_US <= wall_us <= now_us + options.future_days * _DAY_US:
            raise BadRowError(f"its time is out of bounds: {wall_us} µs while it is {now_us} µs")

    def _apply(self, connection: Connection, rows: list[tuple[Row, Any]], coverage: Coverage, now_us: int) -> None:
        """Put rows in; where the database refuses them, halve until the one that is to blame is found and rejected."""
        if not rows:
            return
        assert self._series is not None
        counted = deepcopy(coverage)
        try:
            with connection.begin_nested():
                apply(connection, [typed for _, typed in rows], self._series, counted, now_us)
        except _REFUSED as error:
            if len(rows) == 1:
                self._reject(rows[0][0], _short(error))
                return
            half = len(rows) // 2
            self._apply(connection, rows[:half], coverage, now_us)
            self._apply(connection, rows[half:], coverage, now_us)
        else:
            coverage.last_us = counted.last_us

    def _reject(self, row: Row, reason: str) -> None:
        """Put a row aside. It may be there twice when the database goes away right after: better than not at all."""
        self.rejected += 1
        log.warning("a row of kind %s was rejected: %s", row.kind, reason)
        folder = self._folder / "rejected"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{datetime_of_wall(self._clock.wall_us()):%Y-%m-%d}.jsonl"
        line = json.dumps({"reason": reason, "row": row.text.strip()}, ensure_ascii=True) + "\n"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)

    def _upkeep_when_due(self) -> None:
        if self._clock.monotonic() < self._upkeep_due:
            return
        self._upkeep_due = self._clock.monotonic() + self._options.upkeep_s
        try:
            self.upkeep()
        except (SQLAlchemyError, psycopg.Error) as error:
            log.warning("the database's upkeep did not end (%s); it is tried again in a while", _short(error))

    def _drain(self) -> None:
        until = self._clock.monotonic() + self._options.drain_s
        try:
            while self._clock.monotonic() < until and self.step():
                pass
        except (SQLAlchemyError, psycopg.Error) as error:
            log.warning("the rest stays in the spool until the next start (%s)", _short(error))


def _verdicts(connection: Connection, ids: Sequence[str]) -> list[Verdict]:
    """Those of ``ids`` that have a row, oldest first."""
    if not ids:
        return []
    columns = (ChunkTable.id, ChunkTable.stream_id, ChunkTable.start_us, ChunkTable.end_us, ChunkTable.state, ChunkTable.cause)
    rows = connection.execute(select(*columns).where(ChunkTable.id.in_(ids)).order_by(ChunkTable.start_us))
    return [Verdict(*row[:4], ChunkState(row.state), row.cause) for row in rows]


def _short(error: Exception) -> str:
    """One line of a database's error, which may quote the row but never an address or a password."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {str(cause).strip().splitlines()[0] if str(cause).strip() else 'no details'}"
