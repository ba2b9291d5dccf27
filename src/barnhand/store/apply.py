"""Puts rows of the spool into the tables, within a transaction that somebody else opened.

Every kind is an upsert or adds to what is there, so that rows may come late and out of order between producers; that they
are put in only once is the writer's care.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from barnhand.core.chunk import Chunk, ChunkState
from barnhand.core.time import datetime_of_wall
from barnhand.store.corrections import as_told
from barnhand.store.farms import default_farm
from barnhand.store.rows import GapRow, HorseRow, LookDeletedRow, LookRow, ObservationRow, TrackRow, VerdictRow
from barnhand.store.sightings import see_more
from barnhand.store.tables import (
    ChunkMark,
    ChunkTable,
    Detection,
    GapTable,
    HorseLook,
    HorseTable,
    ObservedMinute,
    StaleHour,
    TrackTable,
    table_of,
)
from barnhand.store.timeseries import TimeSeries

LONGEST_STEP_US = 1_000_000
"""A picture stands for the time since the one before it, but for no more than this."""

_MINUTE_US = 60_000_000
_CHUNK_FIELDS = tuple(Chunk.__dataclass_fields__)
_COLUMNS = tuple(column.name for column in table_of(Detection).columns)

_APPLY_MARKS = text("""
    with marks as (delete from chunk_marks where chunk_id = any(:ids) returning chunk_id, state, cause, tries)
    update chunks set state = marks.state, cause = marks.cause, tries = chunks.tries + marks.tries
    from marks where chunks.id = marks.chunk_id
""")


@dataclass
class Coverage:
    """When the last picture of each stream was taken, to know what time the next one stands for."""

    last_us: dict[str, int] = field(default_factory=dict)

    def minutes(self, pictures: Iterable[ObservationRow]) -> dict[tuple[str, int], list[int]]:
        """``{(stream, start of the minute in µs): [pictures, µs]}`` of pictures in the order they were analysed."""
        found: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
        for picture in pictures:
            before = self.last_us.get(picture.stream_id, picture.wall_us)
            self.last_us[picture.stream_id] = picture.wall_us
            step = picture.wall_us - before
            cell = found[picture.stream_id, picture.wall_us // _MINUTE_US * _MINUTE_US]
            cell[0] += 1
            cell[1] += max(0, min(step, LONGEST_STEP_US))
        return found


def apply(connection: Connection, rows: Sequence[Any], series: TimeSeries, coverage: Coverage, now_us: int) -> None:
    """Put typed rows (``store.rows``; a text is a deleted chunk's id) in, in their order as far as it matters.

    Raises SQLAlchemy's and psycopg's errors; the transaction is then to be rolled back.
    """
    by_type: dict[type, list[Any]] = defaultdict(list)
    for row in rows:
        by_type[type(row)].append(row)
    merged: dict[str, str] = {}
    if by_type.keys() & {ObservationRow, LookRow, LookDeletedRow, TrackRow}:
        # Before asking what people said: a correction takes the same lock, so it is either known here or waits for these rows.
        connection.exec_driver_sql("lock table stream_horses in row exclusive mode")
        merged = _merged(connection)
    observations = as_told(connection, by_type[ObservationRow])
    tracks: list[TrackRow] = by_type[TrackRow]
    looks: list[LookRow] = by_type[LookRow]
    if by_type[HorseRow]:
        _put_horses(connection, by_type[HorseRow], now_us)
    _put_placeholders(connection, observations, tracks, looks, now_us)
    _put_looks(connection, [row for row in rows if isinstance(row, (LookRow, LookDeletedRow))], merged)
    _put_chunks(connection, [row for row in rows if isinstance(row, (Chunk, str, VerdictRow))])
    if by_type[GapRow]:
        _put_gaps(connection, by_type[GapRow])
    if observations:
        _put_observations(connection, observations, merged, series, coverage)
    if tracks:
        _put_tracks(connection, [replace(row, horse_id=_real(row.horse_id, merged)) for row in tracks])


def _merged(connection: Connection) -> dict[str, str]:
    query = select(HorseTable.id, HorseTable.merged_into).where(HorseTable.merged_into.is_not(None))
    return {row[0]: row[1] for row in connection.execute(query) if row[1] is not None}


def _real(horse_id: str | None, merged: Mapping[str, str]) -> str | None:
    return None if horse_id is None else merged.get(horse_id, horse_id)


def _put_horses(connection: Connection, rows: Sequence[HorseRow], now_us: int) -> None:
    now = datetime_of_wall(now_us)
    last = {row.id: row for row in rows}
    farm = default_farm(connection, now_us)
    values = [
        {
            "id": row.id,
            "farm_id": row.farm_id or farm,
            "name": row.name,
            "stranger": row.stranger,
            "created_at": now,
            "updated_at": now,
        }
        for _, row in sorted(last.items())
    ]
    statement = upsert(table_of(HorseTable)).values(values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={"name": statement.excluded.name, "stranger": statement.excluded.stranger, "updated_at": now},
            # A person's word outlasts what an analyst thinks.
            where=HorseTable.named_by_person.is_(False),
        )
    )


def _put_placeholders(
    connection: Connection,
    observations: Sequence[ObservationRow],
    tracks: Sequence[TrackRow],
    looks: Sequence[LookRow],
    now_us: int,
) -> None:
    """Horses whose own row is still on its way from another producer."""
    names: dict[str, str | None] = {}
    for observation in observations:
        for horse in observation.horses:
            if horse.horse_id is not None:
                names[horse.horse_id] = horse.horse_name or names.get(horse.horse_id)
    for horse_id in (*(row.horse_id for row in tracks), *(row.horse_id for row in looks)):
        if horse_id is not None:
            names.setdefault(horse_id, None)
    if not names:
        return
    there = set(connection.scalars(select(HorseTable.id).where(HorseTable.id.in_(names))))
    missing = [HorseRow(horse_id, name or "Unknown", True, None) for horse_id, name in names.items() if horse_id not in there]
    if missing:
        _put_horses(connection, missing, now_us)


def _put_looks(connection: Connection, rows: Sequence[LookRow | LookDeletedRow], merged: Mapping[str, str]) -> None:
    """Looks and their removals: of rows about one look, what the last one says is left."""
    taught: dict[tuple[str, str, int], LookRow] = {}
    gone: set[tuple[str, str, int]] = set()
    for row in rows:
        key = (merged.get(row.horse_id, row.horse_id), row.kind, row.taken_us)
        if isinstance(row, LookRow):
            taught[key] = replace(row, horse_id=key[0])
        else:
            taught.pop(key, None)
            gone.add(key)
    if gone:
        columns = tuple_(HorseLook.horse_id, HorseLook.kind, HorseLook.taken_us)
        connection.execute(delete(table_of(HorseLook)).where(columns.in_(sorted(gone))))
    if taught:
        statement = upsert(table_of(HorseLook))
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["horse_id", "kind", "taken_us"],
                set_={"vouched": or_(HorseLook.vouched, statement.excluded.vouched)},
            ),
            [row.__dict__ for _, row in sorted(taught.items())],
        )


def _put_chunks(connection: Connection, rows: Sequence[Chunk | VerdictRow | str]) -> None:
    """Chunks, their removals and verdicts on them: only what is left at the end of the rows matters."""
    chunks: dict[str, Chunk] = {}
    gone: set[str] = set()
    verdicts: dict[str, list[VerdictRow]] = {}
    for row in rows:
        if isinstance(row, Chunk):
            chunks[row.id] = row
            gone.discard(row.id)
        elif isinstance(row, VerdictRow):
            verdicts.setdefault(row.id, []).append(row)
        else:
            chunks.pop(row, None)
            verdicts.pop(row, None)
            gone.add(row)
    if gone:
        ids = {"ids": sorted(gone)}
        connection.execute(text("delete from chunks where id = any(:ids)"), ids)
        connection.execute(text("delete from chunk_marks where chunk_id = any(:ids)"), ids)
    if chunks:
        values = [{name: getattr(row, name) for name in _CHUNK_FIELDS} for _, row in sorted(chunks.items())]
        statement = upsert(table_of(ChunkTable))
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["id"], set_={name: statement.excluded[name] for name in _CHUNK_FIELDS if name != "id"}
            ),
            values,
        )
        connection.execute(_APPLY_MARKS, {"ids": sorted(chunks)})
    for chunk_id, told in sorted(verdicts.items()):
        _judge(connection, chunk_id, told)


def _judge(connection: Connection, chunk_id: str, told: Sequence[VerdictRow]) -> None:
    last = told[-1]
    failures = sum(verdict.state is ChunkState.FAILED for verdict in told)
    changed = connection.execute(
        update(table_of(ChunkTable))
        .where(ChunkTable.id == chunk_id)
        .values(state=last.state.value, cause=last.cause, tries=ChunkTable.tries + failures)
    ).rowcount
    if changed == 0:
        statement = upsert(table_of(ChunkMark)).values(
            chunk_id=chunk_id, state=last.state.value, cause=last.cause, tries=failures
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["chunk_id"],
                set_={
                    "state": statement.excluded.state,
                    "cause": statement.excluded.cause,
                    "tries": ChunkMark.tries + statement.excluded.tries,
                },
            )
        )


def _put_gaps(connection: Connection, rows: Sequence[GapRow]) -> None:
    last = {(row.stream_id, row.start_us): row for row in rows}
    statement = upsert(table_of(GapTable))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["stream_id", "start_us"],
            set_={
                # An end that is known stays known, should the opening row come again.
                "end_us": func.coalesce(statement.excluded.end_us, GapTable.end_us),
                "cause": statement.excluded.cause,
                "message": statement.excluded.message,
            },
        ),
        [row.__dict__ for _, row in sorted(last.items())],
    )


def _put_observations(
    connection: Connection,
    rows: Sequence[ObservationRow],
    merged: Mapping[str, str],
    series: TimeSeries,
    coverage: Coverage,
) -> None:
    seen = [row for row in rows if row.horses]
    if seen:
        series.prepare(connection, {_day(row.wall_us) for row in seen})
        _copy(connection, _detections(seen, merged))
        _put_tracks(connection, _tracks_of(seen, merged))
        _put_sightings(connection, seen, merged)
        hours = {row.wall_us // 3_600_000_000 * 3_600_000_000 for row in seen}
        statement = upsert(table_of(StaleHour))
        # An update rather than nothing: it takes the row's lock, for which the roll-up waits.
        connection.execute(
            statement.on_conflict_do_update(index_elements=["hour"], set_={"hour": statement.excluded.hour}),
            [{"hour": datetime_of_wall(hour)} for hour in sorted(hours)],
        )
    minutes = coverage.minutes(rows)
    statement = upsert(table_of(ObservedMinute))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["stream_id", "minute"],
            set_={
                "pictures": ObservedMinute.pictures + statement.excluded.pictures,
                "observed_us": func.least(_MINUTE_US, ObservedMinute.observed_us + statement.excluded.observed_us),
            },
        ),
        [
            {"stream_id": stream, "minute": datetime_of_wall(minute), "pictures": count, "observed_us": min(span, _MINUTE_US)}
            for (stream, minute), (count, span) in sorted(minutes.items())
        ],
    )


def _day(wall_us: int) -> date:
    return datetime_of_wall(wall_us).date()


def _detections(rows: Sequence[ObservationRow], merged: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    """Tuples in the order of ``_COLUMNS``."""
    for row in rows:
        time: datetime = datetime_of_wall(row.wall_us)
        for horse in row.horses:
            yield (
                time,
                row.stream_id,
                horse.track_id,
                _real(horse.horse_id, merged),
                row.pts,
                row.width,
                row.height,
                horse.bbox,
                horse.confidence,
                horse.certainty,
                horse.similarity,
                horse.color,
                horse.skeleton,
                horse.keypoints,
                horse.interpolated,
                horse.metrics,
            )


def _copy(connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    """COPY by way of a temporary table, because an analyst that was restarted tells a second or two again."""
    connection.exec_driver_sql("create temporary table if not exists incoming (like detections) on commit delete rows")
    # A part of the batch may be tried again within the same transaction.
    connection.exec_driver_sql("delete from incoming")
    driver = connection.connection.driver_connection
    assert driver is not None
    names = ", ".join(_COLUMNS)
    with driver.cursor() as cursor, cursor.copy(f"copy incoming ({names}) from stdin") as copy:
        for row in rows:
            copy.write_row(row)
    connection.exec_driver_sql(
        f"insert into detections ({names}) select {names} from incoming on conflict (stream_id, time, track_id) do nothing"
    )


def _tracks_of(rows: Sequence[ObservationRow], merged: Mapping[str, str]) -> list[TrackRow]:
    found: dict[tuple[str, int], TrackRow] = {}
    for row in rows:
        for horse in row.horses:
            key = row.stream_id, horse.track_id
            before = found.get(key)
            horse_id = _real(horse.horse_id, merged)
            if before is None:
                found[key] = TrackRow(*key, horse_id, row.wall_us, None)
            else:
                found[key] = replace(
                    before, horse_id=horse_id or before.horse_id, started_us=min(before.started_us, row.wall_us)
                )
    return list(found.values())


def _put_tracks(connection: Connection, rows: Sequence[TrackRow]) -> None:
    last: dict[tuple[str, int], TrackRow] = {}
    for row in rows:
        last[row.stream_id, row.track_id] = row
    statement = upsert(table_of(TrackTable))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["stream_id", "track_id"],
            set_={
                "horse_id": func.coalesce(statement.excluded.horse_id, TrackTable.horse_id),
                "started_us": func.least(statement.excluded.started_us, TrackTable.started_us),
                "ended_us": func.coalesce(statement.excluded.ended_us, TrackTable.ended_us),
            },
        ),
        [row.__dict__ for _, row in sorted(last.items())],
    )


def _put_sightings(connection: Connection, rows: Sequence[ObservationRow], merged: Mapping[str, str]) -> None:
    spans: dict[tuple[str, str], tuple[int, int]] = {}
    for row in rows:
        for horse in row.horses:
            horse_id = _real(horse.horse_id, merged)
            if horse_id is not None:
                first, last = spans.get((row.stream_id, horse_id), (row.wall_us, row.wall_us))
                spans[row.stream_id, horse_id] = min(first, row.wall_us), max(last, row.wall_us)
    see_more(connection, {pair: (datetime_of_wall(first), datetime_of_wall(last)) for pair, (first, last) in spans.items()})


def days_ahead(now: datetime, days: int) -> list[date]:
    """Today and the ``days`` after it."""
    return [(now + timedelta(days=ahead)).date() for ahead in range(days + 1)]
