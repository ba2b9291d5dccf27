"""What people say about one animal on screen: it is that horse, or it is not the horse it is called.

Such a word holds for all pictures of the track that were taken before it. Those that have rows are changed at once, in one
transaction; those still in a spool when they come (``as_told``). What is seen later is as the analyst decides, who is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from barnhand.core.errors import NotFoundError
from barnhand.core.identity import Certainty
from barnhand.core.time import datetime_of_wall
from barnhand.store import timeseries
from barnhand.store.database import Database, unhurried
from barnhand.store.detections import moment
from barnhand.store.horses import real_horse
from barnhand.store.rows import DetectionRow, ObservationRow
from barnhand.store.sightings import see_less, see_more
from barnhand.store.tables import Detection, HorseTable, StaleHour, TrackTable, table_of

_MOVE_LOOKS = text("""
    insert into horse_looks (horse_id, kind, embedding, taken_us, network, stream_id, track_id, vouched)
    select cast(:horse as uuid), kind, embedding, taken_us, network, stream_id, track_id, true
    from horse_looks where stream_id = cast(:stream as uuid) and track_id = :track and horse_id <> cast(:horse as uuid)
    on conflict do nothing
""")
_DROP_LOOKS = {
    "assign": text("""
        delete from horse_looks
        where stream_id = cast(:stream as uuid) and track_id = :track and horse_id <> cast(:horse as uuid)
    """),
    "refuse": text("""
        delete from horse_looks
        where stream_id = cast(:stream as uuid) and track_id = :track and horse_id = cast(:horse as uuid)
    """),
}


@dataclass(frozen=True)
class _Track:
    stream_id: str
    track_id: int
    horse_id: str | None
    first: datetime
    last: datetime

    @property
    def rows(self) -> tuple[ColumnElement[bool], ...]:
        """Which detections are its own; the bounds of time are for the planner, who cuts days off by them."""
        return (
            Detection.stream_id == self.stream_id,
            Detection.track_id == self.track_id,
            Detection.time >= self.first,
            Detection.time <= self.last,
        )


class Corrections:
    """Writes what people say about tracks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def assign(self, stream_id: str, track_id: int, horse_id: str) -> str:
        """Make all that was seen of a track that of a horse; the horse's id, after merges.

        What the track taught other horses becomes looks of this one that a person vouched for. Raises ``NotFoundError``.
        """
        with self._database.begin() as connection:
            horse = real_horse(connection, horse_id)
            track = self._begin(connection, stream_id, track_id)
            # Nobody has said yet who a stranger is.
            certainty = Certainty.UNKNOWN if horse.stranger else Certainty.CONFIRMED
            spans = _spans(connection, track.rows)
            _change(connection, track.rows, horse.id, certainty)
            self._tell_track(connection, track, horse.id)
            names = {"stream": stream_id, "track": track_id, "horse": horse.id}
            connection.execute(_MOVE_LOOKS, names)
            connection.execute(_DROP_LOOKS["assign"], names)
            for other in spans.keys() - {None, horse.id}:
                see_less(connection, stream_id, str(other), *spans[other])
            if spans:
                first, last = min(span[0] for span in spans.values()), max(span[1] for span in spans.values())
                see_more(connection, {(stream_id, horse.id): (first, last)})
            return str(horse.id)

    def refuse(self, stream_id: str, track_id: int, horse_id: str | None = None) -> str:
        """Take a horse's name from a track, and what the track taught the horse; the horse's id, after merges.

        Without ``horse_id`` it is the horse the track is called now. Raises ``NotFoundError``.
        """
        with self._database.begin() as connection:
            refused = None if horse_id is None else str(real_horse(connection, horse_id).id)
            track = self._begin(connection, stream_id, track_id)
            horse = refused or track.horse_id
            if horse is None:
                raise NotFoundError("this animal is not called any horse, so there is nothing to take back")
            rows = (*track.rows, Detection.horse_id == horse)
            spans = _spans(connection, rows)
            if not spans and track.horse_id != horse:
                raise NotFoundError("this animal is not called that horse; look again what it is called now")
            _change(connection, rows, None, Certainty.UNKNOWN)
            if track.horse_id == horse:
                self._tell_track(connection, track, None)
            connection.execute(_DROP_LOOKS["refuse"], {"stream": stream_id, "track": track_id, "horse": horse})
            if spans:
                see_less(connection, stream_id, horse, *spans[horse])
            return horse

    def _begin(self, connection: Connection, stream_id: str, track_id: int) -> _Track:
        unhurried(connection)
        timeseries.lift_limits(connection)
        # The writer holds this lock while it puts rows in: none comes in as it was called before behind our back.
        connection.exec_driver_sql("lock table stream_horses in share row exclusive mode")
        query = select(TrackTable.horse_id, TrackTable.started_us, TrackTable.ended_us)
        query = query.where(TrackTable.stream_id == stream_id, TrackTable.track_id == track_id)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFoundError("nothing is recorded of this animal, or not yet; try again in a moment")
        last = moment(2**63 if row.ended_us is None else row.ended_us)
        return _Track(stream_id, track_id, row.horse_id, datetime_of_wall(row.started_us), last)

    def _tell_track(self, connection: Connection, track: _Track, horse_id: str | None) -> None:
        # The time is taken last: what an analyst decided while this went on is as the person said, too.
        connection.execute(
            update(table_of(TrackTable))
            .where(TrackTable.stream_id == track.stream_id, TrackTable.track_id == track.track_id)
            .values(horse_id=horse_id, told_us=self._database.clock.wall_us())
        )


def as_told(connection: Connection, rows: Sequence[ObservationRow]) -> list[ObservationRow]:
    """``rows`` in which a track that a person spoke of is, before that moment, who the person said."""
    tracks = {(row.stream_id, horse.track_id) for row in rows for horse in row.horses}
    if not tracks:
        return list(rows)
    query = (
        select(TrackTable.stream_id, TrackTable.track_id, TrackTable.told_us, TrackTable.horse_id, HorseTable.stranger)
        .join(HorseTable, HorseTable.id == TrackTable.horse_id, isouter=True)
        .where(TrackTable.told_us.is_not(None), tuple_(TrackTable.stream_id, TrackTable.track_id).in_(sorted(tracks)))
    )
    words = {(row.stream_id, row.track_id): row for row in connection.execute(query)}

    def said(row: ObservationRow, horse: DetectionRow) -> DetectionRow:
        word = words.get((row.stream_id, horse.track_id))
        if word is None or row.wall_us >= word.told_us:
            return horse
        certainty = Certainty.CONFIRMED if word.stranger is False else Certainty.UNKNOWN
        return replace(horse, horse_id=word.horse_id, certainty=certainty.value)

    return [replace(row, horses=tuple(said(row, horse) for horse in row.horses)) for row in rows] if words else list(rows)


def _spans(connection: Connection, rows: Sequence[ColumnElement[bool]]) -> dict[str | None, tuple[datetime, datetime]]:
    """When the detections that are meant begin and end, horse by horse."""
    query = select(Detection.horse_id, func.min(Detection.time), func.max(Detection.time)).where(*rows)
    return {row[0]: (row[1], row[2]) for row in connection.execute(query.group_by(Detection.horse_id))}


def _change(connection: Connection, rows: Sequence[ColumnElement[bool]], horse_id: str | None, certainty: Certainty) -> None:
    hours = select(func.date_trunc("hour", Detection.time, "UTC").label("hour")).where(*rows).distinct().order_by("hour")
    mark = upsert(table_of(StaleHour)).from_select(["hour"], hours)
    # An update rather than nothing: it takes the row's lock, for which the roll-up waits.
    connection.execute(mark.on_conflict_do_update(index_elements=["hour"], set_={"hour": mark.excluded.hour}))
    connection.execute(update(table_of(Detection)).where(*rows).values(horse_id=horse_id, certainty=certainty.value))
