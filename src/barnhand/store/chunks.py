"""Chunks and gaps: what is on disk, what is not, and what is still to be analysed."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, func, or_, select, tuple_, update

from barnhand.core.chunk import Chunk, ChunkState, Gap
from barnhand.core.errors import NotFoundError
from barnhand.core.stream import Cause
from barnhand.store.database import Database
from barnhand.store.records import RecordingFacts, StoredChunk
from barnhand.store.tables import ChunkTable, GapTable, table_of

MOST_TRIES = 3
GAPS_LIMIT = 1000
_TABLE = table_of(ChunkTable)
_FIELDS = tuple(Chunk.__dataclass_fields__)


def _record(row: Row[Any]) -> StoredChunk:
    fields = row._mapping
    chunk = Chunk(**{name: fields[name] for name in _FIELDS})
    return StoredChunk(chunk, ChunkState(row.state), row.cause, row.tries, row.protected)


class Chunks:
    """Reads chunks. Their rows are written by the spool's writer, but for ``protect``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, chunk_id: str) -> StoredChunk:
        """One. Raises ``NotFoundError``."""
        with self._database.begin() as connection:
            row = connection.execute(select(_TABLE).where(ChunkTable.id == chunk_id)).one_or_none()
        if row is None:
            raise NotFoundError("there is no such chunk; it may have been removed by age")
        return _record(row)

    def between(
        self, stream_id: str, start_us: int, end_us: int, *, state: ChunkState | None = None, limit: int = 10_000
    ) -> list[StoredChunk]:
        """Those of a stream that overlap ``start_us`` to ``end_us``, oldest first."""
        query = select(_TABLE).where(
            ChunkTable.stream_id == stream_id, ChunkTable.start_us < end_us, ChunkTable.end_us > start_us
        )
        if state is not None:
            query = query.where(ChunkTable.state == state.value)
        with self._database.begin() as connection:
            rows = connection.execute(query.order_by(ChunkTable.start_us, ChunkTable.id).limit(limit))
            return [_record(row) for row in rows]

    def pending(self, limit: int = 100, *, before_us: int | None = None) -> list[StoredChunk]:
        """Closed chunks, oldest first, that nobody has analysed yet or that failed fewer than three times."""
        query = select(_TABLE).where(
            ChunkTable.closed,
            ChunkTable.state != ChunkState.ANALYSED.value,
            or_(ChunkTable.state == ChunkState.PENDING.value, ChunkTable.tries < MOST_TRIES),
        )
        if before_us is not None:
            query = query.where(ChunkTable.end_us <= before_us)
        with self._database.begin() as connection:
            rows = connection.execute(query.order_by(ChunkTable.start_us, ChunkTable.id).limit(limit))
            return [_record(row) for row in rows]

    def facts(self, stream_ids: Sequence[str]) -> dict[str, RecordingFacts]:
        """What is kept of each stream; streams without a recording are not in it."""
        query = (
            select(
                ChunkTable.stream_id,
                func.min(ChunkTable.start_us),
                func.max(ChunkTable.end_us),
                func.count(),
                func.sum(ChunkTable.bytes),
            )
            .where(ChunkTable.stream_id.in_(stream_ids))
            .group_by(ChunkTable.stream_id)
        )
        with self._database.begin() as connection:
            return {row[0]: RecordingFacts(row[1], row[2], row[3], int(row[4])) for row in connection.execute(query)}

    def states(self) -> dict[ChunkState, int]:
        """How many chunks are in each state."""
        with self._database.begin() as connection:
            rows = connection.execute(select(ChunkTable.state, func.count()).group_by(ChunkTable.state)).all()
        return {ChunkState(state): count for state, count in rows}

    def protect(self, chunk_ids: Sequence[str], protected: bool) -> None:
        """Say of chunks that retention leaves them alone, or that it may have them again; see ``fragments.naming.KEEP``."""
        query = update(_TABLE).where(ChunkTable.id.in_(chunk_ids)).values(protected=protected)
        with self._database.begin() as connection:
            connection.execute(query)

    def each(self, stream_id: str | None = None) -> Iterator[StoredChunk]:
        """All, of one stream or of every one, by stream and time, a thousand at a time: for ``barnhand check``."""
        last: tuple[str, int, str] | None = None
        order = (ChunkTable.stream_id, ChunkTable.start_us, ChunkTable.id)
        while True:
            query = select(_TABLE).order_by(*order).limit(1000)
            if stream_id is not None:
                query = query.where(ChunkTable.stream_id == stream_id)
            if last is not None:
                query = query.where(tuple_(*order) > tuple_(*last, types=[column.type for column in order]))
            with self._database.begin() as connection:
                rows = connection.execute(query).all()
            for row in rows:
                yield _record(row)
            if len(rows) < 1000:
                return
            last = (rows[-1].stream_id, rows[-1].start_us, rows[-1].id)


class Gaps:
    """Reads gaps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, stream_id: str, start_us: int, end_us: int, limit: int = GAPS_LIMIT) -> list[Gap]:
        """Those of a stream that overlap ``start_us`` to ``end_us``, oldest first; one that lasts has no end."""
        query = select(GapTable.__table__).where(
            GapTable.stream_id == stream_id,
            GapTable.start_us < end_us,
            or_(GapTable.end_us.is_(None), GapTable.end_us > start_us),
        )
        with self._database.begin() as connection:
            rows = connection.execute(query.order_by(GapTable.start_us).limit(limit)).all()
        return [Gap(row.stream_id, row.start_us, row.end_us, Cause(row.cause), row.message) for row in rows]
